/**
 * The loop that moves requests and responses between sockets and the response path.
 *
 * The problem: a busy server must not keep the engine waiting, and a trip through the thread pool
 * for every request would cost more than the response. The idea: waiting is done on the thread
 * pool, which brings all that has queued up; then, without waiting, one batch after another is
 * received and answered until nothing is left or the turn is over. A wait that ends at once lets
 * nothing else run (see `ffi/yield.ts`), so a turn goes on over such waits, and at its end the loop
 * steps aside; what must not wait so long is done meanwhile. While requests follow each other so
 * closely that a pause is shorter than the trip, the loop looks again for a few microseconds before
 * it goes to wait; it finds out by trying whether that pays. Limits: one turn takes at most
 * `TURN_SECONDS` and one batch; with several busy listeners HTTP and key exchanges wait for a turn
 * of each, but not the engine.
 *
 * @module
 */
import { boottimeNow } from "../../ffi/clock/clock.ts";
import type { OsError } from "../../ffi/errno.ts";
import { ServerBatch } from "../../ffi/socket/server_batch.ts";
import type { ServerSocket } from "../../ffi/socket/server_socket.ts";
import { yieldToEventLoop } from "../../ffi/yield.ts";
import type { Bytes } from "../base/bytes.ts";
import { plainAddress, type SocketAddress } from "../base/socket_address.ts";
import type { MonotonicSeconds, Seconds } from "../base/units.ts";
import type { Responder } from "../server/respond.ts";

/** A socket and what answers on it. */
export interface Listener {
  /** Read and closed by the loop. */
  readonly socket: ServerSocket;
  /** Answers for this socket alone: it keeps the socket's counts. */
  readonly responder: Responder;
}

/** What the loop tells its owner, or leaves to it. */
export interface ServerLoopReports {
  /** A receive failed for a new reason; the loop tries again after a pause. */
  readonly onReceiveError?: (listener: Listener, error: OsError) => void;
  /**
   * A response could not be sent, for a reason for which none failed before; its client was passed
   * over.
   */
  readonly onSendError?: (error: OsError) => void;
  /** A batch could not be answered because of an internal error; it was dropped. */
  readonly onInternalError?: (error: unknown) => void;
  /** Called every few milliseconds of a turn that lasts: what must not wait for its end. */
  readonly onBusy?: (() => void) | undefined;
}

/** So long all else may wait: stepping aside costs about a tenth of a millisecond. */
const TURN_SECONDS: Seconds = 10e-3;
/** So long may wait what the owner does meanwhile. */
const ON_BUSY_SECONDS: Seconds = 2e-3;
/** A wait of so long on the thread pool was a sleep, and everything else has run meanwhile. */
const SURE_WAIT_SECONDS: Seconds = 200e-6;
const SPIN_SECONDS: Seconds = 25e-6;
const RETRY_MILLISECONDS = 100;
/** A moving average over about so many batches. */
const SMOOTHING = 1 / 16;
const SEND_SECONDS_START: Seconds = 3e-6;
/** After so many waits, one looks again for requests although that has not paid lately. */
const PROBE_EVERY = 64;
const SPIN_PAYS = 0.5;
/** Timestamps of the kernel that have not come by then are lost. */
const TRANSMIT_TIMESTAMP_TIMEOUT: Seconds = 0.1;

/** Serves one listener until it is stopped. */
export class ServerLoop {
  readonly #listener: Listener;
  readonly #reports: ServerLoopReports;
  readonly #batch = new ServerBatch();
  #running: Promise<void> | undefined;
  #stopping = false;
  #wakeRetry: (() => void) | undefined;
  #lastError = 0;
  /** The numbers of the errors for which sending has failed. */
  readonly #sendErrors = new Set<number>();
  #sendSeconds = SEND_SECONDS_START;
  #spinSuccess = 0;
  #waits = 0;
  #hasSlept = false;
  #timestampedAt: MonotonicSeconds = 0;
  #othersRanAt: MonotonicSeconds = 0;
  #busyAt: MonotonicSeconds = 0;

  /** Prepares to serve; nothing is received before `start`. */
  constructor(listener: Listener, reports: ServerLoopReports = {}) {
    this.#listener = listener;
    this.#reports = reports;
  }

  /** Starts to serve. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Stops: closes the socket and resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wakeRetry?.();
    this.#listener.socket.close();
    await this.#running;
  }

  /** The client of a request of the batch at hand. */
  client(index: number): SocketAddress {
    return plainAddress(this.#batch.peer(index));
  }

  /** Sends a datagram to the client of a request of the batch at hand, beside its responses. */
  sendBeside(index: number, octets: Bytes): void {
    this.#listener.socket.sendBeside(this.#batch, { index, octets });
  }

  /** How many datagrams the kernel has dropped at the socket for want of room. */
  get receiveDrops(): number {
    return this.#batch.receiveDrops;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      let more = await this.#waitOrPause();
      while (more && !this.#stopping && !this.#turn()) {
        await yieldToEventLoop();
        this.#othersRanAt = boottimeNow();
        more = !this.#stopping && this.#receive() > 0;
      }
    }
  }

