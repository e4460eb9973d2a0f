/**
 * ntp.conf(5) of NTPsec and of the classic ntpd.
 *
 * Limits: an ntpd serves all who ask unless a line restricts it; so does what is made of it. Flags
 * of `restrict` about control messages mean nothing to ntpsd, which answers these on this machine
 * alone.
 *
 * @module
 */
import { ipFamily } from "../base/ip_address.ts";
import { NTS_KE_PORT } from "../base/ports.ts";
import { reasonOf, setNumber, STATE, UNKNOWN_NAME } from "./shared_directives.ts";
import type { Draft } from "./draft.ts";
import { NtpAccess } from "./ntp_access.ts";
import { Files, type Line, type Reader } from "./read_lines.ts";
import { addSource, readOptions } from "./source_options.ts";

/** Drafts what an ntp.conf says. */
export function readNtpConf(
  draft: Draft,
  { file, text, reader }: { readonly file: string; readonly text: string; readonly reader: Reader },
): void {
  const ntp = new NtpConf(draft, reader);
  ntp.read(file, text);
  ntp.end();
}

/** So many servers of pools an ntpd uses unless it is told otherwise. */
const POOL_SERVERS = 10;
class NtpConf {
  readonly #draft: Draft;
  readonly #files: Files;
  readonly #access: NtpAccess;
  readonly #sources: Line[] = [];
  readonly #nts = new Map<string, string>();
  #localStratum: string | undefined;

  constructor(draft: Draft, reader: Reader) {
    this.#draft = draft;
    this.#access = new NtpAccess(draft);
    this.#files = new Files({ draft, reader, isComment: /#.*$/, take: (line) => this.#take(line) });
  }

  read(file: string, text: string): void {
    this.#files.each(file, text);
  }

  /** Adds what several lines say together. */
  end(): void {
    for (const line of this.#sources) this.#source(line);
    this.#sharePools();
    if (this.#localStratum !== undefined) this.#local(this.#localStratum);
    this.#access.end();
    this.#exchangeKeys();
  }

  #take(line: Line): void {
    const [value = ""] = line.rest;
    if (line.word === "includefile") this.#files.include(line, value);
    else if (["server", "pool", "peer"].includes(line.word)) this.#sources.push(line);
    else if (line.word === "tos" || line.word === "tinker") this.#pairs(line);
    else if (line.word === "enable" || line.word === "disable") this.#switches(line);
    else if (line.word === "nts") this.#takeNts(line);
    else if (!this.#setting(line) && !this.#access.take(line)) {
      this.#draft.without(line, reasonOf(line));
    }
  }

  #setting({ word, rest }: Line): boolean {
    const [value = ""] = rest.map((each) => each.replaceAll('"', ""));
    const draft = this.#draft;
    if (word === "driftfile") return draft.set("clock.drift-file", `${STATE}/drift`);
    if (word === "leapfile") return draft.set("clock.leap-seconds-file", value || undefined);
    if (word === "keys") return draft.set("keys.file", value || undefined);
    if (word === "statistics" || word === "statsdir") {
      return draft.set("observability.statistics-path", `${STATE}/statistics`);
    }
    if (word === "fudge" && value.startsWith("127.127.1.")) {
      this.#localStratum = rest[rest.indexOf("stratum") + 1] ?? "5";
      return true;
    }
    return false;
  }

