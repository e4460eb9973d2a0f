/**
 * The `[[source]]` sections: their keys, and the rules between the keys of one and between the
 * sections.
 *
 * @module
 */
import { ipFamily } from "../../base/ip_address.ts";
import { NTP_PORT, NTS_KE_PORT } from "../../base/ports.ts";
import { ipAddress, sourceAddress } from "../address_field.ts";
import { ConfigPath, Diagnostics, isTable } from "../config_path.ts";
import { boolean, integer, list, word } from "../field.ts";
import {
  type Built,
  completeIfWhole,
  type Field,
  optional,
  required,
  type Row,
  type SectionsKey,
} from "../key.ts";
import { fileToRead } from "../path_field.ts";
import { canonicalHost } from "../special_address.ts";
import { sectionList } from "../table_field.ts";
import {
  checkPollDefaults,
  POLL_KEYS,
  type PollContext,
  pollIntervals,
  type PollRow,
} from "./poll_interval.ts";

const AEAD_NUMBERS: Readonly<Record<string, number>> = {
  AEAD_AES_SIV_CMAC_256: 15,
  AEAD_AES_SIV_CMAC_384: 16,
  AEAD_AES_SIV_CMAC_512: 17,
  AEAD_AES_128_GCM_SIV: 30,
};

const AEAD: Field<number> = {
  wanted: `15, 16, 17, 30 or a name such as "AEAD_AES_SIV_CMAC_256"`,
  read(value, at) {
    if (value === 15 || value === 16 || value === 17 || value === 30) return value;
    const number = typeof value === "string" && Object.hasOwn(AEAD_NUMBERS, value)
      ? AEAD_NUMBERS[value]
      : undefined;
    return number ?? at.wanted(this.wanted, value);
  },
};

const KEYS = {
  mode: required(word(["server", "pool", "nts", "nts-pool"]), {
    reload: "applied",
    doc: "The kind of source: `server` is one NTP server; `pool` is a name with many servers " +
      "behind it; `nts` is one server whose responses are authenticated by Network Time " +
      "Security; `nts-pool` is a name with many of those.",
  }),
  address: required(sourceAddress, {
    build: ({ text }) => text,
    reload: "applied",
    doc:
      `The host name or IP address. The port is needed if it is not the default: ${NTP_PORT}, or for ` +
      `NTS the port of the key exchange, ${NTS_KE_PORT}.`,
  }),
  count: optional(integer(1, 64), {
    default: 4,
    reload: "applied",
    foreign: { "max-sources maxsources": "use count" },
    doc:
      "Pools only: how many servers of the pool to use at once. A server that stops responding, " +
      "or proves wrong, is replaced.",
  }),
  ignore: optional(list(ipAddress, "a list of IP addresses"), {
    default: [],
    reload: "applied",
    doc: "Pools only: addresses that are never used.",
  }),
  "certificate-authority": optional(fileToRead(), {
    otherwise: "the system's",
    reload: "applied",
    foreign: {
      "ca": "use certificate-authority",
      "ntstrustedcerts": "use certificate-authority in [[source]]",
    },
    doc: "NTS only: a PEM file of certificates to trust for this source in addition to the " +
      "system's. It may hold a root, an intermediate certificate, or the server's own " +
      "certificate.",
  }),
  "aead-algorithms": optional(list(AEAD, "a list of algorithms"), {
    default: [],
    otherwise: "all, best first",
    reload: "applied",
    foreign: "ntsaeads",
    doc: "NTS only: the algorithms to offer, by number or name, the preferred one first.",
  }),
  iburst: optional(boolean, {
    default: true,
    reload: "new-servers",
    foreign: {
      "burst": "leave it out: iburst = true sends a few requests quickly at the start",
    },
    doc: "Whether to send a few requests quickly at the start, so that the time is known within " +
      "seconds.",
  }),
  prefer: optional(boolean, {
    default: false,
    reload: "applied",
    doc: "Use the time of this source when it agrees with the others.",
  }),
  trust: optional(boolean, {
    default: false,
    otherwise: "false; true where `authentication` says so",
    reload: "applied",
    foreign: { "true": "use trust = true, or prefer = true" },
    doc: "Trust this source, and others with this option, even against a majority of sources " +
      "without it. Those can then move the time only within the interval that the trusted ones " +
      "leave open.",
  }),
  require: optional(boolean, {
    default: false,
    otherwise: "false; true where `authentication` says so",
    reload: "applied",
    doc:
      "Do not adjust the clock unless at least one source with this option is among those that " +
      "agree.",
  }),
  "no-select": optional(boolean, {
    default: false,
    reload: "applied",
    foreign: { "noselect": "use no-select = true" },
    doc: "Measure and show this source, but never use its time.",
  }),
  key: optional(integer(1, 4294967295), {
    reload: "applied",
    doc: "The number of the symmetric key that authenticates this source, from the file of " +
      "`[keys]`.",
  }),
  ...POLL_KEYS,
  interleaved: optional(boolean, {
    default: false,
    reload: "applied",
    foreign: { "xleave": "use interleaved = true" },
    doc:
      "Use interleaved mode, which has more accurate timestamps (RFC 9769). With a server that " +
      "does not support it, ntpsd falls back to basic mode.",
  }),
};

