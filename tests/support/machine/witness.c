/*
 * A witness of the clock of a machine that no daemon can deceive: it compares CLOCK_REALTIME, which daemons adjust, with
 * CLOCK_MONOTONIC_RAW, which they cannot.
 *
 *   witness anchor ADDRESS PORT COUNT     the time of an NTP server less CLOCK_MONOTONIC_RAW, by the exchange of the least delay
 *   witness watch MILLISECONDS COUNT      CLOCK_REALTIME less CLOCK_MONOTONIC_RAW, again and again, with what the kernel was told
 *
 * Lines of JSON; nanoseconds as integers.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define NS INT64_C(1000000000)
#define UNIX_EPOCH_IN_NTP_SECONDS INT64_C(2208988800)

static int64_t now(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return t.tv_sec * NS + t.tv_nsec;
}

static int64_t ntp_time(const unsigned char *octets) {
  uint32_t words[2];
  memcpy(words, octets, 8);
  return ((int64_t)ntohl(words[0]) - UNIX_EPOCH_IN_NTP_SECONDS) * NS + (int64_t)(((uint64_t)ntohl(words[1]) * NS) >> 32);
}

static int anchor(const char *address, int port, int count) {
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, address, &server.sin_addr) != 1) return 64;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (connect(fd, (struct sockaddr *)&server, sizeof server) != 0) return 1;
  int64_t best = INT64_MAX, difference = 0;
  for (int i = 0; i < count; i++) {
    unsigned char request[48] = {0x23}, response[512];
    int64_t sent = now(CLOCK_MONOTONIC_RAW);
    memcpy(request + 40, &sent, 8);
    if (send(fd, request, sizeof request, 0) != (ssize_t)sizeof request) return 1;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (poll(&ready, 1, 1000) == 1) {
      ssize_t length = recv(fd, response, sizeof response, 0);
      int64_t received = now(CLOCK_MONOTONIC_RAW);
      if (length < 48 || memcmp(response + 24, &sent, 8) != 0) continue;
      int64_t at_server = (ntp_time(response + 32) + ntp_time(response + 40)) / 2;
      int64_t delay = received - sent - (ntp_time(response + 40) - ntp_time(response + 32));
      if (delay < best) {
        best = delay;
        difference = at_server - (sent + (received - sent) / 2);
      }
      break;
    }
    usleep(20000);
  }
  if (best == INT64_MAX) return 1;
  printf("{\"difference\":\"%" PRId64 "\",\"delay\":%" PRId64 "}\n", difference, best);
  return 0;
}

/* The difference of the clocks, from the pair of readings that took the least time. */
static int64_t compare(int64_t *raw) {
  int64_t best = INT64_MAX, difference = 0;
  for (int i = 0; i < 5; i++) {
    int64_t before = now(CLOCK_MONOTONIC_RAW);
    int64_t real = now(CLOCK_REALTIME);
    int64_t after = now(CLOCK_MONOTONIC_RAW);
    if (after - before >= best) continue;
    best = after - before;
    *raw = before + best / 2;
    difference = real - *raw;
  }
  return difference;
}

static int watch(int milliseconds, int count) {
  for (int i = 0; i < count; i++) {
    int64_t raw = 0;
    int64_t difference = compare(&raw);
    struct timex kernel = {0};
    int state = adjtimex(&kernel);
    int64_t tai = now(CLOCK_TAI) - now(CLOCK_REALTIME);
    printf("{\"raw\":%" PRId64 ",\"difference\":\"%" PRId64 "\",\"tick\":%ld,\"frequency\":%.4f,\"status\":%d,\"state\":%d,\"tai\":%d,\"taiClock\":%" PRId64 "}\n",
           raw, difference, kernel.tick, (double)kernel.freq / 65536, kernel.status, state, kernel.tai, (tai + NS / 2) / NS);
    fflush(stdout);
    usleep((useconds_t)milliseconds * 1000);
  }
  return 0;
}

int main(int count, char **words) {
  if (count == 5 && strcmp(words[1], "anchor") == 0) return anchor(words[2], atoi(words[3]), atoi(words[4]));
  if (count == 4 && strcmp(words[1], "watch") == 0) return watch(atoi(words[2]), atoi(words[3]));
  return 64;
}
