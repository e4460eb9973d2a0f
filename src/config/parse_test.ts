import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { BUILTIN_CONFIG_TEXT, builtinConfig } from "./builtin.ts";
import type { Config } from "./config.ts";
import { formatConfigError } from "./config_error.ts";
import { parseConfig } from "./parse.ts";

function errors(text: string): string[] {
  const parsed = parseConfig(text);
  return parsed.ok ? [] : parsed.error.map((error) => formatConfigError(error, "t"));
}

function config(text: string): Config {
  const parsed = parseConfig(text);
  deepEqual(errors(text), []);
  ok(parsed.ok);
  return parsed.value.config;
}

function notes(text: string): string[] {
  const parsed = parseConfig(text);
  return parsed.ok ? parsed.value.notes.map((note) => formatConfigError(note, "t")) : ["faulty"];
}

Deno.test("the built-in configuration is what the manual says", () => {
  const builtin = builtinConfig();
  deepEqual(
    builtin.sources.map((source) => [source.mode, source.host, source.port, source.count]),
    [
      ["nts", "time.cloudflare.com", 4460, 1],
      ["nts", "nts.netnod.se", 4460, 1],
      ["nts", "ptbtime1.ptb.de", 4460, 1],
      ["pool", "pool.ntp.org", 123, 4],
    ],
  );
  equal(builtin.synchronization.minimumAgreeingSources, 2);
  deepEqual(builtin.servers, []);
  equal(builtin.observability.listen, "127.0.0.1:9975");
  deepEqual(notes(BUILTIN_CONFIG_TEXT), []);
});

Deno.test("an empty text is a configuration with the defaults", () => {
  deepEqual(config(""), {
    sources: [],
    servers: [],
    ntsKeServers: [],
    keyset: { staleKeyCount: 7, keyRotationInterval: 86400, keyStoragePath: undefined },
    keysFile: undefined,
    synchronization: {
      authentication: "mix",
      minimumAgreeingSources: 1,
      minimumTrustedSources: undefined,
      maxDistance: 1.5,
      singleStepPanicThreshold: { forward: 1000, backward: 1000 },
      startupStepPanicThreshold: undefined,
      accumulatedStepPanicThreshold: undefined,
      localStratum: undefined,
      referenceId: undefined,
      stepThreshold: 0.128,
      stepLimit: 3,
    },
    clock: {
      adjust: "auto",
      driftFile: undefined,
      maxFrequency: 500,
      maxSlew: 83333,
      maxClockError: 1,
      leapSecondsFile: undefined,
    },
    nts: { cookieStoragePath: undefined, strict: false },
    observability: {
      logLevel: "info",
      listen: "127.0.0.1:9975",
      hosts: [],
      readyWhenSynchronized: false,
      statisticsPath: undefined,
    },
    control: { ntpq: undefined, chronyc: undefined, allowlist: ["127.0.0.0/8", "::1/128"] },
    security: { user: undefined, seccomp: true },
  });
  const idle = "t: No sources and no servers: ntpsd has nothing to do " +
    "(add [[source]]; without a configuration file ntpsd uses public servers)";
  for (const text of ["", "# nothing\n", "[clock]\n", "[synchronization]\nlocal-stratum = 8\n"]) {
    deepEqual(notes(text), [idle]);
  }
  deepEqual(notes('[[server]]\nlisten = "0.0.0.0:123"\n'), [
    "t: No sources: the clock is left as it is (add a [[source]] section)",
  ]);
});

