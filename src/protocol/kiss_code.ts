/**
 * Kiss codes: four letters in the reference identifier of a response with stratum 0 (RFC 5905
 * section 7.4).
 *
 * The idea: the codes that a client acts upon are words of a union; all others are one word, so
 * that what a server invents cannot make a counter grow. Limits: a stratum of 0 is also how an
 * unsynchronised server looks on the wire; the codes by which it says so are told apart here.
 *
 * @module
 */
import { type NtpHeader } from "./header.ts";
import { referenceIdFromAscii } from "./reference_id.ts";

/** What a response of stratum 0 asks for. */
export type Kiss =
  | "rate"
  | "deny"
  | "restrict"
  | "nts-nak"
  | "unsynchronized"
  | "unknown";

/** The codes that we send or act upon, as numbers in the reference identifier. */
export const KISS_CODE = {
  rate: referenceIdFromAscii("RATE"),
  deny: referenceIdFromAscii("DENY"),
  restrict: referenceIdFromAscii("RSTR"),
  ntsNak: referenceIdFromAscii("NTSN"),
} as const;

const INIT = referenceIdFromAscii("INIT");
const STEP = referenceIdFromAscii("STEP");
const XNON = referenceIdFromAscii("XNON");

/**
 * Tells what a response of stratum 0 says; undefined for any other stratum. The leap indicator is
 * not looked at: peers differ in what they send with a kiss. Codes match exactly (RFC 5905 section
 * 7.4, RFC 8915 section 5.7, RFC 9748 section 3).
 */
export function kissOf(header: Pick<NtpHeader, "stratum" | "referenceId">): Kiss | undefined {
  if (header.stratum !== 0) return undefined;
  switch (header.referenceId) {
    case KISS_CODE.rate:
      return "rate";
    case KISS_CODE.deny:
      return "deny";
    case KISS_CODE.restrict:
      return "restrict";
    case KISS_CODE.ntsNak:
      return "nts-nak";
    case INIT:
    case STEP:
    case XNON:
      return "unsynchronized";
    default:
      return isCode(header.referenceId) ? "unknown" : "unsynchronized";
  }
}

/**
 * A code is capitals and digits; a server without a source may leave an address, or nothing, in its
 * place.
 */
function isCode(referenceId: number): boolean {
  for (let shift = 0; shift < 32; shift += 8) {
    const octet = (referenceId >>> shift) & 0xff;
    const isLetter = octet >= 0x41 && octet <= 0x5a;
    const isDigit = octet >= 0x30 && octet <= 0x39;
    if (!isLetter && !isDigit) return false;
  }
  return true;
}
