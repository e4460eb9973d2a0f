/**
 * Counter mode on a kept AES-ECB context of OpenSSL: the caller says how the counter blocks look,
 * the key stream is made in one call and combined with the data by exclusive or. ECB takes a new
 * key faster than CTR, which wants a vector each time.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { WordViews, type WorkArea } from "./cipher.ts";

/**
 * Writes octets, combined with the key stream that lies at the start of a work area, to an output.
 */
export class StreamCombiner {
  readonly #inputs = new WordViews();
  readonly #outputs = new WordViews();
  #output: Bytes = new Uint8Array(0);
  #outputOffset = 0;

  /** Names the place of the output for the next `combine`. */
  point(output: Bytes, offset: number): void {
    this.#output = output;
    this.#outputOffset = offset;
  }

  /**
   * Combines `length` octets at `offset` of the input. (Plain arguments, because this runs for
   * every packet.)
   */
  combine(stream: WorkArea, input: Bytes, offset: number, length: number): void {
    const output = this.#output, outputOffset = this.#outputOffset;
    const from = input.byteOffset + offset, to = output.byteOffset + outputOffset;
    let done = 0;
    if (((from | to) & 3) === 0) {
      const source = this.#inputs.of(input), target = this.#outputs.of(output);
      const { words } = stream;
      const count = length >>> 2, first = from >>> 2, start = to >>> 2;
      for (let i = 0; i < count; i++) {
        target[start + i] = (source[first + i] as number) ^ (words[i] as number);
      }
      done = count << 2;
    }
    const { bytes } = stream;
    for (let i = done; i < length; i++) {
      output[outputOffset + i] = (input[offset + i] as number) ^ (bytes[i] as number);
    }
  }
}
