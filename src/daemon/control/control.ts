/**
 * The monitoring protocols of other programs, as the daemon serves them.
 *
 * The control protocol of NTP belongs to the port of NTP: where a server listens there, it hands
 * such requests over; else there is a listener for them alone.
 *
 * @module
 */
import { boottimeNow, realtimeNow } from "../../../ffi/clock/clock.ts";
import { readKernelClock } from "../../../ffi/clock/timex.ts";
import { releaseFiles } from "../../../ffi/file/held_files.ts";
import { Budget } from "../../base/budget.ts";
import type { Bytes } from "../../base/bytes.ts";
import { formatSocketAddress, type SocketAddress } from "../../base/socket_address.ts";
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";
import type { Config } from "../../config/config.ts";
import { takenBy } from "../../config/listen.ts";
import { NTPQ_ADDRESS, NTPQ_ADDRESS_IPV6 } from "../../config/sections/control.ts";
import { ChronyResponder } from "../../control/chrony/respond.ts";
import type { ControlView } from "../../control/control_view.ts";
import { NtpqResponder } from "../../control/ntpq/respond.ts";
import type { Engine } from "../../engine/engine.ts";
import type { StatusDocument } from "../../engine/status/snapshot.ts";
import { ACCESS_ALLOW, AccessRules } from "../../server/access.ts";
import { clientOf } from "../../server/client.ts";
import { unansweredSource } from "../../server/client_address.ts";
import { readInstant } from "../../system/local_clock.ts";
import { randomSource } from "../../system/random.ts";
import type { KeyRing } from "../key_ring.ts";
import type { FunctionStates } from "../observability/function_states.ts";
import { ControlListener, type Watcher } from "./control_listener.ts";

/** So old the state may be that is told. */
const VIEW_AGE_MAX: Seconds = 0.05;
/**
 * So many requests are answered in a second by each protocol: more than any tool asks, even one
 * that asks for many sources one by one, and too few to keep the daemon from its work. What is
 * beyond gets no response.
 */
const REQUESTS_PER_SECOND = 400;

/** What is told, and where. */
export interface ControlParts {
  /** Tells of sources and clock. */
  readonly engine: Pick<Engine, "peers" | "servedTime" | "updates">;
  /** Makes the status document of this moment. */
  readonly status: () => StatusDocument;
  /** The precision of the clock, an exponent of two seconds. */
  readonly precision: number;
  /** Whether the clock may be adjusted: configured and permitted. */
  readonly mayAdjust: boolean;
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
  readonly #ntpq: ControlListener;
  /** Tools that are not told where to ask try localhost, of which ::1 comes first. */
  readonly #ntpqIpv6: ControlListener;
  readonly #ntpqResponder: NtpqResponder;
  #access: AccessRules | undefined;
  #servesNtpq = false;
  #seen: { readonly view: ControlView; readonly at: MonotonicSeconds } | undefined;

  /** Nothing is opened before `configure`. */
  constructor(parts: ControlParts) {
    this.#parts = parts;
    const { functions, watcher, precision } = parts;
    const view = () => this.#view();
    const mayAsk = (client: SocketAddress) => this.#mayAsk(client);
    const chrony = new ChronyResponder(view, withinBudget());
    const ntpq = new NtpqResponder({
      view,
      mayAnswer: withinBudget(),
      random: randomSource,
      precision,
      system: "Linux",
    });
    this.#ntpqResponder = ntpq;
    this.#chronyc = new ControlListener({
      kind: "chronyc",
      respond: (request) => chrony.respond(request),
      mayAsk,
      functions,
      watcher,
    });
    const ntpqParts = {
      kind: "ntpq",
      respond: (request: Bytes, client: SocketAddress) => this.#askedByNtpq(request, client),
      mayAsk,
      functions,
      watcher,
    } as const;
    this.#ntpq = new ControlListener(ntpqParts);
    this.#ntpqIpv6 = new ControlListener({ ...ntpqParts, isBeside: true });
  }

  /** Brings all listeners up to a configuration, and closes the sockets held for none of them. */
  configure({ control, servers }: Config): void {
    const { ntpq, chronyc, allowlist } = control;
    const access = AccessRules.build({ allowlist: { filter: allowlist, action: "ignore" } });
    this.#access = access.ok ? access.value : undefined;
    this.#servesNtpq = ntpq !== "off";
    this.#chronyc.configure({ listen: chronyc, isWanted: true });
    const isWanted = ntpq !== undefined;
    // a program that only measures leaves the port to the one that keeps the clock
    const place = ntpq === "off" || (!isWanted && !this.#parts.mayAdjust)
      ? undefined
      : ntpq ?? NTPQ_ADDRESS;
    const listens = servers.map(({ listen }) => listen);
    const isServed = (at: string) => takenBy(listens, at);
    const unless = (at: string | undefined) => at === undefined || isServed(at) ? undefined : at;
    this.#ntpq.configure({ listen: unless(place), isWanted });
    const beside = place === NTPQ_ADDRESS ? NTPQ_ADDRESS_IPV6 : undefined;
    this.#ntpqIpv6.configure({ listen: unless(beside), isWanted: false });
    releaseFiles(({ purpose }) => purpose !== "socket");
  }

  /** Answers what a server has got for the control protocol. */
  answer(request: Bytes, client: SocketAddress): readonly Bytes[] {
    if (!this.#servesNtpq || !this.#mayAsk(client)) return [];
    return this.#askedByNtpq(request, client);
  }

  /** Tries again what could not be opened; to be called about once a second. */
  retry(): void {
    this.#chronyc.retry();
    this.#ntpq.retry();
    this.#ntpqIpv6.retry();
  }

  /** Closes all listeners. */
  stop(): void {
    this.#chronyc.stop();
    this.#ntpq.stop();
    this.#ntpqIpv6.stop();
  }

  #askedByNtpq(request: Bytes, client: SocketAddress): readonly Bytes[] {
    const from = { client: formatSocketAddress(client), now: readInstant().monotonic };
    return this.#ntpqResponder.respond(request, from);
  }

  /** Applies the access list. */
  #mayAsk({ address, port }: SocketAddress): boolean {
    const client = clientOf(address);
    return client !== undefined && unansweredSource(client, port) === undefined &&
      this.#access?.decide(client) === ACCESS_ALLOW;
  }

  /** Returns the state of the moment, or of one just before: it is a long document. */
  #view(): ControlView {
    const at = boottimeNow();
    if (this.#seen === undefined || at - this.#seen.at > VIEW_AGE_MAX) {
      this.#seen = { view: this.#readView(), at };
    }
    return this.#seen.view;
  }

  #readView(): ControlView {
    const { engine, status, keyRing } = this.#parts;
    const now = readInstant();
    const kernel = readKernelClock();
    return {
      status: status(),
      served: engine.servedTime(now),
      peers: engine.peers(now),
      updates: engine.updates,
      now: realtimeNow(),
      kernel: kernel.ok ? kernel.value : undefined,
      keyKind: (id) => keyRing.kindOf(id),
    };
  }
}

/** Makes a budget, which tells for each request whether it is within it. */
function withinBudget(): () => boolean {
  const budget = new Budget(REQUESTS_PER_SECOND);
  return () => {
    if (!budget.isLeft(boottimeNow())) return false;
    budget.take();
    return true;
  };
}
