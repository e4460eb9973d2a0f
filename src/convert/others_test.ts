import { deepEqual, equal, match } from "node:assert/strict";
import { converted } from "../../tests/support/converted.ts";

Deno.test("Debian's ntpd.conf of OpenNTPD", () => {
  const { dialect, sources, config } = converted(
    "/etc/openntpd/ntpd.conf",
    "#listen on *\n#server ntp.example.org\nservers 0.debian.pool.ntp.org\nservers 1.debian.pool.ntp.org\n",
  );
  equal(dialect, "openntpd");
  deepEqual(sources, ["pool 0.debian.pool.ntp.org", "pool 1.debian.pool.ntp.org"]);
  equal(config.servers.length, 0);
});

Deno.test("OpenBSD's ntpd.conf", () => {
  const { sources, config, comments } = converted(
    "/etc/ntpd.conf",
    `servers pool.ntp.org
server time.cloudflare.com
server ntp.example weight 5
sensor *
constraint from "9.9.9.9"
constraints from "www.google.com"
query from 192.0.2.1
listen on 127.0.0.1
listen on ::1 rtable 4
server trusted.example trusted
`,
  );
  deepEqual(sources, [
    "pool pool.ntp.org",
    "server time.cloudflare.com",
    "server ntp.example",
    "server trusted.example",
  ]);
  deepEqual(config.servers.map(({ listen }) => listen), ["127.0.0.1:123", "[::1]:123"]);
  for (const line of ["sensor \\*", "constraint from", "query from", "weight 5", "rtable 4"]) {
    match(comments, RegExp(line));
  }
});

Deno.test("OpenNTPD that serves everywhere, and a name that is none", () => {
  const { config, sources, comments } = converted(
    "ntpd.conf",
    "listen on *\nservers pool.ntp.org\nserver -.bad\n",
  );
  deepEqual(config.servers.map(({ listen }) => listen), ["[::]:123"]);
  deepEqual(sources, ["pool pool.ntp.org"]);
  match(comments, /-\.bad/);
});

Deno.test("timesyncd.conf as it is shipped names no server", () => {
  const { dialect, sources, comments } = converted(
    "/etc/systemd/timesyncd.conf",
    "[Time]\n#NTP=\n#FallbackNTP=0.debian.pool.ntp.org\n#RootDistanceMaxSec=5\n",
  );
  equal(dialect, "timesyncd");
  deepEqual(sources, []);
  match(comments, /No server is named/);
});

Deno.test("timesyncd.conf with servers, lists that go on and intervals", () => {
  const { sources, config, comments } = converted(
    "timesyncd.conf",
    `[Time]
NTP=old.example
NTP=
NTP=ntp1.example 192.0.2.1
NTP=2001:db8::1
FallbackNTP=time.example
PollIntervalMinSec=32
PollIntervalMaxSec=34min 8s
RootDistanceMaxSec=5
SaveIntervalSec=60
`,
  );
  deepEqual(sources, ["server ntp1.example", "server 192.0.2.1", "server 2001:db8::1"]);
  deepEqual(config.sources[0]?.pollIntervalLimits, { min: 5, max: 11 });
  match(comments, /FallbackNTP=time\.example/);
  equal(config.synchronization.maxDistance, 5);
  match(comments, /SaveIntervalSec=60\n# {3}\S/);
});

Deno.test("timesyncd.conf of a cloud: the fallback alone", () => {
  const { sources } = converted(
    "/etc/systemd/timesyncd.conf.d/cloud.conf",
    "[Time]\nFallbackNTP=metadata.google.internal 169.254.169.123\n",
  );
  deepEqual(sources, ["server metadata.google.internal", "server 169.254.169.123"]);
});

Deno.test("ntpd-rs's ntp.toml as it is shipped", () => {
  const { dialect, sources, config, comments } = converted(
    "/etc/ntpd-rs/ntp.toml",
    `[observability]
log-level = "info"
observation-path = "/var/run/ntpd-rs/observe"

[[source]]
mode = "pool"
address = "ntpd-rs.pool.ntp.org"
count = 4

[synchronization]
single-step-panic-threshold = 1800
startup-step-panic-threshold = { forward="inf", backward = 86400 }
minimum-agreeing-sources = 3
`,
  );
  equal(dialect, "ntpd-rs");
  deepEqual(sources, ["pool ntpd-rs.pool.ntp.org"]);
  equal(config.synchronization.singleStepPanicThreshold.forward, 1800);
  equal(config.synchronization.startupStepPanicThreshold?.backward, 86400);
  match(comments, /observation-path = "\/var\/run\/ntpd-rs\/observe": /);
});

Deno.test("ntpd-rs as a server with NTS, and with its algorithm", () => {
  const { config, comments } = converted(
    "ntp.toml",
    `[source-defaults]
poll-interval-limits = { min = 5, max = 9 }
[[source]]
mode = "nts"
address = "ntppool1.time.nl"
[[source]]
mode = "server"
address = "ntp.example:1123"
ntp-version = "auto"
[[source]]
mode = "sock"
path = "/run/chrony.ttyS0.sock"
precision = 1e-3
[[server]]
listen = "0.0.0.0:123"
denylist = { filter = ["192.0.2.0/24"], action = "deny" }
rate-limiting-cache-size = 1024
rate-limiting-cutoff-ms = 1000
[[nts-ke-server]]
listen = "0.0.0.0:4460"
certificate-chain-path = "/etc/fullchain.pem"
private-key-path = "/etc/privkey.pem"
[keyset]
key-storage-path = "/var/lib/ntpd-rs/keys"
stale-key-count = 3
[synchronization]
local-stratum = 8
[synchronization.algorithm]
precision-low-probability = 0.3
[observability]
metrics-exporter-listen = "127.0.0.1:9975"
`,
  );
  deepEqual(config.sources.map(({ mode }) => mode), ["nts", "server"]);
  deepEqual(config.sources[0]?.pollIntervalLimits, { min: 5, max: 9 });
  deepEqual(config.servers[0]?.denylist, { filter: ["192.0.2.0/24"], action: "deny" });
  equal(config.ntsKeServers.length, 1);
  equal(config.keyset.staleKeyCount, 3);
  equal(config.keyset.keyStoragePath, "/var/lib/ntpsd/keys");
  equal(config.synchronization.localStratum, 8);
  for (const word of ['mode = "sock"', "algorithm", "rate-limiting-cache-size", "metrics"]) {
    match(comments, RegExp(word));
  }
});
