/**
 * Lists of leap seconds for tests.
 *
 * @module
 */
import { toHex } from "../../src/base/bytes.ts";
import { digest } from "../../src/crypto/digest.ts";

/** Writes a list with the digest that belongs to it; times are seconds since 1900. */
export function sealedLeapList(
  { updated, expires, entries }: {
    readonly updated: string;
    readonly expires: string;
    readonly entries: readonly (readonly string[])[];
  },
): string {
  const digits = updated + expires + entries.map((entry) => entry.join("")).join("");
  const hex = toHex(digest("SHA1", new TextEncoder().encode(digits)));
  const words = hex.replaceAll(/.{8}/g, (word) => `${word} `).trim();
  const lines = entries.map((entry) => `${entry.join(" ")}\n`).join("");
  return `#$ ${updated}\n#@ ${expires}\n${lines}#h ${words}\n`;
}
