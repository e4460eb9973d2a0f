/*
 * The plainest packet codec in C, as the measure for `codec.ts`: reads and writes the 48 octets of a header, and walks
 * extension fields. Times are printed as one line of JSON, in nanoseconds for one packet.
 *
 * usage: codec HEX_PLAIN HEX_WITH_FIELDS ROUNDS
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct header {
  uint8_t leap, version, mode, stratum;
  int8_t poll, precision;
  double root_delay, root_dispersion;
  uint32_t reference_id;
  uint64_t reference, origin, receive, transmit;
};

static uint32_t get32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t get64(const uint8_t *p) { return (uint64_t)get32(p) << 32 | get32(p + 4); }

static void put32(uint8_t *p, uint32_t v) {
  p[0] = v >> 24, p[1] = v >> 16, p[2] = v >> 8, p[3] = v;
}

static void put64(uint8_t *p, uint64_t v) { put32(p, v >> 32), put32(p + 4, v); }

__attribute__((noinline)) static int decode(const uint8_t *p, size_t n, struct header *h) {
  if (n < 48) return -1;
  h->leap = p[0] >> 6, h->version = (p[0] >> 3) & 7, h->mode = p[0] & 7;
  h->stratum = p[1], h->poll = (int8_t)p[2], h->precision = (int8_t)p[3];
  h->root_delay = get32(p + 4) / 65536.0, h->root_dispersion = get32(p + 8) / 65536.0;
  h->reference_id = get32(p + 12);
  h->reference = get64(p + 16), h->origin = get64(p + 24);
  h->receive = get64(p + 32), h->transmit = get64(p + 40);
  return 0;
}

__attribute__((noinline)) static void encode(const struct header *h, uint8_t *p) {
  p[0] = h->leap << 6 | h->version << 3 | h->mode;
  p[1] = h->stratum, p[2] = h->poll, p[3] = h->precision;
  put32(p + 4, h->root_delay * 65536.0), put32(p + 8, h->root_dispersion * 65536.0);
  put32(p + 12, h->reference_id);
  put64(p + 16, h->reference), put64(p + 24, h->origin);
  put64(p + 32, h->receive), put64(p + 40, h->transmit);
}

__attribute__((noinline)) static int walk(const uint8_t *p, size_t n) {
  int count = 0;
  for (size_t at = 48; at < n; count++) {
    if (n - at < 4) return -1;
    size_t length = p[at + 2] << 8 | p[at + 3];
    if (length % 4 != 0 || length < 16 || length > n - at) return -1;
    at += length;
  }
  return count;
}

static size_t from_hex(const char *text, uint8_t *out, size_t max) {
  size_t n = 0;
  for (unsigned octet; n < max && sscanf(text + 2 * n, "%2x", &octet) == 1; n++) out[n] = octet;
  return n;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 4) return 64;
  static uint8_t plain[2048], fields[2048], out[48];
  size_t plain_length = from_hex(argv[1], plain, sizeof plain);
  size_t fields_length = from_hex(argv[2], fields, sizeof fields);
  long rounds = atol(argv[3]);
  struct header header;
  volatile uint64_t sink = 0;
  double t0 = now();
  for (long i = 0; i < rounds; i++) {
    plain[47] = (uint8_t)i;
    decode(plain, plain_length, &header);
    sink += header.transmit;
  }
  double t1 = now();
  for (long i = 0; i < rounds; i++) {
    header.transmit = i;
    encode(&header, out);
    sink += out[47];
  }
  double t2 = now();
  for (long i = 0; i < rounds; i++) {
    fields[47] = (uint8_t)i;
    decode(fields, fields_length, &header);
    sink += header.transmit + walk(fields, fields_length);
  }
  double t3 = now();
  printf("{\"decode\":%f,\"encode\":%f,\"packet\":%f}\n", (t1 - t0) / rounds, (t2 - t1) / rounds,
         (t3 - t2) / rounds);
  return 0;
}
