/**
 * All configured sources: starts them, hands events to the one they concern, follows changes of the
 * configuration.
 *
 * @module
 */
import type { Association } from "../../association/association.ts";
import { assert, unreachable } from "../../base/assert.ts";
import { RETURN_SPREAD } from "../../association/poll_timer.ts";
import type { PacketProtection, SessionStart } from "../../association/protection.ts";
import { SourceGroup } from "../../association/source_group.ts";
import type { Reception } from "../../association/association.ts";
import type { RandomSource } from "../../base/random.ts";
import type { SocketAddress } from "../../base/socket_address.ts";
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";
import { isAuthenticated, type SourceConfig } from "../../config/config.ts";
import type { ResolvedEvent } from "../../association/events.ts";
import type { Action, DatagramEvent, KeysExchangedEvent, SendFailedEvent } from "../events.ts";
import type { KeyExchangeOutcome } from "../../nts/key_exchange/outcome.ts";
import { outranks } from "../authenticated_time/same_server.ts";
import type { FaultSubject, SourceFaults } from "./source_faults.ts";
import type { StartProgress } from "./start_gate.ts";
import type { ResumedMember } from "./saved_sessions.ts";

/** How packets of sources are protected; each part is there only if the sources may need it. */
export interface Protections {
  /** Makes the session of an association from its first key exchange (RFC 8915). */
  readonly startSession?: (outcome: KeyExchangeOutcome, start: SessionStart) => PacketProtection;
  /** Gives the members of a source whose keys were saved by an earlier run; each is given once. */
  readonly resume?: (config: SourceConfig) => readonly ResumedMember[];
  /** Makes the authentication by a symmetric key; one whose key is missing refuses every packet. */
  readonly withKey?: (key: number) => PacketProtection;
}

/** A member with the source it belongs to. */
export interface MemberOfSource {
  /** One server. */
  readonly association: Association;
  /** What else belongs to the same section of the configuration. */
  readonly group: SourceGroup;
  /** The section as it is in force now. */
  readonly config: SourceConfig;
}

/** An event that concerns one source. */
type SourceEvent = SendFailedEvent | ResolvedEvent | KeysExchangedEvent;

interface Entry {
  config: SourceConfig;
  readonly group: SourceGroup;
  /** Until when its timer is left alone, because it failed. */
  restsUntil: MonotonicSeconds;
  /** Its members, and what they were made of. */
  listed?: {
    readonly config: SourceConfig;
    readonly associations: readonly Association[];
    readonly members: readonly MemberOfSource[];
  };
}

/** So long the timer of a source rests when it failed. */
const REST: Seconds = 60;

/** The sources of the engine. */
export class SourceSet {
  readonly #random: RandomSource;
  readonly #protections: Protections;
  readonly #faults: SourceFaults;
  #entries: Entry[] = [];
  #associations = 0;
  #requests = 0;
  #lookups = 0;
  #askedAgainAt: MonotonicSeconds = -Infinity;

  /** Starts empty; `configure` gives it sources. */
  constructor(
    { random, protections, faults }: {
      readonly random: RandomSource;
      readonly protections: Protections;
      readonly faults: SourceFaults;
    },
  ) {
    this.#random = random;
    this.#protections = protections;
    this.#faults = faults;
  }

  /** The configured sources with their groups. */
  get entries(): readonly { readonly config: SourceConfig; readonly group: SourceGroup }[] {
    return this.#entries;
  }

  /** All servers that are asked now, in the order of the configuration. */
  get members(): readonly MemberOfSource[] {
    const members: MemberOfSource[] = [];
    for (const entry of this.#entries) {
      for (const member of membersOf(entry)) members.push(member);
    }
    return members;
  }

