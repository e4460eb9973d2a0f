/**
 * Every key of the configuration: its type, what holds without it, and what it is for. The reference in
 * docs/configuration.md is printed from this.
 *
 * @module
 */
import { ipFamily } from "../base/ip_address.ts";
import {
  ROTATION_INTERVAL_MAX,
  ROTATION_INTERVAL_MIN,
  STALE_KEY_COUNT_MAX,
} from "../base/keyset_limits.ts";
import { NTP_PORT, NTS_KE_PORT } from "../base/ports.ts";
import { hostName, ipAddress, listenAddress, prefix, sourceAddress } from "./address_field.ts";
import {
  boolean,
  directory,
  duration,
  either,
  type Field,
  integer,
  list,
  number,
  optional,
  path,
  pollExponent,
  required,
  type Row,
  sections,
  table,
  text,
  textThat,
  wholeSeconds,
  word,
} from "./field.ts";
import { foreignKeyHint } from "./foreign_keys.ts";
import { otherPlaces } from "./other_places.ts";

/** The words for how much is logged, the most first. */
export const LOG_LEVELS = ["trace", "debug", "info", "warning", "error"] as const;

/** The shortest and the longest poll exponent that may be asked for: a second, and a day and a half (RFC 5905 section 7.2). */
const POLL_EXPONENT = pollExponent(0, 17);

const POLL_LIMITS = table({
  min: optional(POLL_EXPONENT, "4", "The shortest interval, as an exponent of two seconds."),
  max: optional(POLL_EXPONENT, "10", "The longest interval, as an exponent of two seconds."),
});

const POLL_KEYS = {
  "poll-interval-limits": optional(
    POLL_LIMITS,
    "{ min = 4, max = 10 }",
    "How often a source may be asked. Both are exponents of two seconds: 4 is 16 seconds, 6 about a minute, 10 about 17 minutes. " +
      "Within them ntpsd chooses by itself.",
  ),
  "initial-poll-interval": optional(
    POLL_EXPONENT,
    "4, within the limits",
    "The interval to begin with, as an exponent of two seconds.",
  ),
};

const AEAD_NUMBERS: Readonly<Record<string, number>> = {
  AEAD_AES_SIV_CMAC_256: 15,
  AEAD_AES_SIV_CMAC_384: 16,
  AEAD_AES_SIV_CMAC_512: 17,
  AEAD_AES_128_GCM_SIV: 30,
};

const AEAD: Field<number> = {
  wanted: `15, 16, 17, 30 or a name such as "AEAD_AES_SIV_CMAC_256"`,
  read(value, at) {
    if (value === 15 || value === 16 || value === 17 || value === 30) return value;
    const number = typeof value === "string" && Object.hasOwn(AEAD_NUMBERS, value)
      ? AEAD_NUMBERS[value]
      : undefined;
    return number ?? at.wanted(this.wanted, value);
  },
};

const SOURCE = table({
  mode: required(
    word(["server", "pool", "nts", "nts-pool"]),
    "What kind of source this is: `server` is one NTP server; `pool` a name behind which there are many; `nts` one server " +
      "whose answers are authenticated by Network Time Security; `nts-pool` many of those.",
  ),
  address: required(
    sourceAddress,
    "The host name or IP address, with a port if it is not the usual one (123; for NTS the port of the key exchange, 4460).",
  ),
  count: optional(
    integer(1, 64),
    "4",
    "Pools: how many servers of the pool to use at once. What stops answering or turns out to be wrong is replaced.",
  ),
  ignore: optional(
    list(ipAddress, "a list of IP addresses"),
    "none",
    "Pools: addresses that are never used.",
  ),
  "certificate-authority": optional(
    path,
    "the system's",
    "NTS: a file with the certificates of a further authority to trust for this source (PEM): its root, an intermediate one, or the " +
      "server's own certificate.",
  ),
  "aead-algorithms": optional(
    list(AEAD, "a list of algorithms"),
    "all, best first",
    "NTS: the algorithms to offer, by number or name, the preferred one first.",
  ),
  iburst: optional(
    boolean,
    "true",
    "Whether a few requests are sent quickly at the start, to have the time within seconds.",
  ),
  prefer: optional(
    boolean,
    "false",
    "Take the time of this source when it agrees with the others.",
  ),
  trust: optional(
    boolean,
    "false; true where `authentication` says so",
    "Believe this source, and others marked so, even against a majority of those that are not, which can then move the time only as far " +
      "as these leave it open.",
  ),
  require: optional(
    boolean,
    "false; true where `authentication` says so",
    "Do not touch the clock unless a source marked so is among those that agree.",
  ),
  "no-select": optional(boolean, "false", "Measure this source and show it, but never follow it."),
  key: optional(
    integer(1, 4294967295),
    "none",
    "The number of the symmetric key, from the file of `[keys]`, that authenticates this source.",
  ),
  ...POLL_KEYS,
  interleaved: optional(
    boolean,
    "false",
    "Ask in interleaved mode, for better timestamps (RFC 9769); falls back by itself where the server does not know it.",
  ),
});

