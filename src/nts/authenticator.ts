/**
 * The authenticator field: where nonce and ciphertext lie in it (RFC 8915 section 5.6, figure 4).
 *
 * The idea: one description of the format for client and server, for reading and for writing. One
 * object is used again and again, so that the response path of the server allocates nothing.
 *
 * @module
 */
import type { Bytes } from "../base/bytes.ts";
import { FIELD_HEADER_LENGTH, FIELD_TYPE, paddedLength } from "../protocol/extension_field.ts";

/** The octets of the field's header and of the two lengths in front of the nonce. */
const HEAD_LENGTH = FIELD_HEADER_LENGTH + 4;

/** Where the parts of an authenticator field lie in a buffer. */
export class AuthenticatorLayout {
  /** Length of the nonce, without its padding. */
  nonceLength = 0;
  /** Length of the ciphertext, tag included, without its padding. */
  ciphertextLength = 0;
  /** Where the field's header begins. */
  offset = 0;

  /**
   * Lays out the field whose header begins at `offset`, by the lengths in it; whether its parts fit
   * into the field is for the caller to compare with `end`.
   */
  read(bytes: Uint8Array, offset: number): void {
    this.offset = offset;
    this.nonceLength = uint16(bytes, offset + FIELD_HEADER_LENGTH);
    this.ciphertextLength = uint16(bytes, offset + FIELD_HEADER_LENGTH + 2);
  }

  /** Where the nonce begins. */
  get nonceOffset(): number {
    return this.offset + HEAD_LENGTH;
  }

  /** Where the ciphertext begins. */
  get ciphertextOffset(): number {
    return this.nonceOffset + paddedLength(this.nonceLength);
  }

  /** Where the padding of the ciphertext ends; what follows in the field is additional padding. */
  get end(): number {
    return this.ciphertextOffset + paddedLength(this.ciphertextLength);
  }

  /** Writes the header of the field, which ends at `end`, and the two lengths. */
  writeHead(bytes: Bytes): void {
    const { offset } = this, length = this.end - offset;
    bytes[offset] = FIELD_TYPE.ntsAuthenticator >>> 8;
    bytes[offset + 1] = FIELD_TYPE.ntsAuthenticator & 0xff;
    bytes[offset + 2] = length >>> 8;
    bytes[offset + 3] = length;
    bytes[offset + 4] = this.nonceLength >>> 8;
    bytes[offset + 5] = this.nonceLength;
    bytes[offset + 6] = this.ciphertextLength >>> 8;
    bytes[offset + 7] = this.ciphertextLength;
  }
}

/** Writes a field as new octets, without additional padding. */
export function encodeAuthenticator(
  parts: { readonly nonce: Bytes; readonly ciphertext: Bytes },
): Bytes {
  const layout = new AuthenticatorLayout();
  layout.nonceLength = parts.nonce.length;
  layout.ciphertextLength = parts.ciphertext.length;
  const field = new Uint8Array(layout.end);
  layout.writeHead(field);
  field.set(parts.nonce, layout.nonceOffset);
  field.set(parts.ciphertext, layout.ciphertextOffset);
  return field;
}

function uint16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}
