/**
 * `ntpsd leap`: what is known of leap seconds, and how the table is renewed.
 *
 * @module
 */
import { type Command, JSON_OPTION } from "../command.ts";
import { DEFAULT_CONFIG_FILE } from "../load_config.ts";
import { STATUS_OPTIONS } from "../status/daemon_status.ts";
import { LIST_ADDRESS } from "./list_address.ts";

/** The command `leap`. */
export const leapCommand: Command = {
  name: "leap",
  summary: "show what is known of leap seconds; --fetch renews the table",
  operands: "[FILE]",
  operandsMin: 0,
  operandsMax: 1,
  options: {
    config: {
      type: "string",
      short: "c",
      value: "FILE",
      doc: `the configuration that names the table (${DEFAULT_CONFIG_FILE})`,
    },
    fetch: { type: "boolean", doc: "get the newest table over HTTPS, check it, replace the file" },
    url: { type: "string", value: "URL", doc: `where --fetch gets it (${LIST_ADDRESS})` },
    ...STATUS_OPTIONS,
    json: JSON_OPTION,
  },
  more: `
FILE is a leap-seconds.list; without it, it is leap-seconds-file in [clock]. A
table that is damaged, has expired, or is older than the one that is there
replaces nothing. A running ntpsd takes a new table within a day, or at once
with "systemctl reload ntpsd".

Exit status: 0 there is a table that has not expired; 1 there is none; 69 the
table cannot be had; 74 or 77 the file cannot be written; 78 the configuration
is wrong.
`,
  async run(args, context) {
    // Loaded only now: other commands need no table.
    const { leap } = await import("./leap.ts");
    return await leap(args, context);
  },
};
