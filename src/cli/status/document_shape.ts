/**
 * Tells whether a text from the daemon's address is a status document of this version.
 *
 * The problem: while the daemon does not run, or is of another version, anything may answer at its
 * address; what shows the document must not stumble over it. The idea: one table for each part of
 * the document, which the compiler keeps whole, and the place of the first thing that is wrong.
 * Limits: looks at types and words, not at whether the numbers make sense together.
 *
 * @module
 */
import { err, ok, type Result } from "../../base/result.ts";
import {
  type FunctionDocument,
  type FunctionKind,
  type HttpDocument,
  type NtsKeDocument,
  type ServerDocument,
  type SourceDocument,
  type StatusDocument,
  SYSTEM_STATES,
} from "../../engine/status/snapshot.ts";
import { LEAP } from "../../protocol/leap_indicator.ts";
import { STATUS_WORDS } from "../../selection/status.ts";

/** Reads a status document; the error is the place of what is wrong, empty for the whole. */
export function readStatusDocument(body: string): Result<StatusDocument, string> {
  let document;
  try {
    document = JSON.parse(body);
  } catch {
    return err("");
  }
  const wrong = STATUS(document, "");
  return wrong === undefined ? ok(document) : err(wrong);
}

/** Returns the place of what is wrong, given that of the value; undefined if all is well. */
type Field = (value: unknown, at: string) => string | undefined;

/** A field for each member, those included that may be absent. */
type Shape<Document> = { readonly [Key in keyof Required<Document>]: Field };

const is = (holds: (value: unknown) => boolean): Field => (value, at) =>
  holds(value) ? undefined : at;

const text = is((value) => typeof value === "string");
const flag = is((value) => typeof value === "boolean");
const number = is((value) => Number.isFinite(value));
const count = is((value) => Number.isSafeInteger(value) && Number(value) >= 0);
const time = is((value) => typeof value === "string" && !Number.isNaN(Date.parse(value)));

function word<Word extends string>(words: Readonly<Record<Word, unknown>>): Field {
  return is((value) => typeof value === "string" && Object.hasOwn(words, value));
}

function wordOf(words: readonly string[]): Field {
  return is((value) => words.some((known) => known === value));
}

function orNull(field: Field): Field {
  return (value, at) => value === null ? undefined : field(value, at);
}

function orAbsent(field: Field): Field {
  return (value, at) => value === undefined ? undefined : field(value, at);
}

function list(field: Field): Field {
  return (value, at) => Array.isArray(value) ? firstWrong(value, { field, at }) : at;
}

function firstWrong(
  values: readonly unknown[],
  { field, at }: { readonly field: Field; readonly at: string },
): string | undefined {
  for (const [i, value] of values.entries()) {
    const wrong = field(value, `${at}[${i}]`);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

const counts: Field = (value, at) => {
  if (!isRecord(value)) return at;
  return Object.values(value).every((each) => count(each, "") === undefined) ? undefined : at;
};

function object<Document>(shape: Shape<Document>): Field {
  const fields = Object.entries<Field>(shape);
  return (value, at) => {
    if (!isRecord(value)) return at;
    for (const [name, field] of fields) {
      const member = Object.hasOwn(value, name) ? value[name] : undefined;
      const wrong = field(member, at === "" ? name : `${at}.${name}`);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const SOURCE = object<SourceDocument>({
  name: text,
  address: orNull(text),
  mode: word<SourceDocument["mode"]>({ "server": 1, "pool": 1, "nts": 1, "nts-pool": 1 }),
  status: wordOf(STATUS_WORDS),
  reason: text,
  reach: count,
  stratum: orNull(count),
  referenceId: orNull(text),
  pollSeconds: number,
  lastReplySecondsAgo: orNull(number),
  offsetSeconds: orNull(number),
  delaySeconds: orNull(number),
  dispersionSeconds: orNull(number),
  jitterSeconds: orNull(number),
  errorBoundSeconds: orNull(number),
  timestamping: orNull(
    word<NonNullable<SourceDocument["timestamping"]>>({ hardware: 1, kernel: 1, user: 1 }),
  ),
  measuredOffsetSeconds: orAbsent(orNull(number)),
  authentication: word<SourceDocument["authentication"]>({ none: 1, nts: 1, mac: 1 }),
  nts: orNull(object<NonNullable<SourceDocument["nts"]>>({
    cookies: count,
    aead: orNull(count),
    lastKeyExchange: orNull(text),
    failures: counts,
    provisional: flag,
  })),
  sent: count,
  sendFailures: count,
  received: count,
  dropped: counts,
});

const SERVER = object<ServerDocument>({
  listen: text,
  received: count,
  answered: count,
  controlAnswered: count,
  denied: count,
  rateLimited: count,
  dropped: counts,
  nts: object<ServerDocument["nts"]>({ answered: count, naks: count }),
  interleaved: count,
  kisses: count,
  clients: orAbsent(list(
    object<NonNullable<ServerDocument["clients"]>[number]>({
      prefix: text,
      requests: count,
      error: count,
    }),
  )),
});

const KEY_EXCHANGE: Shape<NtsKeDocument> = {
  listen: text,
  accepted: count,
  completed: count,
  failed: counts,
};

const FUNCTION = object<FunctionDocument>({
  kind: word<FunctionKind>({
    "configuration": 1,
    "server": 1,
    "nts-ke-server": 1,
    "certificate": 1,
    "http": 1,
    "chronyc": 1,
    "ntpq": 1,
    "keyset": 1,
    "statistics": 1,
    "drift-file": 1,
    "leap-seconds-file": 1,
  }),
  name: text,
  up: flag,
  reason: text,
});

const STATUS = object<StatusDocument>({
  version: text,
  startedAt: time,
  state: wordOf(SYSTEM_STATES),
  adjusting: flag,
  why: text,
  stratum: count,
  leap: word(LEAP),
  referenceId: text,
  referenceTime: orNull(time),
  offsetSeconds: orNull(number),
  frequencyPpm: number,
  skewPpm: orNull(number),
  rootDelaySeconds: number,
  rootDispersionSeconds: number,
  errorBoundSeconds: orNull(number),
  updateIntervalSeconds: orNull(number),
  steps: object<StatusDocument["steps"]>({ count, accumulatedSeconds: number }),
  sources: list(SOURCE),
  servers: list(SERVER),
  ntsKe: list(object(KEY_EXCHANGE)),
  http: orNull(object<HttpDocument>({ ...KEY_EXCHANGE, open: count })),
  functions: list(FUNCTION),
  hardwareTimestampFallbacks: counts,
  internalErrors: count,
});
