/**
 * The `[control]` section: the monitoring protocols of other programs.
 *
 * @module
 */
import { CHRONY_COMMAND_PORT, NTP_PORT } from "../../base/ports.ts";
import { listenAddress, prefix } from "../address_field.ts";
import { either, list, word } from "../field.ts";
import { type Built, optional, type SectionKey } from "../key.ts";
import { section } from "../table_field.ts";

/** Where `ntpq` asks if it is not told otherwise. */
export const NTPQ_ADDRESS = `127.0.0.1:${NTP_PORT}`;

/** The same over IPv6. */
export const NTPQ_ADDRESS_IPV6 = `[::1]:${NTP_PORT}`;

/** The keys of `[control]`. */
export const CONTROL_KEYS = {
  ntpq: optional(either(listenAddress(NTP_PORT), word(["off"])), {
    otherwise:
      `\`"${NTPQ_ADDRESS}"\` if ntpsd adjusts the clock and may open that port at its start`,
    reload: "applied",
    doc:
      "Where `ntpq` and `ntpmon` find the daemon: the control protocol of NTP (mode 6). It only " +
      `reads. With \`"${NTPQ_ADDRESS}"\` it is \`"[::1]:${NTP_PORT}"\` too, because \`ntpq\` asks ` +
      "`localhost`. A `[[server]]` at this address and port answers it itself; `off` switches the " +
      "protocol off there too.",
  }),
  chronyc: optional(either(listenAddress(CHRONY_COMMAND_PORT), word(["off"])), {
    default: "off",
    build: (address) => address === "off" ? undefined : address,
    reload: "applied",
    foreign: {
      "cmdport bindcmdaddress bindcmddevice opencommands": "use chronyc in [control]",
      "cmdratelimit": "leave it out: no response is longer than its request",
    },
    doc: "Where `chronyc`, chrony_exporter, Telegraf and collectd find the daemon: chrony's " +
      'command protocol over UDP, commonly at `"127.0.0.1:323"`. It only reads: what would ' +
      "change anything is refused.",
  }),
  allowlist: optional(list(prefix, "a list of prefixes"), {
    default: ["127.0.0.0/8", "::1/128"],
    reload: "applied",
    foreign: { "cmdallow cmddeny": "use allowlist in [control]" },
    doc: "Who may use these protocols, also where a `[[server]]` answers `ntpq`. Others get no " +
      "response. A response to `ntpq` may be more than 60 times as long as its request, so leave " +
      "out addresses that others can forge.",
  }),
};

/** The `[control]` section. */
export type ControlConfig = Built<typeof CONTROL_KEYS>;

/** The `[control]` section. */
export const CONTROL: SectionKey<typeof CONTROL_KEYS> = section(
  CONTROL_KEYS,
  "The monitoring protocols of other programs, which only read.",
);
