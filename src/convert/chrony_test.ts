import { deepEqual, doesNotMatch, equal, match } from "node:assert/strict";
import { assertServed, converted } from "../../tests/support/converted.ts";
import { costsAtMost } from "../../tests/support/wait_until.ts";

const chrony = (text: string, files: Readonly<Record<string, string>> = {}) =>
  converted("/etc/chrony/chrony.conf", text, files);

Deno.test("Debian's chrony.conf, with the files it includes", () => {
  const facts = chrony(
    `# Welcome to the chrony configuration file.
confdir /etc/chrony/conf.d
pool 2.debian.pool.ntp.org iburst
sourcedir /run/chrony-dhcp
sourcedir /etc/chrony/sources.d
keyfile /etc/chrony/chrony.keys
driftfile /var/lib/chrony/chrony.drift
ntsdumpdir /var/lib/chrony
#log tracking measurements statistics
logdir /var/log/chrony
maxupdateskew 100.0
rtcsync
makestep 1 3
leapsectz right/UTC
`,
    {
      "/etc/chrony/conf.d/10-more.conf": "minsources 2\nallow 10.0.0.0/8\n",
      "/etc/chrony/conf.d/README": "server not.read.example\n",
      "/run/chrony-dhcp/eth0.sources": "server 192.0.2.1 iburst\n",
    },
  );
  equal(facts.dialect, "chrony");
  deepEqual(facts.sources, ["pool 2.debian.pool.ntp.org", "server 192.0.2.1"]);
  const { synchronization, clock, servers } = facts.config;
  equal(synchronization.stepThreshold, 1);
  equal(synchronization.stepLimit, 3);
  equal(synchronization.minimumAgreeingSources, 2);
  equal(clock.leapSecondsFile, "/usr/share/zoneinfo/leap-seconds.list");
  deepEqual(servers.map(({ listen }) => listen), ["[::]:123"]);
  deepEqual(servers[0]?.allowlist?.filter, ["10.0.0.0/8"]);
  match(facts.comments, /chrony\.conf:11: maxupdateskew 100\.0\n# {3}\S/);
  match(facts.comments, /:12: rtcsync\n# {3}\S/);
  match(facts.comments, /sources\.d is empty, or cannot be read/);
});

Deno.test("Fedora's chrony.conf", () => {
  const { sources, config, comments } = chrony(`
pool 2.fedora.pool.ntp.org iburst
sourcedir /run/chrony-dhcp
driftfile /var/lib/chrony/drift
makestep 1.0 3
rtcsync
#hwtimestamp *
#minsources 2
#allow 192.168.0.0/16
#local stratum 10
authselectmode require
keyfile /etc/chrony.keys
ntsdumpdir /var/lib/chrony
leapseclist /usr/share/zoneinfo/leap-seconds.list
logdir /var/log/chrony
`.replace("authselectmode require", "authselectmode mix"));
  deepEqual(sources, ["pool 2.fedora.pool.ntp.org"]);
  equal(config.synchronization.authentication, "mix");
  equal(config.servers.length, 0);
  match(comments, /no source uses a key/);
});

Deno.test("Ubuntu's chrony.conf: pools with maxsources", () => {
  const { config } = chrony(`
pool ntp.ubuntu.com        iburst maxsources 4
pool 0.ubuntu.pool.ntp.org iburst maxsources 1
pool 1.ubuntu.pool.ntp.org iburst maxsources 1
pool 2.ubuntu.pool.ntp.org iburst maxsources 2
keyfile /etc/chrony/chrony.keys
makestep 1 3
`);
  deepEqual(config.sources.map(({ count }) => count), [4, 1, 1, 2]);
});

Deno.test("NTS sources of Ubuntu and Fedora keep their authentication", () => {
  const { sources, config, comments } = chrony(`
server time.cloudflare.com iburst nts
pool 1.ntp.ubuntu.com iburst maxsources 1 nts prefer
server ntp.example iburst nts ntsport 4461 certset 1 minpoll 5 maxpoll 7
ntstrustedcerts 1 /etc/pki/own.pem
ntstrustedcerts /etc/pki/all.pem
`);
  deepEqual(sources, [
    "nts time.cloudflare.com",
    "nts-pool 1.ntp.ubuntu.com",
    "nts ntp.example:4461",
  ]);
  deepEqual(
    config.sources.map(({ certificateAuthority }) => certificateAuthority),
    ["/etc/pki/all.pem", "/etc/pki/all.pem", "/etc/pki/own.pem"],
  );
  deepEqual(config.sources[2]?.pollIntervalLimits, { min: 5, max: 7 });
  equal(config.sources[1]?.prefer, true);
  doesNotMatch(comments, /certset/);
});

Deno.test("a server for a network: access lists, rate limit, NTS and its keys", () => {
  const { config, comments } = chrony(`
server 192.0.2.1 key 10 xleave
keyfile /etc/chrony.keys
allow
deny 192.168.1
allow 192.168.1.5
deny all 2001:db8::/32
allow some.host.example
bindaddress 198.51.100.1
bindaddress ::
port 1123
ratelimit interval 1 burst 16 leak 3
ntsservercert /etc/chain.pem
ntsserverkey /etc/key.pem
ntsprocesses 3
maxntsconnections 200
ntsrotate 86400
local stratum 8 orphan distance 0.5
cmdallow all
clientloglimit 100000000
`);
  deepEqual(config.servers.map(({ listen }) => listen), ["198.51.100.1:1123", "[::]:1123"]);
  const [server] = config.servers;
  deepEqual(server?.allowlist?.filter, ["0.0.0.0/0", "::/0", "192.168.1.5/32"]);
  deepEqual(server?.denylist?.filter, ["192.168.1.0/24", "2001:db8::/32"]);
  deepEqual(server?.rateLimit, { interval: 1, burst: 16, leak: 3 });
  equal(config.sources[0]?.key, 10);
  equal(config.keysFile, "/etc/chrony.keys");
  equal(config.synchronization.localStratum, 8);
  const [exchange] = config.ntsKeServers;
  equal(exchange?.certificateChainPath, "/etc/chain.pem");
  equal(exchange?.concurrentConnections, 200);
  equal(config.keyset.keyRotationInterval, 86400);
  match(comments, /allow some\.host\.example\n.*names are not looked up/);
  match(comments, /ntsprocesses 3/);
});

Deno.test("an isolated server: local time for all", () => {
  const { config } = chrony("local\nallow 0/0\nmanual\n");
  equal(config.synchronization.localStratum, 10);
  deepEqual(config.servers[0]?.allowlist?.filter, ["0.0.0.0/0"]);
  equal(config.sources.length, 0);
});

Deno.test("a laptop: dial-up options, large steps", () => {
  const { config, comments } = chrony(`
server foo.example.net offline maxdelay 0.3 minpoll 12 maxpoll 14
peer bar.example.net
makestep 10 -1
maxslewrate 1000.0
maxchange 100 1 2
initstepslew 30 foo.example.net
user _chrony
lock_all
`);
  equal(config.synchronization.stepLimit, -1);
  equal(config.clock.maxSlew, 1000);
  equal(config.synchronization.singleStepPanicThreshold.forward, 100);
  deepEqual(config.sources[0]?.pollIntervalLimits, { min: 12, max: 14 });
  match(comments, /: offline\n/);
  match(comments, /: maxdelay 0\.3\n/);
  match(comments, /peer bar\.example\.net\n.*as a client/);
  match(comments, /lock_all/);
});

Deno.test("hardware: reference clocks and timestamps are told, short polls are lengthened", () => {
  const { config, comments } = chrony(`
refclock SHM 0 refid GPS precision 1e-1 offset 0.9999 delay 0.2
refclock PHC /dev/ptp0 poll 0 dpoll -2
server 10.1.1.1 minpoll -2 maxpoll 2 xleave prefer trust
hwtimestamp eth0 minpoll -6
`);
  deepEqual(config.sources[0]?.pollIntervalLimits, { min: 0, max: 2 });
  equal(config.sources[0]?.interleaved, true);
  equal(config.sources[0]?.trust, true);
  match(comments, /refclock SHM 0/);
  match(comments, /refclock PHC/);
  match(comments, /hwtimestamp eth0/);
});

Deno.test("comments of all kinds, capitals and blanks", () => {
  const { sources } = chrony(
    "! old\n; older\n% oldest\n  # x\n  SERVER  a.example   IBURST # why\r\nmakestep 1 3\r\n",
  );
  deepEqual(sources, ["server a.example"]);
});

Deno.test("what includes itself, is missing or is one of thousands is told, and the rest is read", () => {
  const many = Object.fromEntries(
    Array.from({ length: 300 }, (_, i) => [`/etc/chrony/many/${i}.conf`, `server s${i}.example\n`]),
  );
  const { sources, comments } = chrony(
    "include /etc/chrony/a.conf\ninclude /missing.conf\ninclude /etc/chrony/many/*.conf\nrtcsync\n",
    { "/etc/chrony/a.conf": "server a.example\ninclude /etc/chrony/chrony.conf\n", ...many },
  );
  equal(sources[0], "server a.example");
  equal(sources.length > 50 && sources.length < 110, true);
  match(comments, /includes itself/);
  match(comments, /Cannot read \/missing\.conf/);
  match(comments, /At most 100 files are read/);
});

Deno.test("who is served is who chronyd serves: later lines override, all clears what is inside", () => {
  assertServed(chrony, [
    ["allow", "yyyyyy"],
    ["allow; deny", "------"],
    ["deny; allow", "yyyyyy"],
    ["deny all", "------"],
    ["allow 10.0.0.0/8", "-yyy--"],
    ["allow 10.0.0.0/8; deny", "-yyy--"],
    ["allow 10.0.0.0/8; deny all", "------"],
    ["allow 10.0.0.0/8; deny 10.1.0.0/16", "-y----"],
    ["allow 10.0.0.0/8; deny 10.1.0.0/16; allow 10.1.1.0/24", "-y-y--"],
    ["allow 10.0.0.0/8; deny 10.1.0.0/16; allow all 10.0.0.0/8", "-yyy--"],
    ["allow 10.1.1.0/24; deny all 10.0.0.0/8", "------"],
    ["deny all 10.0.0.0/8; allow 10.1.1.0/24", "---y--"],
    ["allow; deny 10.0.0.0/8; allow 10.1.1.0/24", "y--yyy"],
    ["allow 10.0.0.0/8; deny 10.0.0.0/8", "------"],
    ["allow 0/0; deny 10.0.0.0/8", "y-----"],
    ["allow 0/0; deny ::/0", "yyyy--"],
    ["allow; deny 0/0", "----yy"],
    ["allow ::/0; deny 2001:db8::/32; allow all ::/0", "----yy"],
  ]);
});

Deno.test("a pattern chooses as the shell does, in a moment however many stars it has", () => {
  const names = ["ab", "axb", "axxbb", "abxb", "xab", "abx", ".ab", "a+b", "a".repeat(200)];
  const files = Object.fromEntries(
    names.map((name, i) => [`/etc/d/${name}`, `server s${i}.example\n`]),
  );
  const chosen = (pattern: string) => {
    const { sources } = chrony(`include /etc/d/${pattern}\nrtcsync\n`, files);
    return sources.map((source) => names[Number(/\d+/.exec(source)?.[0])]).sort();
  };
  deepEqual(chosen("a*b"), ["a+b", "ab", "abxb", "axb", "axxbb"]);
  deepEqual(chosen("a*b*b"), ["abxb", "axxbb"]);
  deepEqual(chosen("*x*b"), ["abxb", "axb", "axxbb", "xab"]);
  deepEqual(chosen("a?b"), ["a+b", "axb"]);
  deepEqual(chosen("*+*"), ["a+b"]);
  deepEqual(chosen("**ab"), ["ab", "xab"]);
  deepEqual(chosen("*b*"), ["a+b", "ab", "abx", "abxb", "axb", "axxbb", "xab"]);
  costsAtMost(2000, () => deepEqual(chosen(`${"*a".repeat(100)}*b`), []));
});

Deno.test("values beyond ntpsd's limits are brought within them, others are told", () => {
  const { config, comments } = chrony(`
server a.example
maxslewrate abc
authselectmode foo
local stratum 12
ratelimit interval 4 burst 999 leak 9
allow 10/8
maxdrift 100000
makestep 0.1 often
`);
  deepEqual(config.servers[0]?.rateLimit, { interval: 4, burst: 255, leak: 4 });
  equal(config.clock.maxFrequency, 500);
  for (const line of ["maxslewrate abc", "authselectmode foo", "makestep 0\\.1 often"]) {
    match(comments, RegExp(`${line}\n#   its value is not understood`));
  }
});

Deno.test("of files of one name in several folders the first counts", () => {
  const { sources } = chrony("confdir /etc/a /usr/b\nrtcsync\n", {
    "/etc/a/x.conf": "server a.example\n",
    "/usr/b/x.conf": "server b.example\n",
    "/usr/b/y.conf": "server c.example\n",
  });
  deepEqual(sources, ["server a.example", "server c.example"]);
});

Deno.test("port 0 serves nobody, whatever is allowed", () => {
  const { config, comments } = chrony("server a.example\nallow all\nport 0\n");
  equal(config.servers.length, 0);
  match(comments, /port 0: no client is served/);
});

Deno.test("plain sources never decide where others were to", () => {
  const plain = "server b.example\npool c.example\nserver d.example noselect\n";
  const badKey = "server a.example key 70000000000\n";
  const cases: readonly (readonly [string, readonly string[]])[] = [
    [`${badKey}${plain}authselectmode require\n`, ["server d.example"]],
    [`${badKey}${plain}`, ["server d.example"]],
    [`${badKey}${plain}authselectmode prefer\n`, ["server d.example"]],
    [`${plain}authselectmode require\n`, ["server d.example"]],
    [`server e.example nts\n${badKey}server b.example\n`, ["nts e.example", "server b.example"]],
    [`${badKey}server b.example\nauthselectmode ignore\n`, ["server b.example"]],
    ["server b.example\nauthselectmode mix\n", ["server b.example"]],
  ];
  for (const [text, expected] of cases) {
    const { sources, comments } = chrony(text);
    deepEqual(sources, expected, text);
    if (expected.length === 1 && expected[0] === "server d.example") {
      match(comments, /"b\.example".*: no authenticated source is left/);
    }
  }
});

Deno.test("a number that has to be brought within limits is told", () => {
  const { comments } = chrony(`
server a.example minpoll -4 maxpoll 30
pool b.example maxsources 100 minpoll x
allow
ratelimit interval 1 burst 1000
maxslewrate 1000000
maxchange 1000 1 2
`);
  for (
    const told of [
      "minpoll -4: ntpsd allows 0 here",
      "maxpoll 30: ntpsd allows 17 here",
      "maxsources 100: ntpsd allows 64 here",
      "minpoll x: its value is not understood",
      "ratelimit burst 1000: ntpsd allows 255 here",
      "max-slew-ppm 1000000: ntpsd allows 100000 here",
      "it ignores none",
    ]
  ) match(comments, new RegExp(told));
  doesNotMatch(
    chrony("server a.example minpoll 4 maxpoll 6\nmaxchange 1000 1 0\n").comments,
    /allows|none/,
  );
});

Deno.test("what is bound in one family leaves the other one open, as in chronyd", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["allow", ["[::]:123"]],
    ["allow; bindaddress 10.0.0.1", ["10.0.0.1:123", "[::]:123"]],
    ["allow; bindaddress fd00::1", ["0.0.0.0:123", "[fd00::1]:123"]],
    ["allow; bindaddress 10.0.0.1; bindaddress 10.0.0.2; bindaddress ::1; port 11123", [
      "10.0.0.2:11123",
      "[::1]:11123",
    ]],
    ["allow 10.0.0.0/8; bindaddress 10.0.0.1", ["10.0.0.1:123"]],
    ["allow 10.0.0.0/8; bindaddress ::1", ["0.0.0.0:123"]],
    ["allow fd00::/8; bindaddress 0.0.0.0", ["[::]:123"]],
    ["allow; bindaddress a.name.example", []],
  ];
  for (const [lines, expected] of cases) {
    const { config } = chrony(`server a.example iburst\n${lines.replaceAll("; ", "\n")}\n`);
    deepEqual(config.servers.map(({ listen }) => listen), expected, lines);
  }
});

