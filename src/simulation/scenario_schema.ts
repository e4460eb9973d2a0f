/**
 * The keys of a scenario file: one line each, with the sentence that the manual prints.
 *
 * @module
 */
import { SYSTEM_STATES } from "../engine/status/snapshot.ts";
import { STATUS_WORDS } from "../selection/status.ts";
import type { ConfigPath } from "../config/config_path.ts";
import {
  boolean,
  duration,
  either,
  integer,
  list,
  number,
  text,
  textThat,
  word,
} from "../config/field.ts";
import { type Field, optional, required, type Row } from "../config/key.ts";
import { sections, table } from "../config/table_field.ts";
import { ipFamily } from "../base/ip_address.ts";
import type { Seconds } from "../base/units.ts";
import { parseDuration } from "../config/duration.ts";
import { parseDate } from "./date.ts";

const LEAPS = ["none", "insert", "delete", "unknown"] as const;

/** Reads a time with a sign. */
const signedDuration: Field<Seconds> = {
  wanted: 'seconds as a number, or text such as "100ms" or "-0.5s"',
  read(value, at) {
    const seconds = typeof value === "string" ? signedSeconds(value) : value;
    if (typeof seconds === "number" && Number.isFinite(seconds)) return seconds;
    return at.wanted(this.wanted, value);
  },
};

/** Reads a TOML date with time in UTC, or text that is one. */
const date: Field<bigint> = {
  wanted: "a date with time in UTC such as 2036-02-07T06:20:00Z",
  read(value, at) {
    const isDate = typeof value === "object" && value !== null && "toISOString" in value &&
      typeof value.toISOString === "function";
    const written: unknown = isDate ? (value.toISOString as () => string).call(value) : value;
    const parsed = typeof written === "string" ? parseDate(written) : undefined;
    return parsed ?? at.wanted(this.wanted, value);
  },
};

const address: Field<string> = textThat(
  "a numeric address",
  (value) => ipFamily(value) === undefined ? undefined : value,
);
const ppm = number(-100_000, 100_000);
const names = either(list(text, "a list of names"), text);
const TEMPERATURE = table({
  "amplitude-ppm": required(number(0, 1000), { doc: "How far the frequency swings to each side." }),
  "period": required(duration(1), { doc: "How long one swing takes." }),
});

const PATH_KEYS = {
  "delay": optional(duration(), {
    otherwise: '"10ms"',
    doc: "The fixed part of the delay in one direction.",
  }),
  "jitter": optional(duration(), {
    otherwise: '"1ms"',
    doc: "The mean of the queueing delay in one direction (with `normal`, its standard deviation).",
  }),
  "distribution": optional(word(["none", "exponential", "lomax", "normal"]), {
    otherwise: '"exponential"',
    doc: "How the queueing delay is distributed.",
  }),
  "shape": optional(number(1.01, 100), {
    otherwise: "1.5",
    doc: "The shape of the Lomax distribution.",
  }),
  "loss": optional(number(0, 1), { otherwise: "0", doc: "The part of the packets that is lost." }),
  "congestion": optional(
    table({
      "factor": required(number(1, 10_000), {
        doc: "What the jitter is multiplied by at the worst hour.",
      }),
      "period": required(duration(1), { doc: "How long a day is." }),
    }),
    {
      otherwise: "none",
      doc:
        "Jitter that rises and falls with the hours: it is multiplied by `1 + (factor - 1) max(0, sin(2 pi t / period))`.",
    },
  ),
  "bursts": optional(
    table({
      "factor": required(number(1, 10_000), {
        doc: "What the jitter is multiplied by during a spell.",
      }),
      "length": required(duration(1), { doc: "How long a spell lasts on the average." }),
      "gap": required(duration(1), { doc: "The mean time between two spells." }),
    }),
    {
      otherwise: "none",
      doc: "Spells of congestion that come at random, in each direction by itself.",
    },
  ),
} as const;

