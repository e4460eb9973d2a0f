/**
 * The `[[nts-ke-server]]` sections: their keys, and the rules between them.
 *
 * @module
 */
import { NTP_PORT, NTS_KE_PORT } from "../../base/ports.ts";
import { hostName, listenAddress } from "../address_field.ts";
import type { ConfigPath } from "../config_path.ts";
import { integer } from "../field.ts";
import {
  type Built,
  completeIfWhole,
  optional,
  required,
  type Row,
  type SectionsKey,
} from "../key.ts";
import { fileToRead } from "../path_field.ts";
import { sectionList } from "../table_field.ts";

const KEYS = {
  listen: required(listenAddress(NTS_KE_PORT), {
    reload: "applied",
    doc: "The numeric address and TCP port of the key exchange.",
  }),
  "certificate-chain-path": required(fileToRead(), {
    reload: "applied",
    foreign: {
      "certificate-path ntsservercert": "use certificate-chain-path in [[nts-ke-server]]",
    },
    doc: "The server's certificate, followed by those that lead to its authority (PEM).",
  }),
  "private-key-path": required(fileToRead({ isSecret: true }), {
    reload: "applied",
    foreign: "ntsserverkey",
    doc: "The private key of the certificate (PEM).",
  }),
  "key-exchange-timeout-ms": optional(integer(1, 600_000), {
    default: 1000,
    build: (milliseconds) => milliseconds / 1000,
    reload: "applied",
    doc: "The longest time that one key exchange may take, in milliseconds.",
  }),
  "concurrent-connections": optional(integer(1, 65_536), {
    default: 512,
    reload: "applied",
    foreign: "maxntsconnections ntsratelimit",
    doc: "How many key exchanges may be in progress at the same time; fewer if the limit on open " +
      "files is too low. When one more arrives, the oldest one of the network that has the most " +
      "is dropped.",
  }),
  "ntp-server": optional(hostName, {
    otherwise: "this machine",
    reload: "applied",
    foreign: "ntsntpserver",
    doc: "The NTP server that clients are told to use.",
  }),
  "ntp-port": optional(integer(1, 65_535), {
    otherwise: String(NTP_PORT),
    reload: "applied",
    doc: "The UDP port that clients are told to use.",
  }),
};

/** The `[[nts-ke-server]]` sections. */
export const NTS_KE_SERVERS: SectionsKey<typeof KEYS> = sectionList(KEYS, {
  identity: "listen",
  doc: "Where clients get the keys and cookies for Network Time Security (NTS-KE).",
});

/** One `[[nts-ke-server]]` section. */
export type NtsKeServerConfig = Built<typeof KEYS>;

/** One `[[nts-ke-server]]` section as it is read. */
export type NtsKeServerRow = Row<typeof KEYS>;

/**
 * Builds the key exchange servers in their order; one with an error is undefined. `servesNtp`:
 * whether this machine serves time.
 */
export function buildNtsKeServers(
  rows: readonly (NtsKeServerRow | undefined)[],
  { servesNtp, root }: { readonly servesNtp: boolean; readonly root: ConfigPath },
): readonly (NtsKeServerConfig | undefined)[] {
  return rows.map((row, i) => {
    const server = completeIfWhole(KEYS, row);
    if (server !== undefined && server.ntpServer === undefined && !servesNtp) {
      root.key("nts-ke-server").index(i).warn(
        "Clients are told to use an NTP server on this machine, but there is no [[server]] section",
        "add one, or name another machine in ntp-server",
      );
    }
    return server;
  });
}
