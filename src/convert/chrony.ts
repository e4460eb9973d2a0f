/**
 * chrony.conf(5), with the files that it includes.
 *
 * @module
 */
import { ipFamily } from "../base/ip_address.ts";
import { NTP_PORT, NTS_KE_PORT } from "../base/ports.ts";
import {
  addServers,
  LEAP_SECONDS,
  network,
  noNetwork,
  NOT_UNDERSTOOD,
  positiveNumber,
  RATE_LIMITS,
  reasonOf,
  setNumber,
  STATE,
  tellLimited,
  wholeNumber,
  WILDCARDS,
} from "./shared_directives.ts";
import { AccessTable, wholeSpace } from "./access_table.ts";
import type { Draft, Value } from "./draft.ts";
import { Files, type Line, type Reader } from "./read_lines.ts";
import { addSource, readOptions } from "./source_options.ts";

const AUTHENTICATION = ["require", "prefer", "mix", "ignore"];

/** Drafts what a chrony.conf says. */
export function readChrony(
  draft: Draft,
  { file, text, reader }: { readonly file: string; readonly text: string; readonly reader: Reader },
): void {
  const chrony = new Chrony(draft, reader);
  chrony.read(file, text);
  chrony.end();
}

class Chrony {
  readonly #draft: Draft;
  readonly #files: Files;
  readonly #authorities = new Map<string, string>();
  readonly #sources: Line[] = [];
  readonly #bound = new Map<string, string>();
  readonly #access = new AccessTable();
  readonly #exchange = new Map<string, string>();
  #port = NTP_PORT;
  #rateLimit: Value | undefined;

