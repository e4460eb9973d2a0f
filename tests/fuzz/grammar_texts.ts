/**
 * Files and lines of text that are right, or wrong in one place: key files, leap files, drift
 * files, requests over HTTP, command lines.
 *
 * @module
 */
import { toHex } from "../../src/base/bytes.ts";
import type { RandomSource } from "../../src/base/random.ts";
import { digest } from "../../src/crypto/digest.ts";
import { below, between, chance, noise, pick, several } from "./mutate.ts";

const KEY_TYPES = ["M", "MD5", "SHA1", "SHA256", "SHA512", "AES128", "AES256CMAC", "DES", ""];
const DAY = 86_400;
/** 1972-01-01, in seconds since 1900. */
const FIRST_LEAP = 2_272_060_800;
const METHODS = ["GET", "GET", "GET", "GET", "HEAD", "POST", "get", "OPTIONS"] as const;
const TARGETS = [
  "/status",
  "/metrics?x=1",
  "/healthz",
  "/",
  "*",
  "http://[::1]:9975/status",
  "http://[/x",
  "http://a@b/metrics",
  "//x",
  "/%00",
] as const;
const HOSTS = [
  "localhost:9975",
  "[::1]",
  "a.example",
  "",
  "\t127.0.0.1 ",
  "a:b:c",
  "[",
  "*",
] as const;
const FIELDS = ["Accept: */*", "Content-Length: 3", "X:", "X-Y:\t\u00e4", "a: b, c"] as const;
const ODD_LINES = [
  " folded",
  "No colon",
  "Host: b.example",
  "X: \u202e\u009b",
  "\0",
  "GET / HTTP/1.1",
];
const WORDS = [
  "status",
  "sources",
  "check",
  "simulate",
  "version",
  "help",
  "configuration",
  "--json",
  "--help",
  "-h",
  "-v",
  "--at",
  "--at=[::1]:9975",
  "127.0.0.1:9975",
  "-c",
  "--config=/x.toml",
  "/x.toml",
  "--seed",
  "7",
  "--runs=2",
  "--",
  "-",
  "",
  "--jsno",
  "--config",
  "-vj",
  "\u202e\u0007",
  "--__proto__",
  "constructor",
] as const;

/** Writes a key file. */
export function keyFile(random: RandomSource): string {
  return several(below(random, 8), () => keyLine(random)).join(
    chance(random, 0.9) ? "\n" : "\r\n",
  );
}

function keyLine(random: RandomSource): string {
  if (chance(random, 0.1)) return pick(random, ["# comment", "", "!x", "  ", "%", "\ufeff", "1"]);
  const id = chance(random, 0.9) ? below(random, 9) : pick(random, ["-1", "4294967296", "x", "01"]);
  const hex = toHex(noise(random, pick(random, [8, 16, 20, 32, 64])));
  const secret = pick(random, [`HEX:${hex}`, hex, "ASCII:a#b", "secret", hex.slice(1), "\u202e"]);
  const end = chance(random, 0.2) ? pick(random, ["192.0.2.0/24,::1", "# x", "junk", "1.2.3"]) : "";
  return [id, pick(random, KEY_TYPES), secret, end].filter((word) => word !== "").join(" ");
}

/** Writes a leap-seconds.list; its digest is mostly right. */
export function leapFile(random: RandomSource): string {
  let at = FIRST_LEAP, offset = 10;
  const entries = several(below(random, 12), () => {
    at += Math.round(between(random, 30, 2000)) * DAY;
    offset += chance(random, 0.98) ? 1 : below(random, 5) - 2;
    return { at: chance(random, 0.02) ? at + 1 : monthStart(at), offset };
  });
  const updated = String(at + below(random, 410) * DAY), expires = String(at + 400 * DAY);
  const said = [updated, expires, ...entries.flatMap((entry) => [entry.at, entry.offset])].join("");
  const sum = digest("SHA1", new TextEncoder().encode(said));
  const words = several(5, (i) => toHex(sum.subarray(4 * i, 4 * i + 4))).map((word) =>
    chance(random, 0.9) ? word : word.replace(/^0+/, "")
  );
  const lines = [
    `#$ ${updated}`,
    `#@\t${expires}`,
    ...entries.map((entry) => `${entry.at}\t${entry.offset} # a day`),
    `#h ${words.join(" ")}`,
  ];
  if (chance(random, 0.1)) lines.splice(below(random, lines.length), 1);
  return `${lines.join("\n")}\n`;
}

/** The first day of the month after a moment. */
function monthStart(at: number): number {
  const epoch = 2_208_988_800;
  const date = new Date((at - epoch) * 1000);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1) / 1000 + epoch;
}

/** Writes a drift file. */
export function driftText(random: RandomSource): string {
  const number = () =>
    chance(random, 0.9)
      ? (between(random, 1e-3, 600) * (chance(random, 0.5) ? -1 : 1)).toFixed(below(random, 7))
      : pick(random, ["nan", "1e999", "-", "0x1", "1e3", "+5.", ""]);
  const words = several(1 + below(random, 3), number).join(pick(random, [" ", "\n", "\t", ""]));
  return words + pick(random, ["\n", "\n", "\n", "", " \n"]);
}

/** Writes a request over HTTP. */
export function httpRequest(random: RandomSource): string {
  const end = chance(random, 0.8) ? "\r\n" : "\n";
  const target = chance(random, 0.95)
    ? pick(random, TARGETS)
    : `/${"x".repeat(below(random, 9000))}`;
  const version = chance(random, 0.9) ? pick(random, ["HTTP/1.1", "HTTP/1.0"]) : "HTTP/2.0";
  const lines = [
    `${pick(random, METHODS)} ${target} ${version}`,
    ...(chance(random, 0.95) ? [`Host: ${pick(random, HOSTS)}`] : []),
    ...several(below(random, 4), () => pick(random, FIELDS)),
  ];
  if (chance(random, 0.1)) lines.splice(below(random, lines.length), 0, pick(random, ODD_LINES));
  return [...lines, "", chance(random, 0.1) ? "abc" : ""].join(end);
}

/** Writes a command line, its words apart by zero octets. */
export function commandLine(random: RandomSource): string {
  return several(1 + below(random, 5), () => pick(random, WORDS)).join("\0");
}
