import { deepEqual } from "node:assert/strict";
import { formatConfigError } from "./config_error.ts";
import { parseConfig } from "./parse.ts";

function errors(text: string): string[] {
  const parsed = parseConfig(text);
  return parsed.ok ? [] : parsed.error.map((error) => formatConfigError(error, "t"));
}

/** One error each: the text, and the only line that must come of it. */
const SINGLE_ERRORS: readonly (readonly [string, string])[] = [
  [
    "source = 3",
    "t:1: source: Wanted sections in double brackets, found 3 (write [[source]] on a line of its own, and its keys below)",
  ],
  [
    '[source]\nmode = "server"\naddress = "a.example"',
    "t:1: source: Wanted sections in double brackets, found a table (write [[source]] instead of [source])",
  ],
  [
    "[clock]\nadjust = []",
    't:2: clock.adjust: Wanted true or false, or "auto", found an empty list',
  ],
  [
    "[clock]\ndrift-file = 1979-05-27",
    "t:2: clock.drift-file: Wanted the path of a file, found a date or time",
  ],
  [
    "[clock]\ndrift-file = ''",
    "t:2: clock.drift-file: Wanted the path of a file, found empty text",
  ],
  [
    "[clock]\nmax-frequency-ppm = 501",
    "t:2: clock.max-frequency-ppm: Wanted a number from 0 to 500, found 501",
  ],
  [
    "[clock]\nmax-frequency-ppm = nan",
    "t:2: clock.max-frequency-ppm: Wanted a number from 0 to 500, found NaN",
  ],
  [
    '[[source]]\nmode="server"\naddress="http://a.example/"',
    't:3: source[0].address: Wanted a host name or an IP address, with a port if need be ("ntp.example.net", "192.0.2.1:123", "[2001:db8::1]:123"), found the text "http://a.example/" (write the host alone, without what stands before it)',
  ],
  [
    '[[source]]\nmode="server"\naddress="a.example iburst"',
    't:3: source[0].address: Wanted a host name or an IP address, with a port if need be ("ntp.example.net", "192.0.2.1:123", "[2001:db8::1]:123"), found the text "a.example iburst" (write "a.example" alone; options are keys of their own)',
  ],
  [
    '[[source]]\nmode="server"\naddress="2001:db8::1:123:4:5:6:7:123"',
    't:3: source[0].address: Wanted a host name or an IP address, with a port if need be ("ntp.example.net", "192.0.2.1:123", "[2001:db8::1]:123"), found the text "2001:db8::1:123:4:5:6:7:123" (with a port the address stands in brackets: "[2001:db8::1:123:4:5:6:7]:123")',
  ],
  [
    '[[server]]\nlisten=":124"',
    't:2: server[0].listen: Wanted a numeric address, with a port if it is not 123 ("0.0.0.0:123" for all IPv4, "[::]:123" for all), found the text ":124" (for all addresses write "[::]:124")',
  ],
  [
    '[[server]]\nlisten="*:123"',
    't:2: server[0].listen: Wanted a numeric address, with a port if it is not 123 ("0.0.0.0:123" for all IPv4, "[::]:123" for all), found the text "*:123" (for all addresses write "[::]:123")',
  ],
  [
    '[[server]]\nlisten="eth0:123"',
    't:2: server[0].listen: Wanted a numeric address, with a port if it is not 123 ("0.0.0.0:123" for all IPv4, "[::]:123" for all), found the text "eth0:123" (names and interfaces are not looked up: write the address)',
  ],
  [
    '[clock]\ndrift-file = "~/drift"',
    't:2: clock.drift-file: Wanted the path of a file, found the text "~/drift" (write the whole path: ~ and $ are for shells)',
  ],
  [
    '[[source]]\nmode="server"\naddress="a.example"\npoll-interval-limits = { max = 1024 }',
    "t:4: source[0].poll-interval-limits.max: Wanted an integer from 0 to 17, found 1024 (it is an exponent of two: 10 means 1024 seconds)",
  ],
  ["clock.adjusd = true", 't:1: clock.adjusd: Unknown key (did you mean "adjust"?)'],
  [
    '"clock" . "frobnicate" = 1',
    "t:1: clock.frobnicate: Unknown key (known here: adjust, drift-file, max-frequency-ppm, max-slew-ppm, max-clock-error-ppm, leap-seconds-file)",
  ],
  ["clok = {}", 't:1: clok: Unknown key (did you mean "clock"?)'],
  [
    "[synchronization]\nstep-threshold = -1",
    't:2: synchronization.step-threshold: Wanted a duration: seconds as a number, or text such as "250ms", "90s" or "4w", found -1',
  ],
  [
    "[synchronization]\nstep-threshold = inf",
    't:2: synchronization.step-threshold: Wanted a duration: seconds as a number, or text such as "250ms", "90s" or "4w", found Infinity',
  ],
  [
    "[synchronization]\ndrift-file = 'x'",
    "t:2: synchronization.drift-file: Unknown key (use drift-file in [clock])",
  ],
  [
    '[synchronization]\nreference-id = "toolong"\nlocal-stratum = 1',
    't:2: synchronization.reference-id: Wanted one to four ASCII characters or an IPv4 address, found the text "toolong"',
  ],
  [
    '[synchronization]\nminimum-agreeing-sources = 2\n[[source]]\nmode="server"\naddress="a.example"',
    "t:2: synchronization.minimum-agreeing-sources: Wanted at most 1, as many sources as there can be, found 2 (the clock would never be set)",
  ],
  [
    '[[source]]\nmode="server"\naddress="a.example"\n\n[[source]]\nmode="nts"\naddress="a.example"',
    "t:7: source[1].address: The same address as in source[0] (remove one of the two)",
  ],
  [
    '[[source]]\nmode="server"\naddress="a.example"\nkey = 3',
    "t:4: source[0].key: Key 3 cannot be found without a file of keys (add [keys] file = ...)",
  ],
  [
    '[[source]]\nmode="server"\naddress="a.example"\ninitial-poll-interval = 3',
    "t:4: source[0].initial-poll-interval: Wanted an integer within the limits from 4 to 10, found 3",
  ],
  [
    '[[source]]\nmode="server"\naddress="a.example"\npoll-interval-limits = { min = 18 }',
    "t:4: source[0].poll-interval-limits.min: Wanted an integer from 0 to 17, found 18",
  ],
  [
    '[[source]]\nmode="server"\naddress="a.example"\nno-select = true\nrequire = true',
    't:4: source[0].no-select: Wanted either "no-select" or "require", found both',
  ],
  [
    '[[source]]\nmode="server"\naddress="a.example"\ncertificate-authority="/x"',
    't:4: source[0].certificate-authority: Only for modes "nts" and "nts-pool", but the mode is "server"',
  ],
  [
    '[[source]]\nmode="nts"\naddress="a.example"\naead-algorithms=[14]',
    't:4: source[0].aead-algorithms[0]: Wanted 15, 16, 17, 30 or a name such as "AEAD_AES_SIV_CMAC_256", found 14',
  ],
  [
    '[[server]]\nlisten="0.0.0.0:123"\n[[server]]\nlisten="0.0.0.0:123"',
    "t:4: server[1].listen: The same address as in server[0] (remove one of the two)",
  ],
  [
    '[[server]]\nlisten="0.0.0.0:123"\nallowlist = { filter = [\n  "192.0.2.0/24",\n  "192.0.2.0/33",\n] }',
    't:5: server[0].allowlist.filter[1]: Wanted a prefix in CIDR notation ("192.0.2.0/24", "2001:db8::/32") or one IP address, found the text "192.0.2.0/33"',
  ],
  [
    '[[server]]\nlisten="0.0.0.0:123"\nallowlist = ["192.0.2.0/24"]',
    "t:3: server[0].allowlist: Wanted a table, found a list (write { filter = [...] })",
  ],
  [
    '[[server]]\nlisten="0.0.0.0:123"\naccept-ntp-versions = []',
    "t:3: server[0].accept-ntp-versions: Wanted at least one version, found an empty list",
  ],
  [
    '[[server]]\nlisten="0.0.0.0:123"\nrate-limiting-cutoff-ms = 1000',
    "t:3: server[0].rate-limiting-cutoff-ms: Unknown key (use rate-limit = { interval = 3, burst = 8, leak = 2 } in [[server]])",
  ],
  [
    '[[nts-ke-server]]\nlisten="0.0.0.0:4460"\ncertificate-chain-path="/c"',
    't:1: nts-ke-server[0]: Missing "private-key-path": the path of a file',
  ],
  [
    '[observability]\nlog-level = "verbose"',
    't:2: observability.log-level: Wanted "trace", "debug", "info", "warning", "error" or "warn", found the text "verbose"',
  ],
  [
    "[observability]\nlisten = 9975",
    't:2: observability.listen: Wanted a numeric address, with a port if it is not 9975 ("0.0.0.0:9975" for all IPv4, "[::]:9975" for all), or "off" or "", found 9975',
  ],
  [
    "[keyset]\nkey-rotation-interval = 0",
    't:2: keyset.key-rotation-interval: Wanted a duration of whole seconds from 1min to 366d: seconds as a number, or text such as "250ms", "90s" or "4w", found 0',
  ],
  [
    '[keyset]\nkey-rotation-interval = "4s"',
    't:2: keyset.key-rotation-interval: Wanted a duration of whole seconds from 1min to 366d: seconds as a number, or text such as "250ms", "90s" or "4w", found the text "4s"',
  ],
  [
    "[keyset]\nkey-rotation-interval = 90.5",
    't:2: keyset.key-rotation-interval: Wanted a duration of whole seconds from 1min to 366d: seconds as a number, or text such as "250ms", "90s" or "4w", found 90.5',
  ],
  [
    "[keyset]\nstale-key-count = 65",
    "t:2: keyset.stale-key-count: Wanted an integer from 0 to 64, found 65",
  ],
  [
    '[[source]]\nmode="server"\naddress="fe80::1"',
    't:3: source[0].address: The link-local address fe80::1 needs the interface on which it is (write it after a %: "fe80::1%eth0")',
  ],
  [
    '[[server]]\nlisten="[fe80::1]:123"',
    't:2: server[0].listen: The link-local address fe80::1 needs the interface on which it is (write it after a %: "fe80::1%2", its number in "ip link")',
  ],
  [
    '[[source]]\nmode="server"\naddress="127.127.1.0"',
    "t:3: source[0].address: 127.127.1.0 is ntpd's way to name a reference clock (the local clock), and no server (remove it; to serve time without a source write local-stratum in [synchronization])",
  ],
  [
    '[[source]]\nmode="server"\naddress="127.127.28.0"',
    "t:3: source[0].address: 127.127.28.0 is ntpd's way to name a reference clock (shared memory), and no server (ntpsd only uses servers on the network: name a server that has this clock)",
  ],
  [
    '[[source]]\nmode="server"\naddress="[::ffff:127.127.99.1]:123"',
    "t:3: source[0].address: ::ffff:127.127.99.1 is ntpd's way to name a reference clock, and no server (ntpsd only uses servers on the network: name a server that has this clock)",
  ],
  [
    '[[source]]\nmode="server"\naddress="0.0.0.0"',
    "t:3: source[0].address: 0.0.0.0 stands for all addresses of this machine and is no server (name the server to ask)",
  ],
  [
    '[[source]]\nmode="server"\naddress="[::]:123"',
    "t:3: source[0].address: :: stands for all addresses of this machine and is no server (name the server to ask)",
  ],
  [
    '[[source]]\nmode="server"\naddress="224.0.1.1"',
    "t:3: source[0].address: 224.0.1.1 is a multicast address (name one address: multicast is not used)",
  ],
  [
    '[[source]]\nmode="server"\naddress="ff02::101%eth0"',
    "t:3: source[0].address: ff02::101 is a multicast address (name one address: multicast is not used)",
  ],
  [
    '[[source]]\nmode="server"\naddress="255.255.255.255"',
    "t:3: source[0].address: 255.255.255.255 is the broadcast address (name one server: broadcasts are not listened to)",
  ],
  ...["240.0.0.1", "[::ffff:240.0.0.1]"].map((address): [string, string] => [
    `[[source]]\nmode="server"\naddress="${address}"`,
    `t:3: source[0].address: ${
      address.replace(/[[\]]/g, "")
    } is a reserved address, not that of a server (name the server to ask)`,
  ]),
  [
    '[[server]]\nlisten="[::ffff:192.0.2.1]:123"\n[[server]]\nlisten="192.0.2.1"',
    "t:4: server[1].listen: The same address as in server[0] (remove one of the two)",
  ],
  [
    '[[server]]\nlisten="192.0.2.1:123"\n[[server]]\nlisten="0.0.0.0:123"',
    "t:4: server[1].listen: Cannot be open together with server[0], which listens on 192.0.2.1:123 " +
    "(remove one of the two, or name all addresses one by one)",
  ],
  [
    '[[nts-ke-server]]\nlisten="[::]:9975"\ncertificate-chain-path="/c"\nprivate-key-path="/k"\nntp-server="a.example"',
    "t:2: nts-ke-server[0].listen: Cannot be open together with observability, which listens on 127.0.0.1:9975 " +
    "(give one of the two another port)",
  ],
  [
    '[[nts-ke-server]]\nlisten="127.0.0.1:9975"\ncertificate-chain-path="/c"\nprivate-key-path="/k"\nntp-server="a.example"',
    "t:2: nts-ke-server[0].listen: The same address as observability.listen (give one of the two another port)",
  ],
  [
    'mode = "server"',
    "t:1: mode: Unknown key (it belongs into [[source]])",
  ],
  [
    "[clock]\nstep_limit = 3",
    "t:2: clock.step_limit: Unknown key (it belongs into [synchronization])",
  ],
  [
    "[clock]\nlisten = ''",
    "t:2: clock.listen: Unknown key (it belongs into [[server]] or [[nts-ke-server]] or [observability])",
  ],
  [
    '[[server]]\nlisten="0.0.0.0:123"\nfilter = []',
    "t:3: server[0].filter: Unknown key (it belongs into allowlist of [[server]] or denylist of [[server]])",
  ],
  [
    "[clock]\nMax_Slew_PPM = 500",
    't:2: clock.Max_Slew_PPM: Unknown key (did you mean "max-slew-ppm"?)',
  ],
  [
    '[[source]]\nmode="server"\naddress="a.example"\nnts = true',
    't:4: source[0].nts: Unknown key (use mode = "nts" in [[source]])',
  ],
  [
    '[[source]]\nmode="server"\naddress="a.example"\niburst = 1',
    "t:4: source[0].iburst: Wanted true or false, found 1 (write true)",
  ],
  [
    '[[source]]\nmode="server"\naddress="a.example"\niburst = "off"',
    't:4: source[0].iburst: Wanted true or false, found the text "off" (write false without quotes)',
  ],
  [
    '[[source]]\nmode="server"\naddress="a.example"\npoll-interval-limits = [4, 10]',
    "t:4: source[0].poll-interval-limits: Wanted a table, found a list (write { min = ..., max = ... })",
  ],
  [
    'keys = "/etc/ntp.keys"',
    't:1: keys: Wanted a table, found the text "/etc/ntp.keys" (write [keys] on a line of its own, and its keys below)',
  ],
  ["[keys]", 't:1: keys: Missing "file": the path of a file'],
  [
    "__proto__ = 1",
    "t:1: __proto__: Unknown key (known here: source-defaults, source, server, nts-ke-server, keyset, keys, synchronization, clock, nts, observability, control, security, include)",
  ],
];

