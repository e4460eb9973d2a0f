import { deepEqual, doesNotMatch, equal, match } from "node:assert/strict";
import { assertServed, converted } from "../../tests/support/converted.ts";

const ntp = (text: string, files: Readonly<Record<string, string>> = {}) =>
  converted("/etc/ntp.conf", text, files);

Deno.test("Debian's ntp.conf of NTPsec", () => {
  const { dialect, sources, config } = ntp(`
driftfile /var/lib/ntpsec/ntp.drift
leapfile "/usr/share/zoneinfo/leap-seconds.list"
#statsdir /var/log/ntpsec/
tos maxclock 11
tos minclock 4 minsane 3
pool 0.debian.pool.ntp.org iburst
pool 1.debian.pool.ntp.org iburst
pool 2.debian.pool.ntp.org iburst
pool 3.debian.pool.ntp.org iburst
restrict default kod nomodify nopeer noquery limited
restrict 127.0.0.1
restrict ::1
`);
  equal(dialect, "ntp");
  deepEqual(sources, [0, 1, 2, 3].map((i) => `pool ${i}.debian.pool.ntp.org`));
  equal(config.sources.every(({ count }) => count === 2), true);
  equal(config.synchronization.minimumAgreeingSources, 3);
  equal(config.clock.leapSecondsFile, "/usr/share/zoneinfo/leap-seconds.list");
  equal(config.clock.driftFile, "/var/lib/ntpsd/drift");
  deepEqual(config.servers.map(({ listen }) => listen), ["[::]:123"]);
  equal(config.servers[0]?.rateLimit?.burst, 8);
});