/** The `[[source]]` sections. */
export const SOURCES: SectionsKey<typeof KEYS> = sectionList(KEYS, {
  identity: "address",
  doc: "Where the time comes from. There is one section for each server or pool.",
});

/** One `[[source]]` section. */
export interface SourceConfig extends Built<typeof KEYS> {
  /** The host name or the IP literal without brackets. */
  readonly host: string;
  /** The UDP port, or the TCP port of the key exchange with NTS. */
  readonly port: number;
  /** Present if `require` is not written, and follows from `authentication`. */
  readonly isRequiredByMode?: true;
}

/** One `[[source]]` section as it is read. */
export type SourceRow = Row<typeof KEYS>;

/** What of the other sections concerns sources. */
export interface SourceContext {
  /** The `[source-defaults]` section. */
  readonly defaults: PollRow | undefined;
  /** What authenticated sources are to the others. */
  readonly authentication: "require" | "prefer" | "mix" | "ignore";
  /** Whether there is a file of symmetric keys. */
  readonly hasKeyFile: boolean;
  /** The whole configuration. */
  readonly root: ConfigPath;
}

/** Tells whether the packets of a source are authenticated, by NTS or by a symmetric key. */
export function isAuthenticated({ mode, key }: Pick<SourceConfig, "mode" | "key">): boolean {
  return isNtsMode(mode) || key !== undefined;
}

/** Builds the sources in their order; one with an error is undefined, so that indices hold. */
export function buildSources(
  rows: readonly (SourceRow | undefined)[],
  { defaults, authentication, hasKeyFile, root }: SourceContext,
): readonly (SourceConfig | undefined)[] {
  const seen = new Map<string, number>();
  const rank = authenticatedOutrank(rows, authentication);
  checkPollDefaults(defaults, root.key("source-defaults"));
  return rows.map((row, i) => {
    const at = root.key("source").index(i);
    if (row === undefined) return undefined;
    checkMode(row, { hasKeyFile, at });
    checkNumericPool(row, at);
    checkNoSelect(row, at);
    const source = rank(buildSource(row, { defaults, at }), row);
    const name = source === undefined ? undefined : identityOf(source);
    const first = name === undefined ? undefined : seen.get(name);
    if (first !== undefined) {
      const other = root.key("source").index(first).described;
      at.key("address").report(`The same address as in ${other}`, "remove one of the two");
    } else if (name !== undefined) seen.set(name, i);
    return source;
  });
}

function buildSource(
  row: SourceRow,
  context: PollContext,
): SourceConfig | undefined {
  const intervals = pollIntervals(row, context);
  const source = completeIfWhole(KEYS, row);
  if (source === undefined || row.address === undefined) return undefined;
  return {
    ...source,
    ...intervals,
    host: row.address.host,
    port: row.address.port ?? usualPort(source.mode),
    count: isPoolMode(source.mode) ? source.count : 1,
  };
}

/**
 * Returns the same of a section as it is written, and whether it is a plain server and says nothing
 * beside its address; undefined if it is not right.
 */