const CHANGE_KEYS = {
  ...PATH_KEYS,
  "asymmetry": optional(signedDuration, {
    otherwise: "0",
    doc:
      "How much longer the way to the server is than the way back; `delay` is then the mean of both.",
  }),
  "forward": optional(table(PATH_KEYS), {
    otherwise: "",
    doc: "What differs on the way to the server.",
  }),
  "backward": optional(table(PATH_KEYS), { otherwise: "", doc: "What differs on the way back." }),
  "offset": optional(signedDuration, {
    otherwise: "0",
    doc: "What the server's clock shows more than true time.",
  }),
  "frequency-ppm": optional(ppm, {
    otherwise: "0",
    doc: "How fast the server's clock drifts away.",
  }),
  "alive": optional(boolean, { otherwise: "true", doc: "Whether the server answers." }),
  "refuses": optional(boolean, {
    otherwise: "false",
    doc: "Whether the host of a dead server refuses requests.",
  }),
  "stratum": optional(integer(0, 16), {
    otherwise: "1",
    doc: "The stratum that the server states.",
  }),
  "reference-id": optional(text, {
    otherwise: '"GPS"',
    doc:
      "The reference id: four characters or an IPv4 address. The simulated machine is 198.51.100.1.",
  }),
  "leap": optional(word(LEAPS), {
    otherwise: '"none"',
    doc: 'The leap indicator; "unknown" is an unsynchronised server.',
  }),
  "root-delay": optional(duration(), {
    otherwise: "0",
    doc: "The root delay that the server states.",
  }),
  "root-dispersion": optional(duration(), {
    otherwise: "0",
    doc: "The root dispersion that the server states.",
  }),
  "precision": optional(integer(-32, -1), {
    otherwise: "-25",
    doc:
      "The precision that the server states (a power of two, in seconds). Above -25 the bits of its timestamps below it are random.",
  }),
  "turnaround": optional(duration(), {
    otherwise: '"10us"',
    doc: "How long the server takes for an answer.",
  }),
  "kiss": optional(
    textThat("a kiss code of four letters or none", (v) => /^([A-Z]{4})?$/.test(v) ? v : undefined),
    { otherwise: "none", doc: "The kiss code that the server sends instead of the time." },
  ),
  "kiss-interval": optional(duration(), {
    otherwise: "0",
    doc: "If not 0, only requests that come sooner than this after the one before are kissed.",
  }),
  "attack": optional(word(["none", "wrong-origin", "replay", "garbage", "false-kiss"]), {
    otherwise: '"none"',
    doc: "Packets that an adversary sends in the name of the server, ahead of its response.",
  }),
} as const;

const WANDER_KEYS = {
  "wander": optional(number(0, 1e-3), {
    otherwise: "0",
    doc: "The standard deviation of the random step of the frequency in each second, as a ratio.",
  }),
  "temperature": optional(TEMPERATURE, {
    otherwise: "none",
    doc: "A sinusoidal swing of the frequency.",
  }),
  "aging-ppm-per-day": optional(number(-100, 100), {
    otherwise: "0",
    doc: "A steady change of the frequency.",
  }),
} as const;

const SERVER = table({
  "name": required(text, { doc: "The name by which sources and events mean it." }),
  "address": optional(address, { otherwise: "192.0.2.N", doc: "Its numeric address." }),
  "pool": optional(names, {
    otherwise: "none",
    doc: "The pool names under which it is found too.",
  }),
  "count": optional(integer(1, 64), {
    otherwise: "1",
    doc: "Makes so many like it, named `name-1`, `name-2`, ...",
  }),
  ...CHANGE_KEYS,
  ...WANDER_KEYS,
});

const EVENT = table({
  "at": required(duration(), { doc: "When, from the start." }),
  "kind": required(
    word([
      "server-change",
      "server-dies",
      "server-returns",
      "route-change",
      "suspend",
      "clock-step",
      "clock-frequency",
      "oscillator-step",
      "leap",
      "network-down",
      "network-up",
      "restart",
    ]),
    { doc: "What happens." },
  ),
  "server": optional(names, { otherwise: "all", doc: "To which servers it happens." }),
  "label": optional(text, {
    otherwise: "made from the kind",
    doc: "What the summary and the plot call it.",
  }),
  "duration": optional(duration(), {
    otherwise: "required for suspend",
    doc: "How long the machine sleeps.",
  }),
  "error": optional(signedDuration, {
    otherwise: "0",
    doc:
      "By how much too far the clock is put forward after it; not further back than the sleep was long.",
  }),
  "step": optional(signedDuration, {
    otherwise: "required for clock-step",
    doc: "By how much someone steps the clock.",
  }),
  "announce": optional(duration(), {
    otherwise: '"1d"',
    doc: "How long before the leap second servers announce it.",
  }),
  ...CHANGE_KEYS,
});