Deno.test("the log warns of remarks about what cannot work, not of what ntpsd chose itself", () => {
  const source = '[[source]]\nmode = "server"\naddress = "a.example"\n';
  const server = '[[server]]\nlisten = "0.0.0.0:123"\n';
  const exchange = '[[nts-ke-server]]\nlisten = "[::]:4460"\n' +
    'certificate-chain-path = "/c"\nprivate-key-path = "/k"\n';
  for (
    const [text, isWarning] of [
      ["", true],
      [server, true],
      [source, undefined],
      [source + source.replace("a.", "b."), undefined],
      [source.replace("server", "pool").replace("a.example", "192.0.2.1"), undefined],
      [`[synchronization]\nminimum-agreeing-sources = 1\n${source}${exchange}`, true],
      [
        `[synchronization]\nminimum-agreeing-sources = 1\n${source}${server}require-nts = true\n`,
        true,
      ],
    ] as const
  ) {
    const parsed = parseConfig(text);
    ok(parsed.ok && parsed.value.notes.length > 0, text);
    for (const note of parsed.value.notes) equal(note.isWarning, isWarning, note.message);
  }
});

Deno.test("every key of a source is read", () => {
  const { sources } = config(`
[source-defaults]
poll-interval-limits = { min = 5 }
initial-poll-interval = 6
[keys]
file = "/etc/ntpsd/ntp.keys"
[[source]]
mode = "server"
address = "[2001:db8::1]:1123"
iburst = false
prefer = true
key = 7
interleaved = true
[[source]]
mode = "nts-pool"
address = "pool.example"
count = 3
ignore = ["192.0.2.1", "2001:DB8::0"]
certificate-authority = "/etc/ca.pem"
aead-algorithms = [30, "AEAD_AES_SIV_CMAC_256"]
poll-interval-limits = { min = 7, max = 9 }
`);
  deepEqual(sources, [{
    mode: "server",
    address: "[2001:db8::1]:1123",
    host: "2001:db8::1",
    port: 1123,
    count: 1,
    ignore: [],
    certificateAuthority: undefined,
    aeadAlgorithms: [],
    iburst: false,
    prefer: true,
    trust: false,
    require: false,
    noSelect: false,
    key: 7,
    pollIntervalLimits: { min: 5, max: 10 },
    initialPollInterval: 6,
    interleaved: true,
  }, {
    mode: "nts-pool",
    address: "pool.example",
    host: "pool.example",
    port: 4460,
    count: 3,
    ignore: ["192.0.2.1", "2001:db8::"],
    certificateAuthority: "/etc/ca.pem",
    aeadAlgorithms: [30, 15],
    iburst: true,
    prefer: false,
    trust: false,
    require: false,
    noSelect: false,
    key: undefined,
    pollIntervalLimits: { min: 7, max: 9 },
    initialPollInterval: 7,
    interleaved: false,
  }]);
});

Deno.test("servers, key exchange and keyset are read", () => {
  const read = config(`
[[server]]
listen = "[::]:123"
allowlist = { filter = ["192.0.2.77/24", "2001:db8:0:0::1", "10.0.0.0/9"] }
denylist = { filter = [], action = "deny" }
rate-limit = { interval = 1, burst = 16 }
require-nts = true
accept-ntp-versions = [4]
[[nts-ke-server]]
listen = "0.0.0.0:4460"
certificate-chain-path = "/etc/c.pem"
private-key-path = "/etc/k.pem"
key-exchange-timeout-ms = 1500
ntp-server = "ntp.example"
ntp-port = 1123
[keyset]
stale-key-count = 3
key-rotation-interval = "2h30m"
key-storage-path = "/var/lib/ntpsd/keys"
`);
  deepEqual(read.servers, [{
    listen: "[::]:123",
    allowlist: { filter: ["192.0.2.0/24", "2001:db8::1/128", "10.0.0.0/9"], action: "ignore" },
    denylist: { filter: [], action: "deny" },
    rateLimit: { interval: 1, burst: 16, leak: 2 },
    requireNts: "ignore",
    acceptNtpVersions: [4],
    interleaved: true,
    reusePort: false,
    clientTable: false,
  }]);
  deepEqual(read.ntsKeServers, [{
    listen: "0.0.0.0:4460",
    certificateChainPath: "/etc/c.pem",
    privateKeyPath: "/etc/k.pem",
    keyExchangeTimeout: 1.5,
    concurrentConnections: 512,
    ntpServer: "ntp.example",
    ntpPort: 1123,
  }]);
  deepEqual(read.keyset, {
    staleKeyCount: 3,
    keyRotationInterval: 9000,
    keyStoragePath: "/var/lib/ntpsd/keys",
  });
});

