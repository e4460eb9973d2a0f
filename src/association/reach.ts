/**
 * The reach register: which of the last eight requests were answered (RFC 5905 section 9.2).
 *
 * @module
 */
import { assert } from "../base/assert.ts";

/** How many requests the register remembers. */
export const REACH_LENGTH = 8;

/** The part of the packets that is lost is a moving average over about 16 requests. */
const LOSS_SMOOTHING = 1 / 16;
/** Losses in a row that come more often than this are usual. */
const LOSS_USUAL = 1 / 8;

/** Eight bits, the newest request in bit 0. */
export class ReachRegister {
  #bits = 0;
  #unanswered = 0;
  #lossShare = 0;

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

  /**
   * Whether so many losses in a row as there are now come less often than one in eight requests on
   * this path, as far as is known.
   */
  get isLossUnusual(): boolean {
    return this.#lossShare ** this.#unanswered < LOSS_USUAL;
  }

  /** Makes room for a request that is being sent. */
  noteRequest(): void {
    this.#bits = (this.#bits << 1) & 0xff;
    this.#unanswered++;
  }

  /** Marks the newest request as answered. */
  noteResponse(): void {
    assert(this.#unanswered > 0, "A response belongs to a request that had none");
    // a server that was gone for eight requests tells nothing of the path
    if (this.isReachable) {
      for (let lost = 1; lost < this.#unanswered; lost++) this.#noteLoss(1);
    }
    this.#noteLoss(0);
    this.#bits |= 1;
    this.#unanswered = 0;
  }

  #noteLoss(loss: 0 | 1): void {
    this.#lossShare += LOSS_SMOOTHING * (loss - this.#lossShare);
  }
}
