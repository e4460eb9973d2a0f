/**
 * How long a packet is under way in one direction of a path.
 *
 * The idea: a fixed part that the route decides, and a part drawn anew for each packet that the
 * queues decide. Limits: draws are independent of each other; a queue that lasts longer than the
 * gap between two packets is modelled by what the jitter is multiplied by (congestion by the hours
 * of the day, and spells of it in `bursts.ts`).
 *
 * @module
 */
import { unreachable } from "../base/assert.ts";
import type { Seconds } from "../base/units.ts";
import type { BurstModel } from "./bursts.ts";
import type { Draws } from "./draws.ts";

/** The words for how queueing is distributed. */
export type DelayDistribution = "none" | "exponential" | "lomax" | "normal";

/** One direction of a path. */
export interface DelayModel {
  /** The fixed part. */
  readonly delay: Seconds;
  /** Mean of the queueing; for "normal" its standard deviation. */
  readonly jitter: Seconds;
  /** How the queueing is distributed. */
  readonly distribution: DelayDistribution;
  /** The shape of the Lomax distribution, above 1. */
  readonly shape: number;
  /** Probability that the packet is lost, 0 to 1. */
  readonly loss: number;
  /** Queueing that comes and goes with the hours of the day. */
  readonly congestion?: Congestion | undefined;
  /** Spells of congestion that come at random. */
  readonly bursts?: BurstModel | undefined;
}

/** The jitter is multiplied by 1 + (factor - 1) max(0, sin(2 pi t / period)). */
export interface Congestion {
  /** What the jitter is multiplied by at the worst hour. */
  readonly factor: number;
  /** How long a day is. */
  readonly period: Seconds;
}

/** When a packet leaves, and what it meets. */
export interface TravelConditions {
  /** Seconds since the start. */
  readonly time: Seconds;
  /** What the jitter is multiplied by, because of a spell of congestion. */
  readonly burst: number;
}

/** Draws the delay of a packet; never negative. */
export function drawDelay(
  model: DelayModel,
  draws: Draws,
  { time, burst }: TravelConditions,
): Seconds {
  const jitter = model.jitter * congestionAt(model.congestion, time) * burst;
  switch (model.distribution) {
    case "none":
      return model.delay;
    case "exponential":
      return model.delay + draws.exponential(jitter);
    case "lomax":
      return model.delay + draws.lomax(jitter, model.shape);
    case "normal":
      return Math.max(0, model.delay + jitter * draws.normal());
    default:
      return unreachable(model.distribution);
  }
}

/**
 * Decides whether a packet is lost. Draws in any case, so that the stream does not depend on the
 * setting.
 */
export function drawLoss(model: DelayModel, draws: Draws): boolean {
  return draws.uniform() < model.loss;
}

function congestionAt(congestion: Congestion | undefined, time: Seconds): number {
  if (congestion === undefined) return 1;
  const swing = Math.max(0, Math.sin(2 * Math.PI * time / congestion.period));
  return 1 + (congestion.factor - 1) * swing;
}
