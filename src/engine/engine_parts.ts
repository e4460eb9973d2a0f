/**
 * The machines that an engine is made of, each of which is used by more than one of its parts.
 *
 * @module
 */
import { PPM } from "../base/units.ts";
import { Discipline } from "../discipline/discipline.ts";
import { CLOCK_TRUSTED } from "./authenticated_time/clock_trust.ts";
import { ProvisionalTime } from "./authenticated_time/provisional_time.ts";
import { memberName } from "./sources/candidates.ts";
import { ClockControl } from "./clock/clock_control.ts";
import type { EngineOptions } from "./engine_options.ts";
import type { Action, AssociationId, Instant } from "./events.ts";
import { priorOfKernel } from "./clock/frequency_prior.ts";
import { LeapSchedule } from "./leap/leap_schedule.ts";
import { SourceFaults } from "./sources/source_faults.ts";
import { SourceSelection } from "./sources/source_selection.ts";
import { SourceSet } from "./sources/source_set.ts";

/** The machines of one engine. */
export interface EngineParts {
  /** All configured sources. */
  readonly sources: SourceSet;
  /** The boundary of each source. */
  readonly faults: SourceFaults;
  /** The filters: one for each source, and the joint one. */
  readonly discipline: Discipline;
  /** The commands to the clock. */
  readonly control: ClockControl;
  /** Which sources are believed. */
  readonly selection: SourceSelection;
  /** The sources whose certificates wait for a time. */
  readonly provisional: ProvisionalTime;
  /** Leap seconds that are announced or known. */
  readonly leaps: LeapSchedule;
}

/** Makes the machines of an engine that has not begun. */
export function makeParts(options: EngineOptions): EngineParts {
  const { config, now } = options;
  const faults = new SourceFaults();
  const discipline = new Discipline({
    now: now.monotonic,
    rate: options.frequency * PPM,
    prior: priorOfKernel(options.frequency),
    precision: options.clockPrecision,
  });
  return {
    faults,
    discipline,
    sources: new SourceSet({
      random: options.random,
      protections: options.protections ?? {},
      faults,
    }),
    control: new ClockControl({
      discipline,
      synchronization: config.synchronization,
      clock: config.clock,
      mayAdjust: options.mayAdjust,
    }),
    selection: new SourceSelection({ config, ownAddresses: options.ownAddresses, faults }),
    provisional: new ProvisionalTime({
      config,
      known: options.certificateTime ?? CLOCK_TRUSTED,
      start: now,
    }),
    leaps: new LeapSchedule(),
  };
}

/** What runs within the boundary of one source. */
export interface GuardedWork {
  /** The source. */
  readonly association: AssociationId;
  /** The moment. */
  readonly now: Instant;
  /** What is done. */
  run(): readonly Action[];
  /** What is still wanted when that fails; nothing if left out. */
  readonly last?: readonly Action[];
}

/**
 * Does something that concerns one source, within its boundary; what was measured of it is
 * forgotten when that fails.
 */
export function guardSource(
  { sources, faults, discipline }: EngineParts,
  { association: id, now, run, last = [] }: GuardedWork,
): readonly Action[] {
  const member = sources.members.find(({ association }) => association.id === id);
  const name = member === undefined ? "unknown" : memberName(member);
  const recover = () => {
    discipline.discard(id);
    return last;
  };
  return faults.guard({ key: id, name, now: now.monotonic }, { run, recover });
}
