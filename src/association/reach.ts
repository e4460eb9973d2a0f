/**
 * The reach register: which of the last eight requests were answered (RFC 5905 section 9.2).
 *
 * @module
 */
import { assert } from "../base/assert.ts";

/** How many requests the register remembers. */
export const REACH_LENGTH = 8;

/** Eight bits, the newest request in bit 0. */
export class ReachRegister {
  #bits = 0;
  #unanswered = 0;

  /** The register as status shows it, 0 to 255. */
  get bits(): number {
    return this.#bits;
  }

  /** Whether any of the last eight requests was answered. */
  get isReachable(): boolean {
    return this.#bits !== 0;
  }

  /** How many requests in a row, up to the newest, have no response (yet). */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** Makes room for a request that is being sent. */
  noteRequest(): void {
    this.#bits = (this.#bits << 1) & 0xff;
    this.#unanswered++;
  }

  /** Marks the newest request as answered. */
  noteResponse(): void {
    assert(this.#unanswered > 0, "A response belongs to a request that had none");
    this.#bits |= 1;
    this.#unanswered = 0;
  }
}