  /** Waits for requests; after an internal error, for a while. Tells whether there are requests. */
  async #waitOrPause(): Promise<boolean> {
    try {
      return await this.#wait();
    } catch (error) {
      this.#dropBatch(error, 0);
      await this.#pause();
      return false;
    }
  }

  /** Waits on the thread pool for requests; returns whether there are any. */
  async #wait(): Promise<boolean> {
    const from = boottimeNow();
    const received = await this.#listener.socket.receiveInBackground(this.#batch);
    const now = boottimeNow();
    this.#hasSlept = now - from > SURE_WAIT_SECONDS;
    if (this.#hasSlept) this.#othersRanAt = now;
    if (received.ok && received.value > 0) return true;
    // the socket is closed already
    if (this.#stopping) return false;
    // a timestamp that is left lying ends each wait that the listeners share
    if (this.#listener.responder.transmits.awaitsTimestamps) this.#takeTimestamps(now);
    if (!received.ok) await this.#afterError(received.error);
    return false;
  }

  /**
   * Answers what has been received, and goes on while there is more and the turn lasts; returns
   * whether it ended because nothing was left.
   */
  #turn(): boolean {
    let now = this.#answer(boottimeNow());
    while (now - this.#othersRanAt < TURN_SECONDS) {
      let count = this.#receive();
      if (count === 0) count = this.#spin(now);
      if (count <= 0) return true;
      now = this.#answer(boottimeNow());
      if (now - this.#busyAt >= ON_BUSY_SECONDS) this.#tellBusy(now);
    }
    return false;
  }

  /**
   * Answers the requests in the batch and returns the time at which that was done; whatever goes
   * wrong concerns this batch.
   */
  #answer(now: MonotonicSeconds): MonotonicSeconds {
    try {
      return this.#answerBatch(now);
    } catch (error) {
      this.#dropBatch(error, this.#batch.count);
      return boottimeNow();
    }
  }

  #answerBatch(now: MonotonicSeconds): MonotonicSeconds {
    const { responder } = this.#listener, batch = this.#batch;
    if (responder.transmits.awaitsTimestamps) this.#takeTimestamps(now);
    const sendSeconds = this.#sendSeconds, hasSlept = this.#hasSlept;
    responder.respond(batch, { now, sendSeconds, hasSlept });
    this.#hasSlept = false;
    const done = batch.queued === 0 ? now : this.#send();
    responder.counters.endBatch();
    return done;
  }

  /** Sends the responses of the batch, and measures what sending one takes. */
  #send(): MonotonicSeconds {
    const { socket, responder: { transmits } } = this.#listener, batch = this.#batch;
    const { queued } = batch;
    if (transmits.awaitsTimestamps) socket.allowTransmitTimestamps();
    const ready = boottimeNow();
    socket.send(batch, this.#onRefused);
    const done = boottimeNow();
    this.#sendSeconds += SMOOTHING * ((done - ready) / queued - this.#sendSeconds);
    if (transmits.awaitsTimestamps) this.#timestampedAt = done;
    return done;
  }

  /** Goes on after an internal error: of a batch of `count`, what was not sent is dropped. */
  #dropBatch(error: unknown, count: number): void {
    const { socket, responder } = this.#listener;
    responder.counters.abandonBatch(count);
    this.#batch.clearResponses();
    socket.restartTransmitTimestamps();
    responder.transmits.restartIds();
    this.#reports.onInternalError?.(error);
  }

  #receive(): number {
    // An error comes up again in the background receive, where it is dealt with.
    try {
      const received = this.#listener.socket.receive(this.#batch);
      return received.ok ? received.value : -1;
    } catch {
      return -1;
    }
  }

  /** Looks again for a few microseconds if that has paid lately, or now and then to find out. */
  #spin(from: MonotonicSeconds): number {
    this.#waits++;
    if (this.#spinSuccess < SPIN_PAYS && this.#waits % PROBE_EVERY !== 0) return 0;
    let count = 0;
    do count = this.#receive(); while (count === 0 && boottimeNow() - from < SPIN_SECONDS);
    this.#spinSuccess += SMOOTHING * ((count > 0 ? 1 : 0) - this.#spinSuccess);
    return count;
  }

  #takeTimestamps(now: MonotonicSeconds): void {
    const { socket, responder: { transmits } } = this.#listener;
    const { ids, timestamps } = socket.timestamps;
    for (let count = socket.receiveTransmitTimestamps(); count > 0;) {
      for (let i = 0; i < count; i++) {
        transmits.noteTransmit(ids[i] ?? 0, {
          seconds: timestamps[2 * i] ?? 0,
          fraction: timestamps[2 * i + 1] ?? 0,
        });
      }
      count = socket.receiveTransmitTimestamps();
    }
    if (transmits.awaitsTimestamps && now - this.#timestampedAt > TRANSMIT_TIMESTAMP_TIMEOUT) {
      transmits.forgetTimestamps();
    }
  }

  /**
   * Passes over a response that the system refused. Some refusals count for the kernel's numbers of
   * timestamps and some do not, so both sides begin anew, before the responses behind it are sent:
   * those lose nothing.
   */
  readonly #onRefused = (position: number, error: OsError): void => {
    const { socket, responder } = this.#listener, batch = this.#batch;
    responder.counters.unsent(position);
    if (batch.isTimestamped(position)) {
      this.#takeTimestamps(boottimeNow());
      socket.restartTransmitTimestamps();
      responder.transmits.restartIds(batch.timestampedBehind(position));
    }
    if (this.#sendErrors.has(error.code)) return;
    this.#sendErrors.add(error.code);
    this.#reports.onSendError?.(error);
  };

  #tellBusy(now: MonotonicSeconds): void {
    this.#busyAt = now;
    this.#reports.onBusy?.();
  }

  async #afterError(error: OsError): Promise<void> {
    if (error.code !== this.#lastError) this.#reports.onReceiveError?.(this.#listener, error);
    this.#lastError = error.code;
    await this.#pause();
  }

  async #pause(): Promise<void> {
    if (this.#stopping) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, RETRY_MILLISECONDS);
      this.#wakeRetry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wakeRetry = undefined;
  }
}
