/**
 * The `[[server]]` and `[server-defaults]` tables: the servers of the simulated world.
 *
 * @module
 */
import { boolean, duration, integer, text, textThat, word } from "../../config/field.ts";
import {
  type Built,
  complete,
  completeWritten,
  optional,
  required,
  type Row,
} from "../../config/key.ts";
import { address, leapIndicator, names, ppm, signedDuration } from "./fields.ts";
import { OSCILLATOR_KEYS } from "./oscillator.ts";
import {
  DIRECTION_KEYS,
  type DirectionModel,
  PATH_KEYS,
  type PathChange,
  pathChange,
} from "./path.ts";

const RESPONSE_KEYS = {
  "offset": optional(signedDuration, {
    default: 0,
    doc: "How far the clock of the server is ahead of true time.",
  }),
  "frequency-ppm": optional(ppm, {
    default: 0,
    doc: "The frequency error of the clock of the server.",
  }),
  "alive": optional(boolean, { default: true, doc: "Whether the server responds." }),
  "refuses": optional(boolean, {
    default: false,
    doc: "Whether the host of a dead server refuses requests.",
  }),
  "stratum": optional(integer(0, 16), { default: 1, doc: "The stratum that the server states." }),
  "reference-id": optional(text, {
    default: "GPS",
    doc: "The reference id: four characters or an IPv4 address. The simulated machine is " +
      "198.51.100.1.",
  }),
  "leap": optional(leapIndicator, {
    default: "none",
    doc: 'The leap indicator; "unknown" is an unsynchronised server.',
  }),
  "root-delay": optional(duration(), {
    default: 0,
    doc: "The root delay that the server states.",
  }),
  "root-dispersion": optional(duration(), {
    default: 0,
    doc: "The root dispersion that the server states.",
  }),
  "precision": optional(integer(-32, -1), {
    default: -25,
    doc: "The precision that the server states (a power of two, in seconds). Above -25 the bits " +
      "of its timestamps below it are random.",
  }),
  "turnaround": optional(duration(), {
    default: 10e-6,
    doc: "How long the server takes for a response.",
  }),
  "kiss": optional(
    textThat("a kiss code of four letters or none", (v) => /^([A-Z]{4})?$/.test(v) ? v : undefined),
    { doc: "The kiss code that the server sends instead of the time." },
  ),
  "kiss-interval": optional(duration(), {
    default: 0,
    doc: "If not 0, only requests that come sooner than this after the one before get the kiss " +
      "code.",
  }),
  "attack": optional(word(["none", "wrong-origin", "replay", "garbage", "false-kiss"]), {
    default: "none",
    doc: "Packets that an adversary sends in the name of the server, ahead of its response.",
  }),
};

/** What an event can change about a server and its path. */
export const CHANGE_KEYS: typeof PATH_KEYS & typeof RESPONSE_KEYS = {
  ...PATH_KEYS,
  ...RESPONSE_KEYS,
};

/** The keys of `[server-defaults]`. */
export const SERVER_DEFAULTS_KEYS: typeof CHANGE_KEYS & typeof OSCILLATOR_KEYS = {
  ...CHANGE_KEYS,
  ...OSCILLATOR_KEYS,
};

/** The keys of `[[server]]`. */
export const SERVER_KEYS = {
  "name": required(text, { doc: "The name by which sources and events refer to it." }),
  "address": optional(address, { otherwise: "192.0.2.N", doc: "Its numeric address." }),
  "pool": optional(names, { doc: "The names of the pools that it belongs to." }),
  "count": optional(integer(1, 64), {
    default: 1,
    doc: "The number of such servers, named `name-1`, `name-2`, ...",
  }),
  ...SERVER_DEFAULTS_KEYS,
};

/** One `[[server]]` as it is read, or what stands for one that is not written. */
export type ServerRow = Partial<Row<typeof SERVER_KEYS>>;

/** The `[server-defaults]` as they are read. */
export type ServerDefaultsRow = Partial<Row<typeof SERVER_DEFAULTS_KEYS>>;

/** A simulated server and the path to it. */
export interface ServerModel extends Built<typeof RESPONSE_KEYS>, Built<typeof OSCILLATOR_KEYS> {
  /** What it is called. */
  readonly name: string;
  /** Its numeric address. */
  readonly address: string;
  /** The pool names under which it is found, besides its own name. */
  readonly pools: readonly string[];
  /** The way to the server. */
  readonly forward: DirectionModel;
  /** The way back. */
  readonly backward: DirectionModel;
}

/** What can change about a server and its path while the world runs; what is left out stays. */
export type ServerChange = Partial<Built<typeof RESPONSE_KEYS>> & PathChange;

/** Returns what a table says of a server and its path, and nothing that it does not say. */
export function serverChange(row: Partial<Row<typeof CHANGE_KEYS>>): ServerChange {
  return { ...completeWritten(RESPONSE_KEYS, row), ...pathChange(row) };
}

/** Returns a row for each server that is written, by itself or as one of so many like it. */
export function serverRows(rows: readonly (ServerRow | undefined)[]): readonly ServerRow[] {
  return rows.flatMap((row, i) => {
    if (row === undefined) return [];
    const name = row.name ?? `server-${i + 1}`;
    const count = SERVER_KEYS.count.build(row.count);
    if (count === 1) return [{ ...row, name }];
    return Array.from({ length: count }, (_, j) => ({ ...row, name: `${name}-${j + 1}` }));
  });
}

/** Builds the servers in their order. */
export function buildServers(
  rows: readonly ServerRow[],
  defaults: ServerDefaultsRow = {},
): readonly ServerModel[] {
  return rows.map((row, i) => {
    const whole = { ...defaults, ...row };
    const { forward, backward } = pathChange(whole);
    return {
      name: row.name ?? `server-${i + 1}`,
      address: row.address ?? simulatedAddress(i + 1),
      pools: row.pool === undefined ? [] : [row.pool].flat(),
      ...complete(OSCILLATOR_KEYS, whole),
      ...complete(RESPONSE_KEYS, whole),
      forward: { ...complete(DIRECTION_KEYS), ...forward },
      backward: { ...complete(DIRECTION_KEYS), ...backward },
    };
  });
}

/** Addresses out of the block that is kept for documentation and tests (RFC 5737, RFC 3849). */
function simulatedAddress(index: number): string {
  return index < 255 ? `192.0.2.${index}` : `2001:db8::${index.toString(16)}`;
}
