/**
 * Cookies and keys of the client on disk, so that a reboot needs no key exchange (RFC 8915 section
 * 5.7).
 *
 * The idea: one line with the SHA-256 of the rest, then JSON, octets in hexadecimal. The daemon
 * empties the file when it has read it, and writes only what it will not send itself, so that no
 * cookie is sent by two runs, whatever happens between. Limits: at most 1 MiB and 1024 sources;
 * whatever is damaged is refused as a whole, which costs a key exchange.
 *
 * @module
 */
import { type Bytes, fromHex, toHex } from "../../base/bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { aeadParameters, isNtsAeadId } from "../../crypto/aead.ts";
import { digest } from "../../crypto/digest.ts";
import type { SessionState } from "./session.ts";
import { COOKIE_JAR_SIZE, isUsableCookie } from "../key_exchange/cookies.ts";
import type { SessionKeys } from "../key_exchange/exporter.ts";

/** Why octets are not a cookie store. */
export type CookieStoreReason =
  | "too-long"
  | "wrong-checksum"
  | "not-a-cookie-store"
  | "bad-content";

const LENGTH_MAX = 1 << 20;
const SOURCES_MAX = 1024;
const CHECKSUM_TEXT_LENGTH = 64;

/** Encodes the sessions by the name of their key exchange server. */
export function encodeCookieStore(sessions: ReadonlyMap<string, SessionState>): Bytes {
  const sources = [...sessions].slice(0, SOURCES_MAX).map(([name, state]) => ({
    name,
    aead: state.aeadId,
    keys: keysToText(state.keys),
    alternativeKeys: state.alternativeKeys && keysToText(state.alternativeKeys),
    cookies: state.cookies.map(toHex),
    server: state.ntpServer,
    port: state.ntpPort,
    authenticBefore: state.authenticBefore,
    keyIdentity: state.keyIdentity,
  }));
  const text = JSON.stringify({ version: 1, sources }) + "\n";
  const encoder = new TextEncoder();
  return encoder.encode(`${toHex(digest("SHA256", encoder.encode(text)))}\n${text}`);
}

/** Decodes what `encodeCookieStore` made; never throws. */
export function decodeCookieStore(
  bytes: Bytes,
): Result<ReadonlyMap<string, SessionState>, CookieStoreReason> {
  if (bytes.length > LENGTH_MAX) return err("too-long");
  if (bytes.length < CHECKSUM_TEXT_LENGTH + 1) return err("not-a-cookie-store");
  const decoder = new TextDecoder();
  const checksum = decoder.decode(bytes.slice(0, CHECKSUM_TEXT_LENGTH));
  const content = bytes.slice(CHECKSUM_TEXT_LENGTH + 1);
  if (toHex(digest("SHA256", content)) !== checksum) return err("wrong-checksum");
  const document = parseJson(decoder.decode(content));
  if (!isObject(document) || document.version !== 1 || !Array.isArray(document.sources)) {
    return err("not-a-cookie-store");
  }
  const sessions = new Map<string, SessionState>();
  for (const source of document.sources.slice(0, SOURCES_MAX)) {
    const state = isObject(source) ? readState(source) : undefined;
    if (!isObject(source) || typeof source.name !== "string" || state === undefined) {
      return err("bad-content");
    }
    sessions.set(source.name, state);
  }
  return ok(sessions);
}

function readState(source: Readonly<Record<string, unknown>>): SessionState | undefined {
  const { aead, server, port, authenticBefore, keyIdentity } = source;
  if (typeof aead !== "number" || !isNtsAeadId(aead)) return undefined;
  const { keyLength } = aeadParameters(aead);
  const keys = readKeys(source.keys, keyLength);
  const alternativeKeys = readKeys(source.alternativeKeys, keyLength);
  const cookies = readCookies(source.cookies);
  if (keys === undefined || cookies === undefined) return undefined;
  if (source.alternativeKeys !== undefined && alternativeKeys === undefined) return undefined;
  if (server !== undefined && typeof server !== "string") return undefined;
  if (!isPort(port)) return undefined;
  if (typeof authenticBefore !== "boolean") return undefined;
  if (keyIdentity !== undefined && typeof keyIdentity !== "string") return undefined;
  return {
    aeadId: aead,
    keys,
    alternativeKeys,
    cookies,
    ntpServer: server,
    ntpPort: port,
    authenticBefore,
    ...(keyIdentity === undefined ? {} : { keyIdentity }),
  };
}

function readCookies(value: unknown): readonly Bytes[] | undefined {
  if (!Array.isArray(value) || value.length > COOKIE_JAR_SIZE) return undefined;
  const cookies = value.map(readOctets).filter((cookie) => cookie !== undefined);
  return cookies.length === value.length && cookies.every(isUsableCookie) ? cookies : undefined;
}

function readKeys(value: unknown, keyLength: number): SessionKeys | undefined {
  if (!isObject(value)) return undefined;
  const clientToServer = readOctets(value.clientToServer);
  const serverToClient = readOctets(value.serverToClient);
  if (clientToServer?.length !== keyLength || serverToClient?.length !== keyLength) {
    return undefined;
  }
  return { clientToServer, serverToClient };
}

function keysToText(keys: SessionKeys): { clientToServer: string; serverToClient: string } {
  return {
    clientToServer: toHex(keys.clientToServer),
    serverToClient: toHex(keys.serverToClient),
  };
}

function readOctets(value: unknown): Bytes | undefined {
  return typeof value === "string" ? fromHex(value) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the only way that JSON.parse has to say no
  }
}

function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65_535;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