Deno.test("names for HTTP are names without a port", () => {
  const read = config('[observability]\nhosts = ["status.example.net", "192.0.2.1"]\n');
  deepEqual(read.observability.hosts, ["status.example.net", "192.0.2.1"]);
  for (const wrong of ['"status.example.net"', '["a:80"]', '["a b"]', "[1]", '["http://a/"]']) {
    equal(parseConfig(`[observability]\nhosts = ${wrong}\n`).ok, false, wrong);
  }
});

const BOTH_KINDS = `
[[source]]
mode = "nts"
address = "nts.example"
[[source]]
mode = "server"
address = "key.example"
key = 1
[[source]]
mode = "pool"
address = "pool.example"
[keys]
file = "/etc/ntpsd/ntp.keys"
`;

/** Who is trusted and who is required, by the order of the sources: "-" for neither. */
function ranks(text: string): readonly string[] {
  return config(text).sources.map(({ trust, require }) =>
    `${trust ? "t" : ""}${require ? "r" : ""}` || "-"
  );
}

Deno.test("authenticated sources outrank the others where both are configured", () => {
  deepEqual(ranks(BOTH_KINDS), ["tr", "tr", "-"]);
  const mode = (word: string) => `${BOTH_KINDS}[synchronization]\nauthentication = "${word}"\n`;
  deepEqual(ranks(mode("mix")), ["tr", "tr", "-"]);
  deepEqual(ranks(mode("prefer")), ["t", "t", "-"]);
  for (const word of ["require", "ignore"]) deepEqual(ranks(mode(word)), ["-", "-", "-"]);
  const written = BOTH_KINDS.replace("key = 1", "key = 1\ntrust = false\nrequire = false")
    .replace('"pool.example"', '"pool.example"\ntrust = true');
  deepEqual(ranks(written), ["tr", "-", "t"]);
  const alone = BOTH_KINDS.replace('mode = "pool"', 'mode = "nts-pool"');
  deepEqual(ranks(alone), ["-", "-", "-"], "all prove themselves");
  const watched = BOTH_KINDS.replace('"pool.example"', '"pool.example"\nno-select = true');
  deepEqual(ranks(watched), ["-", "-", "-"], "a source that is only watched decides nothing");
});

Deno.test("where authentication is required, only sources that have it are counted", () => {
  const require = '[synchronization]\nauthentication = "require"\n';
  equal(config(BOTH_KINDS + require).synchronization.minimumAgreeingSources, 1);
  const plain = `[[source]]\nmode = "pool"\naddress = "pool.example"\n${require}`;
  const parsed = parseConfig(plain);
  ok(!parsed.ok);
  match(parsed.error[0]?.message ?? "", /^No source is authenticated/);
});

Deno.test("panic thresholds have the three forms of ntpd-rs", () => {
  const { synchronization } = config(`
[synchronization]
single-step-panic-threshold = "inf"
startup-step-panic-threshold = { forward = 3600, backward = "1m" }
accumulated-step-panic-threshold = 0
local-stratum = 16
step-limit = -1
step-threshold = 0.05
`);
  deepEqual(synchronization.singleStepPanicThreshold, { forward: undefined, backward: undefined });
  deepEqual(synchronization.startupStepPanicThreshold, { forward: 3600, backward: 60 });
  equal(synchronization.accumulatedStepPanicThreshold, undefined);
  equal(synchronization.localStratum, undefined);
  equal(synchronization.stepLimit, -1);
  equal(synchronization.stepThreshold, 0.05);
});

