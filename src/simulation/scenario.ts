/**
 * What a simulated world is made of: a machine with its clock, servers with theirs, the paths
 * between, and what happens when.
 *
 * Everything here is validated and complete; `scenario_parse.ts` makes it from TOML.
 *
 * @module
 */
import type { UnixNanoseconds } from "../base/ntp_timestamp.ts";
import type { Ppm, Seconds } from "../base/units.ts";
import type { LeapIndicator } from "../protocol/leap_indicator.ts";
import type { Config } from "../config/config.ts";
import type { SystemState } from "../engine/status/snapshot.ts";
import type { StatusWord } from "../selection/status.ts";
import type { DelayModel } from "./delay.ts";
import type { ClockModel } from "./kernel_clock.ts";
import type { OscillatorModel } from "./oscillator.ts";

/** A whole simulated world, and what is expected of ntpsd in it. */
export interface Scenario {
  /** What it is called. */
  readonly name: string;
  /** What it shows, for a reader. */
  readonly description: string;
  /** How long it lasts. */
  readonly duration: Seconds;
  /** Errors before this are not counted in the statistics. */
  readonly measureFrom: Seconds;
  /** The seed of the first run, unless another is asked for. */
  readonly seed: number;
  /** True time at the start. */
  readonly start: UnixNanoseconds;
  /** The machine that ntpsd runs on. */
  readonly machine: MachineModel;
  /** All servers of the world. */
  readonly servers: readonly ServerModel[];
  /** What happens, in the order of time. */
  readonly events: readonly ScenarioEvent[];
  /** The configuration of ntpsd. */
  readonly config: Config;
  /** What must hold. */
  readonly limits: Limits;
  /** What must hold at single moments. */
  readonly checks: readonly Check[];
  /**
   * What a reader of the results should know, such as sources that were replaced by simulated ones.
   */
  readonly notes: readonly string[];
}

/** The machine that ntpsd runs on. */
export interface MachineModel extends ClockModel {
  /** What the drift file holds at the start. */
  readonly driftFile: { readonly frequency: Ppm; readonly skew: Ppm } | undefined;
  /**
   * Mean of the exponential delay between a packet and its timestamp, in each direction; 0 for
   * exact timestamps.
   */
  readonly timestampNoise: Seconds;
  /** What the timestamps are called. */
  readonly timestamping: "hardware" | "kernel" | "user";
}

/** A simulated server and the path to it. */
export interface ServerModel extends OscillatorModel {
  /** What it is called. */
  readonly name: string;
  /** Its numeric address. */
  readonly address: string;
  /** The pool names under which it is found, besides its own name. */
  readonly pools: readonly string[];
  /** What its clock shows more than true time. */
  readonly offset: Seconds;
  /** Whether it answers. */
  readonly alive: boolean;
  /** Whether a request to it while it is dead is refused by its host (else it is lost). */
  readonly refuses: boolean;
  /** The stratum that it states. */
  readonly stratum: number;
  /** Four characters, or an IPv4 address. */
  readonly referenceId: string;
  /** The leap indicator. */
  readonly leap: LeapIndicator;
  /** The root delay that it states. */
  readonly rootDelay: Seconds;
  /** The root dispersion that it states. */
  readonly rootDispersion: Seconds;
  /**
   * The precision that it states, a power of two in seconds; the bits of its timestamps below it
   * are random if it is above -25.
   */
  readonly precision: number;
  /** How long a request stays in the server. */
  readonly turnaround: Seconds;
  /** The kiss code it answers with instead of the time. */
  readonly kiss: string | undefined;
  /** If not 0, the kiss is for requests that come sooner than this after the one before. */
  readonly kissInterval: Seconds;
  /** What an adversary sends beside its answers. */
  readonly attack: Attack;
  /** The way to the server. */
  readonly forward: DelayModel;
  /** The way back. */
  readonly backward: DelayModel;
}

/**
 * Packets that an adversary sends in the server's name, ahead of the server's own answer: with a
 * guessed origin; the answer before last again; octets without meaning; a DENY kiss with a guessed
 * origin.
 */
export type Attack = "none" | "wrong-origin" | "replay" | "garbage" | "false-kiss";

/**
 * What can change about a server and its path while the world runs; of a path, what is left out
 * stays.
 */
export type ServerChange =
  & Partial<Omit<ServerModel, FixedServerKey>>
  & { readonly forward?: Partial<DelayModel>; readonly backward?: Partial<DelayModel> };

type FixedServerKey =
  | "name"
  | "address"
  | "pools"
  | "wander"
  | "temperature"
  | "aging"
  | "forward"
  | "backward";

/** Something that happens at a stated time (seconds since the start). */
export type ScenarioEvent =
  & { readonly at: Seconds; readonly label: string }
  & (
    | {
      readonly kind: "server-change";
      readonly servers: readonly string[];
      readonly change: ServerChange;
    }
    | {
      /** The machine sleeps. */
      readonly kind: "suspend";
      readonly duration: Seconds;
      /** How much too far the clocks are put forward at the end. */
      readonly error: Seconds;
    }
    | { readonly kind: "clock-step"; readonly step: Seconds }
    | { readonly kind: "clock-frequency"; readonly frequency: Ppm }
    | { readonly kind: "oscillator-step"; readonly frequency: Ppm }
    | { readonly kind: "leap"; readonly leap: "insert" | "delete"; readonly announce: Seconds }
    | { readonly kind: "network-down" }
    | { readonly kind: "network-up" }
    | { readonly kind: "restart" }
  );

/**
 * What must hold over the measured part, or over the whole run where it says so; undefined means no
 * limit.
 */
export interface Limits {
  /** The largest error. */
  readonly maxError: Seconds | undefined;
  /** The root mean square of the error. */
  readonly rmsError: Seconds | undefined;
  /** How soon the error stays below 1 ms. */
  readonly timeTo1ms: Seconds | undefined;
  /** How soon the error stays below 100 us. */
  readonly timeTo100us: Seconds | undefined;
  /** How many steps there may be in the whole run. */
  readonly steps: number | undefined;
  /** How many requests each server may get in the whole run. */
  readonly requestsPerServer: number | undefined;
  /** The least part of the time that the true error is inside the reported bound. */
  readonly boundCoverage: number | undefined;
  /** The median of the reported bound. */
  readonly medianBound: Seconds | undefined;
  /** Sources that are never selected in the whole run. */
  readonly mustNotSelect: readonly string[];
  /** Parts of log lines that must appear, and that must not. */
  readonly mustLog: readonly string[];
  /** Parts of log lines that must not appear. */
  readonly mustNotLog: readonly string[];
  /** Whether the daemon is expected to end with a panic. */
  readonly panic: boolean;
}

/** What must hold at one moment. */
export interface Check {
  /** When, from the start. */
  readonly at: Seconds;
  /** The states that are right; empty for any. */
  readonly state: readonly SystemState[];
  /** Status words by the name of the server; any of the listed words is right. */
  readonly sources: Readonly<Record<string, readonly StatusWord[]>>;
  /** The largest error of the clock. */
  readonly error: Seconds | undefined;
  /** The leap indicator. */
  readonly leap: LeapIndicator | undefined;
  /** What the kernel says of its clock. */
  readonly kernelSynchronized: boolean | undefined;
  /** The largest error of the clock's rate, slews included. */
  readonly frequencyError: Ppm | undefined;
}

/** The address of the simulated machine itself. */
export const MACHINE_ADDRESS = "198.51.100.1";
