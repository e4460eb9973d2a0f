/**
 * The core of ntpsd: a deterministic function from events to actions.
 *
 * It owns the sources, the selection among them, the discipline and the control of the clock, and
 * it reads nothing by itself: time and randomness come in, everything to be done goes out. The
 * daemon and the simulator drive it alike.
 *
 * The flow of one response: source -> measurement -> estimate of that source -> selection among all
 * -> joint estimate -> command to the clock -> what to say of ourselves. Limits: one engine, one
 * clock.
 *
 * @module
 */
import type { Measurement } from "../association/measurement.ts";
import { unreachable } from "../base/assert.ts";
import { type MonotonicSeconds, PPM, type Ppm, type Seconds } from "../base/units.ts";
import type { Config } from "../config/config.ts";
import type { Discipline } from "../discipline/discipline.ts";
import type { SessionState } from "../nts/client/session.ts";
import type { ProvisionalTime } from "./authenticated_time/provisional_time.ts";
import type { ClockControl } from "./clock/clock_control.ts";
import { ClockState } from "./clock/clock_state.ts";
import { Decision } from "./decision.ts";
import { DecisionGate } from "./decision_gate.ts";
import { DisturbanceDetector, isOwnStep } from "./clock/disturbance.ts";
import type { EngineOptions } from "./engine_options.ts";
import { type EngineParts, guardSource, makeParts } from "./engine_parts.ts";
import type { Action, AssociationId, DatagramEvent, Event, EventOf, Instant } from "./events.ts";
import { priorOfDrift } from "./clock/frequency_prior.ts";
import { MemberChanges } from "./sources/member_changes.ts";
import { PollKeeper } from "./sources/poll_keeper.ts";
import { Reports } from "./reports/reports.ts";
import { collectSessions, saveSessions } from "./sources/saved_sessions.ts";
import type { SourceSelection } from "./sources/source_selection.ts";
import type { SourceSet } from "./sources/source_set.ts";
import { type ServedTime, servedTimeOf } from "./status/served_time.ts";
import type { EngineSnapshot } from "./status/snapshot.ts";
import { type PeerVariables, RecentSamples } from "./status/peer_variables.ts";
import type { UpdateRecord } from "./status/update_record.ts";
import { snapshotInput } from "./status/snapshot_input.ts";
import { makePeers, makeSnapshot, type SnapshotInput } from "./status/snapshot_writer.ts";

/** How much the frequency may have changed when the machine slept or others changed the clock. */
const FREQUENCY_DEVIATION_AFTER_DISTURBANCE: Ppm = 5;

/** The engine. */
export class Engine {
  #config: Config;
  readonly #parts: EngineParts;
  readonly #clock: ClockState;
  readonly #decision: Decision;
  readonly #sources: SourceSet;
  readonly #discipline: Discipline;
  readonly #control: ClockControl;
  readonly #selection: SourceSelection;
  readonly #provisional: ProvisionalTime;
  readonly #gate: DecisionGate;
  readonly #disturbance: DisturbanceDetector;
  readonly #reports: Reports;
  readonly #polls = new PollKeeper();
  readonly #recent = new RecentSamples();
  readonly #changes: MemberChanges;
  #isStopped = false;

