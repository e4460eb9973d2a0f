/**
 * Counter mode on a kept AES-ECB context of OpenSSL: the caller says how the counter blocks look, the key stream is made in one
 * call and combined with the data by exclusive or. ECB takes a new key faster than CTR, which wants a vector each time.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import { cipherContext, Loader, WordViews, WorkArea } from "./cipher.ts";
import type { AesKeyLength } from "./cmac.ts";
import type { OpenSslLibrary } from "./library.ts";
import type { OwnedPointer } from "./owned_pointer.ts";

/** AES on single blocks in a work area, with a key that can be changed. */
export class KeptBlockCipher {
  readonly #work: WorkArea;
  readonly #context: OwnedPointer;
  readonly #pointer: Deno.PointerObject;
  readonly #keyLength: AesKeyLength;
  readonly #key = new WorkArea(32);
  readonly #keyLoader = new Loader();
  readonly #written = new Int32Array(1);
  readonly #writtenPointer: Deno.PointerValue;
  readonly #update: OpenSslLibrary["crypto"]["EVP_EncryptUpdate"];
  readonly #init: OpenSslLibrary["crypto"]["EVP_EncryptInit_ex"];

  /** Makes a context for keys of one length, working in the given area. */
  constructor(
    library: OpenSslLibrary,
    options: { readonly keyLength: AesKeyLength; readonly work: WorkArea },
  ) {
    this.#work = options.work;
    const bits = options.keyLength === 16 ? 128 : options.keyLength === 24 ? 192 : 256;
    this.#context = cipherContext(library, `AES-${bits}-ECB`);
    this.#pointer = this.#context.pointer;
    this.#keyLength = options.keyLength;
    this.#writtenPointer = Deno.UnsafePointer.of(this.#written);
    this.#update = library.crypto.EVP_EncryptUpdate;
    this.#init = library.crypto.EVP_EncryptInit_ex;
  }

  /** Takes the key at `offset` of a buffer for what follows. */
  setKey(key: Bytes, offset: number): void {
    const length = this.#keyLength;
    assert(offset >= 0 && offset + length <= key.length, "A key lies within its buffer");
    this.#keyLoader.load(this.#key, key, offset, length);
    const taken = this.#init(this.#pointer, null, null, this.#key.pointer, null);
    assert(taken === 1, "OpenSSL takes a key of the right length");
  }

  /** Encrypts the first `count` blocks of the work area in place. */
  encryptBlocks(count: number): void {
    const { pointer } = this.#work;
    const done = this.#update(this.#pointer, pointer, this.#writtenPointer, pointer, count * 16);
    assert(done === 1, "OpenSSL encrypts whole blocks");
  }

  /** Forgets the key and frees the context. */
  close(): void {
    this.#key.bytes.fill(0);
    this.#context.close();
  }
}

/** Writes octets, combined with the key stream that lies at the start of a work area, to an output. */
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

  /** Combines `length` octets at `offset` of the input. (Plain arguments, because this runs for every packet.) */
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
