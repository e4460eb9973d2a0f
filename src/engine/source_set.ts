/**
 * All configured sources: starts them, hands events to the one they concern, follows changes of the configuration.
 *
 * @module
 */
import type { Association } from "../association/association.ts";
import type { SessionStart } from "../association/border.ts";
import type { PacketProtection } from "../association/protection.ts";
import { SourceGroup } from "../association/source_group.ts";
import type { Reception } from "../association/association.ts";
import type { RandomSource } from "../base/random.ts";
import { equalSocketAddress, type SocketAddress } from "../base/socket_address.ts";
import type { MonotonicSeconds } from "../base/units.ts";
import type { SourceConfig } from "../config/config.ts";
import type { Action, DatagramEvent, Event, KeyExchangeOutcome } from "./events.ts";
import type { StartProgress } from "./start_gate.ts";
import type { ResumedMember } from "./saved_sessions.ts";

/** How packets of sources are protected; each part is there only if the sources may need it. */
export interface Protections {
  /** Makes the session of an association from its first key exchange (RFC 8915). */
  readonly startSession?: (
    config: SourceConfig,
    outcome: KeyExchangeOutcome,
    start: SessionStart,
  ) => PacketProtection;
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

interface Entry {
  config: SourceConfig;
  readonly group: SourceGroup;
}

/** The sources of the engine. */
export class SourceSet {
  readonly #random: RandomSource;
  readonly #protections: Protections;
  #entries: Entry[] = [];
  #associations = 0;
  #requests = 0;
  #lookups = 0;

  /** Starts empty; `configure` gives it sources. */
  constructor(random: RandomSource, protections: Protections) {
    this.#random = random;
    this.#protections = protections;
  }

  /** The configured sources with their groups. */
  get entries(): readonly { readonly config: SourceConfig; readonly group: SourceGroup }[] {
    return this.#entries;
  }

  /** All servers that are asked now, in the order of the configuration. */
  get members(): readonly MemberOfSource[] {
    const members: MemberOfSource[] = [];
    for (const { config, group } of this.#entries) {
      for (const association of group.members) members.push({ association, group, config });
    }
    return members;
  }

  /** Tells how far all have come at the start; `samplesOf` says how many samples there are of a server. */
  progress(samplesOf: (id: number) => number): StartProgress {
    return {
      servers: this.members.map(({ association }) => ({
        samples: samplesOf(association.id),
        unanswered: association.unansweredRequests,
        hasFailed: association.isRefused || association.lastSendFailure !== undefined,
        nextRequestAt: association.nextRequestAt,
      })),
      preparations: this.#entries.flatMap(({ group }) => group.preparingSince ?? []),
    };
  }

  /** Starts what is new in a configuration, stops what is gone, and leaves alone what stays. */
  configure(sources: readonly SourceConfig[], now: MonotonicSeconds): readonly Action[] {
    const actions: Action[] = [];
    const kept: Entry[] = [];
    const added: Entry[] = [];
    const old = [...this.#entries];
    for (const config of sources) {
      const index = old.findIndex((entry) => isSameSource(entry.config, config));
      const entry = index >= 0 ? old.splice(index, 1)[0] : undefined;
      if (entry !== undefined) {
        entry.config = config;
        actions.push(...entry.group.reconfigure(config, now));
      }
      const next = entry ?? { config, group: this.#makeGroup(config) };
      (entry === undefined ? added : kept).push(next);
    }
    for (const { group } of old) actions.push(...group.stop());
    this.#removedIds.push(...old.flatMap(({ group }) => group.takeRemoved()));
    this.#entries = sources.flatMap((config) =>
      [...kept, ...added].find((entry) => entry.config === config) ?? []
    );
    for (const { config, group } of added) {
      for (const { address, protection } of this.#resume(config)) {
        group.adopt(address, protection, now);
      }
      actions.push(...group.start(now));
    }
    return actions;
  }

  /** When `handleTimer` wants to be called. */
  nextWakeup(): MonotonicSeconds {
    return this.#entries.reduce((due, { group }) => Math.min(due, group.nextWakeup()), Infinity);
  }

  /** Lets every source do what is due. */
  handleTimer(now: MonotonicSeconds): readonly Action[] {
    return this.#entries.flatMap(({ group }) =>
      now >= group.nextWakeup() ? group.handleTimer(now) : []
    );
  }

  /** Hands a packet to the association it answers. */
  handleDatagram(event: DatagramEvent, now: MonotonicSeconds): Reception {
    const group = this.#groupOf(event.association);
    return group?.handleDatagram(event, now) as Reception | undefined ??
      { actions: [], measurement: undefined };
  }

  /** Hands an event that concerns one source to it. */
  handle(event: Event, now: MonotonicSeconds): readonly Action[] {
    for (const { group } of this.#entries) {
      switch (event.type) {
        case "send-failed":
          if (group.member(event.association) !== undefined) {
            return group.handleSendFailed(event, now);
          }
          break;
        case "resolved": {
          const actions = group.handleResolved(event, now);
          if (actions !== undefined) return actions;
          break;
        }
        case "keys-exchanged": {
          const actions = group.handleKeysExchanged(event, now);
          if (actions !== undefined) return actions;
          break;
        }
        default:
          return [];
      }
    }
    return [];
  }

  /** Asks all sources for a burst. */
  requestBurst(now: MonotonicSeconds, begin: "at-once" | "spread" = "at-once"): void {
    for (const { group } of this.#entries) group.requestBurst(now, begin);
  }

  /** Asks all sources within seconds, because there may be a way to them now that there was not before. */
  askAgain(now: MonotonicSeconds): readonly Action[] {
    return this.#entries.flatMap(({ group }) => group.askAgain(now));
  }

  /** Voids what was stamped before a step of the clock. */
  resetAfterClockStep(now: MonotonicSeconds): readonly Action[] {
    return this.#entries.flatMap(({ group }) => group.resetAfterClockStep(now));
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

  #groupOf(association: number): SourceGroup | undefined {
    return this.#entries.find(({ group }) => group.member(association) !== undefined)?.group;
  }

  #makeGroup(config: SourceConfig): SourceGroup {
    const { startSession, withKey } = this.#protections;
    const { key } = config;
    return new SourceGroup({
      config,
      random: this.#random,
      allocateAssociation: () => ++this.#associations,
      allocateRequest: () => ++this.#requests,
      allocateLookup: () => ++this.#lookups,
      isAddressInUse: (address) => this.#isInUse(address),
      ...(startSession === undefined
        ? {}
        : { startSession: (outcome, start) => startSession(config, outcome, start) }),
      ...(key === undefined || withKey === undefined ? {} : { protect: () => withKey(key) }),
    });
  }

  #resume(config: SourceConfig): readonly ResumedMember[] {
    const isNts = config.mode === "nts" || config.mode === "nts-pool";
    return isNts ? this.#protections.resume?.(config) ?? [] : [];
  }

  #isInUse(address: SocketAddress): boolean {
    return this.members.some(({ association }) => equalSocketAddress(association.address, address));
  }
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
