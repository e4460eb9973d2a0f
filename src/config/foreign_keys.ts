/**
 * Words of other time daemons, and what to write here instead.
 *
 * The words are the directives and source options of chrony, ntpd and NTPsec, and keys of ntpd-rs. They come as keys of TOML and as
 * whole lines in the format of their own program; both are answered from here.
 *
 * @module
 */
import { sameSpelling } from "./nearest.ts";
import { sourceAddressFault } from "./special_address.ts";

const BY_ITSELF = "leave it out: ntpsd decides this by itself";
const ESTIMATOR = "leave it out: ntpsd's estimator learns these values by itself";
const LEAP_LIST = "use leap-seconds-file in [clock]";
const POLL_LIMITS = "use poll-interval-limits = { min = ..., max = ... }";
const RATE_LIMIT = "use rate-limit = { interval = 3, burst = 8, leak = 2 } in [[server]]";
const HTTP = "the status is served over HTTP, see listen in [observability]";
const PANIC = "use single-step-panic-threshold and its like in [synchronization]";
const LISTEN = "use listen in [[server]]";
const NO_CLOCK = "ntpsd asks servers over the network: name a server that has this clock";
const ONE_FILE = "everything stands in one file";
const BROADCAST = "broadcasts and multicasts are not used: name each server in a [[source]]";
const EVERY_KEY = "leave it out: every key of the file in [keys] is used";
const LOG = "the log goes to standard error; use log-level in [observability]";
const STATISTICS = "use statistics-path in [observability]";
const SYSTEM = "leave it out, or let the unit of systemd say it";
const RTC = "leave it out: the kernel sets the hardware clock while the time is right";
const COMMAND_LINE = "ask with the commands of ntpsd";

