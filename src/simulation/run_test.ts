/** The parts that watch and judge a run, each fed by hand. */
import assert from "node:assert/strict";
import type { Action } from "../engine/events.ts";
import type { EngineSnapshot, SourceDocument, SystemState } from "../engine/status/snapshot.ts";
import { Checker } from "./checker.ts";
import { plotRun } from "./plot.ts";
import { describeRun, describeRuns, simulationDocument } from "./report.ts";
import type { RunOutcome } from "./run.ts";
import { parseScenario } from "./scenario/parse.ts";
import type { Scenario } from "./scenario/scenario.ts";
import { median, medianFigures, type RunFigures, RunStatistics } from "./statistics.ts";
import { formatSeconds, Timeline } from "./timeline.ts";
import { Trace } from "./trace.ts";
import type { ClockTruth } from "./observer.ts";

const CLOCK: ClockTruth = {
  error: 0,
  rateError: 0,
  oscillatorFrequency: 0,
  correction: 0,
  kernelSynchronized: false,
};

function scenario(limits: string): Scenario {
  const parsed = parseScenario(`name = "x"
    duration = 100
    [[server]]
    name = "a"
    [[server]]
    name = "b"
    ${limits}`);
  assert.ok(parsed.ok, parsed.ok ? "" : JSON.stringify(parsed.error));
  return parsed.value;
}

function snapshot(state: SystemState, used: readonly string[] = []): EngineSnapshot {
  const sources = ["192.0.2.1:123", "192.0.2.2:123"].map((address) =>
    ({
      address,
      status: used.includes(address) ? "selected" : "falseticker",
      reason: "Because",
    }) as SourceDocument
  );
  return {
    state,
    why: "",
    leap: "none",
    errorBoundSeconds: 0.01,
    frequencyPpm: -3,
    sources,
  } as unknown as EngineSnapshot;
}

function command(frequency: number, step = 0): Action {
  const status = {
    synchronized: true,
    leap: "none",
    maxError: 0.01,
    estimatedError: 0.01,
    taiOffset: undefined,
  } as const;
  return { type: "set-clock", frequency, step, status };
}

function figures(change: Partial<RunFigures> = {}): RunFigures {
  return { ...new RunStatistics(0).figures(), ...change };
}

function violations(limits: string, feed: (checker: Checker) => void): readonly string[] {
  const checker = new Checker(scenario(limits));
  feed(checker);
  return checker.finish(figures({ maxErrorSeconds: 0.002 }), {
    panic: undefined,
    requests: { a: 10, b: 3 },
  }).map(({ message }) => message);
}

Deno.test("statistics: RMS, greatest error, steps and requests of a hand-made run", () => {
  const statistics = new RunStatistics(10);
  statistics.sample(5.5, { ...CLOCK, error: 100 });
  statistics.sample(10.5, { ...CLOCK, error: 3e-3, rateError: 1e-6 });
  statistics.sample(11.5, { ...CLOCK, error: -4e-3, rateError: -1e-6 });
  statistics.action(1, command(0, -0.5));
  statistics.action(1, command(5));
  statistics.snapshot(10.5, {
    snapshot: snapshot("synchronized"),
    clock: { ...CLOCK, error: 0.02 },
  });
  statistics.snapshot(11.5, {
    snapshot: snapshot("synchronized"),
    clock: { ...CLOCK, error: 0.01 },
  });
  assert.deepEqual(statistics.figures(), {
    rmsErrorSeconds: Math.sqrt((9e-6 + 16e-6) / 2),
    maxErrorSeconds: 4e-3,
    rmsFrequencyErrorPpm: 1,
    timeTo1msSeconds: null,
    timeTo100usSeconds: null,
    steps: 1,
    requestsSent: 0,
    boundCoverage: 0.5,
    medianBoundSeconds: 0.01,
  });
});

Deno.test("statistics: a run that ends before anything is measured has no errors, not none", () => {
  const statistics = new RunStatistics(10);
  statistics.sample(5.5, { ...CLOCK, error: 100 });
  const { rmsErrorSeconds, maxErrorSeconds, rmsFrequencyErrorPpm } = statistics.figures();
  assert.deepEqual([rmsErrorSeconds, maxErrorSeconds, rmsFrequencyErrorPpm], [null, null, null]);
  assert.equal(medianFigures([statistics.figures()]).rmsErrorSeconds, null);
  const run = { ...outcome(), figures: statistics.figures() };
  const page = describeRun(scenario(""), { outcome: run, file: "x" });
  assert.match(
    page,
    /^How well the clock was kept, from \d\d:\d\d:\d\d on: not measured, because ntpsd/m,
  );
  assert.doesNotMatch(page, /error, greatest/);
  const pages = describeRuns(scenario(""), { outcomes: [run, run], file: "x" });
  assert.match(
    pages,
    /^How well the clock was kept, from \d\d:\d\d:\d\d on: not measured, because ntpsd/m,
  );
  assert.doesNotMatch(pages, /none|spread of the RMS error/);
});

