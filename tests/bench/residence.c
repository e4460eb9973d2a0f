/*
 * Asks an NTP server now and then, and tells how long the server keeps a request: from the kernel's timestamp of the request
 * to that of the response, at this end. Over a veth pair that is the server's time but for a few microseconds.
 *
 * usage: residence ADDRESS PORT COUNT MICROSECONDS
 * Prints one JSON document: how many requests were answered; the median, the tenth and the ninetieth percentile of that time; the
 * median of what the server itself states; and the median offset, which is 0 in truth where both read one clock. Microseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/net_tstamp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { PACKET = 48, LONGEST = 1024, MAX_COUNT = 100000, WARM_UP = 8, PATIENCE_MS = 100 };

/* Seconds are counted from here, so that a double resolves nanoseconds. */
static time_t epoch;
static double kept[MAX_COUNT], stated[MAX_COUNT], offset[MAX_COUNT];

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double ntpTime(const uint8_t *octets) {
  uint32_t seconds, fraction;
  memcpy(&seconds, octets, 4);
  memcpy(&fraction, octets + 4, 4);
  return (double)((int64_t)ntohl(seconds) - 2208988800L - epoch) + ntohl(fraction) / 4294967296.0;
}

/* Receives into `packet`, and the kernel's timestamp into `time`; returns the length, or -1 without both. */
static ssize_t receive(int fd, int flags, uint8_t *packet, double *time) {
  char control[512];
  struct iovec vector = {packet, LONGEST};
  struct msghdr head = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t length = recvmsg(fd, &head, flags | MSG_DONTWAIT);
  if (length < 0) return -1;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&head); c; c = CMSG_NXTHDR(&head, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_TIMESTAMPING) continue;
    struct timespec t;
    memcpy(&t, CMSG_DATA(c), sizeof t);
    *time = (double)(t.tv_sec - epoch) + (double)t.tv_nsec / 1e9;
    return length;
  }
  return -1;
}

/* Sends a request and waits for its response and both timestamps; returns whether they came. */
static int ask(int fd, uint8_t *response, double *sent, double *received) {
  uint8_t request[PACKET] = {0x23}, nothing[LONGEST];
  for (int i = 40; i < PACKET; i++) request[i] = (uint8_t)rand();
  if (send(fd, request, PACKET, 0) != PACKET) return 0;
  struct pollfd wait = {fd, POLLIN, 0};
  *sent = *received = 0;
  while ((*sent == 0 || *received == 0) && poll(&wait, 1, PATIENCE_MS) > 0) {
    if (wait.revents & POLLERR) receive(fd, MSG_ERRQUEUE, nothing, sent);
    double time = 0;
    if (!(wait.revents & POLLIN) || receive(fd, 0, response, &time) < PACKET) continue;
    if (memcmp(response + 24, request + 40, 8) == 0) *received = time;
  }
  return *sent != 0 && *received != 0;
}

int main(int argc, char **argv) {
  if (argc != 5) return 64;
  int count = atoi(argv[3]), pause = atoi(argv[4]), n = 0;
  if (count < 1 || count > MAX_COUNT || pause < 0) return 64;
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
  inet_pton(AF_INET, argv[1], &server.sin_addr);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  int timestamps = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
                   SOF_TIMESTAMPING_OPT_TSONLY;
  if (connect(fd, (struct sockaddr *)&server, sizeof server) != 0) return 1;
  if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &timestamps, sizeof timestamps) != 0) return 1;
  epoch = time(NULL);
  srand((unsigned)epoch);
  for (int i = 0; i < count + WARM_UP; i++) {
    struct timespec rest = {pause / 1000000, pause % 1000000 * 1000L};
    nanosleep(&rest, NULL);
    uint8_t response[LONGEST];
    double t1, t4;
    if (!ask(fd, response, &t1, &t4) || i < WARM_UP) continue;
    double t2 = ntpTime(response + 32), t3 = ntpTime(response + 40);
    kept[n] = t4 - t1;
    stated[n] = t3 - t2;
    offset[n++] = ((t2 - t1) + (t3 - t4)) / 2;
  }
  if (n == 0) return 1;
  qsort(kept, (size_t)n, sizeof *kept, ascending);
  qsort(stated, (size_t)n, sizeof *stated, ascending);
  qsort(offset, (size_t)n, sizeof *offset, ascending);
  printf("{\"answered\":%d,\"median\":%.1f,\"p10\":%.1f,\"p90\":%.1f,\"stated\":%.1f,\"offset\":%.2f}\n", n, kept[n / 2] * 1e6,
         kept[n / 10] * 1e6, kept[n * 9 / 10] * 1e6, stated[n / 2] * 1e6, offset[n / 2] * 1e6);
}