  constructor(draft: Draft, reader: Reader) {
    this.#draft = draft;
    this.#files = new Files({
      draft,
      reader,
      isComment: /^\s*[!;#%].*$|\s#.*$/,
      take: (line) => this.#take(line),
    });
  }

  read(file: string, text: string): void {
    this.#files.each(file, text);
  }

  /** Adds what several lines say together. */
  end(): void {
    for (const line of this.#sources) this.#source(line);
    this.#serve();
    this.#exchangeKeys();
    this.#tellPanic();
  }

  #take(line: Line): void {
    const setting = Object.hasOwn(SETTINGS, line.word) ? SETTINGS[line.word] : undefined;
    if (setting !== undefined) {
      const result = setting(this.#draft, line.rest);
      if (result !== true) this.#draft.without(line, result === false ? NOT_UNDERSTOOD : result);
    } else if (["server", "pool", "peer"].includes(line.word)) this.#sources.push(line);
    else if (!this.#takeFiles(line) && !this.#takeServer(line)) {
      this.#draft.without(line, reasonOf(line));
    }
  }

  #takeFiles(line: Line): boolean {
    if (line.word === "include") {
      for (const pattern of line.rest) this.#files.include(line, pattern);
    } else if (line.word === "confdir" || line.word === "sourcedir") {
      const matches = line.word === "confdir" ? /^[^.].*\.conf$/ : /^[^.].*\.sources$/;
      const seen = new Set<string>();
      for (const folder of line.rest) this.#files.folder(line, { folder, matches, seen });
    } else return false;
    return true;
  }

  #takeServer(line: Line): boolean {
    const [value = ""] = line.rest;
    if (line.word === "allow" || line.word === "deny") this.#takeAccess(line);
    else if (line.word === "port") this.#port = wholeNumber(value) ?? NTP_PORT;
    else if (line.word === "bindaddress") this.#bound.set(ipFamily(value) ?? value, value);
    else if (line.word === "ratelimit") this.#rateLimit = rateLimit(this.#draft, line.rest);
    else if (line.word === "ntstrustedcerts") this.#authority(line.rest);
    else if (EXCHANGE.has(line.word)) this.#exchange.set(line.word, value);
    else return false;
    return true;
  }

  /** A later line overrides those before about the same network; with "all" those inside too. */
  #takeAccess(line: Line): void {
    const [first = "", second] = line.rest;
    const clears = first.toLowerCase() === "all";
    const where = clears ? second : first;
    const found = where === undefined || where === "" ? wholeSpace() : [network(where)];
    for (const each of found) {
      if (each === undefined) {
        this.#draft.without(line, noNetwork(where ?? ""));
        if (line.word === "deny") this.#access.refuseUnnamed(where ?? "");
        continue;
      }
      if (clears) this.#access.clearInside(each);
      this.#access.set(each, line.word === "allow");
    }
  }

  #authority(rest: readonly string[]): void {
    const [first = "", second] = rest;
    if (second === undefined) this.#authorities.set("0", first);
    else this.#authorities.set(first, second);
  }

  #source(line: Line): void {
    const [host = "", ...words] = line.rest;
    const options = readOptions(words);
    const authority = this.#authorities.get(options.values.get("certset") ?? "0");
    const table = addSource(this.#draft, line, {
      host,
      isPool: line.word === "pool",
      options,
      authority,
    });
    if (line.word === "peer") {
      table.remarks.push({ place: line, reason: "ntpsd asks it as a client: there are no peers" });
    }
  }

  #serve(): void {
    const { allow, deny } = this.#access.lists;
    if (allow?.length === 0) return;
    if (this.#port === 0) {
      this.#draft.remarks.push({ reason: "port 0: no client is served, whatever is allowed" });
      return;
    }
    addServers(this.#draft, {
      addresses: this.#listening(allow),
      port: this.#port,
      allow,
      deny,
      rateLimit: this.#rateLimit,
    });
  }

  /** Where it listens: `bindaddress` is about its own family, the other one stays open. */
  #listening(allow: readonly string[] | undefined): readonly string[] {
    if (this.#bound.size === 0) return [WILDCARDS.ipv6];
    const bound = { ...WILDCARDS, ...Object.fromEntries(this.#bound) };
    const isUnderstood = Object.keys(bound).length === Object.keys(WILDCARDS).length;
    if (!isUnderstood) return [...this.#bound.values()];
    return Object.values(bound).filter((address) =>
      allow === undefined || allow.some((network) => isIpv6(network) === isIpv6(address))
    );
  }

  /** A chronyd without `maxchange`, or before the updates it leaves out, steps by any amount. */
  #tellPanic(): void {
    const values = this.#draft.sections.get("synchronization")?.values;
    if (values?.has("step-limit") !== true) return;
    const own = PANIC_THRESHOLDS.filter((key) => !values.has(key));
    if (own.length === 0) return;
    const reason = `makestep: chrony steps by any amount, ntpsd exits beyond ${own.join(" or ")}`;
    this.#draft.remarks.push({ reason });
  }

  /** Keys are given out where time is served; `[::]` takes both families over TCP. */
  #exchangePlaces(): readonly string[] {
    const places = this.#listening(undefined);
    if (places.length < 2 || !places.includes(WILDCARDS.ipv6)) return places;
    const others = places.filter((address) => address !== WILDCARDS.ipv6);
    if (others.includes(WILDCARDS.ipv4)) return [WILDCARDS.ipv6];
    const reason = `bindaddress ${others.join(", ")}: no keys are given out over IPv6, for [::] ` +
      "would take IPv4 too; add an [[nts-ke-server]] at the IPv6 address";
    this.#draft.remarks.push({ reason });
    return others;
  }

  #exchangeKeys(): void {
    const certificate = this.#exchange.get("ntsservercert");
    const key = this.#exchange.get("ntsserverkey");
    if (certificate === undefined || key === undefined) return;
    const port = wholeNumber(this.#exchange.get("ntsport")) ?? NTS_KE_PORT;
    const connections = wholeNumber(this.#exchange.get("maxntsconnections"));
    for (const address of this.#exchangePlaces()) {
      this.#draft.add("nts-ke-server", {
        listen: `${isIpv6(address) ? `[${address}]` : address}:${port}`,
        "certificate-chain-path": certificate,
        "private-key-path": key,
        "concurrent-connections": connections,
        "ntp-server": this.#exchange.get("ntsntpserver"),
      });
    }
    this.#draft.set("keyset.key-storage-path", `${STATE}/keys`);
    const rotation = positiveNumber(this.#exchange.get("ntsrotate"));
    if (rotation !== undefined && rotation > 0) {
      this.#draft.set("keyset.key-rotation-interval", rotation);
    }
  }
}

