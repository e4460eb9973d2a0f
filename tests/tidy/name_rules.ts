/**
 * House rules about names: those in comments exist, and words that were given up stay away.
 *
 * The problem: a comment outlives the function that it names, and a word that was replaced comes
 * back with the next change. The idea: whatever looks like a name in a comment must stand somewhere
 * in the code, and identifiers are split into words that are compared with a list. Limits: a name
 * that exists in another meaning is taken for the one that is meant.
 *
 * @module
 */
import type { Offence } from "./allowances.ts";
import type { SourceFacts } from "./syntax.ts";

/** Names in comments that belong to others: the kernel, OpenSSL, standards, other programs. */
export const FOREIGN_NAMES: readonly string[] = [
  "ASN1_TIME",
  "CAP_NET_ADMIN",
  "CAP_SYS_ADMIN",
  "CMSG_SPACE",
  "ChaCha",
  "ClientHello",
  "JavaScript",
  "OpenBSD",
  "N_REQ",
  "OSSL_DECODER",
  "S2V",
  "SO_EE_OFFENDER",
  "SO_EE_ORIGIN_",
  "SOF_TIMESTAMPING_",
  "SSL_VERIFY_PEER",
  "ServerHello",
  "SipHash",
  "SubjectPublicKeyInfo",
  "TypeScript",
  "USER_HZ",
  "X509_V_ERR_",
  "adjtime",
  "close_notify",
  "hwstamp_ctl",
  "io_uring",
  "no_new_privs",
  "ps",
  "second_overflow",
];

/**
 * Words of identifiers that were given up, and what is written instead (in small letters, apart).
 */
export const OLD_WORDS: Readonly<Record<string, string>> = {
  "stamp": "timestamp",
  "stamps": "timestamps",
  "departure": "sent request",
  "border": "association event or action",
  "surroundings": "command context",
  "kin": "shared reference",
  "kinship": "shared reference",
  "judgement": "source selection",
  "judge": "select",
  "verdict": "source status",
  "verdicts": "source statuses",
  "unfitness": "rejection",
  "desk": "diagnostics",
  "cursor": "config path",
  "foretold": "predictive likelihood",
  "taught": "updated",
  "lie": "outlier",
  "surprised": "outlier",
  "meddled": "external change",
  "meddling": "frequency change",
  "visitor": "key exchange connection",
  "borrow": "acquire",
  "trust in use": "TLS contexts",
  "keyset keeper": "cookie keys",
  "keys at work": "active keys",
  "put to work": "activate",
  "story": "timeline",
  "audience": "observers",
  "life": "incarnation",
  "occurrence": "scheduled event",
  "bound honesty": "bound coverage",
  "kissed": "denied",
  "meanwhile": "on busy",
  "let others run": "yield to event loop",
  "no place": "no slot",
  "nts clients": "NTS-KE client",
  "nts servers": "NTS-KE listeners",
  "nts service": "NTS",
  "turned away": "refused",
  "give way": "replaced",
  "satisfied": "reset backoff",
  "hurry": "retry now",
  "ask soon": "request soon",
  "settle": "final command",
  "clock was set": "clock stepped",
  "clock was stepped": "clock stepped",
  "reset after clock step": "clock stepped",
  "expect step": "clock stepped",
  "start afresh": "clock stepped",
  "certainty": "sigma multiplier",
  "reply": "response",
  "replies": "responses",
  "why": "reason",
  "refusal": "reason",
  "problem": "error",
  "trouble": "error",
};

/** Names of the runtime that have an old word. */
const KEPT = ["LintVisitor"];

/** Keys of the documents that the program prints, which keep an old word; variables do not. */
const KEPT_KEYS = ["lastReplySecondsAgo", "kissed", "why"];

type Comment = SourceFacts["comments"][number];

/** A further line of a prototype. */
const CONTINUATION = /^\/\/ {3}\S/;

/** A function as C declares it; the compiler judges those (tests/system/ffi_prototypes_test.ts). */
const PROTOTYPE = /^\W*(?:(?:const|struct|unsigned) )*\w+(?:\(\w+\))? \*?\w+\([\w ,*[\]().]*\)\s*$/;

/**
 * Finds names in comments that are nowhere in the code: in backquotes, or with an inner capital or
 * underscore.
 */
export function missingNames(files: readonly SourceFacts[]): readonly Offence[] {
  const known = new Set(FOREIGN_NAMES);
  for (const { identifiers, members, texts } of files) {
    for (const name of identifiers.keys()) known.add(name);
    for (const { name } of members) known.add(name);
    for (const text of texts) for (const [word] of text.matchAll(/[\w$]+/g)) known.add(word);
  }
  const paths = files.map(({ path }) => path);
  const isThere = (name: string) =>
    /\.ts$/.test(name)
      ? paths.some((path) => path === name || path.endsWith(`/${name}`))
      : name.split(".").every((part) => known.has(part));
  return files.flatMap(({ path, comments }) =>
    withContinuations(comments).filter(({ text }) => !PROTOTYPE.test(text)).flatMap((
      { text, line },
    ) =>
      namesIn(text).filter((name) => !isThere(name)).map((name) => ({
        ...{ path, line },
        what: `${name} is nowhere in the code`,
      }))
    )
  );
}

/** Joins lines of comments that are indented to the one that they continue. */
function withContinuations(comments: SourceFacts["comments"]): readonly Comment[] {
  const joined: Comment[] = [];
  for (const comment of comments) {
    const last = joined.at(-1);
    if (last === undefined || !CONTINUATION.test(comment.text)) joined.push(comment);
    else {joined[joined.length - 1] = {
        ...last,
        text: `${last.text} ${comment.text.slice(2).trim()}`,
      };}
  }
  return joined;
}

/** Finds identifiers with a word that was given up. */
export function oldWords({ path, identifiers, variables }: SourceFacts): readonly Offence[] {
  return [...identifiers].flatMap(([name, first]) => {
    const line = KEPT_KEYS.includes(name) ? variables.get(name) : first.line;
    if (KEPT.includes(name) || line === undefined) return [];
    const words = ` ${wordsOf(name).join(" ")} `;
    const old = Object.keys(OLD_WORDS).find((each) => words.includes(` ${each} `));
    return old === undefined ? [] : [{
      ...{ path, line },
      what: `${name}: "${old}" was given up for "${OLD_WORDS[old]}"`,
    }];
  });
}

/**
 * Reads what looks like a name of code: files, `name`, `Name.member`, `name()`, and words with an
 * inner capital or underscore.
 */
function namesIn(text: string): readonly string[] {
  const quoted = [...text.matchAll(/`#?([A-Za-z_$][\w$]*(?:\.#?[A-Za-z_$][\w$]*)*)(?:\(\))?`/g)]
    .map(([, name = ""]) => name.replaceAll("#", ""));
  const files = [...text.matchAll(/(?<![\w/.-])[\w/]*\w\.ts\b/g)].map(([name]) => name);
  const words = text.replaceAll(/https?:\S+/g, "").matchAll(
    /(?<![\w/.-])(?:[A-Za-z]\w*[a-z0-9][A-Z]\w*|[A-Z][A-Z0-9]*_[A-Z0-9_]+|[a-z]+_[a-z0-9_]+)(?![\w/.])/g,
  );
  return [...new Set([...quoted, ...files, ...[...words].map(([name]) => name)])];
}

/** Splits an identifier into its words, in small letters. */
function wordsOf(name: string): readonly string[] {
  const parts = /^[A-Z0-9_]+$/.test(name)
    ? name.split("_")
    : name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+/g) ?? [];
  return parts.map((part) => part.toLowerCase());
}
