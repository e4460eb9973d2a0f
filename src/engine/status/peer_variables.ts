/**
 * What the monitoring protocols of other programs tell of a source beside the status document:
 * numbers of the last packet, and the last samples.
 *
 * @module
 */
import type { Association } from "../../association/association.ts";
import { offsetAndDelay } from "../../association/exchange.ts";
import type { Measurement } from "../../association/measurement.ts";
import type { ServerState } from "../../association/response_contents.ts";
import type { SocketAddress } from "../../base/socket_address.ts";
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";
import type { SourceConfig } from "../../config/config.ts";
import type { AssociationId } from "../events.ts";
import type { SourceDocument } from "./snapshot.ts";

/** One row of a list of sources, with what belongs to it. */
export interface PeerVariables {
  /** The row of the status document. */
  readonly document: SourceDocument;
  /** What was configured. */
  readonly config: SourceConfig;
  /** Names the server in this run; undefined for a source that has none yet. */
  readonly id: AssociationId | undefined;
  /** Where it is asked. */
  readonly address: SocketAddress | undefined;
  /** What the server said of itself last. */
  readonly server: ServerState | undefined;
  /** The last exchange that was measured. */
  readonly measurement: Measurement | undefined;
  /** How many requests in a row, up to the newest, brought no usable response. */
  readonly unanswered: number;
  /** The last samples, the newest first. */
  readonly recent: readonly RecentSample[];
  /** How many samples the estimate rests on. */
  readonly samples: number;
}

/** One sample as it was measured. */
export interface RecentSample {
  /** When. */
  readonly at: MonotonicSeconds;
  /** Positive when the server is ahead. */
  readonly offset: Seconds;
  /** The round trip. */
  readonly delay: Seconds;
}

/** As many samples as ntpd's clock filter has. */
const RECENT_MAX = 8;

/** The last samples of each server. */
export class RecentSamples {
  readonly #samples = new Map<AssociationId, readonly RecentSample[]>();

  /** Adds what was just measured, `at` a moment of the boot-time clock. */
  add(measurement: Measurement, { id, at }: {
    readonly id: AssociationId;
    readonly at: MonotonicSeconds;
  }): void {
    const { offset, delay } = offsetAndDelay(measurement);
    const before = this.#samples.get(id) ?? [];
    this.#samples.set(id, [{ at, offset, delay }, ...before.slice(0, RECENT_MAX - 1)]);
  }

  /** Returns the last samples of a server, the newest first. */
  of(id: AssociationId): readonly RecentSample[] {
    return this.#samples.get(id) ?? [];
  }

  /** Forgets a server that is gone. */
  forget(id: AssociationId): void {
    this.#samples.delete(id);
  }

  /** Forgets all: the clock that they were measured against was set. */
  clear(): void {
    this.#samples.clear();
  }
}

/** A row of the status document, and what it describes. */
export interface DescribedSource {
  /** The row. */
  readonly document: SourceDocument;
  /** What was configured. */
  readonly config: SourceConfig;
  /** The server; undefined for a source that has none yet. */
  readonly association: Association | undefined;
}

/** Describes a source or one of its servers. */
export function peerVariables(
  { document, config, association }: DescribedSource,
  known: { readonly recent: RecentSamples; readonly samplesOf: (id: AssociationId) => number },
): PeerVariables {
  return {
    document,
    config,
    id: association?.id,
    address: association?.address,
    server: association?.history.serverState,
    measurement: association?.history.lastMeasurement,
    unanswered: association?.history.unansweredRequests ?? 0,
    recent: association === undefined ? [] : known.recent.of(association.id),
    samples: association === undefined ? 0 : known.samplesOf(association.id),
  };
}