Deno.test("statistics: a bound counts as held when it holds for 100 s, or to the end", () => {
  const statistics = new RunStatistics(0);
  for (let t = 0.5; t < 300; t++) {
    const error = t < 20 || (t > 60 && t < 61) || (t > 250 && t < 252) ? 5e-3 : 5e-4;
    statistics.sample(t, { ...CLOCK, error: t > 290 ? 5e-5 : error });
  }
  assert.equal(statistics.figures().timeTo1msSeconds, 61.5);
  assert.equal(statistics.figures().timeTo100usSeconds, 290.5);
});

Deno.test("medians: even and odd counts, and never is the largest", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  const runs = [null, 7, null].map((timeTo1msSeconds) => figures({ timeTo1msSeconds }));
  assert.equal(medianFigures(runs).timeTo1msSeconds, null);
  assert.equal(
    medianFigures(runs.concat(figures({ timeTo1msSeconds: 3 }), figures({ timeTo1msSeconds: 5 })))
      .timeTo1msSeconds,
    7,
  );
});

Deno.test("checker: a run within its limits passes", () => {
  const found = violations(
    `[limits]\nmax-error = "3ms"\nsteps = 1\nmust-not-select = ["b"]`,
    (checker) => {
      checker.action(1, command(10, 0.5));
      checker.snapshot(2, { snapshot: snapshot("synchronized", ["192.0.2.1:123"]), clock: CLOCK });
    },
  );
  assert.deepEqual(found, []);
});

Deno.test("checker: each limit is found broken", () => {
  const limits = `[limits]
    max-error = "1ms"
    must-not-select = ["b"]
    requests-per-server = 5
    must-log = ["hello"]
    must-not-log = ["oh no"]
    panic = true
    [[check]]
    at = 10
    state = "holdover"
    sources = { a = "unreachable" }
    max-error = "1us"
    kernel-synchronized = true`;
  const found = violations(limits, (checker) => {
    const clock = { ...CLOCK, error: 1e-3 };
    checker.action(1, { type: "log", level: "info", message: "oh no!" });
    checker.snapshot(11, { snapshot: snapshot("synchronized", ["192.0.2.2:123"]), clock });
  });
  assert.deepEqual(found, [
    "Logs: oh no!",
    "Uses b, which it must not",
    "Wanted the state holdover, found synchronized: ",
    "Wanted a to be unreachable, found falseticker: Because",
    "Wanted an error of at most 1 us, found 1 ms",
    "Wanted the kernel's clock to be synchronised, found it is not",
    "Wanted ntpsd to exit with a panic, and it did not",
    'Wanted a log line with "hello"',
    "Wanted an error of at most 1 ms, found 2 ms",
    "Wanted at most 5 requests to a, found 10",
  ]);
});

Deno.test("checker: rules that hold in every world", () => {
  const found = violations("", (checker) => {
    checker.action(1, command(200_000));
    for (let i = 0; i < 4; i++) checker.action(2 + i, command(0, 0.5));
    checker.snapshot(10, {
      snapshot: snapshot("unsynchronized"),
      clock: { ...CLOCK, kernelSynchronized: true },
    });
    const destination = { family: "ipv4", address: "192.0.2.1", port: 123 } as const;
    for (let request = 0; request < 13; request++) {
      const packet = new Uint8Array(48);
      checker.action(20 + request, { type: "send", association: 1, request, destination, packet });
    }
  });
  assert.match(found[0] ?? "", /^Wanted a correction of at most \d+ ppm, found 200000$/);
  assert.deepEqual(found.slice(1), [
    "Wanted at most 3 steps, found one more of 500 ms",
    "The kernel is told synchronised in the state unsynchronized",
    "Asked a 13 times within 16 s",
  ]);
});

