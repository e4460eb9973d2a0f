/**
 * Scenarios whose values are from the ends of what is allowed and beyond, with events that fit
 * together often enough to be run.
 *
 * @module
 */
import { type RandomSource, uniform } from "../../src/base/random.ts";

const TIMES = [
  "0",
  "1e-9",
  "1",
  "10",
  "59.5",
  "600",
  '"1m"',
  '"-10s"',
  "-1e-3",
  "-600",
  "1e5",
  '"1h"',
];
const FREQUENCIES = ["0", "-1e5", "1e5", "500", "-500", "50", "1e-6", "999999"];
const NAMES = ['"a"', '"b"', '["a", "b"]', '"none"', "[]"];

/** What may stand for each key. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  "offset": [...TIMES, "1e9", "-4e9"],
  "frequency-ppm": FREQUENCIES,
  "wander": ["0", "1e-9", "1e-3", "1"],
  "precision": ["0", "1e-9", "1", "0.1", "10"],
  "timestamp-noise": ["0", "1e-6", "1", "100"],
  "timestamping": ['"user"', '"kernel"', '"hardware"'],
  "temperature": ["{ amplitude-ppm = 1000, period = 1 }", "{ amplitude-ppm = 1, period = 3600 }"],
  "aging-ppm-per-day": ["0", "1e5", "-10"],
  "drift-file": ["{ frequency-ppm = 1e5 }", "{ frequency-ppm = 0, skew-ppm = 0 }"],
  "delay": TIMES,
  "jitter": TIMES,
  "distribution": ['"none"', '"normal"', '"lomax"', '"exponential"'],
  "shape": ["1.01", "100", "1"],
  "loss": ["0", "0.5", "1", "2"],
  "congestion": ["{ factor = 10000, period = 1 }", "{ factor = 1, period = 86400 }"],
  "asymmetry": TIMES,
  "alive": ["true", "false"],
  "refuses": ["true", "false"],
  "stratum": ["0", "1", "15", "16", "17"],
  "reference-id": ['"GPS"', '"198.51.100.1"', '""', '"äöü"'],
  "leap": ['"none"', '"insert"', '"delete"', '"unknown"'],
  "root-delay": [...TIMES, "70000"],
  "root-dispersion": [...TIMES, "70000"],
  "turnaround": TIMES,
  "kiss": ['"RATE"', '"DENY"', '"NTSN"', '""', '"XXXX"'],
  "kiss-interval": TIMES,
  "attack": ['"none"', '"replay"', '"spoof"', '"zero-origin"', '"bogus"'],
  "count": ["1", "3", "64"],
  "pool": ['"p"', '["p", "q"]'],
  "address": ['"192.0.2.77"', '"198.51.100.1"', '"2001:db8::1"', '"x"'],
  "duration": TIMES,
  "error": TIMES,
  "step": [...TIMES, "1e9"],
  "announce": TIMES,
};
const CLOCK = [
  "offset",
  "frequency-ppm",
  "wander",
  "precision",
  "timestamp-noise",
  "timestamping",
  "temperature",
  "aging-ppm-per-day",
  "drift-file",
];
const SERVER = Object.keys(VALUES).slice(9, -4).concat("offset", "frequency-ppm", "wander");
const EVENT = [...SERVER.filter((key) => !/count|pool|address|wander/.test(key)), "duration"];
const KINDS = [
  "server-change",
  "route-change",
  "server-dies",
  "server-returns",
  "suspend",
  "clock-step",
  "clock-frequency",
  "oscillator-step",
  "leap",
  "network-down",
  "network-up",
  "restart",
];

/** Writes a scenario. */
export function oddScenario(random: RandomSource): string {
  const pick = (values: readonly string[]) =>
    values[Math.floor(uniform(random) * values.length)] ?? "";
  const some = (keys: readonly string[], most: number) => {
    const chosen = new Set(
      Array.from({ length: Math.floor(uniform(random) * most) }, () => pick(keys)),
    );
    return [...chosen].map((key) => `${key} = ${pick(VALUES[key] ?? [])}\n`).join("");
  };
  const times = (count: number, write: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => write(i)).join("\n");
  const start = pick([
    "",
    "",
    'start = "2036-02-07T06:00:00Z"\n',
    'start = "2026-06-30T23:50:00Z"\n',
  ]);
  const midnight = start.includes("2026") ? "600" : "1080";
  return `name = "odd"\nduration = ${
    pick(["1", "60", '"20m"', '"20m"', '"20m"', '"1h"'])
  }\n${start}` +
    `[clock]\n${some(CLOCK, 4)}\n` +
    times(
      1 + Math.floor(uniform(random) * 3),
      (i) => `[[server]]\nname = "${"abc"[i] ?? "d"}"\n${some(SERVER, 6)}`,
    ) +
    times(Math.floor(uniform(random) * 4), () => {
      const kind = pick(KINDS);
      const needed = kind === "suspend"
        ? `duration = ${pick(VALUES["duration"] ?? [])}\nerror = ${pick(VALUES["error"] ?? [])}\n`
        : kind === "clock-step"
        ? `step = ${pick(VALUES["step"] ?? [])}\n`
        : kind.includes("clock-f") || kind.includes("oscillator")
        ? `frequency-ppm = ${pick(FREQUENCIES)}\n`
        : kind === "leap"
        ? `leap = ${pick(['"insert"', '"delete"'])}\nannounce = ${pick(TIMES)}\n`
        : kind.startsWith("server") || kind === "route-change"
        ? `server = ${pick(NAMES)}\n${some(EVENT.filter((key) => key !== "duration"), 4)}`
        : "";
      const at = kind === "leap"
        ? midnight
        : pick(["0", "1", "30", "600", "600.5", '"19m"', "1e4"]);
      return `[[event]]\nat = ${at}\nkind = "${kind}"\n${needed}`;
    });
}