for (const [text, expected] of SINGLE_ERRORS) {
  Deno.test(`an error is told: ${JSON.stringify(text)}`, () => deepEqual(errors(text), [expected]));
}

Deno.test("one address in two spellings is one address", () => {
  const spellings = [
    ["ntp1.example.net", "NTP1.example.net:123"],
    ["ntp1.example.net", "ntp1.example.net."],
    ["ntp1.example.net:124", "NTP1.EXAMPLE.NET.:124"],
    ["2001:db8::1", "[2001:DB8:0:0:0:0:0:1]:123"],
    ["192.0.2.1", "::ffff:192.0.2.1"],
    ["192.0.2.1", "[::ffff:c000:201]"],
    ["fe80::1%eth0", "[FE80:0::1%eth0]"],
  ];
  for (const [one, other] of spellings) {
    const text = [one, other].map((address) =>
      `[[source]]\nmode = "server"\naddress = "${address}"\n`
    ).join("");
    deepEqual(errors(text), [
      "t:6: source[1].address: The same address as in source[0] (remove one of the two)",
    ]);
  }
  const different = ["ntp1.example.net", "ntp1.example.net:124", "fe80::1%eth0", "fe80::1%eth1"];
  deepEqual(
    errors(
      different.map((address) => `[[source]]\nmode = "server"\naddress = "${address}"\n`).join(""),
    ),
    [],
  );
});

