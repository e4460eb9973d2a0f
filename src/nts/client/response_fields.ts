/**
 * The client's view of responses under Network Time Security (RFC 8915 section 5.7): which are
 * authentic, which are NAKs, and which cookies they bring.
 *
 * The idea: whatever is not authentic is dropped, with two exceptions that cannot be authentic: the
 * NAK and other kisses of a server that lost its keys or is too busy to use them. Those must at
 * least echo the unique identifier; only before the first authentic response may another kiss come
 * without it, as from a server that knows nothing of NTS.
 *
 * Limits: the caller has checked mode, version and origin. At most eight cookies are taken; cookies
 * outside of the encrypted fields and fields after the authenticator are ignored.
 *
 * @module
 */
import { type Bytes, equalConstantTime } from "../../base/bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { type Aead, openBytes } from "../../crypto/aead.ts";
import { type ExtensionField, FIELD_TYPE } from "../../protocol/extension_field.ts";
import { decodeHeader, NTP_VERSION, type NtpHeader } from "../../protocol/header.ts";
import { type Kiss, kissOf } from "../../protocol/kiss_code.ts";
import { fieldAt, PACKET_LENGTH_MAX, readFields } from "../../protocol/packet.ts";
import { PacketWalk } from "../../protocol/packet_walk.ts";
import { AuthenticatorLayout } from "../authenticator.ts";
import { COOKIE_JAR_SIZE } from "../key_exchange/cookies.ts";

/** Why a response is dropped. */
export type NtsReason =
  | "nts-bad-length"
  | "nts-malformed-field"
  | "nts-no-unique-identifier"
  | "nts-duplicate-unique-identifier"
  | "nts-wrong-unique-identifier"
  | "nts-not-protected"
  | "nts-duplicate-authenticator"
  | "nts-malformed-authenticator"
  | "nts-not-authentic"
  | "nts-malformed-encrypted-field";

/** What a response is. */
export type NtsResponse =
  | {
    readonly kind: "authentic";
    /** New cookies, at most eight, perhaps none. */
    readonly cookies: readonly Bytes[];
    /**
     * The octets from the start of the packet that are authentic: header and the fields before the
     * authenticator.
     */
    readonly authenticLength: number;
  }
  | { readonly kind: "nak" }
  | { readonly kind: "kiss"; readonly kiss: Kiss };

/** What a response is measured by. */
export interface ResponseExpectation {
  /** The random octets of the request. */
  readonly uniqueIdentifier: Bytes;
  /** The algorithm with the server-to-client key. */
  readonly aead: Aead;
  /** Whether this server has answered authentically before. */
  readonly authenticBefore: boolean;
}

/** Verifies a response; never throws, whatever the octets (RFC 8915 section 5.7). */
export function verifyResponse(
  packet: Bytes,
  expected: ResponseExpectation,
): Result<NtsResponse, NtsReason> {
  if (packet.length > PACKET_LENGTH_MAX) return err("nts-bad-length");
  const header = decodeHeader(packet);
  if (!header.ok) return err("nts-bad-length");
  const walked = walk(packet);
  if (!walked.ok) return walked;
  const { uniqueIdentifier, authenticator } = walked.value;
  if (
    uniqueIdentifier !== undefined &&
    !equalConstantTime(uniqueIdentifier.body, expected.uniqueIdentifier)
  ) {
    return err("nts-wrong-unique-identifier");
  }
  if (authenticator === undefined) {
    const isBound = uniqueIdentifier !== undefined;
    return readKiss(header.value, { isBound, authenticBefore: expected.authenticBefore });
  }
  if (uniqueIdentifier === undefined) return err("nts-no-unique-identifier");
  return open(packet, { authenticator, aead: expected.aead });
}

/**
 * Reads a response without authenticator, which only a kiss may be; `isBound`: it repeats the
 * unique identifier of the request.
 */
function readKiss(
  header: NtpHeader,
  { isBound, authenticBefore }: { readonly isBound: boolean; readonly authenticBefore: boolean },
): Result<NtsResponse, NtsReason> {
  const kiss = kissOf(header);
  if (kiss === undefined || kiss === "unsynchronized") return err("nts-not-protected");
  if (!isBound && (kiss === "nts-nak" || authenticBefore)) return err("nts-no-unique-identifier");
  return ok(kiss === "nts-nak" ? { kind: "nak" } : { kind: "kiss", kiss });
}

interface Walked {
  readonly uniqueIdentifier: ExtensionField | undefined;
  readonly authenticator: ExtensionField | undefined;
}

function walk(packet: Bytes): Result<Walked, NtsReason> {
  let uniqueIdentifier: ExtensionField | undefined;
  let authenticator: ExtensionField | undefined;
  const parts = new PacketWalk();
  parts.start({ bytes: packet, offset: 0, length: packet.length }, NTP_VERSION);
  let part = parts.next();
  for (; part === "field"; part = parts.next()) {
    if (parts.type === FIELD_TYPE.ntsAuthenticator) {
      if (authenticator !== undefined) return err("nts-duplicate-authenticator");
      authenticator = fieldAt(packet, parts);
    } else if (parts.type === FIELD_TYPE.uniqueIdentifier && authenticator === undefined) {
      if (uniqueIdentifier !== undefined) return err("nts-duplicate-unique-identifier");
      uniqueIdentifier = fieldAt(packet, parts);
    }
  }
  if (part !== "end" && part !== "mac") return err("nts-malformed-field");
  return ok({ uniqueIdentifier, authenticator });
}

function open(
  packet: Bytes,
  options: { readonly authenticator: ExtensionField; readonly aead: Aead },
): Result<NtsResponse, NtsReason> {
  const { offset, length } = options.authenticator;
  const layout = new AuthenticatorLayout();
  layout.read(packet, offset);
  const { nonceOffset, nonceLength, ciphertextOffset, ciphertextLength } = layout;
  if (nonceLength === 0 || layout.end > offset + length) return err("nts-malformed-authenticator");
  const plaintext = openBytes(options.aead, {
    nonce: packet.slice(nonceOffset, nonceOffset + nonceLength),
    associatedData: packet.slice(0, offset),
    ciphertext: packet.slice(ciphertextOffset, ciphertextOffset + ciphertextLength),
  });
  if (plaintext === undefined) return err("nts-not-authentic");
  const fields = readFields(plaintext);
  if (!fields.ok) return err("nts-malformed-encrypted-field");
  const cookies = fields.value.filter((field) => field.type === FIELD_TYPE.ntsCookie);
  return ok({
    kind: "authentic",
    cookies: cookies.slice(0, COOKIE_JAR_SIZE).map((field) => new Uint8Array(field.body)),
    authenticLength: offset,
  });
}