/** The words, several with one answer, in lower case and with hyphens. */
const HINTS: readonly (readonly [words: string, hint: string])[] = [
  // where the time comes from
  ["sources server-address hostname", "write [[source]]"],
  ["servers", "write [[server]] to serve time, [[source]] to ask for it"],
  ["peer", 'use mode = "server" and address in [[source]]'],
  ["pool", 'use mode = "pool" and address in [[source]]'],
  ["nts", 'use mode = "nts" in [[source]]'],
  ["max-sources maxsources", "use count"],
  ["ca", "use certificate-authority"],
  ["ntstrustedcerts", "use certificate-authority in [[source]]"],
  ["nosystemcert", "leave it out: what the system trusts counts too"],
  [
    "nocerttimecheck",
    "leave it out: certificates are checked once the time is known, see strict in [nts]",
  ],
  ["ntsaeads", "use aead-algorithms in [[source]]"],
  ["minpoll maxpoll", POLL_LIMITS],
  ["burst", "leave it out: iburst = true sends a few requests quickly, at the start"],
  ["noselect", "use no-select = true"],
  ["xleave", "use interleaved = true"],
  [
    "port",
    "write it after the address, in address of [[source]] or listen of [[server]]; without [[server]] nobody is served",
  ],
  [
    "ntsport",
    "write it after the address, in address of [[source]] or listen of [[nts-ke-server]]",
  ],
  ["version ntp-version", "the version of the protocol is chosen by itself"],
  [
    "maxdelay maxdelayratio maxdelaydevratio maxdelayquant mindelay minsamples maxsamples polltarget presend minstratum" +
    " offline auto-offline certset extfield copy maxunreach preempt ntsrefresh refresh maxdistance maxjitter" +
    " combinelimit reselectdist stratumweight clockprecision corrtimeratio fallbackdrift maxupdateskew maxclockerror" +
    " ttl mdnstries pollskewlist discard warn-on-jump hwtstimeout maxtxbuffers monitor mru automax revoke",
    BY_ITSELF,
  ],
  ["algorithm", ESTIMATOR],
  ["asymmetry offset tempcomp", "there is no such correction"],
  ["refclock fudge phone pps sock ptpport ptpdomain", NO_CLOCK],
  ["manual initstepslew", "use step-threshold and step-limit in [synchronization]"],
  [
    "broadcast broadcastclient broadcastdelay multicastclient manycastclient manycastserver",
    BROADCAST,
  ],
  [
    "acquisitionport bindacqaddress bindacqdevice",
    "leave it out: the system chooses where requests leave from",
  ],
  // what is believed, and what is done to the clock
  ["authselectmode", "use authentication in [synchronization]"],
  ["minsources", "use minimum-agreeing-sources in [synchronization]"],
  ["tos", "use minimum-agreeing-sources or local-stratum in [synchronization]"],
  ["tinker", "use step-threshold, step-limit and the panic thresholds in [synchronization]"],
  ["makestep", "use step-threshold and step-limit in [synchronization]"],
  ["maxchange panicgate", PANIC],
  ["maxslewrate", "use max-slew-ppm in [clock]"],
  ["maxdrift", "use max-frequency-ppm in [clock]"],
  ["driftfile", "use drift-file in [clock]"],
  ["enable disable", "use adjust = false in [clock] to leave the clock alone"],
  ["leapsectz leapseclist leapfile", LEAP_LIST],
  ["leapsecmode", "leave it out: the kernel inserts leap seconds"],
  ["smoothtime leapsmearinterval", "leap seconds are not smeared"],
  ["local orphan", "use local-stratum in [synchronization]"],
  ["rtcsync rtcfile rtcdevice rtconutc rtcautotrim hwclockfile", RTC],
  // whom to serve
  ["allow", 'use allowlist = { filter = [...], action = "ignore" } in [[server]]'],
  ["deny", 'use denylist = { filter = [...], action = "ignore" } in [[server]]'],
  ["restrict", "use allowlist, denylist and rate-limit in [[server]]"],
  ["ratelimit rate-limiting-cache-size rate-limiting-cutoff-ms", RATE_LIMIT],
  ["bindaddress binddevice interface nic", LISTEN],
  ["clientloglimit noclientlog", "use client-table in [[server]]"],
  ["hwtimestamp", "switch them on at the network interface, see docs/hardware-timestamps.md"],
  ["dscp ntpsigndsocket", "there is no such thing here"],
  // keys and certificates
  ["certificate-path ntsservercert", "use certificate-chain-path in [[nts-ke-server]]"],
  ["ntsserverkey", "use private-key-path in [[nts-ke-server]]"],
  ["ntsntpserver", "use ntp-server in [[nts-ke-server]]"],
  ["maxntsconnections ntsratelimit", "use concurrent-connections in [[nts-ke-server]]"],
  ["ntsprocesses", "leave it out: one process exchanges keys"],
  ["ntsrotate", "use key-rotation-interval in [keyset]"],
  ["ntsdumpdir", "use cookie-storage-path in [nts], key-storage-path in [keyset]"],
  ["keyfile", "use file in [keys]"],
  ["trustedkey requestkey controlkey", EVERY_KEY],
  ["keysdir crypto autokey", 'Autokey is not used: use mode = "nts", or key and [keys]'],
  // what ntpsd tells, and the rest
  ["observation-path observation-permissions", HTTP],
  ["metrics-exporter-listen", "metrics are at /metrics of listen in [observability]"],
  ["cmdport cmdallow cmddeny cmdratelimit bindcmdaddress bindcmddevice opencommands", HTTP],
  ["log logdir statsdir statistics filegen dumpdir", STATISTICS],
  ["logfile logconfig logbanner logchange mailonchange", LOG],
  ["confdir sourcedir include includefile", ONE_FILE],
  ["lock-all sched-priority pidfile rlimit", SYSTEM],
  ["setvar trap unpeer reset", COMMAND_LINE],
];

/** Directives that are words of ntpsd as well, so that they are foreign only as a line without `=`. */
const LINE_HINTS: readonly (readonly [words: string, hint: string])[] = [
  ["server", 'use mode = "server" and address in [[source]]'],
  ["keys", "use file in [keys]"],
  ["user", "use user in [security]"],
];

const BY_KEY = index(HINTS);
const BY_LINE = new Map([...BY_KEY, ...index(LINE_HINTS)]);

/** Returns what to write instead of a key of another program; undefined if it is unknown. */
export function foreignKeyHint(key: string): string | undefined {
  return BY_KEY.get(sameSpelling(key));
}

/** Returns what to write instead of a line in the format of another program; undefined if it is none. */
export function foreignLineHint(line: string): string | undefined {
  const [word = "", second = "", ...options] = line.trim().split(/\s+/);
  if (!/^[a-z_-]+$/i.test(word) || second.startsWith("=")) return undefined;
  const name = sameSpelling(word);
  const isSource = name === "server" || name === "pool" || name === "peer";
  if (isSource && second !== "") {
    const isPool = name === "pool";
    return sourceAddressFault(second)?.suggestion ?? sourceSection(isPool, second, options);
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

function index(hints: readonly (readonly [string, string])[]): ReadonlyMap<string, string> {
  return new Map(
    hints.flatMap(([words, hint]) => words.split(" ").map((word) => [sameSpelling(word), hint])),
  );
}