  /**
   * Tells how far all have come at the start; `samplesOf` says how many samples there are of a
   * server.
   */
  progress(samplesOf: (id: number) => number): StartProgress {
    // what failed before there was a way says nothing of servers that are about to be asked again
    const soon = this.#askedAgainAt + RETURN_SPREAD;
    return {
      servers: this.members.map(({ association }) => {
        const { id, isRefused, lastSendFailure, nextRequestAt } = association;
        const { unansweredRequests } = association.history;
        const isSoon = nextRequestAt <= soon;
        return {
          samples: samplesOf(id),
          unanswered: isSoon ? 0 : unansweredRequests,
          hasFailed: isRefused || (!isSoon && lastSendFailure !== undefined),
          nextRequestAt,
        };
      }),
      preparations: this.#entries.flatMap(({ config, group }) => {
        const since = group.preparingSince(this.#askedAgainAt);
        return since === undefined ? [] : [{ since, canOutvote: canOutvote(config) }];
      }),
    };
  }

  /** Starts what is new in a configuration, stops what is gone, and leaves alone what stays. */
  configure(sources: readonly SourceConfig[], now: MonotonicSeconds): readonly Action[] {
    const actions: Action[] = [];
    const added: Entry[] = [];
    const old = [...this.#entries];
    const entries = sources.map((config) => {
      const kept = takeSameSource(old, config);
      if (kept === undefined) {
        const entry = { config, group: this.#makeGroup(config), restsUntil: -Infinity };
        added.push(entry);
        return entry;
      }
      kept.config = config;
      actions.push(...kept.group.reconfigure(config, now));
      return kept;
    });
    for (const { group } of old) actions.push(...group.stop());
    this.#removedIds.push(...old.flatMap(({ group }) => group.takeRemoved()));
    this.#entries = entries;
    const groups = new Set(entries.map(({ group }) => group));
    assert(groups.size === entries.length, "Each source has a group of its own");
    return [...actions, ...added.flatMap((entry) => this.#begin(entry, now))];
  }

  /** When `handleTimer` wants to be called. */
  nextWakeup(): MonotonicSeconds {
    return this.#entries.reduce((due, entry) => Math.min(due, wakeupOf(entry)), Infinity);
  }

  /** Lets every source do what is due. */
  handleTimer(now: MonotonicSeconds): readonly Action[] {
    return this.#entries.flatMap((entry) => {
      if (now < wakeupOf(entry)) return [];
      const rest = () => {
        entry.restsUntil = now + REST;
        return [];
      };
      const run = () => entry.group.handleTimer(now);
      return this.#faults.guard(about(entry, now), { run, recover: rest });
    });
  }

  /** Hands a packet to the association it answers. */
  handleDatagram(event: DatagramEvent, now: MonotonicSeconds): Reception {
    return this.#groupOf(event.association)?.handleDatagram(event, now) ??
      { actions: [], measurement: undefined };
  }

  /** Hands an event that concerns one source to it. */
  handle(event: SourceEvent, now: MonotonicSeconds): readonly Action[] {
    const offer = offering(event, now);
    const told: Action[] = [];
    for (const entry of this.#entries) {
      let actions: readonly Action[] | undefined;
      const run = () => {
        actions = offer(entry.group);
        return [];
      };
      told.push(...this.#faults.guard(about(entry, now), { run }));
      if (actions !== undefined) return [...told, ...actions];
    }
    return told;
  }

  /** Asks all sources for a burst. */
  requestBurst(now: MonotonicSeconds, begin: "at-once" | "spread" = "at-once"): void {
    this.#forEach(now, (group) => {
      group.requestBurst(now, begin);
      return [];
    });
  }

  /**
   * Asks all sources within seconds, because there may be a way to them now that there was not
   * before.
   */
  askAgain(now: MonotonicSeconds): readonly Action[] {
    this.#askedAgainAt = now;
    return this.#forEach(now, (group) => group.askAgain(now));
  }

  /** Voids what was timestamped before a step of the clock. */
  clockStepped(now: MonotonicSeconds): readonly Action[] {
    return this.#forEach(now, (group) => group.clockStepped(now));
  }

  /** Gives the numbers of the associations that are gone since the last call. */
  takeRemoved(): readonly number[] {
    const removed = [
      ...this.#removedIds,
      ...this.#entries.flatMap(({ group }) => group.takeRemoved()),
    ];
    this.#removedIds = [];
    return removed;
  }

  /** Gives everything up. */
  stop(): readonly Action[] {
    return this.#entries.flatMap(({ group }) => group.stop());
  }

  #removedIds: number[] = [];

  #forEach(
    now: MonotonicSeconds,
    run: (group: SourceGroup) => readonly Action[],
  ): readonly Action[] {
    return this.#entries.flatMap((entry) =>
      this.#faults.guard(about(entry, now), { run: () => run(entry.group) })
    );
  }

  #groupOf(association: number): SourceGroup | undefined {
    return this.#entries.find(({ group }) => group.member(association) !== undefined)?.group;
  }

  /** Starts a new source, with the sessions of an earlier run if there are any. */
  #begin({ config, group }: Entry, now: MonotonicSeconds): readonly Action[] {
    for (const saved of this.#resume(config)) group.adopt(saved, now);
    return group.start(now);
  }

  #makeGroup(config: SourceConfig): SourceGroup {
    const { startSession, withKey } = this.#protections;
    const { key } = config;
    const group: SourceGroup = new SourceGroup({
      config,
      random: this.#random,
      allocateAssociation: () => ++this.#associations,
      allocateRequest: () => ++this.#requests,
      allocateLookup: () => ++this.#lookups,
      holderOf: (address, member) => this.#holderOf(address, { group, member }),
      ...(startSession === undefined ? {} : { startSession }),
      ...(key === undefined || withKey === undefined ? {} : { protect: () => withKey(key) }),
    });
    return group;
  }

  #resume(config: SourceConfig): readonly ResumedMember[] {
    const isNts = config.mode === "nts" || config.mode === "nts-pool";
    return isNts ? this.#protections.resume?.(config) ?? [] : [];
  }

  /**
   * Names the source that asks a server with more right than a member, or a future one, of a group.
   */
  #holderOf(
    address: SocketAddress,
    asker: { readonly group: SourceGroup; readonly member: Association | undefined },
  ): string | undefined {
    const config = this.#entries.find(({ group }) => group === asker.group)?.config;
    if (config === undefined) return undefined;
    const own = { config, address, association: asker.member };
    return this.members.find(({ association, group, config }) =>
      group !== asker.group && outranks({ config, address: association.address, association }, own)
    )?.config.address;
  }
}

