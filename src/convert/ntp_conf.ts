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
import { NTP_PORT, NTS_KE_PORT } from "../base/ports.ts";
import {
  addServers,
  network,
  reasonOf,
  setNumber,
  STATE,
  UNKNOWN_NAME,
} from "./shared_directives.ts";
import { AccessTable, wholeSpace } from "./access_table.ts";
import type { Draft, Value } from "./draft.ts";
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

/** ntpsd limits clients as ntpd's `discard` does by default: one response in eight seconds. */
const RATE_LIMIT: Value = { interval: 3, burst: 8, leak: 2 };
/** So many servers of pools an ntpd uses unless it is told otherwise. */
const POOL_SERVERS = 10;
const CLIENT_REFUSED = ["ignore", "noserve", "notrust"];
/** The flags of `restrict` that have no meaning here, and need none. */
const NO_FLAGS_HERE = ["nomodify", "notrap", "nopeer", "noquery", "lowpriotrap", "version"];

class NtpConf {
  readonly #draft: Draft;
  readonly #files: Files;
  readonly #addresses: string[] = [];
  readonly #access = new AccessTable();
  readonly #sources: Line[] = [];
  readonly #nts = new Map<string, string>();
  #isLimited = false;
  #localStratum: string | undefined;

  constructor(draft: Draft, reader: Reader) {
    this.#draft = draft;
    for (const each of wholeSpace()) this.#access.set(each, true);
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
    this.#serve();
    this.#exchangeKeys();
  }

  #take(line: Line): void {
    const [value = ""] = line.rest;
    if (line.word === "includefile") this.#files.include(line, value);
    else if (["server", "pool", "peer"].includes(line.word)) this.#sources.push(line);
    else if (line.word === "tos" || line.word === "tinker") this.#pairs(line);
    else if (line.word === "enable" || line.word === "disable") this.#switches(line);
    else if (!this.#setting(line) && !this.#takeAccess(line)) {
      this.#draft.without(line, reasonOf(line));
    }
  }

  #setting({ word, rest }: Line): boolean {
    const [value = "", second] = rest.map((each) => each.replaceAll('"', ""));
    const draft = this.#draft;
    if (word === "driftfile") return draft.set("clock.drift-file", `${STATE}/drift`);
    if (word === "leapfile") return draft.set("clock.leap-seconds-file", value || undefined);
    if (word === "keys") return draft.set("keys.file", value || undefined);
    if (word === "statistics" || word === "statsdir") {
      return draft.set("observability.statistics-path", `${STATE}/statistics`);
    }
    if (word === "nts") {
      if (value === "enable") this.#nts.set("enable", "");
      else this.#nts.set(value, second ?? "");
      return ["enable", "cert", "key", "ca", "cookie"].includes(value);
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

  #takeAccess(line: Line): boolean {
    const words = line.rest.filter((word) => word !== "-4" && word !== "-6");
    if (line.word === "interface" || line.word === "nic") return this.#interface(line);
    if (line.word !== "restrict") return false;
    const [where = "", ...flags] = words;
    if (where === "source") return true;
    const maskAt = flags.indexOf("mask");
    const mask = maskAt < 0 ? undefined : flags[maskAt + 1];
    const isRefused = flags.some((flag) => CLIENT_REFUSED.includes(flag));
    const space = spaceOf(where, line.rest);
    if (space !== undefined && flags.includes("limited")) this.#isLimited = true;
    else if (flags.includes("limited")) this.#draft.without(line, NOT_LIMITED);
    if (flags.includes("notrust")) this.#draft.without(line, NO_TRUST);
    for (const found of space ?? [network(where, mask)]) {
      if (found === undefined) {
        this.#draft.without(line, "names are not looked up in access lists: write the address");
        continue;
      }
      // flags of several lines about one network add up
      if (!this.#access.isRefused(found)) this.#access.set(found, !isRefused);
    }
    const rest = flags.filter((flag, i) =>
      flag.startsWith("no") === false && !["mask", "limited", "kod", "ignore"].includes(flag) &&
      (maskAt < 0 || i !== maskAt + 1) && !NO_FLAGS_HERE.includes(flag)
    );
    if (rest.length > 0) {
      this.#draft.without(line, `${rest.join(", ")}: ${UNKNOWN_NAME}`);
    }
    return true;
  }

  #interface(line: Line): boolean {
    const [action = "", where = ""] = line.rest;
    if (action === "listen" && ipFamily(where) !== undefined) this.#addresses.push(where);
    else if (action === "listen" && (where === "all" || where === "ipv4" || where === "ipv6")) {
      if (where === "ipv4") this.#addresses.push("0.0.0.0");
      if (where === "ipv6") this.#addresses.push("::");
    } else if (where === "wildcard" || where === "all") return true;
    else this.#draft.without(line, "only addresses can be named in listen of [[server]]");
    return true;
  }

  #source(line: Line): void {
    const words = line.rest.filter((word) => word !== "-4" && word !== "-6");
    const [named = "", ...rest] = words;
    if (named.startsWith("127.127.1.")) {
      this.#localStratum ??= "5";
      return;
    }
    if (named.startsWith("127.127.")) {
      return this.#draft.without(line, "ntpsd does not use this reference clock: name a server");
    }
    const [, host = named, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(named) ?? [];
    const isPlain = ipFamily(named) !== undefined;
    const options = readOptions(port !== undefined && !isPlain ? [...rest, "ntsport", port] : rest);
    const table = addSource(this.#draft, line, {
      host: isPlain ? named : host.replace(/^\[|\]$/g, ""),
      isPool: line.word === "pool",
      options,
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

  #serve(): void {
    const { allow, deny } = this.#access.lists;
    if (allow?.every(isOwn) === true) return;
    const servers = addServers(this.#draft, {
      addresses: this.#addresses,
      port: NTP_PORT,
      allow,
      deny,
      rateLimit: this.#isLimited ? RATE_LIMIT : undefined,
    });
    const reason = "An ntpd serves all who may ask: remove this section on a machine that is a " +
      "client only";
    servers[0]?.remarks.push({ reason });
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

const NOT_LIMITED = "limited: a rate-limit is about all clients of a [[server]], so there is none";
const NO_TRUST = "notrust: these clients are refused, with a right key too";
const NO_SWITCH = "leave it out: ntpsd has no such switch";

/** The words of `tos` and `tinker` that mean a key. */
const PAIRS: ReadonlyMap<string, string> = new Map([
  ["minsane", "synchronization.minimum-agreeing-sources"],
  ["maxdist", "synchronization.max-distance"],
  ["orphan", "synchronization.local-stratum"],
  ["panic", "synchronization.single-step-panic-threshold"],
  ["step", "synchronization.step-threshold"],
]);

/** Returns the addresses that a line means by default; undefined for a line about a network. */
function spaceOf(where: string, words: readonly string[]): readonly string[] | undefined {
  if (where === "0.0.0.0") return wholeSpace("ipv4");
  if (where === "::") return wholeSpace("ipv6");
  if (where !== "default") return undefined;
  return wholeSpace(words.includes("-4") ? "ipv4" : words.includes("-6") ? "ipv6" : undefined);
}

/** Whether a network is this machine: it is served by whoever listens anywhere. */
function isOwn(network: string): boolean {
  return network.startsWith("127.") || network === "::1/128";
}
