/**
 * Words of other time daemons, and what to write here instead.
 *
 * The words are the directives and source options of chrony, ntpd and NTPsec, and keys of ntpd-rs.
 * They come as keys of TOML and as whole lines in the format of their own program; both are
 * answered from here.
 *
 * @module
 */
import { sameSpelling } from "./nearest.ts";
import { otherPlaces } from "./other_places.ts";
import { BEFORE_SECTIONS, SECTIONS } from "./schema.ts";
import { sourceAddressError } from "./special_address.ts";

const BY_ITSELF = "leave it out: ntpsd decides this by itself";
const ESTIMATOR = "leave it out: ntpsd's estimator learns these values by itself";
const NO_CLOCK = "ntpsd only uses servers on the network: name a server that has this clock";
const BROADCAST = "broadcast and multicast are not supported: name each server in a [[source]]";
const SYSTEM = "leave it out, or set it in the systemd unit";
const RTC = "leave it out: the kernel sets the hardware clock while the time is right";
const COMMAND_LINE = "use the commands of ntpsd";

type Hint = readonly [words: string, hint: string];

/**
 * The words that mean no key, or several: in lower case and with hyphens, those with one answer
 * together.
 */
const HINTS: readonly Hint[] = [
  // where the time comes from
  ["sources server-address hostname", "write [[source]]"],
  ["ntp fallbackntp", "write a [[source]] for each server"],
  ["servers", "write [[server]] to serve time, [[source]] to ask for it"],
  ["peer", 'use mode = "server" and address in [[source]]'],
  ["pool", 'use mode = "pool" and address in [[source]]'],
  ["nts", 'use mode = "nts" in [[source]]'],
  ["nosystemcert", "leave it out: the certificates of the system are always trusted too"],
  [
    "port",
    "write it after the address, in address of [[source]] or listen of [[server]]; without [[server]] no client is served",
  ],
  [
    "ntsport",
    "write it after the address, in address of [[source]] or listen of [[nts-ke-server]]",
  ],
  [
    "ipv4 ipv6",
    "leave it out: the addresses of a name are used whatever their family; to have one family alone write an address, or a name that has no other",
  ],
  ["version ntp-version", "leave it out: ntpsd chooses the version of the protocol"],
  [
    "maxdelay maxdelayratio maxdelaydevratio maxdelayquant mindelay minsamples maxsamples polltarget presend minstratum" +
    " offline auto-offline certset extfield copy maxunreach preempt ntsrefresh refresh maxjitter" +
    " combinelimit reselectdist stratumweight clockprecision corrtimeratio fallbackdrift maxupdateskew" +
    " stepout minclock maxclock mindist ceiling floor beacon cohort huffpuff allan dispersion freq weight" +
    " connectionretrysec saveintervalsec enable-srv-resolution initial-frequency-uncertainty" +
    " ttl mdnstries pollskewlist warn-on-jump hwtstimeout maxtxbuffers monitor mru automax revoke",
    BY_ITSELF,
  ],
  ["algorithm", ESTIMATOR],
  ["asymmetry offset tempcomp", "there is no such correction"],
  [
    "constraint constraints trusted",
    'HTTPS servers are not asked for the time: use mode = "nts" in [[source]]',
  ],
  [
    "nomodify notrap noquery nopeer noepeer lowpriotrap",
    "leave it out: nothing can be changed over the network; see allowlist in [control]",
  ],
  ["refclock sensor fudge phone pps sock ptpport ptpdomain", NO_CLOCK],
  ["manual initstepslew", "use step-threshold and step-limit in [synchronization]"],
  [
    "broadcast broadcastclient broadcastdelay multicastclient manycastclient manycastserver",
    BROADCAST,
  ],
  [
    "acquisitionport bindacqaddress bindacqdevice source-address query rtable",
    "leave it out: the system chooses the source address of requests",
  ],
  // what is believed, and what is done to the clock
  ["tos", "use minimum-agreeing-sources, max-distance or local-stratum in [synchronization]"],
  ["tinker", "use step-threshold, step-limit and the panic thresholds in [synchronization]"],
  ["makestep", "use step-threshold and step-limit in [synchronization]"],
  ["leapsecmode", "leave it out: the kernel inserts leap seconds"],
  ["smoothtime leapsmearinterval", "leap seconds are not smeared"],
  ["rtcsync rtcfile rtcdevice rtconutc rtcautotrim hwclockfile", RTC],
  // whom to serve
  ["restrict", "use allowlist, denylist and rate-limit in [[server]]"],
  ["hwtimestamp", "enable them at the network interface, see docs/hardware-timestamps.md"],
  ["dscp ntpsigndsocket mssntp", "leave it out: ntpsd has nothing like it"],
  // keys and certificates
  ["ntsprocesses", "leave it out: one process serves all key exchanges"],
  ["ntsdumpdir", "use cookie-storage-path in [nts], key-storage-path in [keyset]"],
  ["keysdir crypto autokey", 'Autokey is not supported: use mode = "nts", or key and [keys]'],
  // what ntpsd tells, and the rest
  ["lock-all sched-priority pidfile rlimit", SYSTEM],
  ["setvar trap unpeer reset", COMMAND_LINE],
];