/** Directives that together describe the server of keys. */
const EXCHANGE = new Set(
  ["ntsservercert", "ntsserverkey", "ntsport", "maxntsconnections", "ntsntpserver", "ntsrotate"],
);

function isIpv6(addressOrNetwork: string): boolean {
  return addressOrNetwork.includes(":");
}

/** At the start, and later. */
const PANIC_THRESHOLDS = ["startup-step-panic-threshold", "single-step-panic-threshold"];

const NONE_IGNORED = "maxchange: ntpsd exits at the first change beyond it, it ignores none";

/**
 * Directives that set a key; false where the value is not understood, a reason where a part of it
 * has no equivalent.
 */
const SETTINGS: Readonly<
  Record<string, (draft: Draft, rest: readonly string[]) => boolean | string>
> = {
  driftfile: (draft) => draft.set("clock.drift-file", `${STATE}/drift`),
  maxslewrate: (draft, [value]) =>
    setNumber(draft, "clock.max-slew-ppm", { value, least: 1, most: 100_000 }),
  maxdrift: (draft, [value]) =>
    setNumber(draft, "clock.max-frequency-ppm", { value, least: 0, most: 500 }),
  maxdistance: (draft, [value]) =>
    setNumber(draft, "synchronization.max-distance", { value, least: 1e-6, most: 1e9 }),
  maxclockerror: (draft, [value]) =>
    setNumber(draft, "clock.max-clock-error-ppm", { value, least: 0, most: 100_000 }),
  leapsectz: (draft) => draft.set("clock.leap-seconds-file", LEAP_SECONDS),
  leapseclist: (draft, [value]) => draft.set("clock.leap-seconds-file", value),
  keyfile: (draft, [value]) => draft.set("keys.file", value),
  ntsdumpdir: (draft) => draft.set("nts.cookie-storage-path", `${STATE}/cookies`),
  log: (draft) => draft.set("observability.statistics-path", `${STATE}/statistics`),
  minsources: (draft, [value]) =>
    setNumber(draft, "synchronization.minimum-agreeing-sources", { value, least: 1, most: 100 }),
  authselectmode: (draft, [value = ""]) =>
    AUTHENTICATION.includes(value) && draft.set("synchronization.authentication", value),
  makestep: (draft, [threshold, limit]) =>
    setNumber(draft, "synchronization.step-threshold", { value: threshold, least: 0, most: 1e9 }) &&
    setNumber(draft, "synchronization.step-limit", { value: limit, least: -1, most: 1_000_000 }),
  maxchange: (draft, [value, start, ignored = "0"]) => {
    // `start` is how many updates are not checked
    const isSet = PANIC_THRESHOLDS.slice(start === "0" ? 0 : 1).every((key) =>
      setNumber(draft, `synchronization.${key}`, { value, least: 0, most: 1e9 })
    );
    return isSet && ignored !== "0" ? NONE_IGNORED : isSet;
  },
  local: (draft, rest) => {
    const at = rest.findIndex((word) => word.toLowerCase() === "stratum");
    const value = at < 0 ? "10" : rest[at + 1];
    return setNumber(draft, "synchronization.local-stratum", { value, least: 1, most: 16 });
  },
};

function rateLimit(draft: Draft, rest: readonly string[]): Value {
  const limit: Record<string, Value> = {};
  for (const [name, [least, most]] of Object.entries(RATE_LIMITS)) {
    const at = rest.findIndex((word) => word.toLowerCase() === name);
    const text = at < 0 ? undefined : rest[at + 1];
    const value = wholeNumber(text);
    const used = value === undefined ? undefined : Math.max(least, Math.min(most, value));
    tellLimited(draft, { name: `ratelimit ${name}`, text, used });
    if (used !== undefined) limit[name] = used;
  }
  return limit;
}
