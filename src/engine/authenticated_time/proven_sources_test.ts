import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "../../../tests/support/properties.ts";
import {
  DAY,
  NtsWorld,
  type NtsWorldOptions,
  PLAIN,
  PROVEN,
} from "../../../tests/support/nts_world.ts";

const FALSE_OFFSETS = [300, -300, 3, 0.4, -DAY, 3650 * DAY] as const;
const POOL = ["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"];
const LINES = "minimum-agreeing-sources = 2\nauthentication =";

function near(one: NtsWorld, expected = 0, tolerance = 1e-3): void {
  const { offset } = one;
  ok(Math.abs(offset - expected) < tolerance, `the clock is off by ${offset} s`);
}

/** Four forged servers that are as far off, whatever they say of themselves. */
function forgedWorld(falseOffset: number, options: NtsWorldOptions = {}): NtsWorld {
  const one = new NtsWorld({ offset: 0.05, ...options });
  one.forge(falseOffset);
  return one;
}

for (const falseOffset of FALSE_OFFSETS) {
  Deno.test(`four forged servers, off by ${falseOffset} s, are not believed over three that prove themselves`, () => {
    const start = forgedWorld(falseOffset).start();
    start.run(600);
    equal(start.snapshot.state, "synchronized");
    near(start);
    for (const status of start.statuses(PLAIN)) match(status, /^(falseticker|distant)$/);
    deepEqual(start.statuses(PROVEN), ["combined", "selected"]);

    const later = new NtsWorld({ offset: 0.05 }).start();
    later.run(3600);
    equal(later.snapshot.state, "synchronized");
    later.forge(falseOffset);
    later.run(7200);
    near(later);
    equal(later.snapshot.state, "synchronized");
    deepEqual(later.statuses(PROVEN), ["combined", "selected"]);
    equal(later.panic ?? start.panic, undefined);
  });

  if (falseOffset === -300 || falseOffset === 3 || falseOffset === -DAY) continue;
  Deno.test(`off by ${falseOffset} s, they do not decide while one, two or all that prove themselves are down`, () => {
    for (const down of [1, 2, 3]) {
      const gone = PROVEN.slice(0, down);
      const start = forgedWorld(falseOffset);
      start.silence(gone);
      start.start();
      start.run(600);
      near(start, down === 1 ? 0 : 0.05);
      equal(start.snapshot.state, down === 1 ? "synchronized" : "starting");
      start.silence(gone, false);
      start.run(3600);
      near(start);
      equal(start.snapshot.state, "synchronized");

      const later = new NtsWorld({ offset: 0.05 }).start();
      later.run(3600);
      later.silence(gone);
      later.forge(falseOffset);
      later.run(3 * 3600);
      near(later, 0, 5e-3);
      equal(later.snapshot.state, down === 1 ? "synchronized" : "holdover");
      later.silence(gone, false);
      later.run(2 * 3600);
      near(later);
      equal(later.snapshot.state, "synchronized");
      equal(later.panic ?? start.panic, undefined);
    }
  });
}

for (const [proven, silent] of [[2, 0], [2, 1], [3, 1], [3, 2], [1, 0]] as const) {
  const areEnough = proven - silent >= 2;
  Deno.test(`of ${proven} that prove themselves, ${silent} silent: the others are ${areEnough ? "not " : ""}needed`, () => {
    const one = forgedWorld(0.5, { proven: PROVEN.slice(0, proven), synchronization: "" });
    one.silence(PROVEN.slice(0, silent));
    one.start();
    one.run(600);
    equal(one.snapshot.state, areEnough ? "synchronized" : "starting");
    near(one, areEnough ? 0 : 0.05);
    one.forge(0);
    one.run(600);
    equal(one.snapshot.state, "synchronized", "honest others");
    near(one);
  });
}

Deno.test("a forged majority that claims a large error of its own moves the time no further than the others leave it", () => {
  for (const rootDispersion of [0.1, 0.5, 1.2]) {
    const one = new NtsWorld({ offset: 0.05 });
    one.forge(0.9 * rootDispersion, { rootDispersion });
    one.start();
    one.run(3600);
    near(one);
    deepEqual(one.statuses(PLAIN), ["outlier"]);
    match(
      one.source(PLAIN[0]).reason,
      /outside the interval where most trusted sources can be right$/,
    );
    deepEqual(one.statuses(PROVEN), ["combined", "selected"]);
  }
});

Deno.test("a forged majority that drifts away slowly takes nobody along", () => {
  const one = new NtsWorld({ offset: 0.05 }).start();
  one.run(3600);
  for (let drift = 0; drift < 1; drift += 1e-3) {
    one.forge(drift);
    one.run(30);
    near(one, 0, 0.02);
  }
  near(one);
  deepEqual(one.statuses(PLAIN), ["falseticker"]);
  equal(one.snapshot.state, "synchronized");
});

