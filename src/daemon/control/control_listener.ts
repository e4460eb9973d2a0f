/**
 * The listener for a monitoring protocol: opened as configured, tried again while it cannot be, and
 * answered from the daemon's loop.
 *
 * Addresses that may not ask get nothing; others get at most one response for each request, and a
 * bounded number of them in one turn of the loop. Limits: one address.
 *
 * @module
 */
import { present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { parseSocketAddress, type SocketAddress } from "../../base/socket_address.ts";
import type { FunctionKind } from "../../engine/status/snapshot.ts";
import { type ControlRequest, ControlSocket } from "../../../ffi/socket/control_socket.ts";
import type { FunctionStates } from "../observability/function_states.ts";
import { meetInternalError } from "../observability/internal_errors.ts";

/** Watches descriptors in the daemon's loop. */
export interface Watcher {
  /** Calls `onReady` when there is something to read, until the descriptor is left alone. */
  watch(fd: number, onReady: () => void): boolean;
  /** Leaves a descriptor alone; to be called before it is closed. */
  unwatch(fd: number): void;
}

/** Returns the datagrams that answer one of a client. */
export type ControlResponse = (request: Bytes, client: SocketAddress) => readonly Bytes[];

/** What a listener is made of. */
export interface ControlListenerParts {
  /** What it is called in status and log. */
  readonly kind: FunctionKind;
  /** Returns the datagrams of a response; none is silence. Any octets are taken. */
  readonly respond: ControlResponse;
  /** Whether it stands beside another listener of its kind, and is not told of. */
  readonly isBeside?: boolean;
  /** Whether a client may ask. */
  readonly mayAsk: (client: SocketAddress) => boolean;
  /** Whether this listener works. */
  readonly functions: FunctionStates;
  /** The loop. */
  readonly watcher: Watcher;
}

/** Where to listen. */
export interface ControlPlace {
  /** Address and port; undefined for none. */
  readonly listen: string | undefined;
  /** Whether the configuration asks for it: then status and log tell when it cannot be opened. */
  readonly isWanted: boolean;
}

/** Keeps one listener, or none. */
export class ControlListener {
  readonly #parts: ControlListenerParts;
  #listen: string | undefined;
  #isWanted = false;
  #socket: ControlSocket | undefined;

  /** Nothing is opened before `configure`. */
  constructor(parts: ControlListenerParts) {
    this.#parts = parts;
  }

  /** Listens at another place, or not at all. */
  configure({ listen, isWanted }: ControlPlace): void {
    this.#isWanted = isWanted;
    if (listen !== this.#listen) this.stop();
    this.#listen = listen;
    const { kind, functions, isBeside } = this.#parts;
    if (isBeside !== true) {
      functions.keepOnly(kind, listen === undefined || !isWanted ? [] : [listen]);
    }
    if (this.#socket === undefined) this.retry();
    else this.#tell(undefined);
  }

  /** Tries again if it could not be opened; to be called about once a second. */
  retry(): void {
    const name = this.#listen;
    if (name === undefined || this.#socket !== undefined) return;
    const { watcher } = this.#parts;
    const listen = present(parseSocketAddress(name), "The configuration was checked");
    const opened = ControlSocket.open(listen);
    if (!opened.ok) {
      const { message, hint } = opened.error;
      return this.#tell(hint === undefined ? message : `${message}. ${hint}`);
    }
    const socket = opened.value;
    if (!watcher.watch(socket.fd, () => this.#read(socket))) {
      socket.close();
      return this.#tell("The socket cannot be watched");
    }
    this.#socket = socket;
    this.#tell(undefined);
  }

  /** Tells what works; what the configuration does not ask for is missed by nobody. */
  #tell(error: string | undefined): void {
    const { kind, functions, isBeside } = this.#parts, name = this.#listen;
    if (name === undefined || isBeside === true) return;
    if (error === undefined) functions.up({ kind, name });
    else if (this.#isWanted) functions.down({ kind, name }, error);
  }

  /** Closes the socket. */
  stop(): void {
    this.#listen = undefined;
    if (this.#socket === undefined) return;
    this.#parts.watcher.unwatch(this.#socket.fd);
    this.#socket.close();
    this.#socket = undefined;
  }

  #read(socket: ControlSocket): void {
    for (const request of socket.receive()) {
      if (this.#parts.mayAsk(request.source)) this.#answer(socket, request);
    }
  }

  #answer(socket: ControlSocket, request: ControlRequest): void {
    try {
      for (const response of this.#parts.respond(request.bytes, request.source)) {
        socket.answer(response, request);
      }
    } catch (error) {
      if (!meetInternalError(error)) throw error;
    }
  }
}
