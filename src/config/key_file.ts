/**
 * Reads files of symmetric keys as chrony and ntpd have them.
 *
 * The formats: a number, for most a type, and the key, one key a line; `#` begins a comment, for
 * chrony `!`, `;` and `%` at the start of a line too. ntpd writes a key of more than 20 characters
 * in hexadecimal, a shorter one as characters, and may list after it, separated by commas, the
 * addresses and networks that may use the key; chrony writes `HEX:` or `ASCII:` before it and takes
 * MD5 for a missing type. Both are told apart by the line itself.
 *
 * A line that is not understood is no reason to do without the other keys: it is told, and its key
 * is missing. Limits: types that are not of use any more (the DES types of old) are refused; errors
 * name the line and never show a key.
 *
 * @module
 */
import { type Bytes, fromHex } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { ConfigError, ErrorText } from "./config_error.ts";
import { readPrefix } from "./address_field.ts";
import { nearest } from "./nearest.ts";
import { isInvisible } from "./odd_characters.ts";

/** How a message authentication code is computed with a key. */
export type KeyType = "md5" | "sha1" | "sha256" | "sha384" | "sha512" | "aes128" | "aes256";

/** One symmetric key; secret. */
export interface SymmetricKey {
  /** 1 to 4294967295. */
  readonly id: number;
  /** How a code is computed with it. */
  readonly type: KeyType;
  /** The key itself. */
  readonly secret: Bytes;
  /**
   * The prefixes from which alone requests with this key are answered, `192.0.2.0/24`; undefined
   * means all.
   */
  readonly addresses?: readonly string[];
}

/** What a key file holds. */
export interface KeyFile {
  /** The keys by number. */
  readonly keys: ReadonlyMap<number, SymmetricKey>;
  /** What is wrong with other lines. */
  readonly errors: readonly KeyFileError[];
}

/** What is wrong with a line of a key file. */
export interface KeyFileError extends ConfigError {
  /** The key that is missing for it; undefined if the line has no number. */
  readonly id?: number;
  /** The line, from 1. */
  readonly line: number;
}

/** The longest line that is read. */
const LINE_MAX = 2048;
/** So many keys are read from one file. */
const KEYS_MAX = 65_536;
/** So many errors are told of one file. */
const ERRORS_MAX = 20;
/** Keys of ntpd's file that are longer than this are in hexadecimal. */
const NTPD_TEXT_MAX = 20;

const TYPES: Readonly<Record<string, KeyType>> = {
  M: "md5",
  MD5: "md5",
  SHA: "sha1",
  SHA1: "sha1",
  SHA256: "sha256",
  SHA384: "sha384",
  SHA512: "sha512",
  AES: "aes128",
  AES128: "aes128",
  AES128CMAC: "aes128",
  AES256: "aes256",
  AES256CMAC: "aes256",
};

/** The octets that a cipher's key has; digests take any number. */
const LENGTHS: Readonly<Partial<Record<KeyType, number>>> = { aes128: 16, aes256: 32 };

const HASH_HINT =
  "a # after a blank begins a comment; write a key that begins with one in hexadecimal, after HEX:";

/**
 * Returns the keys by number, and all errors with their lines; a key that stands twice is the first
 * of the two. Never throws.
 */