/** Tells whether a source may count for more than many others. */
function canOutvote(config: SourceConfig): boolean {
  return config.trust || config.require || config.prefer || isAuthenticated(config);
}

/** The members of a source, made anew when they are others or the section is another one. */
function membersOf(entry: Entry): readonly MemberOfSource[] {
  const { config, group, listed } = entry;
  const associations = group.members;
  if (listed?.associations === associations && listed.config === config) return listed.members;
  const members = associations.map((association) => ({ association, group, config }));
  entry.listed = { config, associations, members };
  return members;
}

/** How the faults of a source as a whole are counted and told. */
function about({ config }: Entry, now: MonotonicSeconds): FaultSubject {
  return { key: config.address, name: config.address, now };
}

/** When a source wants its timer; one whose timer failed has a rest. */
function wakeupOf({ group, restsUntil }: Entry): MonotonicSeconds {
  return Math.max(restsUntil, group.nextWakeup());
}

/** Returns how an event is offered to a source; all but the right source return undefined. */
function offering(
  event: SourceEvent,
  now: MonotonicSeconds,
): (group: SourceGroup) => readonly Action[] | undefined {
  switch (event.type) {
    case "send-failed":
      return (group) => group.member(event.association) && group.handleSendFailed(event, now);
    case "resolved":
      return (group) => group.handleResolved(event, now);
    case "keys-exchanged":
      return (group) => group.handleKeysExchanged(event, now);
    default:
      return unreachable(event);
  }
}

/** Takes the source that a section describes out of a list; undefined when it is not there. */
function takeSameSource(entries: Entry[], config: SourceConfig): Entry | undefined {
  const index = entries.findIndex((entry) => isSameSource(entry.config, config));
  return index >= 0 ? entries.splice(index, 1)[0] : undefined;
}

/** Tells whether two sections describe one source, so that it can go on with what it knows. */
function isSameSource(a: SourceConfig, b: SourceConfig): boolean {
  const identity = (c: SourceConfig) =>
    JSON.stringify([
      c.mode,
      c.address,
      c.host,
      c.port,
      c.ignore,
      c.certificateAuthority,
      c.aeadAlgorithms,
      c.key,
    ]);
  return identity(a) === identity(b);
}
