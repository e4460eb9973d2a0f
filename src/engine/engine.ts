/**
 * The core of ntpsd: a deterministic function from events to actions.
 *
 * It owns the sources, the selection among them, the discipline and the control of the clock, and it reads nothing by
 * itself: time and randomness come in, everything to be done goes out. The daemon and the simulator drive it alike.
 *
 * The flow of one answer: source -> measurement -> estimate of that source -> selection among all -> joint estimate -> command
 * to the clock -> what to say of ourselves. Limits: one engine, one clock.
 *
 * @module
 */
import type { LeapIndicator, Measurement } from "../association/measurement.ts";
import type { Instant } from "../base/instant.ts";
import { addSeconds } from "../base/ntp_timestamp.ts";
import { type MonotonicSeconds, PPM, type Ppm, type Seconds } from "../base/units.ts";
import type { Config } from "../config/config.ts";
import type { SessionState } from "../nts/client/session.ts";
import { Discipline } from "../discipline/discipline.ts";
import {
  followCertificates,
  followVouchedTime,
  renewMisdated,
} from "./authenticated_time/certificate_evidence.ts";
import { ClockControl, type SteeringContext } from "./clock_control.ts";
import type { EngineOptions } from "./engine_options.ts";
import { DisturbanceDetector, isOwnStep } from "./disturbance.ts";
import { DriftKeeper } from "./drift_keeper.ts";
import type { Action, DatagramEvent, Event, KernelStatus } from "./events.ts";
import { priorOfDrift, priorOfKernel } from "./frequency_prior.ts";
import { kernelStatusOf } from "./kernel_status.ts";
import { LeapSchedule } from "./leap/leap_schedule.ts";
import { isLeapStep, isLeapTurmoil } from "./leap/leap_second.ts";
import { memberName } from "./candidates.ts";
import { SourceSelection } from "./source_selection.ts";
import { PollKeeper, shortestInterval } from "./poll_keeper.ts";
import { type ServedTime, servedTimeOf } from "./status/served_time.ts";
import type { EngineSnapshot } from "./status/snapshot.ts";
import { ProvenCorrection } from "./authenticated_time/proven_correction.ts";
import {
  CLOCK_TRUSTED,
  isHeldBack,
  ProvisionalTime,
} from "./authenticated_time/provisional_time.ts";
import { collectSessions, saveSessions } from "./saved_sessions.ts";
import { makeSnapshot } from "./status/snapshot_writer.ts";
import { SourceReports } from "./reports/source_reports.ts";
import { SourceFaults } from "./source_faults.ts";
import { SourceSet } from "./source_set.ts";
import { StartGate } from "./start_gate.ts";
import type { Knowledge } from "./status/system_variables.ts";
import { observedSources, StatusReports } from "./reports/status_reports.ts";

/** How much the frequency may have changed when the machine slept or others changed the clock. */
const FREQUENCY_DEVIATION_AFTER_DISTURBANCE: Ppm = 5;

/** The engine. */
export class Engine {
  #config: Config;
  readonly #faults = new SourceFaults();
  readonly #sources: SourceSet;
  readonly #discipline: Discipline;
  readonly #control: ClockControl;
  readonly #selection: SourceSelection;
  readonly #gate: StartGate;
  /** The source of the newest measurement since the gate was closed. */
  #newest: number | undefined = undefined;
  readonly #disturbance: DisturbanceDetector;
  readonly #drift = new DriftKeeper();
  readonly #reports = new SourceReports();
  readonly #statuses = new StatusReports();
  readonly #leaps = new LeapSchedule();
  readonly #provisional: ProvisionalTime;
  readonly #known = new Set<number>();
  readonly #polls = new PollKeeper();
  #deadCount = 0;
  #isStopped = false;
  readonly #correction = new ProvenCorrection();
  readonly #whyMeasuring: string | undefined;

