/**
 * What the monitoring protocols of other programs read: the state of this moment, in numbers.
 *
 * @module
 */
import type { UnixNanoseconds } from "../base/ntp_timestamp.ts";
import type { Ppm, Seconds } from "../base/units.ts";
import type { KeyType } from "../config/key_file.ts";
import type { PeerVariables } from "../engine/status/peer_variables.ts";
import type { ServedTime } from "../engine/status/served_time.ts";
import type { StatusDocument } from "../engine/status/snapshot.ts";
import type { UpdateRecord } from "../engine/status/update_record.ts";

/** The kind of a symmetric key. */
export interface KeyKind {
  /** What codes are computed with. */
  readonly algorithm: KeyType;
  /** Its length. */
  readonly bits: number;
}

/** The kernel's clock as it tells others. */
export interface KernelVariables {
  /** The whole frequency correction; positive makes the clock run faster. */
  readonly frequencyPpm: Ppm;
  /** The bound of the error. */
  readonly maxErrorSeconds: Seconds;
  /** The estimate of the error. */
  readonly estimatedErrorSeconds: Seconds;
  /** Whether it is told to be synchronised. */
  readonly synchronized: boolean;
  /** TAI minus UTC; zero when it was not told. */
  readonly taiOffsetSeconds: number;
}

/** The state of this moment. */
export interface ControlView {
  /** What `ntpsd status --json` shows. */
  readonly status: StatusDocument;
  /** What clients are told of the clock. */
  readonly served: ServedTime;
  /** The sources, in the order of the status document. */
  readonly peers: readonly PeerVariables[];
  /** How far the clock was off. */
  readonly updates: UpdateRecord;
  /** The real-time clock. */
  readonly now: UnixNanoseconds;
  /** The kernel's clock; undefined where it cannot be read. */
  readonly kernel: KernelVariables | undefined;
  /** Returns the kind of a symmetric key; undefined for a number without a key. */
  keyKind(id: number): KeyKind | undefined;
}