export function parseKeyFile(text: string): KeyFile {
  const keys = new Map<number, SymmetricKey>();
  const lines = new Map<number, number>();
  const errors: KeyFileError[] = [];
  for (const [i, line] of text.replace(/^\ufeff/, "").split(/\r?\n/).entries()) {
    const words = line.replace(/^\s*[!;%].*$/, "").replace(/(^|\s)#.*$/, "").trim();
    if (words === "") continue;
    const told = (id: number | undefined, error: ErrorText) =>
      errors.push({ path: "", line: i + 1, ...(id === undefined ? {} : { id }), ...error });
    if (keys.size === KEYS_MAX || errors.length === ERRORS_MAX) {
      told(undefined, { message: "The rest of the file is not read" });
      break;
    }
    const id = readId(words);
    const key = line.length > LINE_MAX
      ? err({ message: "The line is too long" })
      : parseLine(id, words);
    const first = id === undefined ? undefined : lines.get(id);
    if (!key.ok) told(id, key.error);
    else if (first !== undefined) {
      told(id, { message: `Key ${id} is there twice, first on line ${first}` });
    } else {
      keys.set(key.value.id, key.value);
      lines.set(key.value.id, i + 1);
    }
  }
  return { keys, errors };
}

function readId(line: string): number | undefined {
  const number = /^[0-9]{1,10}(?!\S)/.exec(line)?.[0];
  const id = number === undefined ? 0 : Number(number);
  return id < 1 || id > 4_294_967_295 ? undefined : id;
}

function parseLine(id: number | undefined, line: string): Result<SymmetricKey, ErrorText> {
  if (id === undefined) {
    return err({
      message: "Wanted the number of a key from 1 to 4294967295 at the start of the line",
    });
  }
  if ([...line].some((character) => character !== "\t" && isInvisible(character))) {
    return err({
      message: `Key ${id}: there is a character in the line that is invisible or not UTF-8`,
    });
  }
  return parseKey(id, line.split(/\s+/).slice(1));
}

function parseKey(id: number, rest: readonly string[]): Result<SymmetricKey, ErrorText> {
  // Of chrony's lines the type may be missing; the name of a type alone is no key, but what is left
  // before a comment.
  const isUntyped = rest.length === 1 && keyType(rest[0] ?? "") === undefined;
  const [typeWord, secretWord, addressWord, ...more] = isUntyped ? ["MD5", ...rest] : rest;
  if (typeWord === undefined || secretWord === undefined) {
    return err({
      message: `Key ${id} is incomplete: wanted NUMBER TYPE KEY`,
      ...(typeWord === undefined ? {} : { suggestion: HASH_HINT }),
    });
  }
  const type = keyType(typeWord);
  if (type === undefined) return err(unknownType(id, typeWord));
  const secret = checkSecret(id, secretWord, { type, typeWord });
  if (!secret.ok) return secret;
  const addresses = addressWord?.split(",").map(readPrefix);
  // What is not understood may be a part of a key with blanks, so it is not shown.
  if (more.length > 0 || addresses?.includes(undefined)) {
    return err({
      message:
        `Key ${id}: wanted the end of the line or addresses after the key, found something else`,
      suggestion: "after the key may stand addresses and networks, separated by commas alone",
    });
  }
  const key = { id, type, secret: secret.value };
  return ok(addresses === undefined ? key : { ...key, addresses: addresses.filter(isPresent) });
}

function isPresent<Value>(value: Value | undefined): value is Value {
  return value !== undefined;
}

function checkSecret(
  id: number,
  word: string,
  { type, typeWord }: { readonly type: KeyType; readonly typeWord: string },
): Result<Bytes, ErrorText> {
  const secret = readSecret(word);
  if (secret?.length === 0) return err({ message: `Key ${id} is empty` });
  if (secret === undefined) {
    return err({
      message: `Key ${id} is not hexadecimal`,
      suggestion: "write ASCII: before characters",
    });
  }
  const length = LENGTHS[type];
  if (length !== undefined && secret.length !== length) {
    return err({
      message: `Key ${id}: wanted ${length} octets for ${typeWord}, found ${secret.length}`,
    });
  }
  return ok(secret);
}

function keyType(word: string): KeyType | undefined {
  const name = word.toUpperCase().replaceAll(/[-_]/g, "");
  return Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
}

function unknownType(id: number, word: string): ErrorText {
  // A word that is no type may be a part of a key, so it is shown only if it is nearly one.
  const near = nearest(word.toUpperCase(), ["MD5", "SHA1", "SHA256", "SHA512", "AES128", "AES256"]);
  const message =
    `Key ${id} has an unknown type; wanted MD5, SHA1, SHA256, SHA384, SHA512, AES128 or AES256`;
  return near === undefined ? { message } : { message, suggestion: `did you mean ${near}?` };
}

/** Reads the key itself; undefined when it is said to be hexadecimal and is not. */
function readSecret(word: string): Bytes | undefined {
  const marked = /^(HEX|ASCII):(.*)$/i.exec(word);
  const content = marked?.[2] ?? word;
  const isHex = marked === null ? word.length > NTPD_TEXT_MAX : marked[1]?.toUpperCase() === "HEX";
  return isHex ? fromHex(content) : new TextEncoder().encode(content);
}
