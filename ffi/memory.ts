/**
 * Memory that the kernel and C libraries may read and write.
 *
 * The idea: every structure is an `ArrayBuffer` made once, outside the JavaScript heap, so that its
 * address stays the same; views on it are kept beside it. Limits: code that stores an address
 * inside another structure keeps the `Memory` alive for as long as that structure is used. Both
 * supported processors are little-endian.
 *
 * @module
 */
import type { Bytes } from "../src/base/bytes.ts";

/** A block of zeroed memory with a fixed address and the views that structures are read through. */
export interface Memory {
  /** The whole block as octets. */
  readonly bytes: Bytes;
  /**
   * The whole block for fields that are not aligned or of mixed size; pass `true` for
   * little-endian.
   */
  readonly view: DataView<ArrayBuffer>;
  /** The whole block as 32-bit words; the size is rounded up to a multiple of eight. */
  readonly words: Int32Array<ArrayBuffer>;
  /** Where the block lies, to be stored in other structures. */
  readonly address: bigint;
}

/** Allocates a zeroed block of at least `size` octets, aligned to eight. */
export function allocate(size: number): Memory {
  const buffer = new ArrayBuffer(Math.max(8, Math.ceil(size / 8) * 8));
  const bytes = new Uint8Array(buffer);
  let address: bigint | undefined;
  return {
    bytes,
    view: new DataView(buffer),
    words: new Int32Array(buffer),
    // Asked for late, so that a module may allocate at import and yet nothing foreign is called
    // there.
    get address() {
      address ??= BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
      return address;
    },
  };
}

/** Writes text as UTF-8 with a closing zero octet; undefined when the text itself contains one. */
export function cString(text: string): Bytes | undefined {
  if (text.includes("\0")) return undefined;
  return new TextEncoder().encode(`${text}\0`);
}

/**
 * Reads the zero-terminated text at a pointer that C code returned; undefined for the null pointer.
 */
export function readCString(pointer: Deno.PointerValue): string | undefined {
  return pointer === null ? undefined : Deno.UnsafePointerView.getCString(pointer);
}

/** Returns a view on the structure at an address that C code stored; undefined for address zero. */
export function viewAt(address: bigint): Deno.UnsafePointerView | undefined {
  const pointer = Deno.UnsafePointer.create(address);
  return pointer === null ? undefined : new Deno.UnsafePointerView(pointer);
}