const CLOCK = table({
  "offset": optional(signedDuration, {
    otherwise: '"100ms"',
    doc: "What the clock shows more than true time at the start.",
  }),
  "frequency-ppm": optional(ppm, {
    otherwise: "50",
    doc: "How fast the oscillator is at the start.",
  }),
  ...WANDER_KEYS,
  "precision": optional(duration(), {
    otherwise: "0",
    doc: "The step between two readings of the clock.",
  }),
  "timestamp-noise": optional(duration(), {
    otherwise: "0",
    doc: "The mean of an exponential delay between each packet and its timestamp on this machine.",
  }),
  "timestamping": optional(word(["hardware", "kernel", "user"]), {
    otherwise: '"kernel"',
    doc: "What the timestamps are called.",
  }),
  "drift-file": optional(
    table({
      "frequency-ppm": required(ppm, { doc: "The frequency that the file holds." }),
      "skew-ppm": optional(number(0, 1000), { otherwise: "1", doc: "Its uncertainty." }),
    }),
    { otherwise: "none", doc: "What the drift file holds at the start." },
  ),
});

const LIMITS = table({
  "max-error": optional(duration(), {
    otherwise: "none",
    doc: "The largest error over the measured part.",
  }),
  "rms-error": optional(duration(), {
    otherwise: "none",
    doc: "The root mean square of the error over the measured part.",
  }),
  "time-to-1ms": optional(duration(), {
    otherwise: "none",
    doc: "How soon the error stays below 1 ms.",
  }),
  "time-to-100us": optional(duration(), {
    otherwise: "none",
    doc: "How soon the error stays below 100 us.",
  }),
  "steps": optional(integer(0, 1000), {
    otherwise: "none",
    doc: "How many steps there may be in the whole run.",
  }),
  "requests-per-server": optional(integer(0, 1e9), {
    otherwise: "none",
    doc: "How many requests each server may get.",
  }),
  "bound-coverage": optional(number(0, 1), {
    otherwise: "none",
    doc: "The least part of the measured time that the true error is inside the stated bound.",
  }),
  "median-bound": optional(duration(), {
    otherwise: "none",
    doc: "The median of the stated bound.",
  }),
  "must-not-select": optional(list(text, "a list of names"), {
    otherwise: "none",
    doc: "Servers that are never selected nor combined in the whole run.",
  }),
  "must-log": optional(list(text, "a list of texts"), {
    otherwise: "none",
    doc: "Texts that the log must contain.",
  }),
  "must-not-log": optional(list(text, "a list of texts"), {
    otherwise: "none",
    doc: "Texts that it must not.",
  }),
  "panic": optional(boolean, {
    otherwise: "false",
    doc: "Whether the daemon is expected to give up.",
  }),
});

const CHECK = table({
  "at": required(duration(), { doc: "When, from the start; before an event of the same moment." }),
  "state": optional(oneOrMore(word(SYSTEM_STATES)), {
    otherwise: "any",
    doc: "The state of the system, or several.",
  }),
  "sources": optional(mapOf(oneOrMore(word(STATUS_WORDS))), {
    otherwise: "any",
    doc: "The status of a source, or several, by the server's name.",
  }),
  "max-error": optional(duration(), {
    otherwise: "any",
    doc: "The largest error of the clock at that moment.",
  }),
  "max-frequency-error-ppm": optional(number(0, 1e6), {
    otherwise: "any",
    doc: "The largest error of the clock's rate at that moment, slews included.",
  }),
  "leap": optional(word(LEAPS), { otherwise: "any", doc: "The leap indicator that ntpsd states." }),
  "kernel-synchronized": optional(boolean, {
    otherwise: "any",
    doc: "What the kernel says of its clock.",
  }),
});

