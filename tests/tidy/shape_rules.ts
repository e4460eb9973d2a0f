/**
 * House rules about the shape of a file: parameters, switches, comments.
 *
 * The limits of each rule stand at its function; what the code does not obey yet is in
 * `allowances.json`.
 *
 * @module
 */
import type { Offence } from "./allowances.ts";
import type { SourceFacts } from "./syntax.ts";

/** The widest line of a comment, in columns. */
export const COMMENT_COLUMNS_MAX = 100;

/** The most parameters of a function before its options object. */
const POSITIONAL_MAX = 2;

/** Functions whose parameters stay in a row, and the reason. */
export interface InARow {
  /** Why an options object would be worse. */
  readonly reason: string;
  /** The functions of each file; a callback has no name. */
  readonly functions: Readonly<Record<string, readonly string[]>>;
}

/** All of them. */
export const IN_A_ROW: readonly InARow[] = [
  {
    reason: "called for each packet or block, for which nothing is allocated",
    functions: {
      "ffi/clock/clock.ts": ["writeNtpTimestamp"],
      "ffi/openssl/aead.ts": ["within"],
      "ffi/openssl/cipher.ts": ["readBlock", "writeBlock", "load"],
      "ffi/openssl/counter_mode.ts": ["combine"],
      "ffi/openssl/gcm_siv.ts": ["authenticate", "encrypt"],
      "ffi/openssl/polyval.ts": ["timesX"],
      "ffi/openssl/siv.ts": ["synthesize", "encrypt"],
      "ffi/socket/control_message.ts": ["readControlData"],
      "ffi/socket/server_batch.ts": ["queueResponse", "readTimestamp"],
      "ffi/socket/transmit_timestamps.ts": ["read"],
      "src/server/access.ts": ["startsAtOrBefore"],
      "src/server/authentication.ts": ["check"],
      "src/server/client_table.ts": ["isAt"],
      "src/server/interleaved.ts": ["save"],
      "src/server/request_batch.ts": ["queueResponse"],
      "src/server/transmit_queue.ts": ["note"],
    },
  },
  {
    reason: "the parameters are those of a C function, in its order",
    functions: {
      "ffi/background.ts": ["inBackground", "callForResult"],
      "ffi/openssl/tls_context_setup.ts": [""],
      "ffi/socket/timestamping.ts": ["askInterface"],
    },
  },
  {
    reason: "many calls in a column read as the rows of a table",
    functions: {
      "src/config/config_path.ts": ["wanted"],
      "src/daemon/observability/metrics.ts": ["gauge", "counter"],
    },
  },
];

/**
 * Finds functions with too many positional parameters; constructors, callbacks and types of
 * functions count too.
 *
 * What is taken apart in the parameter list, or called `options`, is the options object.
 */
export function positionalParameters({ path, functions }: SourceFacts): readonly Offence[] {
  const inARow = IN_A_ROW.flatMap((each) => each.functions[path] ?? []);
  const tooMany = functions.filter(({ positional }) => positional > POSITIONAL_MAX);
  return tooMany.filter(({ name }) => !inARow.includes(name)).map((each) => ({
    path,
    line: each.line,
    what: `${each.name || "a callback"} has ${each.positional} positional parameters, at most ` +
      `${POSITIONAL_MAX} and an options object are wanted`,
  }));
}

/**
 * Finds switches over texts (a union, in this code) in which a new member would pass unseen.
 *
 * A switch without a default is right where the compiler sees that it returns in every case, which
 * it cannot in a function that returns nothing; so every switch over texts ends in `unreachable`.
 * One over numbers, which come from outside, does not.
 */
export function openSwitches({ path, switches }: SourceFacts): readonly Offence[] {
  return switches.filter(({ end, overTexts }) => overTexts && end !== "unreachable").map((
    each,
  ) => ({
    path,
    line: each.line,
    what: each.end === "none"
      ? "the switch has no default; it ends in unreachable()"
      : "the default of the switch takes what is not named; name the cases and end in unreachable()",
  }));
}

/** Finds lines of comments that are too wide. */
export function wideComments({ path, comments }: SourceFacts): readonly Offence[] {
  return comments.filter(({ columns }) => columns > COMMENT_COLUMNS_MAX).map((comment) => ({
    path,
    line: comment.line,
    what: `the comment has ${comment.columns} columns, at most ${COMMENT_COLUMNS_MAX} are wanted`,
  }));
}