const forgery = fc.record(
  {
    error: fc.oneof(
      fc.double({ min: -2, max: 2, noNaN: true }),
      fc.double({ min: -1e9, max: 1e9, noNaN: true }),
    ),
    delay: fc.double({ min: 1e-5, max: 1, noNaN: true }),
    rootDispersion: fc.double({ min: 0, max: 16, noNaN: true }),
    rootDelay: fc.double({ min: 0, max: 4, noNaN: true }),
    stratum: fc.integer({ min: 1, max: 15 }),
    leap: fc.constantFrom("none", "insert", "delete", "unknown"),
  } as const,
);

Deno.test("property: whatever plain servers say, and whenever they say otherwise, three that prove themselves keep the clock", () => {
  const phases = fc.array(fc.tuple(forgery, forgery, forgery, forgery), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(phases, fc.double({ min: -100, max: 100, noNaN: true }), (them, offset) => {
      const one = new NtsWorld({ offset }).start();
      for (const phase of them) {
        for (const [i, address] of PLAIN.entries()) {
          Object.assign(one.server(address), phase[i]);
        }
        one.run(300);
        near(one, 0, 0.02);
        equal(one.panic, undefined);
        equal(one.snapshot.leap, "none");
      }
    }),
    { numRuns: 25 },
  );
});

Deno.test("honest plain sources help: one that proves itself and they are enough", () => {
  const one = new NtsWorld({ offset: 0.05 });
  one.silence(PROVEN.slice(0, 2));
  one.start();
  one.run(600);
  equal(one.snapshot.state, "synchronized");
  equal(one.source(PROVEN[2]).status, "selected", "the proven one is what the outside sees");
  deepEqual(one.statuses(PLAIN), ["combined"]);
});

/** A world with four servers more that prove themselves, all with one public key. */
function poolWorld(proven: readonly string[], options: NtsWorldOptions = {}): NtsWorld {
  const one = new NtsWorld({ offset: 0.05, plain: [], ...options, proven: [...proven, ...POOL] });
  for (const host of POOL) {
    Object.assign(one.certificates.issued.get(host) ?? {}, { identity: "one" });
  }
  return one;
}

Deno.test("many servers with one public key do not outvote more that are independent", () => {
  for (const plain of [[], PLAIN]) {
    const one = poolWorld(PROVEN, { plain });
    for (const address of [...POOL, ...plain]) one.server(address).error = 5;
    one.start();
    one.run(600);
    near(one, 0.05);
    equal(one.snapshot.state, "starting");
    match(
      one.snapshot.why,
      /count as only 1 by host and public key, and others that count as 3 agree/,
    );
  }
  const ignored = poolWorld(PROVEN, { synchronization: `${LINES} "ignore"` });
  for (const address of POOL) ignored.server(address).error = 5;
  ignored.start();
  ignored.run(600);
  near(ignored, -5);
});

Deno.test("many servers with one public key are followed over as few, and over more that do not agree with one another", () => {
  for (const [proven, lies] of [[[PROVEN[0]], [5]], [PROVEN, [5, -5, 10]]] as const) {
    const one = poolWorld(proven);
    proven.forEach((address, i) => one.server(address).error = lies[i] ?? 0);
    one.start();
    one.run(600);
    near(one);
    equal(one.snapshot.state, "synchronized");
    deepEqual(one.statuses(proven), ["falseticker"]);
  }
});

Deno.test("without any that proves itself the sentence says what can be done, and the log says it once", () => {
  const one = new NtsWorld({ offset: 0.05 });
  one.silence(PROVEN);
  one.start();
  one.run(1200);
  const { why: reason } = one.snapshot;
  match(reason, /^No required source is among the 4 that agree \(192\.0\.2\.1, .*192\.0\.2\.3\)/);
  match(reason, /authentication = "prefer" in \[synchronization\] lets the others set the clock$/);
  for (const address of PLAIN) equal(one.source(address).reason, reason);
  equal(one.logs.filter((line) => line === `warning: No time to follow: ${reason}`).length, 1);
});

Deno.test("where a source is required by its own key the sentence names that key, and it helps", () => {
  const silent = (each: string, authentication: string) => {
    const synchronization = `${LINES} "${authentication}"`;
    const one = new NtsWorld({ offset: 0.05, each, synchronization });
    one.silence(PROVEN);
    one.start();
    one.run(1200);
    return one;
  };
  for (const authentication of ["mix", "prefer", "ignore"]) {
    const { why: reason } = silent("require = true", authentication).snapshot;
    match(reason, /require = false in their \[\[source\]\] lets the others set the clock/);
    equal(reason.includes("authentication"), false, reason);
    const helped = silent("require = false", authentication);
    equal(helped.snapshot.state, "synchronized", authentication);
  }
});