const SCENARIO = {
  "name": required(text, { doc: "What the scenario is called." }),
  "description": optional(text, { otherwise: "empty", doc: "What it shows." }),
  "duration": required(duration(1), { doc: "How long it runs." }),
  "measure-from": optional(duration(), {
    otherwise: "a quarter of the duration",
    doc: "When the statistics begin.",
  }),
  "seed": optional(integer(0, 0xffff_ffff), {
    otherwise: "1",
    doc: "The seed, unless another one is given on the command line.",
  }),
  "start": optional(date, { otherwise: "2026-03-01T00:00:00Z", doc: "True time at the start." }),
  "clock": optional(CLOCK, { otherwise: "", doc: "The clock of the machine." }),
  "server-defaults": optional(table({ ...CHANGE_KEYS, ...WANDER_KEYS }), {
    otherwise: "",
    doc:
      "What holds for every server that does not say otherwise, and for sources that no server is written for.",
  }),
  "server": optional(sections(SERVER, "name"), {
    otherwise: "",
    doc: "The servers of the simulated world.",
  }),
  "event": optional(sections(EVENT, "at"), { otherwise: "", doc: "What happens when." }),
  "configuration": optional(text, {
    otherwise: "none",
    doc: "A configuration file of ntpsd, relative to the scenario file, instead of `[ntpsd]`.",
  }),
  "ntpsd": optional(anyTable(), {
    otherwise: "one source for each server",
    doc: "A configuration of ntpsd, as in its own file.",
  }),
  "limits": optional(LIMITS, {
    otherwise: "",
    doc: "What must hold; the command ends with 1 if it does not.",
  }),
  "check": optional(sections(CHECK, "at"), { otherwise: "", doc: "What must hold at one moment." }),
} as const;

/** The whole scenario as it is read. */
export const SCENARIO_SCHEMA: Field<Row<typeof SCENARIO>> = table(SCENARIO);

type ReadBy<Kind> = Kind extends Field<infer Value> ? Value : never;

/** The scenario file as it is read. */
export type RawScenario = ReadBy<typeof SCENARIO_SCHEMA>;
/** One `[[server]]`. */
export type RawServer = ReadBy<typeof SERVER>;
/** What an event can change about a server; `[server-defaults]` without its wander. */
export type RawChange = Pick<RawServer, keyof typeof CHANGE_KEYS>;
/** One direction of a path. */
export type RawPath = Pick<RawServer, keyof typeof PATH_KEYS>;
/** What an oscillator is like. */
export type RawWander = Pick<RawServer, keyof typeof WANDER_KEYS>;
/** One `[[event]]`. */
export type RawEvent = ReadBy<typeof EVENT>;
/** The `[clock]`. */
export type RawClock = ReadBy<typeof CLOCK>;
/** The `[limits]`. */
export type RawLimits = ReadBy<typeof LIMITS>;
/** One `[[check]]`. */
export type RawCheck = ReadBy<typeof CHECK>;

function signedSeconds(value: string): Seconds | undefined {
  const match = /^\s*([+-]?)(.*)$/s.exec(value);
  const seconds = parseDuration(match?.[2] ?? "");
  return seconds === undefined ? undefined : match?.[1] === "-" ? -seconds : seconds;
}

/** Reads one value or a list of them, as a list. */
function oneOrMore<Value>(element: Field<Value>): Field<readonly Value[]> {
  const several = list(element, `a list of: ${element.wanted}`);
  return {
    wanted: `${element.wanted}, or a list of them`,
    read(value, at) {
      if (Array.isArray(value)) return several.read(value, at);
      const single = element.read(value, at);
      return single === undefined ? undefined : [single];
    },
  };
}

/** Reads a table whose keys are free. */
function mapOf<Value>(element: Field<Value>): Field<Readonly<Record<string, Value>>> {
  return {
    wanted: "a table",
    read(value, at) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        return at.wanted(this.wanted, value);
      }
      const map: Record<string, Value> = {};
      for (const [name, entry] of Object.entries(value)) {
        const read = element.read(entry, at.key(name));
        if (read !== undefined) map[name] = read;
      }
      return map;
    },
  };
}

/** Takes a table as it is; another part reads it. */
function anyTable(): Field<Readonly<Record<string, unknown>>> {
  const pass: Field<unknown> = {
    wanted: "anything",
    read: (value: unknown, _at: ConfigPath) => value,
  };
  return mapOf(pass);
}
