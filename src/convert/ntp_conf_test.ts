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
  deepEqual(config.servers.map(({ listen }) => listen), [
    "192.168.10.1:123",
    "127.0.0.1:123",
  ]);
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

Deno.test("where it listens is where ntpd does: loopback too unless its own address is closed", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["restrict default", ["[::]:123"]],
    ["interface listen 192.0.2.1", ["192.0.2.1:123", "127.0.0.1:123", "[::1]:123"]],
    ["interface listen 192.0.2.1; interface ignore ::1", ["192.0.2.1:123", "127.0.0.1:123"]],
    ["interface ignore wildcard; nic listen 192.0.2.1; nic drop 127.0.0.1; nic ignore ::1", [
      "192.0.2.1:123",
    ]],
    ["interface listen 192.0.2.1; interface ignore 192.0.2.1; interface listen 192.0.2.2", [
      "192.0.2.2:123",
      "127.0.0.1:123",
      "[::1]:123",
    ]],
    ["interface listen all", ["[::]:123"]],
    ["interface listen ipv4", ["0.0.0.0:123", "[::1]:123"]],
    ["interface listen ipv6", ["[::]:123", "127.0.0.1:123"]],
    ["interface listen 127.0.0.1", ["127.0.0.1:123", "[::1]:123"]],
    ["interface ignore all", []],
    ["interface listen eth0", []],
  ];
  for (const [lines, expected] of cases) {
    const { config, comments } = ntp(`server a.example\n${lines.replaceAll("; ", "\n")}\n`);
    deepEqual(config.servers.map(({ listen }) => listen), expected, lines);
    doesNotMatch(comments, /it is open, as all/);
    if (expected.length === 0) match(comments, /No address is named in interface listen/, lines);
  }
  const { comments } = ntp("server a\ninterface listen all\ninterface ignore 192.0.2.1\n");
  match(comments, /interface ignore 192\.0\.2\.1: it is open, as all/);
});

Deno.test("how often clients may ask is read from discard and limit", () => {
  const limitOf = (lines: string) => {
    const { config, comments } = ntp(`server a.example\nrestrict default limited\n${lines}\n`);
    return [config.servers[0]?.rateLimit, comments] as const;
  };
  deepEqual(limitOf("")[0], { interval: 3, burst: 8, leak: 2 });
  const [classic, told] = limitOf("discard average 5 minimum 2 monitor 3000");
  deepEqual(classic, { interval: 5, burst: 8, leak: 2 });
  match(told, /: discard minimum 2\n.*only interval, burst and leak/);
  match(told, /: discard monitor 3000\n/);
  doesNotMatch(told, /average/);
  deepEqual(limitOf("limit average 0.25 burst 30")[0], { interval: 2, burst: 30, leak: 2 });
  const [near, brought] = limitOf("limit average 0.3 burst 1000 kod 0.5");
  deepEqual(near, { interval: 2, burst: 255, leak: 2 });
  match(brought, /limit average 0\.3: ntpsd allows 0\.25 here/);
  match(brought, /limit burst 1000: ntpsd allows 255 here/);
  match(brought, /: limit kod 0\.5\n/);
  match(limitOf("limit average -1")[1], /: limit average -1\n.*not understood/);
  const without = ntp("server a.example\nrestrict default\ndiscard average 5\n");
  equal(without.config.servers[0]?.rateLimit, undefined);
  match(without.comments, /: discard average 5\n.*it limits nobody/);
});

Deno.test("networks that are not limited in ntpd are told, this machine is not", () => {
  const { comments } = ntp(
    "server a.example\nrestrict default limited kod\nrestrict 127.0.0.1\nrestrict ::1\n" +
      "restrict 10.0.0.0 mask 255.0.0.0\nrestrict 10.1.0.0 mask 255.255.0.0 ignore\n" +
      "restrict 192.0.2.0 mask 255.255.255.0\nrestrict 192.0.2.0 mask 255.255.255.0 limited\n",
  );
  equal(comments.match(/these are limited too/g)?.length, 1);
  match(comments, /:5: restrict 10\.0\.0\.0 .*\n.*these are limited too/);
});

Deno.test("a line about clients of one port is left out, and no network follows from it", () => {
  const { config, comments } = ntp(
    "server a.example\nrestrict default ignore\nrestrict 10.0.0.0 mask 255.0.0.0 ippeerlimit 3\n" +
      "restrict 192.0.2.0 mask 255.255.255.0 ntpport\nrestrict 192.0.3.1 port 123\n",
  );
  deepEqual(config.servers[0]?.allowlist?.filter, ["10.0.0.0/8"]);
  match(comments, /:4: restrict 192\.0\.2\.0 .* ntpport\n.*by their port/);
  match(comments, /:5: restrict 192\.0\.3\.1 port 123\n.*by their port/);
  doesNotMatch(comments, /ippeerlimit/);
});

Deno.test("each word of nts is read, wherever it stands, or told by itself", () => {
  const { config, comments } = ntp(
    "nts enable cert /c.pem key /k.pem mintls TLS1.3 tlsciphersuites TLS_AES_128_GCM_SHA256\n" +
      "nts aead AES_SIV_CMAC_256\nserver -4 a.example nts\nserver -6 2001:db8::1\n",
  );
  equal(config.ntsKeServers[0]?.privateKeyPath, "/k.pem");
  match(comments, /: nts mintls TLS1\.3\n.*TLS 1\.3 alone/);
  match(comments, /: nts tlsciphersuites TLS_AES\S*\n.*OpenSSL/);
  match(comments, /: nts aead AES_SIV_CMAC_256\n.*aead-algorithms/);
  match(comments, /: -4\n.*whatever their family/);
  doesNotMatch(comments, /: -6/);
  equal(ntp("nts enable\nnts cert /c key /k\nnts disable\n").config.ntsKeServers.length, 0);
});

Deno.test("where a network cannot be named that is refused nothing is served", () => {
  const refusals = ["10.1.0.0 mask 255.0.255.0", "203.0.113.0/33", "evil.example.net"];
  for (const where of refusals) {
    const { config, comments } = ntp(
      `server a.example\nrestrict default\nrestrict ${where} ignore\n`,
    );
    equal(config.servers.length, 0, where);
    match(comments, /^# \[\[server\]\] listen = /m);
    equal(ntp(`restrict default\nrestrict ${where} limited\n`).config.servers.length, 1, where);
  }
});
