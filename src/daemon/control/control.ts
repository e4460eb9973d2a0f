/**
 * The monitoring protocols of other programs, as the daemon serves them.
 *
 * @module
 */
import { realtimeNow } from "../../../ffi/clock/clock.ts";
import type { ControlConfig } from "../../config/sections/control.ts";
import { ChronyResponder } from "../../control/chrony/respond.ts";
import type { ControlView } from "../../control/control_view.ts";
import type { Engine } from "../../engine/engine.ts";
import type { StatusDocument } from "../../engine/status/snapshot.ts";
import { readInstant } from "../../system/local_clock.ts";
import type { KeyRing } from "../key_ring.ts";
import type { FunctionStates } from "../observability/function_states.ts";
import { ControlListener, type Watcher } from "./control_listener.ts";

/** What is told, and where. */
export interface ControlParts {
  /** Tells of sources and clock. */
  readonly engine: Pick<Engine, "peers" | "servedTime" | "updates">;
  /** Makes the status document of this moment. */
  readonly status: () => StatusDocument;
  /** Knows the kinds of keys. */
  readonly keyRing: Pick<KeyRing, "kindOf">;
  /** Knows which listeners work. */
  readonly functions: FunctionStates;
  /** The loop in which requests are answered. */
  readonly watcher: Watcher;
}

/** The listeners of one daemon. */
export class Control {
  readonly #parts: ControlParts;
  readonly #chronyc: ControlListener;

  /** Nothing is opened before `configure`. */
  constructor(parts: ControlParts) {
    this.#parts = parts;
    const { functions, watcher } = parts;
    const chrony = new ChronyResponder(() => this.#view());
    this.#chronyc = new ControlListener({
      kind: "chronyc",
      respond: (request) => chrony.respond(request),
      functions,
      watcher,
    });
  }

  /** Brings all listeners up to a configuration. */
  configure({ chronyc, allowlist }: ControlConfig): void {
    this.#chronyc.configure({ listen: chronyc, allowlist });
  }

  /** Tries again what could not be opened; to be called about once a second. */
  retry(): void {
    this.#chronyc.retry();
  }

  /** Closes all listeners. */
  stop(): void {
    this.#chronyc.stop();
  }

  #view(): ControlView {
    const { engine, status, keyRing } = this.#parts;
    const now = readInstant();
    return {
      status: status(),
      served: engine.servedTime(now),
      peers: engine.peers(now),
      updates: engine.updates,
      now: realtimeNow(),
      keyKind: (id) => keyRing.kindOf(id),
    };
  }
}
