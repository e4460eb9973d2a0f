/**
 * Owners of foreign pointers: each pointer that OpenSSL allots has one owner, which frees it once.
 *
 * The idea: an owner is closed explicitly (or by `using`). Closing twice does nothing, using a
 * closed one is a bug of ours and asserts. The owners that are open are counted by kind, so that a
 * test can say exactly that nothing leaked. A finalizer would free late and at the wrong time, so
 * there is none.
 *
 * @module
 */
import { assert } from "../../src/base/assert.ts";

const open = new Map<string, number>();

/** Returns how many pointers of each kind are owned now; kinds without any are left out. */
export function ownedPointerCounts(): Readonly<Record<string, number>> {
  return Object.fromEntries([...open].filter(([, count]) => count > 0));
}

/** The one owner of a pointer. */
export class OwnedPointer implements Disposable {
  readonly #kind: string;
  readonly #free: (pointer: Deno.PointerObject) => void;
  #pointer: Deno.PointerObject | null;

  /**
   * Takes over a pointer of the given kind, to be freed by `free`; `pointer` is not null
   * (asserted).
   */
  constructor(
    kind: string,
    options: {
      readonly pointer: Deno.PointerValue;
      readonly free: (pointer: Deno.PointerObject) => void;
    },
  ) {
    assert(options.pointer !== null, `OpenSSL gave no memory for ${kind}`);
    this.#kind = kind;
    this.#pointer = options.pointer;
    this.#free = options.free;
    open.set(kind, (open.get(kind) ?? 0) + 1);
  }

  /** The pointer, lent for a call; the owner must be open (asserted). */
  get pointer(): Deno.PointerObject {
    assert(this.#pointer !== null, `The ${this.#kind} was closed before`);
    return this.#pointer;
  }

  /** Whether the pointer was freed or given away. */
  get closed(): boolean {
    return this.#pointer === null;
  }

  /** Gives the pointer away to foreign code that will free it; the owner is closed thereafter. */
  giveAway(): Deno.PointerObject {
    const pointer = this.pointer;
    this.#forget();
    return pointer;
  }

  /** Frees the pointer, unless that was done before. */
  close(): void {
    if (this.#pointer === null) return;
    const pointer = this.#pointer;
    this.#forget();
    this.#free(pointer);
  }

  /** Closes it, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #forget(): void {
    this.#pointer = null;
    open.set(this.#kind, (open.get(this.#kind) ?? 0) - 1);
  }
}