  /** Does nothing yet: the first event is `start`. */
  constructor(options: EngineOptions) {
    this.#config = options.config;
    this.#parts = makeParts(options);
    this.#clock = new ClockState(this.#parts, options.notAdjustedReason);
    this.#gate = new DecisionGate(this.#parts);
    const own = { clock: this.#clock, gate: this.#gate };
    this.#decision = new Decision(this.#parts, { ...own, ...options.config.synchronization });
    this.#sources = this.#parts.sources;
    this.#discipline = this.#parts.discipline;
    this.#control = this.#parts.control;
    this.#selection = this.#parts.selection;
    this.#provisional = this.#parts.provisional;
    this.#changes = new MemberChanges(this.#parts, { polls: this.#polls, recent: this.#recent });
    this.#disturbance = new DisturbanceDetector(options.clockPrecision);
    this.#reports = new Reports(this.#parts);
  }

  /** Takes in an event at a moment, and returns what is to be done, in order. */
  handle(event: Event, now: Instant): readonly Action[] {
    const actions: Action[] = [];
    if (isOwnStep(event)) this.#disturbance.clockStepped();
    const gained = this.#disturbance.check(now);
    if (gained !== 0) actions.push(...this.#clockStepped(gained, now));
    actions.push(...this.#dispatch(event, now));
    // The sources are gone with the end, which is no loss of them.
    if (this.#isStopped) return this.#provisional.withDates(actions, now);
    this.#changes.follow();
    this.#provisional.noteCertificates(this.#sources.members, now.monotonic);
    actions.push(...this.#openGate(now), ...this.#decision.decideIfSourcesLeft(now));
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
    return makeSnapshot(this.#snapshotInput(now));
  }

  /** Returns the sources for monitoring protocols, in the order of the snapshot. */
  peers(now: Instant): readonly PeerVariables[] {
    return makePeers(this.#snapshotInput(now), this.#recent);
  }

  /**
   * Why the clock is left alone although sources agree: a panic threshold, and sources that may
   * still vouch for the time; undefined when it is not.
   */
  get panicInWaiting(): string | undefined {
    return this.#selection.selected ? this.#control.waiting : undefined;
  }

  /** How far the clock was off when it was corrected. */
  get updates(): UpdateRecord {
    return this.#decision.updates;
  }

  #snapshotInput(now: Instant): SnapshotInput {
    const { synchronization } = this.#config;
    return snapshotInput({ parts: this.#parts, clock: this.#clock, synchronization }, now);
  }

  /** Returns keys and cookies that a restart should not lose, by name. */
  sessions(): ReadonlyMap<string, SessionState> {
    return collectSessions(this.#sources.members);
  }

  /** Returns what a server may say of our clock. */
  servedTime(now: Instant): ServedTime {
    return servedTimeOf(() => this.#clock.knowledge(now.monotonic), () => this.#clock.leapAt(now));
  }

  #dispatch(event: Event, now: Instant): readonly Action[] {
    switch (event.type) {
      case "start":
        return this.#start(now);
      case "timer":
        return this.#handleTimer(now);
      case "datagram":
        return this.#handleDatagram(event, now);
      case "send-failed":
      case "resolved":
      case "keys-exchanged":
        return this.#sources.handle(event, now.monotonic);
      case "clock-set":
        return this.#clockSet(event, now);
      case "certificates-verified":
        return this.#decision.certificatesVerified(event, now);
      case "resumed":
        return this.#resumed(event, now);
      case "standstill-suspected":
        return this.#suspectStandstill(event, now);
      case "reconfigure":
        return this.#reconfigure(event.config, now);
      case "drift-loaded":
        this.#discipline.setPrior(priorOfDrift(event));
        return this.#control.beginWith(event.frequency, {
          status: this.#clock.kernelStatus(now),
          now,
        });
      case "leap-table":
        this.#parts.leaps.load(event.table);
        return [];
      case "own-addresses":
        this.#selection.setOwnPlaces(event);
        return [...this.#decision.decideAgain(now), ...this.#sources.askAgain(now.monotonic)];
      case "save-sessions":
        return saveSessions(this.#sources.members);
      case "network-changed":
        return this.#sources.askAgain(now.monotonic);
      case "stop":
        return this.#stop(now);
      default:
        return unreachable(event);
    }
  }

  #start(now: Instant): readonly Action[] {
    return [
      ...this.#control.announce(this.#clock.kernelStatus(now), now),
      ...this.#sources.configure(this.#config.sources, now.monotonic),
    ];
  }

  #clockSet(event: EventOf<"clock-set">, now: Instant): readonly Action[] {
    const actions = this.#control.commandDone(event.result, now);
    if (!isOwnStep(event)) return actions;
    this.#provisional.clockStepped();
    this.#gate.clockStepped(now.monotonic);
    return [...actions, ...this.#sources.clockStepped(now.monotonic)];
  }

  #resumed({ asleep }: EventOf<"resumed">, now: Instant): readonly Action[] {
    const reason = `The machine was suspended for ${asleep.toFixed(0)} s`;
    return [...this.#restart(now, { reason }), ...this.#sources.askAgain(now.monotonic)];
  }

  #handleTimer(now: Instant): readonly Action[] {
    const { monotonic } = now;
    const actions = [...this.#sources.handleTimer(monotonic)];
    this.#polls.slowIdle(this.#sources.members);
    actions.push(
      ...this.#control.handleTimer(this.#discipline.systemAt(monotonic), this.#clock.steering(now)),
    );
    return actions;
  }

  #handleDatagram(event: DatagramEvent, now: Instant): readonly Action[] {
    let measurement: Measurement | undefined;
    const actions = guardSource(this.#parts, {
      association: event.association,
      now,
      run: () => {
        const reception = this.#sources.handleDatagram(event, now.monotonic);
        measurement = reception.measurement;
        return reception.actions;
      },
      last: [{ type: "close", request: event.request }],
    });
    if (measurement === undefined) {
      return [...actions, ...this.#decision.decideIfOvertaken(event.association, now)];
    }
    const isLeftOut = this.#parts.faults.isLeftOut(event.association, now.monotonic);
    if (isLeftOut || this.#clock.isLeapTurmoil(now)) return actions;
    return [...actions, ...this.#handleMeasurement(measurement, { id: event.association, now })];
  }

  #handleMeasurement(
    measurement: Measurement,
    { id, now }: { readonly id: AssociationId; readonly now: Instant },
  ): readonly Action[] {
    this.#changes.follow();
    const missing = this.#gate.measured(measurement, { id, now });
    if (missing !== undefined) return this.#stoodStill(missing, now);
    const told = guardSource(this.#parts, {
      association: id,
      now,
      run: () => {
        // what cannot be says nothing about what comes after it
        if (this.#selection.impossible.has(id)) this.#discipline.renewSource(id);
        this.#discipline.observe(id, measurement, now);
        this.#recent.add(measurement, { id, at: now.monotonic });
        this.#polls.adaptTo(id, { ...this.#parts, now: now.monotonic });
        return [];
      },
    });
    return this.#gate.isOpen ? [...told, ...this.#decision.decide(now, id)] : told;
  }

  /**
   * Lets the sources confirm that the machine stood still. Nothing is decided, as at the start,
   * until each has had its chance; one answer each is enough for that.
   */
  #suspectStandstill(
    { missing }: EventOf<"standstill-suspected">,
    now: Instant,
  ): readonly Action[] {
    const isNew = this.#gate.suspectStandstill(missing, now.monotonic);
    // an exchange that began before it tells nothing, in interleaved mode neither
    const actions = isNew ? this.#sources.clockStepped(now.monotonic) : [];
    return [...actions, ...this.#sources.askAgain(now.monotonic)];
  }

  #stoodStill(missing: Seconds, now: Instant): readonly Action[] {
    const reason = `The machine stood still for ${missing.toFixed(0)} s`;
    return this.#restart(now, { reason, gained: -missing });
  }

  /**
   * Tells the log which sources are silent or not used; when one answers after none did, the others
   * are asked again.
   */
  #reportSources(now: Instant): readonly Action[] {
    const { lines, hasReturned } = this.#reports.look(now);
    return hasReturned ? [...lines, ...this.#sources.askAgain(now.monotonic)] : lines;
  }

  /** Makes the first decision when no source is to be waited for any more. */
  #openGate(now: Instant): readonly Action[] {
    const opening = this.#gate.open(now);
    if (opening === undefined) return [];
    const { missing, newest } = opening;
    return missing === undefined
      ? this.#decision.decide(now, newest)
      : this.#stoodStill(missing, now);
  }

  #clockStepped(gained: Seconds, now: Instant): readonly Action[] {
    if (this.#clock.isLeapStep(gained, now)) {
      this.#selection.leapIsOver();
      this.#parts.leaps.happened(now.realtime);
      const message = `A leap second was ${gained < 0 ? "inserted" : "deleted"}`;
      return [
        { type: "log", level: "info", message },
        ...this.#sources.clockStepped(now.monotonic),
      ];
    }
    const reason = `The clock was stepped from outside by ${gained.toFixed(6)} s`;
    return this.#restart(now, { reason, gained });
  }

  /** Forgets what the clock showed, asks all sources again, and may step as at the start. */
  #restart(
    now: Instant,
    { reason, gained = 0 }: { readonly reason: string; readonly gained?: Seconds },
  ): readonly Action[] {
    this.#gate.clockChanged(gained, now.monotonic);
    this.#discipline.restart(now.monotonic, (FREQUENCY_DEVIATION_AFTER_DISTURBANCE * PPM) ** 2);
    this.#control.restart(gained);
    this.#provisional.clockStepped();
    this.#selection.restart(reason);
    this.#polls.restart();
    this.#recent.clear();
    const actions = this.#sources.clockStepped(now.monotonic);
    this.#sources.requestBurst(now.monotonic, gained === 0 ? "spread" : "at-once");
    const message = `${reason}: the sources are measured again`;
    const level = gained === 0 ? "warning" : this.#disturbance.noticeLevel(now.monotonic);
    const announced = this.#control.announce(this.#clock.kernelStatus(now), now);
    return [{ type: "log", level, message }, ...announced, ...actions];
  }

  #reconfigure(config: Config, now: Instant): readonly Action[] {
    this.#config = config;
    this.#control.reconfigure(config.synchronization, config.clock);
    this.#decision.reconfigure(config.synchronization);
    this.#selection.reconfigure(config);
    this.#provisional.reconfigure(config);
    const actions = this.#sources.configure(config.sources, now.monotonic);
    this.#changes.follow();
    return [...actions, ...this.#decision.decideAgain(now)];
  }

  #stop(now: Instant): readonly Action[] {
    this.#isStopped = true;
    return [...this.#sources.stop(), ...this.#decision.finish(now)];
  }
}