Deno.test("from when on a change is too large is as in chrony, or told", () => {
  const panics = (lines: string) => {
    const { config: { synchronization }, comments } = chrony(`server a.example iburst\n${lines}\n`);
    const { startupStepPanicThreshold, singleStepPanicThreshold } = synchronization;
    const told = comments.split("\n").find((line) => line.includes("by any amount"));
    return [startupStepPanicThreshold?.forward, singleStepPanicThreshold.forward, told] as const;
  };
  const [usualStart, usual] = panics("");
  deepEqual(panics("makestep 1 3\nmaxchange 50 0 0"), [50, 50, undefined]);
  const [start, later, told] = panics("makestep 1 3\nmaxchange 50 1 0");
  deepEqual([start, later], [usualStart, 50]);
  match(told ?? "", /exits beyond startup-step-panic-threshold$/);
  const [, without, both] = panics("makestep 1 3");
  equal(without, usual);
  match(both ?? "", /startup-step-panic-threshold or single-step-panic-threshold$/);
});

Deno.test("keys are given out where chronyd binds them, or it is told", () => {
  const exchange = (lines: string) => {
    const { config, comments } = chrony(
      `allow\nntsservercert /c\nntsserverkey /k\nntsport 4461\n${lines.replaceAll("; ", "\n")}\n`,
    );
    return [config.ntsKeServers.map(({ listen }) => listen), comments] as const;
  };
  deepEqual(exchange("")[0], ["[::]:4461"]);
  deepEqual(exchange("bindaddress ::1")[0], ["0.0.0.0:4461", "[::1]:4461"]);
  deepEqual(exchange("bindaddress 10.0.0.1; bindaddress fd00::1")[0], [
    "10.0.0.1:4461",
    "[fd00::1]:4461",
  ]);
  deepEqual(exchange("bindaddress 0.0.0.0; bindaddress ::")[0], ["[::]:4461"]);
  const [bound, told] = exchange("bindaddress 10.0.0.1");
  deepEqual(bound, ["10.0.0.1:4461"]);
  match(told, /bindaddress 10\.0\.0\.1: no keys are given out over IPv6/);
});

Deno.test("what is left out of a line is told with its place", () => {
  const { comments } = chrony("server a.example ipv6\nserver 192.0.2.1 ipv4\nmaxchange 50 1 2\n");
  match(comments, /chrony\.conf:3: maxchange 50 1 2\n.*it ignores none/);
  match(comments, /chrony\.conf:1: ipv6\n.*whatever their family/);
  doesNotMatch(comments, /ipv4/);
});

Deno.test("where a network cannot be named that is denied nothing is served", () => {
  equal(chrony("allow 10/8\ndeny evil.example\n").config.servers.length, 0);
  equal(chrony("allow 10/8\nallow good.example\n").config.servers.length, 1);
});