Deno.test("Red Hat's classic ntp.conf", () => {
  const { config, comments } = ntp(`
driftfile /var/lib/ntp/drift
restrict default nomodify notrap nopeer noepeer noquery
restrict source nomodify notrap noquery
restrict 127.0.0.1
restrict ::1
#restrict 192.168.1.0 mask 255.255.255.0 nomodify notrap
pool 2.rhel.pool.ntp.org iburst
includefile /etc/ntp/crypto/pw
keys /etc/ntp/keys
trustedkey 4 8 42
requestkey 8
controlkey 8
statistics clockstats cryptostats loopstats peerstats
disable monitor
`);
  equal(config.servers.length, 1);
  equal(config.observability.statisticsPath, "/var/lib/ntpsd/statistics");
  match(comments, /Cannot read \/etc\/ntp\/crypto\/pw/);
  match(comments, /requestkey 8\n# {3}\S/);
  match(comments, /disable monitor/);
});

Deno.test("the local clock as a fallback is a stratum", () => {
  const { config, sources } = ntp(
    "server ntp1.example\nserver 127.127.1.0\nfudge 127.127.1.0 stratum 10\nrestrict default ignore\n",
  );
  deepEqual(sources, ["server ntp1.example"]);
  // as an ntpd of 4.2.8 and of NTPsec, which follow a clock of stratum 10 then
  equal(config.synchronization.localStratum, 11);
  equal(config.servers.length, 0);
  const both = ntp("server a.example\ntos orphan 6\nserver 127.127.1.0\n");
  equal(both.config.synchronization.localStratum, 6);
  match(both.comments, /tos orphan 6: the local clock comes before it/);
});

Deno.test("reference clocks are told", () => {
  const { sources, comments } = ntp(`
refclock shm unit 0 refid GPS
refclock pps ppspath /dev/pps0 prefer
server 127.127.28.0 minpoll 4 maxpoll 4
fudge 127.127.28.0 time1 0.420 refid GPS
server 192.0.2.9 true
disable ntp
`);
  deepEqual(sources, ["server 192.0.2.9"]);
  for (const line of ["refclock shm", "refclock pps", "server 127.127.28.0", "fudge 127.127.28"]) {
    match(comments, RegExp(line));
  }
});

Deno.test("a server of a network alone, by masks", () => {
  const { config } = ntp(`
server 10.0.0.1 key 1
keys /etc/ntp.keys
trustedkey 1
restrict default ignore
restrict -6 default ignore
restrict 127.0.0.1
restrict 192.168.10.0 mask 255.255.255.0 nomodify notrap
restrict 2001:db8:: mask ffff:ffff:: nomodify
restrict 192.168.10.66 ignore
interface ignore wildcard
interface listen 192.168.10.1
`);
  deepEqual(config.servers.map(({ listen }) => listen), ["192.168.10.1:123"]);
  const [server] = config.servers;
  deepEqual(server?.allowlist?.filter, ["127.0.0.1/32", "192.168.10.0/24", "2001:db8::/32"]);
  deepEqual(server?.denylist?.filter, ["192.168.10.66/32"]);
  equal(config.sources[0]?.key, 1);
});

Deno.test("NTS of NTPsec, as client and server", () => {
  const { sources, config } = ntp(`
nts enable
nts key /etc/letsencrypt/live/example/privkey.pem
nts cert /etc/letsencrypt/live/example/fullchain.pem
server time.cloudflare.com:4460 nts
server ntp1.glypnod.com:1234 nts
server own.example nts ca /etc/own.pem
server -4 four.example
`);
  deepEqual(sources, [
    "nts time.cloudflare.com",
    "nts ntp1.glypnod.com:1234",
    "nts own.example",
    "server four.example",
  ]);
  equal(config.sources[2]?.certificateAuthority, "/etc/own.pem");
  equal(config.ntsKeServers[0]?.privateKeyPath, "/etc/letsencrypt/live/example/privkey.pem");
});

Deno.test("a virtual machine: panic and step thresholds, no clock of its own", () => {
  const { config, comments } = ntp(
    "tinker panic 0 step 0.5 stepout 300\ndisable ntp\ntos orphan 7\nserver a.example\nmaxpoll 9\n",
  );
  equal(config.synchronization.singleStepPanicThreshold.forward, undefined);
  equal(config.synchronization.stepThreshold, 0.5);
  equal(config.synchronization.localStratum, 7);
  equal(config.clock.adjust, false);
  match(comments, /tinker stepout 300\n# {3}\S/);
});

Deno.test("broadcast, multicast, Autokey and Samba's signatures are told", () => {
  const { sources, comments } = ntp(`
broadcast 192.168.123.255
multicastclient 224.0.1.1
crypto pw serverpassword
keysdir /etc/ntp
ntpsigndsocket /var/lib/samba/ntp_signd/
restrict default mssntp
server 224.0.1.1
server a.example autokey
`);
  deepEqual(sources, ["server a.example"]);
  for (
    const word of [
      "broadcast 192",
      "multicastclient",
      "crypto pw",
      "ntpsigndsocket",
      "mssntp",
      "autokey",
    ]
  ) {
    match(comments, RegExp(word));
  }
  match(comments, /224\.0\.1\.1 is a multicast address/);
});

Deno.test("a source whose key is nowhere is not asked without it", () => {
  const { sources, comments } = ntp("server a.example key 5\nserver b.example\nrestrict default\n");
  deepEqual(sources, ["server b.example"]);
  match(comments, /a\.example.*key = 5/);
});

Deno.test("who is served is who ntpd serves: the most special network decides, flags add up", () => {
  assertServed(ntp, [
    ["restrict default nomodify", "yyyyyy"],
    ["restrict default ignore", "------"],
    ["restrict default ignore; restrict default nomodify", "------"],
    ["restrict -4 default ignore", "----yy"],
    ["restrict -6 default ignore", "yyyy--"],
    ["restrict 0.0.0.0 mask 0.0.0.0 noserve", "----yy"],
    ["restrict default ignore; restrict 10.0.0.0 mask 255.0.0.0", "-yyy--"],
    ["restrict 10.0.0.0 mask 255.0.0.0 ignore; restrict 10.1.1.0 mask 255.255.255.0", "y--yyy"],
    [
      "restrict default ignore; restrict 10.0.0.0 mask 255.0.0.0; " +
      "restrict 10.1.0.0 mask 255.255.0.0 noserve; restrict 10.1.1.0 mask 255.255.255.0",
      "-y-y--",
    ],
    ["restrict 10.1.1.0 mask 255.255.255.0 ignore; restrict 10.1.1.0 mask 255.255.255.0", "yyy-yy"],
  ]);
});

Deno.test("each switch is told by itself; only the clock's has a key", () => {
  const { config, comments } = ntp("server a.example\ndisable monitor auth kernel\nenable stats\n");
  equal(config.clock.adjust, "auto");
  for (const name of ["disable monitor", "disable auth", "disable kernel", "enable stats"]) {
    match(comments, new RegExp(`: ${name}\\n`));
  }
  doesNotMatch(comments, /adjust/);
  equal(ntp("server a.example\ndisable ntp monitor\n").config.clock.adjust, false);
});

Deno.test("no panic threshold is none at the start too; survivors are not agreeing sources", () => {
  const { config, comments } = ntp("server a.example\ntinker panic 0\ntos minclock 4\n");
  const { singleStepPanicThreshold, startupStepPanicThreshold } = config.synchronization;
  deepEqual(startupStepPanicThreshold, singleStepPanicThreshold);
  doesNotMatch(comments, /minimum-agreeing-sources/);
  match(comments, /tos minclock 4\n.*decides this by itself/);
});

Deno.test("a limit of some clients alone, and clients that need a key, are told", () => {
  const { config, comments } = ntp(
    "server a.example\nrestrict default\nrestrict 10.0.0.0 mask 255.0.0.0 limited\n" +
      "restrict 10.1.0.0 mask 255.255.0.0 notrust\n",
  );
  equal(config.servers[0]?.rateLimit, undefined);
  match(comments, /10\.0\.0\.0 .* limited\n.*so there is none/);
  match(comments, /10\.1\.0\.0 .* notrust\n.*with a right key too/);
  doesNotMatch(ntp("server a.example\nrestrict default limited\n").comments, /so there is none/);
});
