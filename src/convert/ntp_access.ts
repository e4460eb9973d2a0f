/**
 * What an ntp.conf says of its clients: whom it serves, where, and how often.
 *
 * Limits: ntpsd limits all clients of a [[server]] or none, and tells clients by no port; what a
 * line says beyond that is told.
 *
 * @module
 */
import { ipFamily } from "../base/ip_address.ts";
import { NTP_PORT } from "../base/ports.ts";
import { AccessTable, wholeSpace } from "./access_table.ts";
import type { Draft, Value } from "./draft.ts";
import type { Line } from "./read_lines.ts";
import {
  addServers,
  network,
  noNetwork,
  NOT_UNDERSTOOD,
  RATE_LIMITS,
  tellLimited,
  UNKNOWN_NAME,
  WILDCARDS,
} from "./shared_directives.ts";

const CLIENT_REFUSED = ["ignore", "noserve", "notrust"];
/** The flags of `restrict` that have no meaning here, and need none. */
const NO_FLAGS_HERE = ["nomodify", "notrap", "nopeer", "noquery", "lowpriotrap", "version"];
const KNOWN_FLAGS = ["limited", "kod", "ignore", ...NO_FLAGS_HERE];
/** Words of `restrict` with a value behind them that is none of the flags. */
const WITH_VALUE = ["mask", "ippeerlimit"];
/** What words mean instead of an address; the wildcard of an ntpd receives nothing anyway. */
const PLACES: ReadonlyMap<string, readonly string[]> = new Map([
  ["all", Object.values(WILDCARDS)],
  ["ipv4", [WILDCARDS.ipv4]],
  ["ipv6", [WILDCARDS.ipv6]],
  ["wildcard", []],
]);
/** Where an ntpd listens whatever lines say about others, and the wildcard that includes it. */
const LOOPBACK = [["127.0.0.1", WILDCARDS.ipv4], ["::1", WILDCARDS.ipv6]] as const;

/** The lines of an ntp.conf about its clients. */
export class NtpAccess {
  readonly #draft: Draft;
  readonly #access = new AccessTable();
  /** The last line about each network, and whether one of them limits it. */
  readonly #networks = new Map<string, { readonly line: Line; readonly isLimited: boolean }>();
  /** Where it listens, and where not; undefined where no line says so. */
  #places: Map<string, boolean> | undefined;
  readonly #rates: Line[] = [];
  #isLimited = false;

  /** Every client is served until a line says otherwise. */
  constructor(draft: Draft) {
    this.#draft = draft;
    for (const each of wholeSpace()) this.#access.set(each, true);
  }

  /** Takes a line; false if it is about something else. */
  take(line: Line): boolean {
    if (line.word === "interface" || line.word === "nic") this.#interface(line);
    else if (line.word === "discard" || line.word === "limit") this.#rates.push(line);
    else if (line.word === "restrict") this.#restrict(line);
    else return false;
    return true;
  }

