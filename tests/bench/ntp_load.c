/*
 * A closed-loop load generator for NTP servers over UDP.
 *
 * It keeps WINDOW requests outstanding. Every answer is matched to its request by the origin timestamp (which carries
 * the slot and its generation), its latency is put into a histogram, and the slot sends its next request. A request that
 * is not answered within the timeout counts as lost and is sent anew. Requests are spread over SOCKETS sockets, and over
 * as many source addresses (127.1.x.y) as wanted when the server is on 127.0.0.0/8.
 *
 * The generator polls: it never sleeps, so that its own wake-up does not count as the server's latency. The share of time
 * in which it found nothing to receive ("idleShare") shows how far it is from being the bottleneck.
 *
 * usage: ntp_load ADDRESS PORT WINDOW SECONDS [sockets=N] [sources=N] [warmup=S] [timeout=MS] [rate=N] [version=3|4] [segment=0|1]
 * Prints one JSON document. With rate=N the loop is open instead: N requests a second, whatever is answered; what the generator
 * could not send in time, because the machine held it up, is left out rather than sent in one burst.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { BATCH = 64, MAX_WINDOW = 16384, MAX_SOCKETS = 4096, HISTOGRAM = 4096, PACKET = 48, OPEN_BURST = 32 };

static uint64_t sentAt[MAX_WINDOW];
static uint32_t generation[MAX_WINDOW];
static uint64_t histogram[HISTOGRAM];
static int sockets[MAX_SOCKETS];
static int socketCount = 1;
static uint8_t version = 4;
static int segmenting = 1;
static uint64_t answers, lost, foreign, kisses, sendErrors;

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Buckets of 1/64 octave: a relative error of one percent, from nanoseconds to minutes. */
static unsigned bucketOf(uint64_t ns) {
  if (ns < 64) return (unsigned)ns;
  unsigned octave = 63u - (unsigned)__builtin_clzll(ns);
  unsigned index = (octave - 5) * 64 + (unsigned)((ns >> (octave - 6)) & 63);
  return index < HISTOGRAM ? index : HISTOGRAM - 1;
}

static double valueOf(unsigned bucket) {
  if (bucket < 64) return bucket;
  unsigned octave = bucket / 64 + 5;
  return (double)(64 + bucket % 64) * (double)(1ull << (octave - 6));
}

static double quantile(double share) {
  uint64_t total = 0, sum = 0;
  for (unsigned i = 0; i < HISTOGRAM; i++) total += histogram[i];
  for (unsigned i = 0; i < HISTOGRAM; i++) {
    sum += histogram[i];
    if (total > 0 && (double)sum >= share * (double)total) return valueOf(i);
  }
  return 0;
}

static int openSocket(const struct sockaddr_storage *to, socklen_t length, unsigned source) {
  int fd = socket(to->ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  int size = 4 << 20;
  if (fd < 0) { perror("socket"); exit(74); }
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  if (source > 0 && to->ss_family == AF_INET) {
    struct sockaddr_in from = { .sin_family = AF_INET };
    from.sin_addr.s_addr = htonl(0x7f010000u + source);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0) { perror("bind"); exit(74); }
  }
  if (connect(fd, (const struct sockaddr *)to, length) < 0) { perror("connect"); exit(74); }
  return fd;
}

static uint8_t out[BATCH][PACKET], in[BATCH][2048];
static struct iovec outVec[BATCH], inVec[BATCH];
static struct mmsghdr outMsg[BATCH], inMsg[BATCH];

static void fill(unsigned position, uint32_t slot, uint64_t time) {
  uint8_t *p = out[position];
  p[0] = (uint8_t)(version << 3 | 3);
  p[2] = 6;
  p[3] = 0x20;
  uint32_t tag[2] = { htonl(++generation[slot]), htonl(slot) };
  memcpy(p + 40, tag, 8);
  sentAt[slot] = time;
}