Deno.test("timeline: states, selection, steps and news of sources, by the names of the scenario", () => {
  const timeline = new Timeline(scenario(""));
  timeline.snapshot(1, { snapshot: snapshot("starting"), clock: CLOCK });
  timeline.snapshot(2, { snapshot: snapshot("synchronized", ["192.0.2.2:123"]), clock: CLOCK });
  timeline.action(3, command(0, -0.0123));
  timeline.happened(4, { at: 4, label: "a fault", kind: "restart" });
  assert.deepEqual(timeline.lines.map(({ text }) => text), [
    "state: starting",
    "a is falseticker: Because",
    "b is falseticker: Because",
    "state: synchronized",
    "uses b",
    "steps the clock by -12.3 ms",
    "a fault",
  ]);
  assert.deepEqual([1.5, -2e-3, 3e-6, 4e-9, 0].map(formatSeconds), [
    "1.5 s",
    "-2 ms",
    "3 us",
    "4 ns",
    "0 s",
  ]);
});

function outcome(): RunOutcome {
  const trace = new Trace(100);
  trace.snapshot(0, { snapshot: snapshot("synchronized") });
  for (let t = 0.5; t < 100; t++) trace.sample(t, { ...CLOCK, error: Math.sin(t) / 1000 });
  return {
    seed: 5,
    figures: figures({ maxErrorSeconds: 0.001 }),
    violations: [{ time: 61, message: "Oh <no>" }],
    timeline: [{ time: 50, kind: "world", text: "a & b" }],
    timelineDropped: 0,
    trace: trace.points,
    requests: { a: 1 },
    last: undefined,
    panic: undefined,
  };
}

const isOfNtpsd = (line: string): boolean => !line.includes("falseticker");

Deno.test("report: after an exit by a panic no state is told, and the sources are those of that moment", () => {
  const timeline = new Timeline(scenario(""));
  timeline.snapshot(0, { snapshot: snapshot("starting"), clock: CLOCK });
  timeline.action(2, { type: "panic", message: "The clock is too far ahead" });
  timeline.snapshot(2, { snapshot: snapshot("unsynchronized"), clock: CLOCK });
  assert.deepEqual(timeline.lines.map(({ time, text }) => `${time} ${text}`).filter(isOfNtpsd), [
    "0 state: starting",
    "2 ntpsd exits: The clock is too far ahead",
  ]);
  const ended = { ...outcome(), last: timeline.last, panic: "The clock is too far ahead" };
  const page = describeRun(scenario(""), { outcome: ended, file: "x" });
  assert.match(page, /^When ntpsd exited, which leaves the clock as it is:$/m);
  assert.doesNotMatch(page, /At the end/);
});

Deno.test("report: the page names the seed and the command that repeats a failure", () => {
  const page = describeRun(scenario(""), { outcome: outcome(), file: "dir/x.toml" });
  assert.match(page, /^ {6}00:00:50 ! a & b$/m);
  assert.match(page, /^ {2}At 00:01:01: Oh <no>$/m);
  assert.match(page, /^ {2}to see it again: ntpsd simulate dir\/x\.toml --seed 5$/m);
  const pages = describeRuns(scenario(""), { outcomes: [outcome(), outcome()], file: "x" });
  assert.match(pages, /2 of 2 runs broke a limit/);
});

Deno.test("report: the document has the keys of the contract", () => {
  const document = simulationDocument(scenario(""), { seed: 5, outcomes: [outcome()] });
  const keys = ["durationSeconds", "median", "runs", "scenario", "seed"];
  assert.deepEqual(Object.keys(document).toSorted(), keys);
  const wanted = [
    "maxErrorSeconds",
    "requestsSent",
    "rmsErrorSeconds",
    "rmsFrequencyErrorPpm",
    "steps",
    "timeTo100usSeconds",
    "timeTo1msSeconds",
  ];
  for (const key of wanted) {
    assert.ok(key in document.median, key);
    assert.ok(document.runs[0] !== undefined && key in document.runs[0], key);
  }
  assert.equal(document.runs[0]?.seed, 5);
  assert.deepEqual(document.runs[0]?.violations, ["At 00:01:01: Oh <no>"]);
});

Deno.test("plot: numbers are finite, text is escaped, what happened is marked", () => {
  const run = outcome();
  const svg = plotRun({
    title: "<x>",
    subtitle: "",
    duration: 100,
    points: run.trace,
    timeline: run.timeline,
  });
  assert.match(svg, /<title>&lt;x&gt;<\/title>/);
  assert.match(svg, /00:00:50 a &amp; b/);
  assert.doesNotMatch(svg, /NaN|Infinity|undefined|null/);
  assert.equal((svg.match(/class="error" d="M/g) ?? []).length, 2);
  const empty = plotRun({ title: "", subtitle: "", duration: 10, points: [], timeline: [] });
  assert.doesNotMatch(empty, /NaN|Infinity|undefined/);
});