Deno.test("without a word the number of agreeing sources leaves room for one bad source", () => {
  const agreeing = (count: number) =>
    config(`[[source]]\nmode = "pool"\naddress = "p.example"\ncount = ${count}\n`)
      .synchronization.minimumAgreeingSources;
  deepEqual([1, 2, 3, 4, 5, 10].map(agreeing), [1, 1, 2, 3, 3, 3]);
  deepEqual(notes('[[source]]\nmode = "server"\naddress = "a.example"\n'), [
    "t: synchronization.minimum-agreeing-sources: Lowered from 3 to 1, because there is one source " +
    "(with four sources or more, a wrong one is found even while another one is down)",
  ]);
});

Deno.test("without a word two trusted sources or more are enough, as many as without the others", () => {
  const trusted = (proven: number, plain: number, more = "") => {
    const section = (mode: string, count: number) =>
      count === 0 ? "" : `[[source]]\nmode = "${mode}"\naddress = "${mode}"\ncount = ${count}\n`;
    const { synchronization } = config(section("nts-pool", proven) + section("pool", plain) + more);
    return [synchronization.minimumAgreeingSources, synchronization.minimumTrustedSources];
  };
  deepEqual(trusted(2, 6), [3, 2]);
  deepEqual([3, 4, 5, 6].map((proven) => trusted(proven, 4)[1]), [2, 3, 3, 3]);
  deepEqual(trusted(1, 4), [3, undefined], "a lone one is never enough");
  deepEqual(trusted(4, 0), [3, undefined], "they are all there is");
  const keys = (text: string) => `[synchronization]\n${text}\n`;
  deepEqual(trusted(2, 6, keys("minimum-agreeing-sources = 3")), [3, undefined], "it is written");
  deepEqual(trusted(2, 6, keys('authentication = "prefer"')), [3, 2]);
  deepEqual(trusted(2, 6, keys('authentication = "ignore"')), [3, undefined]);
});

Deno.test("all errors of a text are told together, in the order of the lines", () => {
  deepEqual(
    errors(`[source-defaults]
poll-interval-limits = { min = 8, max = 4 }
[[source]]
mode = "sever"
adress = "a.b"
[[source]]
mode = "server"
address = "192.0.2.300"
iburst = "yes"
count = 3
[[server]]
listen = "localhost:123"
[clock]
adjust = "always"
max-frequency-ppm = "500"
`),
    [
      "t:2: source-defaults.poll-interval-limits: Wanted min not above max, found min = 8, max = 4",
      't:3: source[0]: Missing "address": a host name or an IP address, with a port if need be ' +
      '("ntp.example.net", "192.0.2.1:123", "[2001:db8::1]:123")',
      't:4: source[0].mode: Wanted "server", "pool", "nts" or "nts-pool", found the text "sever" ' +
      '(did you mean "server"?)',
      't:5: source[0].adress: Unknown key (did you mean "address"?)',
      "t:8: source[1].address: Wanted a host name or an IP address, with a port if need be " +
      '("ntp.example.net", "192.0.2.1:123", "[2001:db8::1]:123"), found the text "192.0.2.300"',
      't:9: source[1].iburst: Wanted true or false, found the text "yes" (write true without quotes)',
      't:10: source[1].count: Only for modes "pool" and "nts-pool", but the mode is "server"',
      't:12: server[0].listen: Wanted a numeric address, with a port if it is not 123 ("0.0.0.0:123" for all IPv4, ' +
      '"[::]:123" for all), found the text "localhost:123" (write "127.0.0.1:123" or "[::1]:123")',
      't:14: clock.adjust: Wanted true or false, or "auto", found the text "always"',
      't:15: clock.max-frequency-ppm: Wanted a number from 0 to 500, found the text "500" ' +
      "(write 500 without quotes)",
    ],
  );
});