/*
 * Hands over many requests as one datagram to be cut up by the kernel (generic segmentation), which costs the generator a
 * fraction of as many sends; the server sees the same datagrams. Returns whether the kernel could.
 */
static int flushSegmented(int fd, unsigned count) {
  struct iovec vec = { out, (size_t)count * PACKET };
  char control[CMSG_SPACE(sizeof(uint16_t))] = { 0 };
  struct msghdr head = { .msg_iov = &vec, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
  struct cmsghdr *option = CMSG_FIRSTHDR(&head);
  uint16_t size = PACKET;
  option->cmsg_level = SOL_UDP;
  option->cmsg_type = UDP_SEGMENT;
  option->cmsg_len = CMSG_LEN(sizeof size);
  memcpy(CMSG_DATA(option), &size, sizeof size);
  return sendmsg(fd, &head, 0) == (ssize_t)vec.iov_len;
}

static void flush(int fd, unsigned count) {
  if (segmenting && count > 1) {
    if (flushSegmented(fd, count)) return;
    segmenting = 0;
  }
  for (unsigned sent = 0; sent < count;) {
    int n = sendmmsg(fd, outMsg + sent, count - sent, 0);
    if (n <= 0) { sendErrors += count - sent; return; }
    sent += (unsigned)n;
  }
}

/* Receives one batch from a socket, books the answers, and sends the next request of every slot that was answered. */
static int turn(int fd, int open) {
  int n = recvmmsg(fd, inMsg, BATCH, MSG_DONTWAIT, NULL);
  if (n <= 0) return 0;
  uint64_t time = now();
  unsigned toSend = 0;
  for (int i = 0; i < n; i++) {
    uint32_t tag[2];
    memcpy(tag, in[i] + 24, 8);
    uint32_t slot = ntohl(tag[1]);
    if (inMsg[i].msg_len < PACKET || slot >= MAX_WINDOW || ntohl(tag[0]) != generation[slot] || sentAt[slot] == 0) {
      foreign++;
      continue;
    }
    if (in[i][1] == 0) kisses++;
    answers++;
    histogram[bucketOf(time - sentAt[slot])]++;
    sentAt[slot] = 0;
    if (!open) fill(toSend++, slot, time);
  }
  if (toSend > 0) flush(fd, toSend);
  return n;
}

static void resendLost(uint32_t window, uint64_t time, uint64_t timeout) {
  for (uint32_t slot = 0; slot < window; slot++) {
    if (sentAt[slot] + timeout >= time) continue;
    if (sentAt[slot] != 0) lost++;
    fill(0, slot, time);
    flush(sockets[slot % (uint32_t)socketCount], 1);
  }
}

static double option(int count, char **words, const char *name, double fallback) {
  size_t length = strlen(name);
  for (int i = 5; i < count; i++) {
    if (strncmp(words[i], name, length) == 0 && words[i][length] == '=') return atof(words[i] + length + 1);
  }
  return fallback;
}

int main(int count, char **words) {
  if (count < 5) {
    fprintf(stderr, "usage: ntp_load ADDRESS PORT WINDOW SECONDS [NAME=VALUE...]\n");
    return 64;
  }
  struct sockaddr_storage to = { 0 };
  struct sockaddr_in *to4 = (struct sockaddr_in *)&to;
  struct sockaddr_in6 *to6 = (struct sockaddr_in6 *)&to;
  socklen_t length;
  if (inet_pton(AF_INET, words[1], &to4->sin_addr) == 1) {
    to4->sin_family = AF_INET;
    to4->sin_port = htons((uint16_t)atoi(words[2]));
    length = sizeof *to4;
  } else if (inet_pton(AF_INET6, words[1], &to6->sin6_addr) == 1) {
    to6->sin6_family = AF_INET6;
    to6->sin6_port = htons((uint16_t)atoi(words[2]));
    length = sizeof *to6;
  } else {
    fprintf(stderr, "ntp_load: an IP address was wanted, found %s\n", words[1]);
    return 64;
  }
  uint32_t window = (uint32_t)atoi(words[3]);
  if (window > MAX_WINDOW) window = MAX_WINDOW;
  double seconds = atof(words[4]), warmup = option(count, words, "warmup", 0.3);
  uint64_t timeout = (uint64_t)(option(count, words, "timeout", 100) * 1e6);
  double rate = option(count, words, "rate", 0);
  version = (uint8_t)option(count, words, "version", 4);
  segmenting = option(count, words, "segment", 1) != 0;
  unsigned sources = (unsigned)option(count, words, "sources", 0);
  socketCount = (int)option(count, words, "sockets", sources > 0 ? sources : 1);
  if (socketCount < 1) socketCount = 1;
  if (socketCount > MAX_SOCKETS) socketCount = MAX_SOCKETS;
  for (int i = 0; i < socketCount; i++) {
    sockets[i] = openSocket(&to, length, sources > 0 ? 1 + (unsigned)i % sources : 0);
  }
  for (int i = 0; i < BATCH; i++) {
    outVec[i] = (struct iovec){ out[i], PACKET };
    inVec[i] = (struct iovec){ in[i], sizeof in[i] };
    outMsg[i].msg_hdr = (struct msghdr){ .msg_iov = &outVec[i], .msg_iovlen = 1 };
    inMsg[i].msg_hdr = (struct msghdr){ .msg_iov = &inVec[i], .msg_iovlen = 1 };
  }

  uint64_t start = now(), measureFrom = start + (uint64_t)(warmup * 1e9);
  uint64_t end = measureFrom + (uint64_t)(seconds * 1e9), scanned = 0, idle = 0, sent = 0, skipped = 0, time = start;
  int measuring = 0;
  if (rate == 0) {
    for (uint32_t slot = 0; slot < window; slot++) {
      fill(0, slot, now());
      flush(sockets[slot % (uint32_t)socketCount], 1);
    }
  }
  while (time < end) {
    uint64_t before = time;
    int received = 0;
    for (int i = 0; i < socketCount; i++) received += turn(sockets[i], rate > 0);
    if (rate > 0) {
      uint64_t due = (uint64_t)((double)(time - start) * rate / 1e9) - skipped;
      if (due - sent > OPEN_BURST) {
        skipped += due - sent - OPEN_BURST;
        due = sent + OPEN_BURST;
      }
      while (sent < due) {
        uint32_t slot = (uint32_t)(sent++ % window);
        if (sentAt[slot] != 0) lost++;
        fill(0, slot, now());
        flush(sockets[slot % (uint32_t)socketCount], 1);
        received++;
      }
    }
    time = now();
    if (received == 0) idle += time - before;
    if (rate == 0 && time - scanned > 5000000) {
      resendLost(window, time, timeout);
      scanned = time;
    }
    if (!measuring && time >= measureFrom) {
      measuring = 1;
      measureFrom = time;
      answers = lost = foreign = kisses = sendErrors = idle = 0;
      memset(histogram, 0, sizeof histogram);
      fprintf(stderr, "measuring\n");
      fflush(stderr);
    }
  }
  double span = (double)(time - measureFrom) / 1e9;
  printf("{\"window\":%u,\"seconds\":%.6f,\"answers\":%llu,\"answersPerSecond\":%.1f,\"lost\":%llu,\"kisses\":%llu,"
         "\"foreign\":%llu,\"sendErrors\":%llu,\"idleShare\":%.4f,\"medianSeconds\":%.9f,\"p99Seconds\":%.9f}\n",
         window, span, (unsigned long long)answers, (double)answers / span, (unsigned long long)lost,
         (unsigned long long)kisses, (unsigned long long)foreign, (unsigned long long)sendErrors,
         (double)idle / (span * 1e9), quantile(0.5) / 1e9, quantile(0.99) / 1e9);
  return 0;
}