Deno.test("a misspelt heading does not hide what is wrong below it", () => {
  deepEqual(
    errors('[Clock]\nadjust = "maybe"\ndrift = "x"\n[[Source]]\nmode = "serve"\n[clouds]\na = 1\n'),
    [
      't:1: Clock: Unknown key (did you mean "clock"?)',
      't:2: Clock.adjust: Wanted true or false, or "auto", found the text "maybe"',
      't:3: Clock.drift: Unknown key (did you mean "drift-file"?)',
      't:4: Source: Unknown key (did you mean "source"?)',
      't:4: Source[0]: Missing "address": a host name or an IP address, with a port if need be ("ntp.example.net", "192.0.2.1:123", "[2001:db8::1]:123")',
      't:5: Source[0].mode: Wanted "server", "pool", "nts" or "nts-pool", found the text "serve" (did you mean "server"?)',
      "t:6: clouds: Unknown key (known here: source-defaults, source, server, nts-ke-server, keyset, keys, synchronization, clock, nts, observability, control, security, include)",
    ],
  );
});

Deno.test("single brackets in place of double ones hide nothing below them", () => {
  deepEqual(errors('[source]\nmode = "sever"\nadress = "a.example"\n'), [
    "t:1: source: Wanted sections in double brackets, found a table (write [[source]] instead of [source])",
    't:1: source: Missing "address": a host name or an IP address, with a port if need be ("ntp.example.net", "192.0.2.1:123", "[2001:db8::1]:123")',
    't:2: source.mode: Wanted "server", "pool", "nts" or "nts-pool", found the text "sever" (did you mean "server"?)',
    't:3: source.adress: Unknown key (did you mean "address"?)',
  ]);
});