const ACCESS_LIST = table({
  filter: required(list(prefix, "a list of prefixes"), "Prefixes in CIDR notation, or addresses."),
  action: optional(
    word(["ignore", "deny"]),
    '"ignore"',
    "What a client that is turned away gets: nothing, or a refusal (kiss code DENY).",
  ),
});

const SERVER = table({
  listen: required(
    listenAddress(NTP_PORT),
    "The numeric address and UDP port to serve. `[::]:123` serves IPv6 and IPv4 on all addresses, unless another section listens on an " +
      "IPv4 address with the same port: then IPv6 alone.",
  ),
  allowlist: optional(
    ACCESS_LIST,
    "everybody",
    "Only these clients are served. Where both lists know a client, the longer prefix decides.",
  ),
  denylist: optional(ACCESS_LIST, "nobody", "These clients are not served."),
  "rate-limit": optional(
    table({
      interval: optional(
        integer(-19, 12),
        "3",
        "One answer every two to the power of this many seconds is what a client may have for long.",
      ),
      burst: optional(
        integer(1, 255),
        "8",
        "How many answers a client may have at once before that.",
      ),
      leak: optional(
        integer(1, 4),
        "2",
        "Of what is over the limit, one request in two to the power of this is answered all the same, so that nobody can silence " +
          "a client by forging its address.",
      ),
    }),
    "no limit",
    "Limits the answers to each client (an IPv4 address, or an IPv6 /64), in chrony's terms.",
  ),
  "require-nts": optional(
    either(boolean, word(["ignore", "deny"])),
    "false",
    'Serve only requests that are authenticated by NTS; others are ignored (`true` or `"ignore"`) or refused (`"deny"`).',
  ),
  "accept-ntp-versions": optional(
    list(integer(1, 4), "a list of versions such as [3, 4]"),
    "[1, 2, 3, 4]",
    "The versions of the protocol that are answered, each in its own version. Small devices and w32tm ask with old ones.",
  ),
  interleaved: optional(
    boolean,
    "true",
    "Answer in interleaved mode to clients that ask so (RFC 9769).",
  ),
  "reuse-port": optional(
    boolean,
    "false",
    "Let several processes serve the same port, one for each processor core.",
  ),
  "client-table": optional(
    boolean,
    "false",
    "Keep a list of the busiest clients for the status; addresses are cut to a prefix.",
  ),
});

const NTS_KE_SERVER = table({
  listen: required(
    listenAddress(NTS_KE_PORT),
    "The numeric address and TCP port of the key exchange.",
  ),
  "certificate-chain-path": required(
    path,
    "The server's certificate, and those that lead to its authority (PEM).",
  ),
  "private-key-path": required(path, "The private key that belongs to the certificate (PEM)."),
  "key-exchange-timeout-ms": optional(
    integer(1, 600_000),
    "1000",
    "How long one key exchange may take, in milliseconds.",
  ),
  "concurrent-connections": optional(
    integer(1, 65_536),
    "512",
    "How many key exchanges may go on at the same time; fewer if the limit on open files leaves no room for so many. For one more the " +
      "oldest of the network that has most of them is given up.",
  ),
  "ntp-server": optional(hostName, "this machine", "The NTP server that clients are sent to."),
  "ntp-port": optional(integer(1, 65_535), "123", "The UDP port that clients are sent to."),
});

