/**
 * Waiting for many descriptors at once, with a time limit, without holding up the event loop.
 *
 * The idea: one epoll instance, waited on by one call on the thread pool; an eventfd in it ends the
 * wait early. Readiness is level-triggered: what is not read is reported again. Limits: one wait at
 * a time; at most `READY_MAX` descriptors per wait (the rest come next time); a wait costs some
 * tens of microseconds for the way to the thread pool and back. A wait that is still pending does
 * not keep the process from `Deno.exit`.
 *
 * @module
 */
import { assert } from "../src/base/assert.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import type { Seconds } from "../src/base/units.ts";
import { ERRNO, failed, type OsError, osError } from "./errno.ts";
import { inBackground } from "./background.ts";
import {
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_EVENT,
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
} from "./headers/readiness.ts";
import { lastErrno, libc } from "./libc.ts";
import { allocate } from "./memory.ts";

/** A descriptor that has something to do. */
export interface ReadyDescriptor {
  /** The descriptor. */
  readonly fd: number;
  /**
   * Whether the error queue has an entry (a transmit timestamp, an ICMP error), or the descriptor
   * failed.
   */
  readonly error: boolean;
}

/** The most descriptors that one wait reports. */
const READY_MAX = 64;

const WAIT_MAX_MILLISECONDS = 0x7fff_ffff;
const FAILED_MILLISECONDS = 100;

/** A set of descriptors that is waited on. */
export class Poller {
  readonly #epoll: number;
  readonly #wakeup: number;
  readonly #events = allocate(READY_MAX * EPOLL_EVENT.sizeof);
  readonly #peeked = allocate(READY_MAX * EPOLL_EVENT.sizeof);
  readonly #one = allocate(EPOLL_EVENT.sizeof);
  readonly #counter = allocate(8);
  #waiting = false;
  #closed = false;

  private constructor(epoll: number, wakeup: number) {
    this.#epoll = epoll;
    this.#wakeup = wakeup;
  }

  /** Makes an empty set. */
  static open(): Result<Poller, OsError> {
    const epoll = libc().epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) return failed({ call: "epoll_create1", what: "make an epoll instance" });
    const wakeup = libc().eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wakeup < 0) {
      const failure = failed({ call: "eventfd", what: "make an eventfd" });
      libc().close(epoll);
      return failure;
    }
    const poller = new Poller(epoll, wakeup);
    const added = poller.add(wakeup);
    if (added.ok) return ok(poller);
    poller.close();
    return added;
  }

  /** Adds a descriptor, for reading and for errors; also while a wait is pending. */
  add(fd: number): Result<void, OsError> {
    return this.#control(EPOLL_CTL_ADD, fd);
  }

  /** Takes a descriptor out; before it is closed. A pending wait may still report it. */
  remove(fd: number): Result<void, OsError> {
    return this.#control(EPOLL_CTL_DEL, fd);
  }

  /**
   * Waits until a descriptor is ready, `wake` is called, or the time is over (rounded up to
   * milliseconds; undefined waits without limit). The list is empty for a wake-up and when the time
   * is over. Only one wait may be pending. What fails takes a tenth of a second, so that a loop
   * around it leaves the processor to others.
   */
  async wait(timeout: Seconds | undefined): Promise<Result<readonly ReadyDescriptor[], OsError>> {
    assert(
      !this.#waiting && !this.#closed,
      "A poller has one wait at a time, and none after close",
    );
    this.#waiting = true;
    const count = await inBackground("wait", "epoll_wait", [
      this.#epoll,
      this.#events.bytes,
      READY_MAX,
      milliseconds(timeout),
    ]);
    this.#waiting = false;
    if (this.#closed) this.#release();
    if (count >= 0) return ok(this.#ready(count));
    // The reason of a failure is lost on the other thread; a second look without waiting finds it,
    // or what is ready.
    const looked = this.poll();
    if (!looked.ok) await new Promise((resolve) => setTimeout(resolve, FAILED_MILLISECONDS));
    return looked;
  }

  /** Reports what is ready at this moment, without waiting; not while a wait is pending. */
  poll(): Result<readonly ReadyDescriptor[], OsError> {
    assert(!this.#waiting, "A poller is not used while a wait is pending");
    if (this.#closed) return ok([]);
    const count = libc().epoll_wait(this.#epoll, this.#events.bytes, READY_MAX, 0);
    if (count >= 0) return ok(this.#ready(count));
    const code = lastErrno();
    if (code === ERRNO.EINTR) return ok([]);
    return err(osError({ call: "epoll_wait", what: "wait for sockets", code }));
  }

  /**
   * Reports what is ready at this moment, without waiting, also while a wait is pending; that may
   * report the same once more, and wake-ups are left to it. For code that keeps the event loop from
   * getting to the outcome of the wait.
   */
  peek(): readonly ReadyDescriptor[] {
    if (this.#closed) return [];
    const count = libc().epoll_wait(this.#epoll, this.#peeked.bytes, READY_MAX, 0);
    return count > 0 ? this.#readyIn(this.#peeked.view, count) : [];
  }

  /** Ends a pending wait, or the next one, at once. */
  wake(): void {
    if (this.#closed) return;
    this.#counter.view.setBigUint64(0, 1n, true);
    libc().write(this.#wakeup, this.#counter.bytes, 8n);
  }

  /** Closes the set, not the descriptors in it; a pending wait ends at once with an empty list. */
  close(): void {
    if (this.#closed) return;
    this.wake();
    this.#closed = true;
    if (!this.#waiting) this.#release();
  }

  #release(): void {
    libc().close(this.#epoll);
    libc().close(this.#wakeup);
  }

  #control(operation: number, fd: number): Result<void, OsError> {
    assert(!this.#closed, "A closed poller is not used");
    this.#one.view.setUint32(EPOLL_EVENT.events, EPOLLIN | EPOLLERR, true);
    this.#one.view.setInt32(EPOLL_EVENT.data, fd, true);
    if (libc().epoll_ctl(this.#epoll, operation, fd, this.#one.bytes) === 0) return ok(undefined);
    return failed({ call: "epoll_ctl", what: `watch descriptor ${fd}` });
  }

  #ready(count: number): readonly ReadyDescriptor[] {
    const ready = this.#readyIn(this.#events.view, count);
    if (ready.length < count && !this.#closed) libc().read(this.#wakeup, this.#counter.bytes, 8n);
    return ready;
  }

  /** All but the wake-up. */
  #readyIn(view: DataView<ArrayBuffer>, count: number): readonly ReadyDescriptor[] {
    const ready: ReadyDescriptor[] = [];
    for (let i = 0; i < count; i++) {
      const events = view.getUint32(i * EPOLL_EVENT.sizeof + EPOLL_EVENT.events, true);
      const fd = view.getInt32(i * EPOLL_EVENT.sizeof + EPOLL_EVENT.data, true);
      if (fd === this.#wakeup) continue;
      const error = (events & (EPOLLERR | EPOLLHUP)) !== 0;
      ready.push({ fd, error });
    }
    return ready;
  }
}

function milliseconds(timeout: Seconds | undefined): number {
  if (timeout === undefined) return -1;
  return Math.min(WAIT_MAX_MILLISECONDS, Math.max(0, Math.ceil(timeout * 1000)));
}
