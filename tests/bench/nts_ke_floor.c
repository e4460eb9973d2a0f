/*
 * A key exchange server of a few lines of C over OpenSSL: what the library itself costs, below which no server that uses it can
 * come. It reads the request without looking at it, exports both keys and answers with random octets as cookies.
 *
 * Limits: one connection after the other, no deadlines, no checks: not a server for anything but this comparison.
 *
 * usage: nts_ke_floor CERTIFICATE_CHAIN PRIVATE_KEY
 * Prints the port of 127.0.0.1 on which it listens.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { COOKIES = 8, COOKIE = 100, HEAD = 12, END = 4 };

static const unsigned char head[HEAD] = { 0x80, 1, 0, 2, 0, 0, 0x80, 4, 0, 2, 0, 15 };
static const char label[] = "EXPORTER-network-time-security";

static int choose(SSL *s, const unsigned char **out, unsigned char *length, const unsigned char *list, unsigned size,
                  void *none) {
  (void)s, (void)none;
  if (size != 8 || memcmp(list, "\x07ntske/1", 8) != 0) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = list + 1;
  *length = list[0];
  return SSL_TLSEXT_ERR_OK;
}

static void answer(SSL *s) {
  unsigned char in[4096], out[HEAD + COOKIES * (4 + COOKIE) + END], key[32], context[5] = { 0, 0, 0, 15, 0 };
  if (SSL_accept(s) != 1 || SSL_read(s, in, sizeof in) <= 0) return;
  for (context[4] = 0; context[4] < 2; context[4]++) {
    SSL_export_keying_material(s, key, sizeof key, label, strlen(label), context, sizeof context, 1);
  }
  memcpy(out, head, HEAD);
  for (int i = 0; i < COOKIES; i++) {
    unsigned char *record = out + HEAD + i * (4 + COOKIE);
    memcpy(record, (const unsigned char[]){ 0, 5, 0, COOKIE }, 4);
    RAND_bytes(record + 4, COOKIE);
  }
  memcpy(out + sizeof out - END, (const unsigned char[]){ 0x80, 0, 0, 0 }, END);
  SSL_write(s, out, sizeof out);
  SSL_shutdown(s);
}

static SSL_CTX *prepare(char **words) {
  SSL_CTX *c = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION);
  SSL_CTX_set_options(c, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(c, 0);
  SSL_CTX_set_mode(c, SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_ciphersuites(c, "TLS_AES_128_GCM_SHA256");
  SSL_CTX_set_alpn_select_cb(c, choose, NULL);
  if (SSL_CTX_use_certificate_chain_file(c, words[1]) != 1) return NULL;
  return SSL_CTX_use_PrivateKey_file(c, words[2], SSL_FILETYPE_PEM) == 1 ? c : NULL;
}

int main(int count, char **words) {
  if (count != 3) return 64;
  SSL_CTX *context = prepare(words);
  if (context == NULL) return 65;
  signal(SIGPIPE, SIG_IGN);
  struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t size = sizeof at;
  int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  if (bind(listener, (struct sockaddr *)&at, size) < 0 || listen(listener, 128) < 0) return 74;
  getsockname(listener, (struct sockaddr *)&at, &size);
  printf("listening on %d\n", ntohs(at.sin_port));
  fflush(stdout);
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) continue;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    SSL *s = SSL_new(context);
    SSL_set_fd(s, fd);
    answer(s);
    SSL_free(s);
    close(fd);
  }
}