  /** Adds what several lines say together. */
  end(): void {
    const { allow, deny } = this.#access.lists;
    const rateLimit = this.#rateLimit();
    if (this.#isLimited) this.#tellExempt();
    if (allow?.every(isOwn) === true) return;
    const addresses = this.#listening();
    if (addresses.length === 0) {
      this.#draft.remarks.push({ reason: NOWHERE });
      return;
    }
    const common = { port: NTP_PORT };
    const servers = addServers(this.#draft, { ...common, addresses, allow, deny, rateLimit });
    servers[0]?.remarks.push({ reason: SERVES_ALL });
    const local = this.#local(addresses);
    if (local.length === 0) return;
    const open = { allow: undefined, deny: [], rateLimit: undefined };
    addServers(this.#draft, { ...common, addresses: local, ...open });
  }

  #restrict(line: Line): void {
    const [where = "", ...flags] = line.rest.filter((word) => word !== "-4" && word !== "-6");
    if (where === "source") return;
    if (flags.includes("ntpport") || flags.includes("port")) {
      return this.#draft.without(line, BY_PORT);
    }
    const mask = flags.includes("mask") ? flags[flags.indexOf("mask") + 1] : undefined;
    const isRefused = flags.some((flag) => CLIENT_REFUSED.includes(flag));
    const isLimited = flags.includes("limited");
    const space = spaceOf(where, line.rest);
    if (space !== undefined && isLimited) this.#isLimited = true;
    else if (isLimited) this.#draft.without(line, NOT_LIMITED);
    if (flags.includes("notrust")) this.#draft.without(line, NO_TRUST);
    for (const found of space ?? [network(where, mask)]) {
      if (found === undefined) {
        this.#draft.without(line, noNetwork(where, mask));
        if (isRefused) this.#access.refuseUnnamed([where, mask ?? []].flat().join(" mask "));
        continue;
      }
      // flags of several lines about one network add up
      if (!this.#access.isRefused(found)) this.#access.set(found, !isRefused);
      const before = this.#networks.get(found)?.isLimited === true;
      this.#networks.set(found, { line, isLimited: isLimited || before });
    }
    const unknown = flags.filter((flag, i) =>
      !flag.startsWith("no") && !KNOWN_FLAGS.includes(flag) && !WITH_VALUE.includes(flag) &&
      !WITH_VALUE.includes(flags[i - 1] ?? "")
    );
    if (unknown.length > 0) this.#draft.without(line, `${unknown.join(", ")}: ${UNKNOWN_NAME}`);
  }

  /** Tells of networks that the default limits in ntpsd and not in ntpd. */
  #tellExempt(): void {
    for (const [each, { line, isLimited }] of this.#networks) {
      if (isLimited || isOwn(each) || this.#access.isRefused(each)) continue;
      this.#draft.without(line, NOT_EXEMPT);
    }
  }

  /** Where lines say so nothing else is open but loopback, which only its own address closes. */
  #interface(line: Line): void {
    const [action = "", where = ""] = line.rest;
    const isListen = action === "listen";
    this.#places ??= new Map();
    const named = PLACES.get(where) ?? (ipFamily(where) === undefined ? undefined : [where]);
    if (named === undefined) this.#draft.without(line, ONLY_ADDRESSES);
    else for (const address of named) this.#places.set(address, isListen);
  }

  /** Returns the addresses that are open, but for loopback where no line names it. */
  #listening(): readonly string[] {
    if (this.#places === undefined) return [WILDCARDS.ipv6];
    const open = [...this.#places].flatMap(([address, isOpen]) => isOpen ? [address] : []);
    for (const [address, isOpen] of this.#places) {
      const wildcard = WILDCARDS[ipFamily(address) ?? "ipv6"];
      if (isOpen || address === wildcard || !open.includes(wildcard)) continue;
      const reason = `interface ignore ${address}: it is open, as all addresses of its family`;
      this.#draft.remarks.push({ reason });
    }
    // `[::]` serves both families where nothing else is of IPv4
    const isAll = Object.values(WILDCARDS).every((each) => open.includes(each));
    return isAll ? open.filter((address) => address !== WILDCARDS.ipv4) : open;
  }

  /** Returns the loopback addresses that an ntpd opens beside those that are listened on. */
  #local(addresses: readonly string[]): readonly string[] {
    if (this.#places === undefined) return [];
    return LOOPBACK.filter(([address, wildcard]) =>
      this.#places?.has(address) !== true && this.#places?.get(wildcard) !== true &&
      !addresses.includes(wildcard) && this.#access.allows(address)
    ).map(([address]) => address);
  }

  /** Returns the limit of all clients, if there is one. */
  #rateLimit(): Value | undefined {
    const isNtpsec = this.#rates.some(({ word }) => word === "limit");
    const limit: RateLimit = isNtpsec ? { ...NTPSEC_RATE_LIMIT } : { ...RATE_LIMIT };
    for (const line of this.#rates) {
      for (let i = 0; i < line.rest.length; i += 2) {
        const word = line.rest[i] ?? "", text = line.rest[i + 1] ?? "";
        const reason = this.#isLimited ? this.#rate(limit, { line, word, text }) : LIMITS_NOBODY;
        const place = { ...line, text: `${line.word} ${word} ${text}`.trim() };
        if (reason !== undefined) this.#draft.without(place, reason);
      }
    }
    return this.#isLimited ? { ...limit } : undefined;
  }

  /**
   * Takes a word of `discard`, whose average is an exponent of seconds, or of `limit`, where it is
   * responses a second; returns why it is not taken.
   */
  #rate(
    limit: RateLimit,
    { line, word, text }: { readonly line: Line; readonly word: string; readonly text: string },
  ): string | undefined {
    if (word !== "average" && (word !== "burst" || line.word === "discard")) return NO_SUCH_LIMIT;
    const isRate = line.word === "limit" && word === "average";
    const number = text === "" ? NaN : isRate ? -Math.log2(Number(text)) : Number(text);
    if (!Number.isFinite(number)) return NOT_UNDERSTOOD;
    const name = word === "burst" ? "burst" : "interval";
    const [least, most] = RATE_LIMITS[name];
    const used = Math.max(least, Math.min(most, Math.round(number)));
    limit[name] = used;
    tellLimited(this.#draft, {
      name: `${line.word} ${word}`,
      text,
      used: isRate ? 2 ** -used : used,
    });
    return undefined;
  }
}

interface RateLimit {
  interval: number;
  burst: number;
  readonly leak: number;
}

/** ntpsd limits clients as ntpd's `discard` does by default: one response in eight seconds. */
const RATE_LIMIT: Readonly<RateLimit> = { interval: 3, burst: 8, leak: 2 };
/** NTPsec's `limit` by default: a response a second. */
const NTPSEC_RATE_LIMIT: Readonly<RateLimit> = { interval: 0, burst: 20, leak: 2 };

const LIMITS_NOBODY = "it limits nobody: no line says restrict default limited";
const NOWHERE = "No address is named in interface listen: an ntpd serves this machine alone then";
const SERVES_ALL = "An ntpd serves all who may ask: remove this section on a machine that is a " +
  "client only";
const NOT_LIMITED = "limited: a rate-limit is about all clients of a [[server]], so there is none";
const NOT_EXEMPT = "without limited: a rate-limit is about all clients of a [[server]], so these " +
  "are limited too";
const NO_TRUST = "notrust: these clients are refused, with a right key too";
const BY_PORT = "left out: ntpsd does not tell clients by their port";
const ONLY_ADDRESSES = "only addresses can be named in listen of [[server]]";
const NO_SUCH_LIMIT = "rate-limit in [[server]] has only interval, burst and leak";

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
