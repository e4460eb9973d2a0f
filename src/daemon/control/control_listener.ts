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
import { ACCESS_ALLOW, AccessRules } from "../../server/access.ts";
import { clientOf } from "../../server/client.ts";
import { unansweredSource } from "../../server/client_address.ts";
import type { FunctionStates } from "../observability/function_states.ts";
import { meetInternalError } from "../observability/internal_errors.ts";

/** Watches descriptors in the daemon's loop. */
export interface Watcher {
  /** Calls `onReady` when there is something to read, until the descriptor is left alone. */
  watch(fd: number, onReady: () => void): boolean;
  /** Leaves a descriptor alone; to be called before it is closed. */
  unwatch(fd: number): void;
}

/** What a listener is made of. */
export interface ControlListenerParts {
  /** What it is called in status and log. */
  readonly kind: FunctionKind;
  /** Answers; undefined is silence. Any octets are taken. */
  readonly respond: (request: Bytes) => Bytes | undefined;
  /** Whether this listener works. */
  readonly functions: FunctionStates;
  /** The loop. */
  readonly watcher: Watcher;
}

/** What is configured. */
export interface ControlPlace {
  /** Address and port; undefined for none. */
  readonly listen: string | undefined;
  /** Who may ask, as prefixes. */
  readonly allowlist: readonly string[];
}

/** So many requests are answered before others have their turn. */
const REQUESTS_PER_TURN = 16;

/** Keeps one listener, or none. */
export class ControlListener {
  readonly #parts: ControlListenerParts;
  #listen: string | undefined;
  #access: AccessRules | undefined;
  #socket: ControlSocket | undefined;

  /** Nothing is opened before `configure`. */
  constructor(parts: ControlListenerParts) {
    this.#parts = parts;
  }

  /** Listens at another place, or not at all, and for others. */
  configure({ listen, allowlist }: ControlPlace): void {
    const access = AccessRules.build({ allowlist: { filter: allowlist, action: "ignore" } });
    this.#access = access.ok ? access.value : undefined;
    if (listen !== this.#listen) this.stop();
    this.#listen = listen;
    this.#parts.functions.keepOnly(this.#parts.kind, listen === undefined ? [] : [listen]);
    this.retry();
  }

  /** Tries again if it could not be opened; to be called about once a second. */
  retry(): void {
    const name = this.#listen;
    if (name === undefined || this.#socket !== undefined) return;
    const { kind, functions, watcher } = this.#parts;
    const listen = present(parseSocketAddress(name), "The configuration was checked");
    const opened = ControlSocket.open(listen);
    if (!opened.ok) return functions.down({ kind, name }, opened.error.message);
    const socket = opened.value;
    if (!watcher.watch(socket.fd, () => this.#read(socket))) {
      socket.close();
      return functions.down({ kind, name }, "The socket cannot be watched");
    }
    this.#socket = socket;
    functions.up({ kind, name });
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
    for (let i = 0; i < REQUESTS_PER_TURN; i++) {
      const received = socket.receive();
      // An error of the network concerns one response; the next call is free of it.
      if (!received.ok || received.value === undefined) return;
      if (this.#mayAsk(received.value.source)) this.#answer(socket, received.value);
    }
  }

  #answer(socket: ControlSocket, request: ControlRequest): void {
    try {
      const response = this.#parts.respond(request.bytes);
      if (response !== undefined) socket.answer(response, request);
    } catch (error) {
      if (!meetInternalError(error)) throw error;
    }
  }

  #mayAsk({ address, port }: SocketAddress): boolean {
    const client = clientOf(address);
    return client !== undefined && unansweredSource(client, port) === undefined &&
      this.#access?.decide(client) === ACCESS_ALLOW;
  }
}