export function identityOfSource(
  section: unknown,
): { readonly name: string; readonly isBare: boolean } | undefined {
  if (!isTable(section)) return undefined;
  const diagnostics = new Diagnostics(), at = new ConfigPath(diagnostics);
  const mode = KEYS.mode.field.read(section["mode"], at);
  const address = KEYS.address.field.read(section["address"], at);
  if (mode === undefined || address === undefined || diagnostics.errors.length > 0) {
    return undefined;
  }
  const name = identityOf({ host: address.host, port: address.port ?? usualPort(mode), mode });
  return { name, isBare: mode === "server" && Object.keys(section).length === 2 };
}

/**
 * Spells a source's address in one way; the usual port is no part of it, so that one server is not
 * asked with and without NTS.
 */
function identityOf(
  { host, port, mode }: Pick<SourceConfig, "host" | "port" | "mode">,
): string {
  return port === usualPort(mode) ? canonicalHost(host) : `${canonicalHost(host)} ${port}`;
}

function usualPort(mode: SourceConfig["mode"]): number {
  return isNtsMode(mode) ? NTS_KE_PORT : NTP_PORT;
}

function isNtsMode(mode: SourceConfig["mode"]): boolean {
  return mode === "nts" || mode === "nts-pool";
}

function isPoolMode(mode: SourceConfig["mode"]): boolean {
  return mode === "pool" || mode === "nts-pool";
}

/**
 * Returns what makes authenticated sources outrank the others where there are both (chrony's
 * `authselectmode`); a key that is written says otherwise.
 */
function authenticatedOutrank(
  rows: readonly (SourceRow | undefined)[],
  mode: SourceContext["authentication"],
) {
  const kinds = rows.filter((row) => row?.mode !== undefined && row["no-select"] !== true)
    .map((row) => isAuthenticated({ mode: row?.mode ?? "server", key: row?.key }));
  const areBoth = kinds.includes(true) && kinds.includes(false);
  return (source: SourceConfig | undefined, row: SourceRow): SourceConfig | undefined => {
    if (source === undefined || !areBoth || !isAuthenticated(source) || source.noSelect) {
      return source;
    }
    const isRequiredByMode = row.require === undefined && mode === "mix";
    return {
      ...source,
      trust: row.trust ?? (mode === "mix" || mode === "prefer"),
      ...isRequiredByMode ? { require: true, isRequiredByMode } : {},
    };
  };
}

/**
 * Reports keys that mean nothing in the source's mode: a certificate authority on a plain source
 * would feign security.
 */
function checkMode(
  row: SourceRow,
  { hasKeyFile, at }: { readonly hasKeyFile: boolean; readonly at: ConfigPath },
): void {
  const { mode } = row;
  if (mode === undefined) return;
  const isNts = isNtsMode(mode);
  const refuse = (key: keyof SourceRow, modes: string) => {
    if (row[key] !== undefined) at.key(key).report(`Only for ${modes}, but the mode is "${mode}"`);
  };
  if (!isPoolMode(mode)) refuse("count", 'modes "pool" and "nts-pool"');
  if (!isPoolMode(mode)) refuse("ignore", 'modes "pool" and "nts-pool"');
  if (!isNts) refuse("certificate-authority", 'modes "nts" and "nts-pool"');
  if (!isNts) refuse("aead-algorithms", 'modes "nts" and "nts-pool"');
  if (isNts) refuse("key", 'modes "server" and "pool" (NTS has keys of its own)');
  if (!isNts && row.key !== undefined && !hasKeyFile) {
    at.key("key").report(
      `Key ${row.key} cannot be found without a file of keys`,
      "add [keys] file = ...",
    );
  }
}

function checkNumericPool({ mode, address }: SourceRow, at: ConfigPath): void {
  if (mode === undefined || !isPoolMode(mode)) return;
  if (address === undefined || ipFamily(address.host) === undefined) return;
  at.key("address").remark(
    "A pool of one IP address never has more than one server",
    'use mode "server"',
  );
}

function checkNoSelect(row: SourceRow, at: ConfigPath): void {
  if (row["no-select"] !== true || row.prefer !== true && row.require !== true) return;
  const both = row.require === true ? "require" : "prefer";
  at.key("no-select").report(`Wanted either "no-select" or "${both}", found both`);
}
