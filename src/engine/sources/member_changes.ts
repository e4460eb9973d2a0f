/**
 * Tells the parts of the engine which servers came and which went, so that none is measured that
 * they do not know and nothing is kept of one that is gone.
 *
 * @module
 */
import type { EngineParts } from "../engine_parts.ts";
import type { AssociationId } from "../events.ts";
import type { RecentSamples } from "../status/peer_variables.ts";
import type { PollKeeper } from "./poll_keeper.ts";

/** What follows the servers beside the machines of the engine. */
interface Followers {
  /** The poll intervals. */
  readonly polls: PollKeeper;
  /** The newest samples. */
  readonly recent: RecentSamples;
}

/** Follows the servers of one engine. */
export class MemberChanges {
  readonly #parts: EngineParts;
  readonly #followers: Followers;
  readonly #known = new Set<AssociationId>();

  /** Knows no server yet. */
  constructor(parts: EngineParts, followers: Followers) {
    this.#parts = parts;
    this.#followers = followers;
  }

  /** Looks which servers came and went since the last look. */
  follow(): void {
    const { sources, discipline, selection, faults } = this.#parts;
    for (const id of sources.takeRemoved()) {
      this.#known.delete(id);
      discipline.removeSource(id);
      for (const part of [selection, faults, this.#followers.polls, this.#followers.recent]) {
        part.forget(id);
      }
    }
    for (const { association: { id } } of sources.members) {
      if (this.#known.has(id)) continue;
      this.#known.add(id);
      discipline.addSource(id);
    }
  }
}
