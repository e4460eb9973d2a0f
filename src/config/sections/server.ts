/**
 * The `[[server]]` sections: their keys, and the rules between them.
 *
 * @module
 */
import { ipFamily } from "../../base/ip_address.ts";
import { NTP_PORT } from "../../base/ports.ts";
import { parseHostPort } from "../../base/socket_address.ts";
import { listenAddress, prefix, prefixFamily } from "../address_field.ts";
import type { ConfigPath } from "../config_path.ts";
import { boolean, either, integer, list, word } from "../field.ts";
import {
  type Built,
  complete,
  completeIfWhole,
  optional,
  required,
  type Row,
  type SectionsKey,
} from "../key.ts";
import { servedPlaces } from "../listen.ts";
import { servesNobody } from "../served_clients.ts";
import { sectionList, table } from "../table_field.ts";

const ACCESS_LIST_KEYS = {
  filter: required(list(prefix, "a list of prefixes"), {
    doc: "Prefixes in CIDR notation, or addresses.",
  }),
  action: optional(word(["ignore", "deny"]), {
    default: "ignore",
    doc: "What a refused client gets: `ignore` sends nothing, `deny` sends the kiss code DENY.",
  }),
};

/** A list of prefixes, and what happens to a client that it refuses. */
export type AccessListConfig = Built<typeof ACCESS_LIST_KEYS>;

const ACCESS_LIST = table(ACCESS_LIST_KEYS);

function accessList(row: Row<typeof ACCESS_LIST_KEYS>): AccessListConfig | undefined {
  return completeIfWhole(ACCESS_LIST_KEYS, row);
}

const RATE_LIMIT_KEYS = {
  interval: optional(integer(-19, 12), {
    default: 3,
    doc: "The long-term limit: one response every two to the power of this many seconds.",
  }),
  burst: optional(integer(1, 255), {
    default: 8,
    doc: "How many responses a client may have at once before the long-term limit applies.",
  }),
  leak: optional(integer(1, 4), {
    default: 2,
    doc:
      "Of the requests over the limit, one in two to the power of this still has a response, so " +
      "that forged requests cannot silence a client.",
  }),
};

const KEYS = {
  listen: required(listenAddress(NTP_PORT), {
    reload: "applied",
    foreign: {
      "bindaddress binddevice interface nic": "use listen in [[server]]",
    },
    doc: "The numeric address and UDP port to serve. `[::]:123` serves IPv6 and IPv4 on all " +
      "addresses, unless another section listens on an IPv4 address with the same port; then it " +
      "serves IPv6 only.",
  }),
  allowlist: optional(ACCESS_LIST, {
    otherwise: "all clients",
    build: accessList,
    reload: "applied",
    foreign: { "allow": 'use allowlist = { filter = [...], action = "ignore" } in [[server]]' },
    doc:
      "Serve these clients only. If both lists contain a client, the longer prefix decides, and of " +
      "equal ones that of `denylist`.",
  }),
  denylist: optional(ACCESS_LIST, {
    otherwise: "no client",
    build: accessList,
    reload: "applied",
    foreign: {
      "deny noserve notrust": 'use denylist = { filter = [...], action = "ignore" } in [[server]]',
    },
    doc: "Do not serve these clients.",
  }),
  "rate-limit": optional(table(RATE_LIMIT_KEYS), {
    otherwise: "no limit",
    build: (limit) => complete(RATE_LIMIT_KEYS, limit),
    reload: "applied",
    foreign: {
      "ratelimit limited kod discard limit rate-limiting-cache-size rate-limiting-cutoff-ms":
        "use rate-limit = { interval = 3, burst = 8, leak = 2 } in [[server]]",
    },
    doc: "Limits the responses to each client (an IPv4 address, or an IPv6 /64), in chrony's " +
      "terms.",
  }),
  "require-nts": optional(either(boolean, word(["ignore", "deny"])), {
    default: false,
    build: (action) => action === true ? "ignore" : action,
    reload: "applied",
    doc:
      'Serve only requests that are authenticated by NTS; others are ignored (`true` or `"ignore"`) or refused (`"deny"`).',
  }),
  "accept-ntp-versions": optional(list(integer(1, 4), "a list of versions such as [3, 4]"), {
    default: [1, 2, 3, 4],
    reload: "applied",
    doc:
      "The NTP versions that are served, each with responses in its own version. Small devices " +
      "and w32tm use old ones.",
  }),
  interleaved: optional(boolean, {
    default: true,
    reload: "applied",
    doc: "Respond in interleaved mode to clients that use it (RFC 9769).",
  }),
  "reuse-port": optional(boolean, {
    default: false,
    reload: "applied",
    doc: "Let several processes serve the same port, one for each processor core.",
  }),
  "client-table": optional(boolean, {
    default: false,
    reload: "applied",
    foreign: "clientloglimit noclientlog",
    doc: "Keep a list of the busiest clients for the status. Addresses in it are shortened to a " +
      "prefix.",
  }),
};