const KEYSET = table({
  "stale-key-count": optional(
    integer(0, STALE_KEY_COUNT_MAX),
    "7",
    "How many old keys are kept, so that cookies made with them still work.",
  ),
  "key-rotation-interval": optional(
    wholeSeconds(ROTATION_INTERVAL_MIN, ROTATION_INTERVAL_MAX),
    "1d",
    "How often a new key is made.",
  ),
  "key-storage-path": optional(
    path,
    "keys are lost at the end",
    "Where the keys are kept, so that a restart costs clients no key exchange. The file is secret.",
  ),
});

const ENDLESS: Field<number> = textThat('"inf"', (word) => word === "inf" ? Infinity : undefined);
const THRESHOLD = either(duration(0), ENDLESS);
const PANIC_THRESHOLD = either(
  THRESHOLD,
  table({
    forward: optional(THRESHOLD, '"inf"', "The limit for a clock that is behind."),
    backward: optional(THRESHOLD, '"inf"', "The limit for a clock that is ahead."),
  }),
);

const SYNCHRONIZATION = table({
  "minimum-agreeing-sources": optional(
    integer(1, 100),
    "3, or one less than there are sources if that is less",
    "How many sources must agree on the time before the clock is touched. A pool counts as often as its `count`.",
  ),
  authentication: optional(
    word(["require", "prefer", "mix", "ignore"]),
    '"mix"',
    "What sources with NTS or a key are to those without, where both are configured. `mix`: they are `trust` and `require` unless they say " +
      "otherwise, so the others help and never decide. `prefer`: the others are used only while these give no time. `require`: the others are " +
      "only watched. `ignore`: all are alike.",
  ),
  "single-step-panic-threshold": optional(
    PANIC_THRESHOLD,
    "1000",
    'ntpsd ends rather than correct more than this at once, later than at the start. May be `"inf"`, or differ: ' +
      '`{ forward = "1h", backward = "10s" }`.',
  ),
  "startup-step-panic-threshold": optional(
    PANIC_THRESHOLD,
    '1800; "inf" for a time that authenticated sources vouch for',
    "The same for the first correction after the start, and for the first time that authenticated sources vouch for. They vouch " +
      "when so many of them agree as must agree (`minimum-agreeing-sources`, or all of them if there are fewer), and fewer disagree; " +
      "those that share the host of the key exchange or a public key count once. A machine that starts without a clock and " +
      'has plain sources only needs `{ forward = "inf", backward = "1d" }`.',
  ),
  "accumulated-step-panic-threshold": optional(
    THRESHOLD,
    "none",
    "ntpsd ends when all its steps together come to more than this. 0 means no limit.",
  ),
  "local-stratum": optional(
    integer(1, 16),
    "none",
    "Serve time of this stratum even without a source, on networks that are cut off. 16 means not to. Sources of this stratum or " +
      "beyond are not followed, so that two such servers that name each other have an order.",
  ),
  "reference-id": optional(
    textThat(
      "one to four ASCII characters or an IPv4 address",
      (id) => /^[!-~]{1,4}$/.test(id) || ipFamily(id) === "ipv4" ? id : undefined,
    ),
    '"127.127.1.1"',
    "The reference id that goes with `local-stratum`.",
  ),
  "step-threshold": optional(
    duration(0),
    "128ms",
    "An offset beyond this is corrected in one step, if a step is still allowed; all else is corrected gradually.",
  ),
  "step-limit": optional(
    integer(-1, 1_000_000),
    "3",
    "How many of the first updates of the clock may be steps. 0: never a step. -1: always allowed.",
  ),
});

const CLOCK = table({
  adjust: optional(
    either(boolean, word(["auto"])),
    '"auto"',
    'Whether the clock is corrected. `"auto"`: if the process may (CAP_SYS_TIME), else ntpsd only measures and says so. `true`: it ' +
      "ends with status 77 if it may not. `false`: never.",
  ),
  "drift-file": optional(
    path,
    "none",
    "Where the clock's frequency error is kept, so that a restart begins with it.",
  ),
  "max-frequency-ppm": optional(
    number(0, 500),
    "500",
    "The largest frequency error of the clock that is believed, in parts per million.",
  ),
  "max-slew-ppm": optional(
    number(1, 100_000),
    "83333",
    "How fast an offset is corrected at most, in parts per million: 83333 corrects one second in twelve.",
  ),
  "leap-seconds-file": optional(
    path,
    "none",
    "A list of leap seconds, usually /usr/share/zoneinfo/leap-seconds.list, read at the start, after SIGHUP and once a day if " +
      "it has changed. It gives the kernel the offset of TAI. While it is valid its leap seconds are announced even if no source " +
      "does, and those that only sources announce are not believed. Without a valid list a majority of the sources is believed, for " +
      "the end of June and of December only. A damaged list is not used.",
  ),
});