  #switches(line: Line): void {
    for (const name of line.rest) {
      if (name !== "ntp") this.#draft.without({ ...line, text: `${line.word} ${name}` }, NO_SWITCH);
      else if (line.word === "disable") this.#draft.set("clock.adjust", false);
    }
  }

  /** Takes words with a value behind each. */
  #pairs(line: Line): void {
    for (let i = 0; i < line.rest.length; i += 2) {
      const word = line.rest[i] ?? "", value = line.rest[i + 1];
      const key = PAIRS.get(word);
      const isEndless = key?.endsWith("panic-threshold") === true && Number(value) === 0;
      const isSet = key === undefined
        ? false
        : isEndless
        ? this.#setEndless()
        : setNumber(this.#draft, key, { value, least: key.endsWith("s") ? 1 : 0, most: 1e9 });
      if (isSet) continue;
      const text = `${line.word} ${word} ${value ?? ""}`.trim();
      this.#draft.without({ ...line, text }, reasonOf({ ...line, word }));
    }
  }

  /** A panic threshold of 0 is none, at the start neither. */
  #setEndless(): boolean {
    return this.#draft.set("synchronization.single-step-panic-threshold", "inf") &&
      this.#draft.set("synchronization.startup-step-panic-threshold", "inf");
  }

  /** A line has several words, each but two with a value behind it. */
  #takeNts(line: Line): void {
    const words = line.rest.map((each) => each.replaceAll('"', ""));
    for (let i = 0; i < words.length; i++) {
      const word = words[i] ?? "";
      if (word === "enable") this.#nts.set(word, "");
      else if (word === "disable") this.#nts.delete("enable");
      else {
        const value = words[++i] ?? "";
        const text = `nts ${word} ${value}`.trim();
        if (NTS_FILES.includes(word)) this.#nts.set(word, value);
        else this.#draft.without({ ...line, text }, NTS_REASONS.get(word) ?? UNKNOWN_NAME);
      }
    }
  }

  #source(line: Line): void {
    const isFamily = (word: string) => word === "-4" || word === "-6";
    const [named = "", ...options] = line.rest.filter((word) => !isFamily(word));
    const rest = [...options, ...line.rest.filter(isFamily)];
    if (named.startsWith("127.127.1.")) {
      this.#localStratum ??= "5";
      return;
    }
    if (named.startsWith("127.127.")) {
      return this.#draft.without(line, "ntpsd does not use this reference clock: name a server");
    }
    const [, host = named, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(named) ?? [];
    const isPlain = ipFamily(named) !== undefined;
    const words = port !== undefined && !isPlain ? [...rest, "ntsport", port] : rest;
    const table = addSource(this.#draft, line, {
      host: isPlain ? named : host.replace(/^\[|\]$/g, ""),
      isPool: line.word === "pool",
      options: readOptions(words),
      authority: this.#nts.get("ca") || undefined,
    });
    if (line.word === "peer") {
      table.remarks.push({ place: line, reason: "ntpsd asks it as a client: there are no peers" });
    }
  }

  /** An ntpd takes servers of all pools together until it has as many as `tos maxclock` says. */
  #sharePools(): void {
    const pools = this.#draft.lists.source.filter(({ values }) => values.get("mode") === "pool");
    const share = Math.max(1, Math.floor(POOL_SERVERS / pools.length));
    if (pools.length > 1 && share < 4) {
      for (const { values } of pools) {
        values.set("count", share);
      }
    }
  }

  /** An ntpd that follows its own clock is of the next stratum, and no orphan. */
  #local(stratum: string): void {
    const key = "local-stratum", own = this.#draft.section("synchronization");
    const orphan = own.values.get(key);
    if (orphan !== undefined) {
      own.remarks.push({ reason: `tos orphan ${orphan}: the local clock comes before it` });
    }
    const value = stratum === "" ? "" : `${Number(stratum) + 1}`;
    setNumber(this.#draft, `synchronization.${key}`, { value, least: 1, most: 16 });
  }

  #exchangeKeys(): void {
    const certificate = this.#nts.get("cert"), key = this.#nts.get("key");
    if (!this.#nts.has("enable") || certificate === undefined || key === undefined) return;
    this.#draft.add("nts-ke-server", {
      listen: `[::]:${NTS_KE_PORT}`,
      "certificate-chain-path": certificate,
      "private-key-path": key,
    });
    this.#draft.set("keyset.key-storage-path", `${STATE}/keys`);
  }
}

const NO_SWITCH = "leave it out: ntpsd has no such switch";

/** The words of `tos` and `tinker` that mean a key. */
const PAIRS: ReadonlyMap<string, string> = new Map([
  ["minsane", "synchronization.minimum-agreeing-sources"],
  ["maxdist", "synchronization.max-distance"],
  ["orphan", "synchronization.local-stratum"],
  ["panic", "synchronization.single-step-panic-threshold"],
  ["step", "synchronization.step-threshold"],
]);

/** The words of `nts` that name a file; cookies lie where ntpsd keeps its state. */
const NTS_FILES = ["cert", "key", "ca", "cookie"];
const ONLY_TLS_1_3 = "leave it out: ntpsd uses TLS 1.3 alone (RFC 8915 section 3)";
const BY_OPENSSL = "leave it out: OpenSSL and the configuration of the system decide this";
const NTS_REASONS: ReadonlyMap<string, string> = new Map([
  ["mintls", ONLY_TLS_1_3],
  ["maxtls", ONLY_TLS_1_3],
  ["tlsciphersuites", BY_OPENSSL],
  ["tlscipherserverpreference", BY_OPENSSL],
  ["tlsecdhcurves", BY_OPENSSL],
  ["aead", "use aead-algorithms in [[source]]; a server offers all that it knows"],
]);
