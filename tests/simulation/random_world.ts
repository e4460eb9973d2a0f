/**
 * Makes worlds at random: what no author of scenarios has thought of.
 *
 * The idea: a majority of servers is right, a minority is wrong in some way, the paths are ordinary
 * or bad, and faults come at random until there are three hours of peace. Whatever happened, the
 * rules of every world hold, no wrong server is followed, and at the end the clock is right again.
 * A seed gives the whole world as the text of a scenario:
 *
 *     deno run tests/simulation/random_world.ts SEED > world.toml; ntpsd simulate world.toml
 *
 * @module
 */
import { Draws } from "../../src/simulation/draws.ts";

const PEACE_FROM = 6 * 3600, DURATION = 9 * 3600;
/** The largest error at the end: this, and so many times the queueing of the quietest good path. */
const END_ERROR = 2e-3, END_QUEUES = 5;

/** Returns the scenario of a seed as TOML. */
export function randomWorld(seed: number): string {
  const draws = Draws.stream(seed, "world");
  const good = 3 + pick(draws, 3);
  const wrong = pick(draws, good - 1);
  const servers = Array.from({ length: good }, (_, i) => server(draws, `good-${i + 1}`, ""));
  const quietest = Math.min(...servers.map(({ jitter }) => jitter));
  const endError = Number((END_ERROR + END_QUEUES * quietest).toPrecision(3));
  const parts = [
    `name = "random-${seed}"`,
    `duration = ${DURATION}\nmeasure-from = ${DURATION - 3600}\nseed = ${seed}`,
    clock(draws),
    ...servers.map(({ text }) => text),
    ...Array.from(
      { length: wrong },
      (_, i) => server(draws, `wrong-${i + 1}`, wrongness(draws)).text,
    ),
    ...events(draws, good),
    `[[check]]\nat = ${DURATION - 60}\nstate = "synchronized"\nmax-error = ${endError}`,
    `[limits]\nbound-coverage = 0.99\nmust-not-select = [${
      Array.from({ length: wrong }, (_, i) => `"wrong-${i + 1}"`).join(", ")
    }]`,
  ];
  return `${parts.join("\n\n")}\n`;
}

function pick(draws: Draws, count: number): number {
  return Math.floor(draws.uniform() * count);
}

/** A number between two limits, evenly over their logarithms. */
function between(draws: Draws, [least, most]: readonly [number, number]): number {
  return Number((least * (most / least) ** draws.uniform()).toPrecision(3));
}

function signed(draws: Draws, range: readonly [number, number]): number {
  return draws.uniform() < 0.5 ? -between(draws, range) : between(draws, range);
}

function clock(draws: Draws): string {
  const lines = [
    `[clock]\noffset = ${signed(draws, [1e-3, 100])}`,
    `frequency-ppm = ${signed(draws, [0.1, 200])}`,
    `wander = ${between(draws, [1e-10, 1e-8])}`,
  ];
  if (draws.uniform() < 0.3) {
    const amplitude = between(draws, [0.05, 2]), period = between(draws, [1800, 86_400]);
    lines.push(`temperature = { amplitude-ppm = ${amplitude}, period = ${period} }`);
  }
  if (draws.uniform() < 0.3) {
    const noise = between(draws, [1e-6, 1e-4]);
    lines.push(`timestamp-noise = ${noise}\ntimestamping = "user"\nprecision = 1e-6`);
  }
  return lines.join("\n");
}

function server(
  draws: Draws,
  name: string,
  more: string,
): { readonly text: string; readonly jitter: number } {
  const delay = between(draws, [1e-4, 0.05]);
  const distribution = ["exponential", "exponential", "lomax", "normal"][pick(draws, 4)];
  // A normal path must not reach below zero often, or the floor has no meaning.
  const width = distribution === "normal" ? 0.1 : 0.3;
  const jitter = Number((delay * between(draws, [0.01, width])).toPrecision(3));
  const loss = draws.uniform() < 0.3 ? between(draws, [0.01, 0.3]) : 0;
  const text = `[[server]]\nname = "${name}"\ndelay = ${delay}\njitter = ${jitter}\n` +
    `distribution = "${distribution}"\nloss = ${loss}${more}`;
  return { text, jitter };
}

/** Wrong by more than all paths can hide. */
function wrongness(draws: Draws): string {
  const kinds = [
    `\noffset = ${signed(draws, [0.5, 1000])}`,
    `\noffset = ${signed(draws, [0.5, 1000])}\nstratum = ${1 + pick(draws, 15)}`,
    `\nleap = "unknown"\noffset = ${signed(draws, [0.001, 10])}`,
    `\nalive = false`,
    `\nkiss = "DENY"`,
    `\nstratum = 2\nreference-id = "198.51.100.1"`,
  ];
  return kinds[pick(draws, kinds.length)] ?? "";
}

function events(draws: Draws, good: number): readonly string[] {
  const times = Array.from(
    { length: pick(draws, 6) },
    () => 600 + draws.uniform() * (PEACE_FROM - 3000),
  )
    .toSorted((a, b) => a - b);
  // Each has ten minutes to itself, so that no fault comes while the machine sleeps.
  return times.filter((time, i) => time - (times[i - 1] ?? -Infinity) > 1200)
    .map((time) => event(draws, { time: Math.round(time), good }));
}

function event(draws: Draws, { time, good }: { time: number; good: number }): string {
  const server = `server = "good-${1 + pick(draws, good)}"`;
  const end = time + 60 + pick(draws, 1000);
  const of = (kind: string, more = "", at = time): string =>
    `[[event]]\nat = ${at}\nkind = "${kind}"${more === "" ? "" : `\n${more}`}`;
  const kinds = [
    () => `${of("server-dies", server)}\n\n${of("server-returns", server, end)}`,
    () => `${of("network-down")}\n\n${of("network-up", "", end)}`,
    () => of("route-change", `${server}\ndelay = ${between(draws, [1e-3, 0.05])}`),
    () =>
      of(
        "suspend",
        `duration = ${between(draws, [10, 1100])}\nerror = ${signed(draws, [1e-3, 1])}`,
      ),
    () => of("clock-step", `step = ${signed(draws, [1e-3, 3600])}`),
    () => of("clock-frequency", `frequency-ppm = ${signed(draws, [1, 100])}`),
    () => of("oscillator-step", `frequency-ppm = ${signed(draws, [0.1, 20])}`),
    () => of("restart"),
  ];
  return (kinds[pick(draws, kinds.length)] ?? kinds[0])?.() ?? "";
}

if (import.meta.main) console.log(randomWorld(Number(Deno.args[0] ?? 1)));