/**
 * Words of ntpsd that are directives of other programs as well: they are answered so as a line
 * without `=` alone.
 */
const LINE_HINTS: readonly Hint[] = [
  ["server", 'use mode = "server" and address in [[source]]'],
];

/** The words that mean one key: they stand beside it in the schema. */
const KEY_HINTS: readonly Hint[] = [...SECTIONS, BEFORE_SECTIONS].flatMap(({ heading, keys }) =>
  Object.entries(keys).flatMap(([name, { foreign }]): readonly Hint[] =>
    typeof foreign === "string" ? [[foreign, `use ${name} in ${heading}`]] : Object.entries(foreign)
  )
);

const BY_LINE = index([...HINTS, ...KEY_HINTS, ...LINE_HINTS]);

/** What is a name in ntpsd too is foreign as a line only. */
const OWN_NAMES = new Set(
  [...KEY_HINTS, ...LINE_HINTS].flatMap(([words]) => words.split(" ")).filter((word) =>
    SECTIONS.some(({ name, keys }) => word === name || Object.hasOwn(keys, word))
  ),
);

/** Returns what to write instead of a key of another program; undefined if it is unknown. */
export function foreignKeyHint(key: string): string | undefined {
  const word = sameSpelling(key);
  return OWN_NAMES.has(word) ? undefined : BY_LINE.get(word);
}

/**
 * Returns what to write instead of a key that is not known where it stands: of another program, or
 * of another section.
 */
export function unknownKeyHint(key: string): string | undefined {
  return foreignKeyHint(key) ?? otherPlaces(key, SECTIONS);
}

/**
 * Returns what to write instead of a line in the format of another program; undefined if it is
 * none.
 */
export function foreignLineHint(line: string): string | undefined {
  const [word = "", second = "", ...options] = line.trim().split(/\s+/);
  if (!/^[a-z][a-z0-9_-]*$/i.test(word) || second.startsWith("=")) return undefined;
  const name = sameSpelling(word);
  const isSource = name === "server" || name === "pool" || name === "peer";
  if (isSource && second !== "") {
    const isPool = name === "pool";
    return sourceAddressError(second)?.suggestion ?? sourceSection(isPool, second, options);
  }
  return BY_LINE.get(name);
}

/** Writes a source as a section; what authenticates it must not be lost on the way. */
function sourceSection(isPool: boolean, address: string, options: readonly string[]): string {
  const words = options.map((option) => option.toLowerCase());
  const plain = isPool ? "pool" : "server";
  const mode = !words.includes("nts") ? plain : isPool ? "nts-pool" : "nts";
  const keyAt = words.indexOf("key");
  const key = keyAt < 0 ? undefined : words[keyAt + 1];
  const pairs = [
    `mode = "${mode}"`,
    `address = "${address}"`,
    ...(key !== undefined && /^\d+$/.test(key) ? [`key = ${key}`] : []),
  ];
  return `write [[source]], and below it ${pairs.slice(0, -1).join(", ")} and ${pairs.at(-1)}`;
}

function index(hints: readonly Hint[]): ReadonlyMap<string, string> {
  return new Map(
    hints.flatMap(([words, hint]) => words.split(" ").map((word) => [sameSpelling(word), hint])),
  );
}