/** The `[[server]]` sections. */
export const SERVERS: SectionsKey<typeof KEYS> = sectionList(KEYS, {
  identity: "listen",
  doc:
    "Where time is served. Without such a section ntpsd is a client only, and opens no port to others.",
});

/** One `[[server]]` section. */
export type ServerConfig = Built<typeof KEYS>;

/** One `[[server]]` section as it is read. */
export type ServerRow = Row<typeof KEYS>;

/**
 * Builds the servers in their order; one with an error is undefined. `givesCookies`: whether
 * clients can have cookies for them.
 */
export function buildServers(
  rows: readonly (ServerRow | undefined)[],
  { givesCookies, root }: { readonly givesCookies: boolean; readonly root: ConfigPath },
): readonly (ServerConfig | undefined)[] {
  const listens = rows.flatMap((row) => row?.listen ?? []);
  return rows.map((row, i) => {
    const at = root.key("server").index(i);
    if (row?.["accept-ntp-versions"]?.length === 0) {
      at.key("accept-ntp-versions").report("Wanted at least one version, found an empty list");
    }
    if (row !== undefined) warnOfLists(row, { listens, at });
    const demand = row?.["require-nts"];
    if (demand !== undefined && demand !== false && !givesCookies) {
      at.key("require-nts").warn(
        "No client can get cookies for this server, so it serves no client",
        "add [[nts-ke-server]], or key-storage-path in [keyset] if another machine gives them out",
      );
    }
    return completeIfWhole(KEYS, row);
  });
}

/** Warns of lists with which no client can be served. */
function warnOfLists(
  { allowlist, denylist, listen }: ServerRow,
  { listens, at }: { readonly listens: readonly string[]; readonly at: ConfigPath },
): void {
  const allowed = allowlist?.filter, denied = denylist?.filter;
  const allowlistAt = at.key("allowlist").key("filter");
  if (allowed?.length === 0) {
    return allowlistAt.warn(
      "The list is empty, so the server serves no client",
      "add prefixes, or leave allowlist out to serve all clients",
    );
  }
  if (listen === undefined) return;
  const places = servedPlaces([listen], listens);
  const nobody = "so the server serves no client";
  if (allowed !== undefined && servesNobody({ allowlist: allowed }, places)) {
    warnOfUnreachable(allowed, { listen, at: allowlistAt });
  } else if (allowed === undefined && servesNobody({ denylist: denied }, places)) {
    at.key("denylist").key("filter").warn(
      `The list holds every address that can reach ${listen}, ${nobody}`,
      "leave out [[server]] if none is to be served",
    );
  } else if (servesNobody({ allowlist: allowed, denylist: denied }, places)) {
    at.key("denylist").key("filter").warn(
      `The list holds every address of allowlist that can reach ${listen}, ${nobody}`,
      "of two prefixes the longer one decides, of equal ones that of denylist",
    );
  }
}

/** Warns of an allowlist whose clients cannot come. */
function warnOfUnreachable(
  allowed: readonly string[],
  { listen, at }: { readonly listen: string; readonly at: ConfigPath },
): void {
  const family = ipFamily(parseHostPort(listen)?.host ?? "::");
  const other = family === "ipv4" ? "IPv6" : "IPv4";
  if (allowed.some((prefix) => prefixFamily(prefix) === family)) {
    return at.warn(
      `No address of the list can reach ${listen}, so the server serves no client`,
      "add prefixes of clients that can, or listen on another address",
    );
  }
  at.warn(
    `All prefixes are of ${other}, and no such client reaches ${listen}, so the server serves no client`,
    'add prefixes of the other family, or listen on "[::]", which serves both',
  );
}
