/**
 * Runs one world and says whether ntpsd loses in it.
 *
 * @module
 */
import { runScenario } from "../../src/simulation/run.ts";
import { parseScenario } from "../../src/simulation/scenario/parse.ts";
import { type BoundFigures, type ErrorFigures, Onlooker } from "./onlooker.ts";
import { makeWorld } from "./world.ts";

/** What ntpsd can lose in: an error larger than the reference's, or a bound that was broken. */
export type Loss = "rms" | "max" | "bound" | "panic";

/** How a world went. */
export interface WorldOutcome {
  readonly number: number;
  readonly kind: string;
  readonly own: ErrorFigures;
  readonly reference: ErrorFigures;
  readonly bound: BoundFigures;
  readonly medianBoundSeconds: number | null;
  readonly requests: number;
  readonly losses: readonly Loss[];
  /** Simulated seconds, and processor time that it took. */
  readonly simulatedSeconds: number;
  readonly tookSeconds: number;
}

/** A tie is no loss: so many times the reference's error, and so much more. */
const RMS_TIE = 1.05, MAX_TIE = 1.1, TIE_SECONDS = 1e-6;

/** Runs the world of a number. */
export function rateWorld(number: number): WorldOutcome {
  const begun = performance.now();
  const world = makeWorld(number);
  const parsed = parseScenario(world.text);
  if (!parsed.ok) {
    const reasons = parsed.error.map(({ path, message }) => `${path}: ${message}`);
    throw new Error(`World ${number} is no scenario: ${reasons.join("; ")}`);
  }
  const onlooker = new Onlooker(parsed.value);
  const { figures, panic } = runScenario(parsed.value, {
    seed: number,
    createEngine: onlooker.createEngine,
    observer: onlooker,
  });
  const { own, reference, bound } = onlooker;
  const losses: Loss[] = [];
  if (panic !== undefined) losses.push("panic");
  const allowed = {
    rms: RMS_TIE * Math.max(reference.rms, world.limit.rms) + TIE_SECONDS,
    max: MAX_TIE * Math.max(reference.max, world.limit.max) + TIE_SECONDS,
  };
  if (own.rms > allowed.rms) losses.push("rms");
  if (own.max > allowed.max) losses.push("max");
  if (bound.violations > 0 && world.isHonest) losses.push("bound");
  return {
    number,
    kind: world.kind,
    own,
    reference,
    bound,
    medianBoundSeconds: figures.medianBoundSeconds,
    requests: figures.requestsSent,
    losses,
    simulatedSeconds: parsed.value.duration,
    tookSeconds: (performance.now() - begun) / 1000,
  };
}
