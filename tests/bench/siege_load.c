/*
 * Hostile traffic for an NTP server over UDP: an open loop of datagrams of many kinds from many addresses.
 *
 * Kinds, by a file of lines "WEIGHT KIND HEXADECIMAL": fixed (sent as it is), fresh (octets 40 to 47 are random), garbage (random
 * octets, the length too), spoofed (fresh, from an address and a port that are not ours, by a raw socket: multicast, broadcast,
 * nowhere, port 0). What is answered is read and counted.
 *
 * usage: siege_load ADDRESS PORT SECONDS RATE SOURCES FILE
 * Binds SOURCES addresses 127.2.x.y, so ADDRESS must be in 127.0.0.0/8; run it in a network namespace of its own. Prints one
 * JSON document.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST = 1400, KINDS = 64, BATCH = 32, MAX_SOURCES = 4096, GARBAGE_MAX = 600 };

struct kind { int weight; char name[16]; uint8_t octets[LONGEST]; size_t length; };

static struct kind kinds[KINDS];
static int kindCount, weightSum;
static int sources[MAX_SOURCES];
static uint64_t seed = 88172645463325252u, sent, answers, failures;

static uint64_t draw(void) {
  seed ^= seed << 13; seed ^= seed >> 7; seed ^= seed << 17;
  return seed;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void readKinds(const char *path) {
  static char hex[2 * LONGEST + 1];
  FILE *file = fopen(path, "r");
  if (file == NULL) exit(66);
  while (kindCount < KINDS) {
    struct kind *k = &kinds[kindCount];
    if (fscanf(file, "%d %15s %2800s", &k->weight, k->name, hex) != 3) break;
    k->length = strlen(hex) / 2;
    for (size_t i = 0; i < k->length; i++) {
      unsigned octet;
      if (sscanf(hex + 2 * i, "%2x", &octet) != 1) exit(65);
      k->octets[i] = (uint8_t)octet;
    }
    weightSum += k->weight;
    kindCount++;
  }
  fclose(file);
}

static const struct kind *pick(void) {
  int at = (int)(draw() % (uint64_t)weightSum);
  for (int i = 0; i < kindCount; i++) if ((at -= kinds[i].weight) < 0) return &kinds[i];
  return &kinds[0];
}

static size_t fill(const struct kind *k, uint8_t *to) {
  size_t length = k->length;
  memcpy(to, k->octets, length);
  if (strcmp(k->name, "garbage") == 0) {
    length = draw() % GARBAGE_MAX;
    for (size_t i = 0; i < length; i += 8) {
      uint64_t octets = draw();
      memcpy(to + i, &octets, 8);
    }
  } else if (strcmp(k->name, "fixed") != 0 && length >= 48) {
    uint64_t octets = draw();
    memcpy(to + 40, &octets, 8);
  }
  return length;
}

static void spoof(int raw, const struct kind *k, const struct sockaddr_in *to) {
  static const uint32_t odd[] = { 0xe0000001, 0xffffffff, 0x0a000001, 0x7f000001, 0xc0000201, 0x00000001 };
  uint8_t packet[sizeof(struct iphdr) + sizeof(struct udphdr) + LONGEST];
  size_t length = fill(k, packet + sizeof(struct iphdr) + sizeof(struct udphdr));
  struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP, .daddr = to->sin_addr.s_addr };
  uint64_t choice = draw();
  ip.saddr = htonl(choice & 1 ? (uint32_t)(0x0a000000 | (draw() & 0xffffff)) : odd[(choice >> 1) % 6]);
  struct udphdr udp = { .dest = to->sin_port, .len = htons((uint16_t)(sizeof udp + length)) };
  udp.source = htons(choice & 64 ? 0 : (uint16_t)draw());
  memcpy(packet, &ip, sizeof ip);
  memcpy(packet + sizeof ip, &udp, sizeof udp);
  size_t whole = sizeof ip + sizeof udp + length;
  if (sendto(raw, packet, whole, MSG_DONTWAIT, (const struct sockaddr *)to, sizeof *to) < 0) failures++;
  else sent++;
}

static void drain(int fd) {
  uint8_t in[2048];
  while (recv(fd, in, sizeof in, MSG_DONTWAIT) >= 0) answers++;
}

int main(int count, char **words) {
  if (count != 7) return 64;
  struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(words[2])) };
  if (inet_pton(AF_INET, words[1], &to.sin_addr) != 1) return 64;
  double seconds = atof(words[3]), rate = atof(words[4]);
  int sourceCount = atoi(words[5]);
  if (sourceCount < 1 || sourceCount > MAX_SOURCES) return 64;
  readKinds(words[6]);
  if (weightSum == 0) return 65;
  int raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  if (raw < 0) return 77;
  for (int i = 0; i < sourceCount; i++) {
    struct sockaddr_in from = { .sin_family = AF_INET };
    from.sin_addr.s_addr = htonl((uint32_t)(0x7f020001 + i));
    sources[i] = socket(AF_INET, SOCK_DGRAM, 0);
    if (sources[i] < 0 || bind(sources[i], (struct sockaddr *)&from, sizeof from) != 0) return 71;
    if (connect(sources[i], (struct sockaddr *)&to, sizeof to) != 0) return 71;
  }
  double start = now(), due = start;
  while (due < start + seconds) {
    int fd = sources[draw() % (uint64_t)sourceCount];
    for (int i = 0; i < BATCH; i++) {
      const struct kind *k = pick();
      uint8_t packet[LONGEST];
      if (strcmp(k->name, "spoofed") == 0) spoof(raw, k, &to);
      else if (send(fd, packet, fill(k, packet), MSG_DONTWAIT) < 0) failures++;
      else sent++;
    }
    drain(fd);
    due += BATCH / rate;
    double left = due - now();
    if (left > 0) usleep((useconds_t)(left * 1e6));
    // what the machine held up is left out, rather than sent in one burst
    else if (left < -0.05) due = now();
  }
  printf("{\"sent\":%llu,\"answers\":%llu,\"failures\":%llu}\n", (unsigned long long)sent,
         (unsigned long long)answers, (unsigned long long)failures);
  return 0;
}
