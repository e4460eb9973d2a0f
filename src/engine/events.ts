/**
 * What happens to the engine, and what it wants done: the whole border between the core and the
 * world.
 *
 * The daemon turns system calls into events and actions into system calls; the simulator does the
 * same with a simulated world. Nothing else passes this border, so a run is repeated exactly by its
 * events.
 *
 * @module
 */
import type { Result } from "../base/result.ts";
import type { Ppm, Seconds } from "../base/units.ts";
import type {
  AssociationId,
  CloseAction,
  DatagramEvent,
  ExchangeKeysAction,
  KeysExchangedEvent,
  LogAction,
  RequestId,
  ResolveAction,
  ResolvedEvent,
  SendAction,
  SendFailedEvent,
} from "../association/events.ts";
import type { LeapIndicator } from "../protocol/leap_indicator.ts";
import type { Config } from "../config/config.ts";
import type { LeapTable } from "./leap/leap_table.ts";
import type { SessionState } from "../nts/client/session.ts";
import type { ExchangeCertificate } from "../nts/key_exchange/outcome.ts";

export type { Instant } from "../base/instant.ts";
export type {
  AssociationId,
  DatagramEvent,
  ExchangeKeysAction,
  KeysExchangedEvent,
  RequestId,
  ResolveAction,
  SendAction,
  SendFailedEvent,
};

/** Something the engine reacts to. */
export type Event =
  | { readonly type: "start" }
  | { readonly type: "timer" }
  | DatagramEvent
  | SendFailedEvent
  | ResolvedEvent
  | {
    /**
     * A `set-clock` action was carried out, or not. `now` of this event is the moment after the
     * change.
     */
    readonly type: "clock-set";
    readonly result: Result<ClockReading, string>;
  }
  | {
    /** The machine slept: the boot-time clock ran this much ahead of the monotonic one. */
    readonly type: "resumed";
    readonly asleep: Seconds;
  }
  | {
    /**
     * The machine may have stood still: its hardware clock ran this much ahead of all its others.
     */
    readonly type: "standstill-suspected";
    readonly missing: Seconds;
  }
  | {
    /**
     * There may be a way to servers that there was not before, or the administrator says so: all
     * are to be asked now.
     */
    readonly type: "network-changed";
  }
  | {
    /**
     * Keys and cookies are to be saved for the run after a crash; answered by a `save-sessions`
     * action.
     */
    readonly type: "save-sessions";
  }
  | { readonly type: "reconfigure"; readonly config: Config }
  | {
    /** Where this machine can be reached has changed. */
    readonly type: "own-addresses";
    /** Its addresses, numeric, without ports; as before when left out. */
    readonly addresses?: readonly string[];
    /**
     * Those of our listeners that are not open, as configured; as before when left out, none before
     * the first.
     */
    readonly closed?: readonly string[];
  }
  | { readonly type: "drift-loaded"; readonly frequency: Ppm; readonly skew: Ppm }
  | {
    /** The table of leap seconds was read, anew perhaps; undefined when there is none any more. */
    readonly type: "leap-table";
    readonly table: LeapTable | undefined;
  }
  | KeysExchangedEvent
  | {
    /** Certificates were verified as a `verify-certificates` action wanted. */
    readonly type: "certificates-verified";
    readonly results: readonly {
      readonly association: AssociationId;
      /** Why a certificate is refused, in a sentence; undefined when it is good. */
      readonly reason: string | undefined;
    }[];
  }
  | { readonly type: "stop" };

/** The event of a type. */
export type EventOf<Type extends Event["type"]> = Extract<Event, { readonly type: Type }>;

/** What the kernel clock was found to be after a change. */
export interface ClockReading {
  /** The frequency that is now in force, slew included. */
  readonly frequency: Ppm;
  /** The step that was made, 0 if none. */
  readonly step: Seconds;
}

/** What the kernel is told of the clock's quality, for the programs that ask it. */
export interface KernelStatus {
  /** Clears STA_UNSYNC. */
  readonly synchronized: boolean;
  /** What the kernel itself is to do at the end of this UTC day. */
  readonly leap: LeapIndicator;
  /** The largest possible error. */
  readonly maxError: Seconds;
  /** The estimated error. */
  readonly estimatedError: Seconds;
  /** TAI minus UTC, if known. */
  readonly taiOffset: Seconds | undefined;
}

/** Changes the kernel clock; answered by a `clock-set` event. */
export interface SetClockAction {
  /** Tells actions apart. */
  readonly type: "set-clock";
  /**
   * The frequency correction to apply from now on, slew included; positive makes the clock faster.
   */
  readonly frequency: Ppm;
  /** Added to the clock at once; 0 for none. */
  readonly step: Seconds;
  /** Set along with the frequency. */
  readonly status: KernelStatus;
}

/** Something to be done for the engine. */
export type Action =
  | SendAction
  | CloseAction
  | ResolveAction
  | SetClockAction
  | { readonly type: "save-drift"; readonly frequency: Ppm; readonly skew: Ppm }
  | ExchangeKeysAction
  | {
    /**
     * Verifies chains again at a time that has been found; answered by a `certificates-verified`
     * event.
     */
    readonly type: "verify-certificates";
    readonly certificates: readonly {
      readonly association: AssociationId;
      readonly certificate: ExchangeCertificate;
    }[];
    /** Unix seconds. */
    readonly at: number;
  }
  | {
    /** Replaces the keys and cookies that are kept; none of these cookies is sent by this run. */
    readonly type: "save-sessions";
    readonly sessions: ReadonlyMap<string, SessionState>;
  }
  | {
    /** Keeps a time that has certainly passed, in Unix seconds, for the next start. */
    readonly type: "save-time-bound";
    readonly bound: number;
  }
  | LogAction
  | {
    /** The offset is beyond a panic threshold: the daemon must end with the sentence. */
    readonly type: "panic";
    readonly message: string;
  };

/** The action of a type. */
export type ActionOf<Type extends Action["type"]> = Extract<Action, { readonly type: Type }>;