Deno.test("preferred: others are followed only while those that prove themselves give no time, and at once corrected", () => {
  const one = forgedWorld(300, { synchronization: `${LINES} "prefer"` });
  one.silence(PROVEN);
  one.start();
  one.run(600);
  near(one, -300);
  equal(one.snapshot.state, "synchronized");
  one.silence(PROVEN, false);
  one.run(600);
  near(one);
  deepEqual(one.statuses(PROVEN), ["combined", "selected"]);
  deepEqual(one.statuses(PLAIN), ["falseticker"]);
  deepEqual(one.steps.length, 2);
});

Deno.test("preferred: where others led the clock away meanwhile, those that prove themselves lead it back at once", () => {
  const one = new NtsWorld({ offset: 0.05, synchronization: `${LINES} "prefer"` }).start();
  one.run(1800);
  one.silence(PROVEN);
  one.forge(700);
  one.run(12 * 3600);
  near(one, -700);
  deepEqual(one.steps, []);
  one.silence(PROVEN, false);
  one.run(3600);
  near(one);
  deepEqual([one.steps.length, one.panic], [1, undefined]);
});

Deno.test("what one of three and forged servers have led away before the others came is corrected, and no panic", () => {
  for (const falseOffset of [1500, -1500]) {
    const one = forgedWorld(falseOffset);
    one.server(PROVEN[0]).error = falseOffset;
    one.silence(PROVEN.slice(1));
    one.start();
    one.run(600);
    near(one, -falseOffset);
    one.silence(PROVEN.slice(1), false);
    one.run(600);
    equal(one.panic, undefined);
    near(one);
    deepEqual(one.statuses(PROVEN.slice(1)), ["combined", "selected"]);
    deepEqual(one.statuses([PROVEN[0], ...PLAIN]), ["falseticker"]);
    // the first time that is vouched for is a start, a later one is not
    one.silence(PROVEN.slice(1));
    one.run(3600);
    for (const address of PROVEN) one.server(address).error = falseOffset;
    one.silence(PROVEN.slice(1), false);
    one.run(3600);
    match(one.panic ?? "", /beyond the single-step-panic-threshold/);
  }
});

Deno.test("what plain servers alone have led away is corrected by sources that a reload adds", () => {
  const one = forgedWorld(1500, { proven: [], synchronization: "" });
  one.start();
  one.run(600);
  near(one, -1500);
  one.reload({});
  one.run(900);
  deepEqual([one.panic, one.steps.length], [undefined, 2]);
  near(one);
});

Deno.test("preferred: honest others stand by", () => {
  const one = new NtsWorld({ offset: 0.05, synchronization: `${LINES} "prefer"` }).start();
  one.run(600);
  near(one);
  deepEqual(one.statuses(PLAIN), ["candidate"]);
  match(one.source(PLAIN[0]).reason, /stands by: authenticated sources give the time/);
});

Deno.test("required: others are only watched, and nothing is followed without those that prove themselves", () => {
  const one = forgedWorld(300, { synchronization: `${LINES} "require"` });
  one.start();
  one.run(600);
  near(one);
  deepEqual(one.statuses(PLAIN), ["no-select"]);
  match(one.source(PLAIN[0]).reason, /^Not authenticated, and authentication is "require"/);
  one.silence(PROVEN);
  one.run(3600);
  equal(one.snapshot.state, "holdover");
});

Deno.test("ignored: all are alike, and a majority decides", () => {
  const one = forgedWorld(300, { synchronization: `${LINES} "ignore"` });
  one.start();
  one.run(600);
  near(one, -300);
  deepEqual(one.statuses(PROVEN), ["falseticker"]);
});

Deno.test("what is written at a source counts", () => {
  const one = forgedWorld(300, { each: "require = false" });
  one.silence(PROVEN);
  one.start();
  one.run(600);
  near(one, -300);
  const other = forgedWorld(300, { each: "trust = false\nrequire = false" });
  other.start();
  other.run(600);
  near(other, -300);
});

Deno.test("four forged servers alone, half an hour off and more, end the daemon at the start", () => {
  for (const falseOffset of [2000, 3650 * DAY, -2000]) {
    const one = forgedWorld(falseOffset, { proven: [], synchronization: "" });
    one.start();
    one.run(60);
    match(one.panic ?? "", /startup-step-panic-threshold of 1800 s; no majority of authenticated/);
    near(one, 0.05);
  }
});

Deno.test("three that prove themselves may set a clock that starts decades ago", () => {
  const one = new NtsWorld({ offset: 20_000 * DAY });
  one.forge(300);
  one.start();
  one.run(600);
  equal(one.snapshot.state, "synchronized");
  near(one);
});