const NTS = table({
  "cookie-storage-path": optional(
    path,
    "none",
    "Where cookies and keys are kept over a restart, so that it needs no key exchange. The file is secret.",
  ),
  strict: optional(
    boolean,
    "false",
    "Never accept a certificate whose dates do not fit the clock, not even provisionally at the start with a clock that is wrong.",
  ),
});

const OBSERVABILITY = table({
  "log-level": optional(
    word([...LOG_LEVELS, "warn"]),
    '"info"',
    "How much is logged; the log goes to standard error.",
  ),
  listen: optional(
    either(listenAddress(9975), word([""])),
    '"127.0.0.1:9975"',
    "Where the status is served over HTTP, for `ntpsd status`, Prometheus and health checks; empty text switches it off. Whoever " +
      "can reach it can read it.",
  ),
  hosts: optional(
    list(hostName, "a list of names"),
    "none",
    "Names under which the status may be asked on a loopback address, for a proxy before it, say; `localhost`, loopback addresses and " +
      "the name of this machine always may. A listener that the network can reach answers under any name.",
  ),
  "ready-when-synchronized": optional(
    boolean,
    "false",
    "Tell the service manager that ntpsd is ready only when the clock is known to be right, for services that must not start before; " +
      "otherwise as soon as it works.",
  ),
  "statistics-path": optional(
    directory,
    "none",
    "A directory for files of every measurement and every update of the clock, one file a day, kept for 30 days.",
  ),
});

const SECURITY = table({
  user: optional(
    text,
    '"ntpsd", else "nobody"',
    'The user to become if started by root; "root" stays root, with next to none of its privileges.',
  ),
  seccomp: optional(
    boolean,
    "true",
    "Give up the system calls that are not needed after the start.",
  ),
});

const SECTIONS = {
  "source-defaults": optional(
    table(POLL_KEYS),
    "",
    "What holds for every source that does not say otherwise.",
  ),
  source: optional(
    sections(SOURCE),
    "",
    "Where the time comes from; one section for each server or pool.",
  ),
  server: optional(
    sections(SERVER),
    "",
    "Where time is served. Without any such section ntpsd is a client alone and opens no port to others.",
  ),
  "nts-ke-server": optional(
    sections(NTS_KE_SERVER),
    "",
    "Where clients get the keys and cookies for Network Time Security.",
  ),
  keyset: optional(KEYSET, "", "The keys that seal the cookies of the NTS server."),
  keys: optional(
    table({
      file: required(
        path,
        "A file of symmetric keys in the format of chrony or ntpd. The file is secret.",
      ),
    }),
    "",
    "Symmetric keys.",
  ),
  synchronization: optional(SYNCHRONIZATION, "", "When the clock is touched, and how."),
  clock: optional(CLOCK, "", "The clock of this machine."),
  nts: optional(NTS, "", "Network Time Security on the client's side."),
  observability: optional(OBSERVABILITY, "", "What ntpsd tells of itself."),
  security: optional(SECURITY, "", "What ntpsd gives up."),
};

/** The whole configuration as it is read, before defaults and rules across keys. */
export const SCHEMA: Field<Row<typeof SECTIONS>> = table(SECTIONS);

/** The sections as they are read. */
export type RawConfig = FieldValue<typeof SCHEMA>;
/** One `[[source]]` section as it is read. */
export type RawSource = FieldValue<typeof SOURCE>;
/** One `[[server]]` section as it is read. */
export type RawServer = FieldValue<typeof SERVER>;
/** One `[[nts-ke-server]]` section as it is read. */
export type RawNtsKeServer = FieldValue<typeof NTS_KE_SERVER>;
/** A panic threshold as it is read; Infinity means none. */
export type RawPanicThreshold = FieldValue<typeof PANIC_THRESHOLD>;

type FieldValue<Kind> = Kind extends Field<infer Value> ? Value : never;

/** Returns what to write in place of a key of another program, or where a key of another section belongs. */
export function unknownKeyHint(key: string): string | undefined {
  return foreignKeyHint(key) ?? otherPlaces(key, SECTIONS);
}