  /** Does nothing yet: the first event is `start`. */
  constructor(options: EngineOptions) {
    const { config, now } = options;
    this.#config = config;
    this.#disturbance = new DisturbanceDetector(options.clockPrecision);
    this.#whyMeasuring = options.whyMeasuring;
    this.#sources = new SourceSet(options.random, options.protections ?? {}, this.#faults);
    this.#discipline = new Discipline({
      now: now.monotonic,
      rate: options.frequency * PPM,
      prior: priorOfKernel(options.frequency),
      precision: options.clockPrecision,
    });
    this.#control = new ClockControl({
      discipline: this.#discipline,
      synchronization: config.synchronization,
      clock: config.clock,
      mayAdjust: options.mayAdjust,
    });
    this.#selection = new SourceSelection(config, options.ownAddresses, this.#faults);
    this.#gate = new StartGate();
    this.#provisional = new ProvisionalTime(config, options.certificateTime ?? CLOCK_TRUSTED, now);
  }

  /** Takes in an event at a moment, and returns what is to be done, in order. */
  handle(event: Event, now: Instant): readonly Action[] {
    const actions: Action[] = [];
    if (isOwnStep(event)) this.#disturbance.expectStep();
    const gained = this.#disturbance.check(now);
    if (gained !== 0) actions.push(...this.#clockStepped(gained, now));
    actions.push(...this.#dispatch(event, now));
    // The sources are gone with the end, which is no loss of them.
    if (this.#isStopped) return this.#provisional.withDates(actions, now);
    this.#followMembers();
    this.#provisional.noteCertificates(this.#sources.members, now.monotonic);
    actions.push(...this.#decideAgainIfSourcesLeft(now), ...this.#openGate(now));
    actions.push(...this.#reportSources(now));
    return this.#provisional.withDates(actions, now);
  }

  /** When the engine wants a "timer" event; Infinity for never. */
  nextWakeup(): MonotonicSeconds {
    return Math.min(
      this.#sources.nextWakeup(),
      this.#control.nextWakeup(),
      this.#gate.nextCheckAt,
    );
  }

  /** Returns the state for readers. */
  snapshot(now: Instant): EngineSnapshot {
    return makeSnapshot({
      now: now.monotonic,
      knowledge: this.#knowledge(now.monotonic),
      provisional: this.#provisional,
      realtime: now.realtime,
      synchronization: this.#config.synchronization,
      entries: this.#sources.entries,
      discipline: this.#discipline,
      selection: this.#selection,
      faults: this.#faults,
      leap: this.#leapAt(now),
      steps: this.#control.steps,
      mayAdjust: this.#control.mayAdjust,
    });
  }

  /** Returns keys and cookies that a restart should not lose, by name. */
  sessions(): ReadonlyMap<string, SessionState> {
    return collectSessions(this.#sources.members);
  }

  /** Returns what a server may say of our clock. */
  servedTime(now: Instant): ServedTime {
    return servedTimeOf(() => this.#knowledge(now.monotonic), () => this.#leapAt(now));
  }

  #dispatch(event: Event, now: Instant): readonly Action[] {
    switch (event.type) {
      case "start":
        return [
          ...this.#control.announce(this.#kernelStatus(now), now),
          ...this.#sources.configure(this.#config.sources, now.monotonic),
        ];
      case "timer":
        return this.#handleTimer(now);
      case "datagram":
        return this.#handleDatagram(event, now);
      case "clock-set":
        if (isOwnStep(event)) this.#provisional.clockStepped();
        return [
          ...this.#control.commandDone(event.result, now),
          ...(isOwnStep(event) ? this.#sources.clockStepped(now.monotonic) : []),
        ];
      case "certificates-verified":
        return this.#certificatesVerified(event, now);
      case "resumed":
        return [
          ...this.#startAfresh(now, `The machine slept for ${event.asleep.toFixed(0)} s`),
          ...this.#sources.askAgain(now.monotonic),
        ];
      case "reconfigure":
        return this.#reconfigure(event.config, now);
      case "drift-loaded":
        this.#discipline.setPrior(priorOfDrift(event));
        return [];
      case "leap-table":
        this.#leaps.load(event.table);
        return [];
      case "own-addresses":
        this.#selection.setOwnPlaces(event);
        return [
          ...this.#decideAgain(now),
          ...this.#sources.askAgain(now.monotonic),
        ];
      case "save-sessions":
        return saveSessions(this.#sources.members);
      case "network-changed":
        return this.#sources.askAgain(now.monotonic);
      case "stop":
        return this.#stop(now);
      default:
        return this.#sources.handle(event, now.monotonic);
    }
  }

  #handleTimer(now: Instant): readonly Action[] {
    const { monotonic } = now;
    const actions = [...this.#sources.handleTimer(monotonic)];
    this.#polls.slowIdle(this.#sources.members);
    actions.push(
      ...this.#control.handleTimer(this.#discipline.systemAt(monotonic), this.#steering(now)),
    );
    return actions;
  }

  #handleDatagram(event: DatagramEvent, now: Instant): readonly Action[] {
    let measurement: Measurement | undefined;
    const actions = this.#guard(event.association, now, () => {
      const reception = this.#sources.handleDatagram(event, now.monotonic);
      measurement = reception.measurement;
      return reception.actions;
    }, [{ type: "close", request: event.request }]);
    if (measurement === undefined) {
      return [...actions, ...this.#decideAgainIfOvertaken(event.association, now)];
    }
    const isLeftOut = this.#faults.isLeftOut(event.association, now.monotonic);
    if (isLeftOut || this.#isLeapTurmoil(now)) return actions;
    return [...actions, ...this.#handleMeasurement(event.association, measurement, now)];
  }

  /** Does something that concerns one source, within its boundary; what was measured of it is forgotten when that fails. */
  #guard(id: number, now: Instant, run: () => readonly Action[], last: readonly Action[] = []) {
    const member = this.#sources.members.find(({ association }) => association.id === id);
    const name = member === undefined ? "unknown" : memberName(member);
    return this.#faults.guard({ key: id, name, now: now.monotonic }, run, () => {
      this.#discipline.discard(id);
      return last;
    });
  }

  #handleMeasurement(id: number, measurement: Measurement, now: Instant): readonly Action[] {
    this.#followMembers();
    const told = this.#guard(id, now, () => {
      // what cannot be says nothing about what comes after it
      if (this.#selection.impossible.has(id)) this.#discipline.renewSource(id);
      this.#discipline.observe(id, measurement, now);
      this.#polls.adaptTo(id, {
        members: this.#sources.members,
        discipline: this.#discipline,
        selection: this.#selection,
        now: now.monotonic,
      });
      return [];
    });
    this.#newest = id;
    return this.#gate.isOpen ? [...told, ...this.#decide(now, id)] : told;
  }

  /**
   * Selects among all sources, makes the joint estimate of those that are believed, and lets the clock follow it: one step, so that
   * no source is ever selected without an estimate. `newest` is the source of a measurement that is new; none if left out.
   */
  #decide(now: Instant, newest?: number): readonly Action[] {
    const actions = [...this.#select(now)];
    if (!this.#selection.selected) return [...actions, ...this.#followCertificates(now)];
    this.#noteVouching();
    const combined = this.#combine(now, newest);
    actions.push(...combined.actions);
    // a source was dropped over it, so that the selection is made again without it
    if (combined.isNew === undefined) return [...actions, ...this.#decide(now)];
    actions.push(...this.#followCertificates(now));
    const estimate = this.#discipline.systemAt(now.monotonic);
    const best = addSeconds(now.realtime, estimate?.offset ?? 0);
    actions.push(...this.#leaps.compare(this.#selection.leap, best));
    if (estimate === undefined || !combined.isNew) return actions;
    actions.push(...this.#control.update(estimate, this.#steering(now)));
    if (this.#control.hasPanicked) return actions;
    const { isVouchedFor } = this.#selection;
    actions.push(
      ...followVouchedTime(this.#provisional, { estimate, isVouchedFor, now }),
      ...this.#drift.consider(estimate, now.monotonic),
    );
    return actions;
  }

  /** Makes the joint estimate; whether it is new is undefined when that failed, at the cost of one of the sources. */
  #combine(now: Instant, newest: number | undefined) {
    const { believed, falsetickers } = this.#selection;
    let isNew: boolean | undefined;
    const actions = this.#guard(newest ?? believed[0] ?? 0, now, () => {
      isNew = this.#discipline.combine(believed, { newest, false: falsetickers });
      return [];
    });
    return { actions, isNew };
  }

  /** An authenticated time may correct at once, and any way, what was followed for want of it. */
  #noteVouching(): void {
    const { authentication } = this.#config.synchronization;
    if (this.#correction.look(this.#selection.isVouchedFor, authentication)) {
      this.#control.restart();
    }
  }

  /** Tells the watch over provisional certificates what was measured and what is believed. */
  #followCertificates(now: Instant): readonly Action[] {
    return followCertificates(this.#provisional, {
      members: this.#sources.members,
      discipline: this.#discipline,
      isVouchedFor: this.#selection.isVouchedFor,
      now,
    });
  }

  #certificatesVerified(
    event: Extract<Event, { type: "certificates-verified" }>,
    now: Instant,
  ): readonly Action[] {
    const { monotonic } = now;
    const { members } = this.#sources;
    const verified = this.#provisional.verified(event, { members, now: monotonic });
    const actions = [...verified.actions];
    for (const { association: id, why } of verified.refused) {
      const member = members.find(({ association }) => association.id === id);
      actions.push(...member?.group.giveUp(id, why, monotonic) ?? []);
    }
    if (!verified.hasReleased) return actions;
    if (!this.#selection.selected) this.#sources.requestBurst(monotonic);
    return actions;
  }

  /** Decides without a new measurement, if there was a decision before. */
  #decideAgain(now: Instant): readonly Action[] {
    return this.#selection.hasDecided ? this.#decide(now) : [];
  }

  /** Asks selection anew. */
  #select(now: Instant): readonly Action[] {
    const members = this.#provisional.released(this.#sources.members);
    const heldBack = this.#sources.members.length - members.length;
    const context = { now, discipline: this.#discipline, known: this.#provisional, heldBack };
    const actions = this.#selection.select(members, context);
    const told = { provisional: this.#provisional, selection: this.#selection };
    renewMisdated(this.#sources.members, { ...told, now: now.monotonic });
    for (const { association, group } of members) {
      const isFalseticker = this.#selection.falsetickers.includes(association.id);
      group.noteFalseticker(association.id, isFalseticker, now.monotonic);
    }
    return actions;
  }

  /** Tells the log who is silent and who is not used; when anybody answers after nobody did, the others are asked again. */
  #reportSources(now: Instant): readonly Action[] {
    const groups = this.#sources.entries.map(({ group }) => group);
    const { actions, hasReturned } = this.#reports.look(groups, now.monotonic);
    const told = [...actions, ...this.#reportStatuses(now)];
    return hasReturned ? [...told, ...this.#sources.askAgain(now.monotonic)] : told;
  }

  #reportStatuses(now: Instant): readonly Action[] {
    const members = this.#provisional.released(this.#sources.members);
    const about = { selection: this.#selection, context: { now, discipline: this.#discipline } };
    const { selected: isSelected, isRefusalTold } = this.#selection;
    const state = { now: now.monotonic, isSelected, isRefusalTold };
    return this.#statuses.look(observedSources(members, about), state);
  }

  #decideAgainIfSourcesLeft(now: Instant): readonly Action[] {
    const { members } = this.#sources;
    const dead = members.filter((one) => !one.association.isReachable || isHeldBack(one)).length;
    if (dead === this.#deadCount && !this.#selection.hasLost) return [];
    this.#deadCount = dead;
    return this.#decideAgain(now);
  }

  /** A server that says that it has lost the time is believed in that at once. */
  #decideAgainIfOvertaken(id: number, now: Instant): readonly Action[] {
    const member = this.#sources.members.find(({ association }) => association.id === id);
    return member !== undefined && this.#selection.isOvertaken(member) ? this.#decide(now) : [];
  }

  /** Makes the first decision when nobody is to be waited for any more. */
  #openGate(now: Instant): readonly Action[] {
    if (this.#gate.isOpen || this.#newest === undefined) return [];
    const samplesOf = (id: number) => this.#discipline.sourceAt(id, now.monotonic)?.samples ?? 0;
    if (!this.#gate.check(this.#sources.progress(samplesOf), now.monotonic)) return [];
    return this.#decide(now, this.#newest);
  }

  #followMembers(): void {
    for (const id of this.#sources.takeRemoved()) {
      this.#discipline.removeSource(id);
      this.#selection.forget(id);
      this.#known.delete(id);
      this.#polls.forget(id);
      this.#faults.forget(id);
    }
    for (const { association } of this.#sources.members) {
      if (this.#known.has(association.id)) continue;
      this.#known.add(association.id);
      this.#discipline.addSource(association.id);
    }
  }

  #clockStepped(gained: Seconds, now: Instant): readonly Action[] {
    if (isLeapStep(this.#leaps.near(this.#selection.leap, now.realtime), gained, now.realtime)) {
      this.#selection.leapIsOver();
      this.#leaps.happened(now.realtime);
      const message = `A leap second was ${gained < 0 ? "inserted" : "deleted"}`;
      return [
        { type: "log", level: "info", message },
        ...this.#sources.clockStepped(now.monotonic),
      ];
    }
    const why = `Somebody else stepped the clock by ${gained.toFixed(6)} s`;
    return this.#startAfresh(now, why, gained);
  }

  /** Forgets what the clock showed, asks everybody again, and may step as at the start. */
  #startAfresh(now: Instant, why: string, gained: Seconds = 0): readonly Action[] {
    this.#discipline.restart(now.monotonic, (FREQUENCY_DEVIATION_AFTER_DISTURBANCE * PPM) ** 2);
    this.#control.restart(gained);
    this.#gate.close();
    this.#newest = undefined;
    this.#provisional.clockStepped();
    this.#selection.restart(why);
    this.#polls.restart();
    const actions = this.#sources.clockStepped(now.monotonic);
    this.#sources.requestBurst(now.monotonic, gained === 0 ? "spread" : "at-once");
    const message = `${why}: the sources are measured anew`;
    const level = gained === 0 ? "warning" : this.#disturbance.noticeLevel(now.monotonic);
    const announced = this.#control.announce(this.#kernelStatus(now), now);
    return [{ type: "log", level, message }, ...announced, ...actions];
  }

  #reconfigure(config: Config, now: Instant): readonly Action[] {
    this.#config = config;
    this.#control.reconfigure(config.synchronization, config.clock);
    this.#selection.reconfigure(config);
    this.#provisional.reconfigure(config);
    const actions = this.#sources.configure(config.sources, now.monotonic);
    this.#followMembers();
    return [...actions, ...this.#decideAgain(now)];
  }

  #stop(now: Instant): readonly Action[] {
    this.#isStopped = true;
    const estimate = this.#discipline.systemAt(now.monotonic);
    return [
      ...this.#sources.stop(),
      ...this.#control.settle(estimate, this.#kernelStatus(now)),
      ...(this.#control.hasPanicked ? [] : this.#drift.finish(estimate)),
    ];
  }

  #knowledge(now: MonotonicSeconds): Knowledge {
    const { reference } = this.#selection;
    return {
      now,
      mayAdjust: this.#control.mayAdjust,
      whyMeasuring: this.#whyMeasuring,
      selected: this.#selection.selected,
      reference,
      estimate: this.#discipline.systemAt(now),
      waiting: this.#control.waiting,
      distance: reference && this.#discipline.distanceTo(reference.association, now),
    };
  }

  #steering(now: Instant): SteeringContext {
    const knowledge = this.#knowledge(now.monotonic);
    const uncertainty = Math.sqrt(
      knowledge.distance?.variance ?? knowledge.estimate?.offsetVariance ?? 0,
    );
    const status = this.#kernelStatus(now, knowledge);
    const pollInterval = shortestInterval(this.#sources.members, this.#selection.believed);
    const { isVouchedFor, hasVouchers: mayBeVouchedFor } = this.#selection;
    return { now, pollInterval, uncertainty, status, isVouchedFor, mayBeVouchedFor };
  }

  #kernelStatus(now: Instant, knowledge = this.#knowledge(now.monotonic)): KernelStatus {
    return kernelStatusOf(knowledge, {
      realtime: now.realtime,
      leap: () => this.#leapAt(now),
      // while the leap happens, the kernel counts TAI itself
      taiOffset: () => this.#isLeapTurmoil(now) ? undefined : this.#leaps.taiOffset(now.realtime),
    });
  }

  /** The leap second that is believed to come. */
  #leapAt(now: Instant): LeapIndicator {
    return this.#leaps.announced(this.#selection.leap, now.realtime);
  }

  #isLeapTurmoil(now: Instant): boolean {
    return isLeapTurmoil(this.#leaps.near(this.#selection.leap, now.realtime), now.realtime);
  }
}
