/*
 * Sends one datagram again and again to a server over UDP and counts the answers: for requests that are protected as a
 * whole, and therefore cannot be numbered.
 *
 * It keeps WINDOW requests outstanding: for each answer one request more. When no answer came for 20 ms, all outstanding
 * ones count as lost and are sent anew.
 *
 * usage: nts_load ADDRESS PORT WINDOW SECONDS HEXADECIMAL
 * Prints one JSON document: answers, how many of them were shorter than 100 octets (refusals), and losses.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 64, LONGEST = 1500, PATIENCE_MS = 20, REFUSAL = 100 };

static uint8_t request[LONGEST], in[BATCH][LONGEST];
static struct iovec outVec, inVec[BATCH];
static struct mmsghdr outMsg[BATCH], inMsg[BATCH];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sendMany(int fd, int count) {
  while (count > 0) {
    int n = sendmmsg(fd, outMsg, (unsigned)(count < BATCH ? count : BATCH), 0);
    if (n <= 0) return;
    count -= n;
  }
}

static size_t readHex(const char *text) {
  size_t length = strlen(text) / 2;
  if (length > LONGEST) length = LONGEST;
  for (size_t i = 0; i < length; i++) {
    unsigned octet;
    if (sscanf(text + 2 * i, "%2x", &octet) != 1) exit(64);
    request[i] = (uint8_t)octet;
  }
  return length;
}

int main(int count, char **words) {
  if (count != 6) {
    fprintf(stderr, "usage: nts_load ADDRESS PORT WINDOW SECONDS HEXADECIMAL\n");
    return 64;
  }
  struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(words[2])) };
  if (inet_pton(AF_INET, words[1], &to.sin_addr) != 1) return 64;
  int window = atoi(words[3]), size = 4 << 20;
  double seconds = atof(words[4]);
  outVec = (struct iovec){ request, readHex(words[5]) };
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
    perror("connect");
    return 74;
  }
  for (int i = 0; i < BATCH; i++) {
    inVec[i] = (struct iovec){ in[i], LONGEST };
    outMsg[i].msg_hdr = (struct msghdr){ .msg_iov = &outVec, .msg_iovlen = 1 };
    inMsg[i].msg_hdr = (struct msghdr){ .msg_iov = &inVec[i], .msg_iovlen = 1 };
  }
  uint64_t answers = 0, refusals = 0, lost = 0;
  double start = now(), end = start + seconds, time = start;
  sendMany(fd, window);
  while ((time = now()) < end) {
    int n = recvmmsg(fd, inMsg, BATCH, MSG_DONTWAIT, NULL);
    if (n > 0) {
      answers += (uint64_t)n;
      for (int i = 0; i < n; i++) refusals += inMsg[i].msg_len < REFUSAL;
      sendMany(fd, n);
      continue;
    }
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    if (poll(&wait, 1, PATIENCE_MS) == 0) {
      lost += (uint64_t)window;
      sendMany(fd, window);
    }
  }
  printf("{\"answers\":%llu,\"refusals\":%llu,\"lost\":%llu,\"seconds\":%.6f}\n", (unsigned long long)answers,
         (unsigned long long)refusals, (unsigned long long)lost, time - start);
  return 0;
}