Deno.test("what is allowed but odd becomes a note", () => {
  deepEqual(notes('[[source]]\nmode = "pool"\naddress = "192.0.2.1"\ncount = 4\n'), [
    't:3: source[0].address: A pool of one IP address never has more than one server (use mode "server")',
  ]);
  deepEqual(
    notes(`[synchronization]
reference-id = "GPS"
[[source]]
mode = "pool"
address = "p.example"
[[nts-ke-server]]
listen = "0.0.0.0:4460"
certificate-chain-path = "/c"
private-key-path = "/k"
`),
    [
      "t:2: synchronization.reference-id: Has no effect without local-stratum",
      "t:6: nts-ke-server[0]: Clients are told to use an NTP server on this machine, but there is no " +
      "[[server]] section (add one, or name another machine in ntp-server)",
    ],
  );
});

Deno.test("property: no text makes the parser throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" })), (text) => {
      parseConfig(text);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("property: no cut or mangled configuration makes the parser throw", () => {
  const source = `${BUILTIN_CONFIG_TEXT}
[[server]]
listen = "[::]:123"
allowlist = { filter = ["192.0.2.0/24", '::/0'], action = "deny" }
'quoted "key"'."b" = """long
text"""
`;
  fc.assert(
    fc.property(fc.nat(source.length), fc.nat(source.length), fc.string(), (from, to, between) => {
      parseConfig(source.slice(0, from) + between + source.slice(to));
    }),
    { numRuns: 3000 },
  );
});

Deno.test("property: no value of any type makes a key throw, and none is accepted with an error", () => {
  const values = fc.constantFrom(
    "1",
    "-1",
    "1.5",
    "nan",
    "'x'",
    "''",
    "[]",
    "[1]",
    "[[]]",
    "{}",
    "true",
    "1979-05-27",
    "{a=1}",
    "[{}]",
    "'1s'",
    "'inf'",
  );
  const keys = fc.constantFrom(
    "source",
    "server",
    "clock",
    "clock.adjust",
    "synchronization.step-limit",
    "synchronization.single-step-panic-threshold",
    "source-defaults.poll-interval-limits",
    "keyset.stale-key-count",
    "observability.listen",
    "keys",
  );
  fc.assert(
    fc.property(keys, values, (key, value) => {
      const parsed = parseConfig(`${key} = ${value}`);
      ok(parsed.ok || parsed.error.every((error) => error.message !== "" && error.path !== ""));
    }),
    { numRuns: 500 },
  );
});

Deno.test("a server that nobody can use, and a prefix that says two things, are remarked on", () => {
  const server = (more: string) =>
    notes(`[synchronization]\nlocal-stratum = 8\n[[server]]\nlisten = "0.0.0.0:123"\n${more}`);
  const nobody =
    "t:5: server[0].require-nts: No client can get cookies for this server, so it serves no client " +
    "(add [[nts-ke-server]], or key-storage-path in [keyset] if another machine gives them out)";
  deepEqual(server("require-nts = true\n"), [nobody]);
  deepEqual(server('require-nts = "deny"\n'), [nobody]);
  deepEqual(server("require-nts = false\n"), []);
  deepEqual(server('require-nts = true\n[keyset]\nkey-storage-path = "/v/keys"\n'), []);
  const exchange =
    '[[nts-ke-server]]\nlisten = "0.0.0.0:4460"\ncertificate-chain-path = "/c"\nprivate-key-path = "/k"\n';
  deepEqual(server(`require-nts = true\n${exchange}`), []);
  const list =
    '["10.0.0.1/8", "10.0.0.0/8", "192.0.2.1", "2001:db8::1/32", "2001:DB8::/32", "0.0.0.0/0"]';
  deepEqual(server(`allowlist = { filter = ${list}, action = "ignore" }\n`), [
    "t:5: server[0].allowlist.filter[0]: 10.0.0.1/8 has bits beyond its prefix and means 10.0.0.0/8 " +
    '(write "10.0.0.0/8", or the address alone if one machine is meant)',
    "t:5: server[0].allowlist.filter[3]: 2001:db8::1/32 has bits beyond its prefix and means 2001:db8::/32 " +
    '(write "2001:db8::/32", or the address alone if one machine is meant)',
  ]);
});
