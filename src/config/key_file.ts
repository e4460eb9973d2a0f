/**
 * Reads files of symmetric keys as chrony and ntpd have them.
 *
 * The formats: a number, for most a type, and the key, one key a line; `#` begins a comment, for chrony `!`, `;` and `%` at the start
 * of a line too. ntpd writes a key of more than 20 characters in hexadecimal, a shorter one as characters; chrony writes
 * `HEX:` or `ASCII:` before it and takes MD5 for a missing type. Both are told apart by the line itself. Limits: types that are
 * not of use any more (the DES types of old) are refused; faults name the line and never show a key.
 *
 * @module
 */
import { type Bytes, fromHex } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { ConfigError } from "./config_error.ts";
import { nearest } from "./nearest.ts";

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
}

/** The longest line that is read. */
const LINE_MAX = 2048;
/** So many keys are read from one file. */
const KEYS_MAX = 65_536;
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

/** Returns the keys by number, or all faults with their lines. */
export function parseKeyFile(
  text: string,
): Result<ReadonlyMap<number, SymmetricKey>, readonly ConfigError[]> {
  const keys = new Map<number, SymmetricKey>();
  const errors: ConfigError[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const words = line.replace(/^\s*[!;%].*$/, "").replace(/(^|\s)#.*$/, "").trim();
    if (words === "") continue;
    const key = line.length > LINE_MAX
      ? err({ message: "The line is too long" })
      : parseLine(words);
    if (!key.ok) errors.push({ path: "", line: i + 1, ...key.error });
    else if (keys.has(key.value.id)) {
      errors.push({ path: "", line: i + 1, message: `Key ${key.value.id} is there twice` });
    } else if (keys.size === KEYS_MAX) {
      return err([{
        path: "",
        line: i + 1,
        message: `Wanted at most ${KEYS_MAX} keys, found more`,
      }]);
    } else keys.set(key.value.id, key.value);
  }
  return errors.length > 0 ? err(errors) : ok(keys);
}

type Fault = Pick<ConfigError, "message" | "suggestion">;

function parseLine(line: string): Result<SymmetricKey, Fault> {
  const words = line.split(/\s+/);
  const [number = "", ...rest] = words;
  const id = /^[0-9]{1,10}$/.test(number) ? Number(number) : 0;
  if (id < 1 || id > 4_294_967_295) {
    return err({
      message: "Wanted the number of a key from 1 to 4294967295 at the start of the line",
    });
  }
  // ntpd may list the addresses for which a key is good after it; chrony may leave the type out.
  const [typeWord, secretWord] = rest.length === 1 ? ["MD5", rest[0]] : rest;
  if (typeWord === undefined || secretWord === undefined) {
    return err({ message: `Key ${id} is incomplete: wanted NUMBER TYPE KEY` });
  }
  const type = keyType(typeWord);
  if (type === undefined) return err(unknownType(id, typeWord));
  const secret = readSecret(secretWord);
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
  return ok({ id, type, secret });
}

function keyType(word: string): KeyType | undefined {
  const name = word.toUpperCase().replaceAll(/[-_]/g, "");
  return Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
}

function unknownType(id: number, word: string): Fault {
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
