/**
 * The command `query` as the command line sees it.
 *
 * @module
 */
import { parseHostPort } from "../../base/socket_address.ts";
import { parseDuration } from "../../config/duration.ts";
import { type Arguments, type Command, hasOption, JSON_OPTION, textOption } from "../command.ts";
import { EXIT } from "../exit_code.ts";
import { plain } from "../display/style.ts";
import { PREPARATION_TIMEOUT, type QueryOptions } from "./query_options.ts";

/** The command `query`. */
export const queryCommand: Command = {
  name: "query",
  summary: "ask servers for the time, print it, and never touch the clock",
  operands: "HOST[:PORT]...",
  operandsMin: 1,
  operandsMax: 64,
  options: {
    nts: {
      type: "boolean",
      doc: "authenticate by Network Time Security; the port is that of the key exchange",
    },
    ca: {
      type: "string",
      value: "FILE",
      doc: "trust these certificates (PEM) beside the system's",
    },
    samples: {
      type: "string",
      value: "N",
      doc: "send N requests, two seconds apart, and use the best response (1)",
    },
    timeout: {
      type: "string",
      value: "D",
      doc: "how long to wait for a response (2s), a look-up, a key exchange (5s)",
    },
    ipv4: { type: "boolean", short: "4", doc: "use IPv4 only" },
    ipv6: { type: "boolean", short: "6", doc: "use IPv6 only" },
    json: JSON_OPTION,
  },
  more: `
An offset is positive when the server is ahead of this clock. What follows ± is
the largest error it can have if the server is right.

Exit status: 0 a host gave a usable response; 1 none did; 69 NTS is asked for
and OpenSSL 3 is missing.

Examples:
  ntpsd query pool.ntp.org
  ntpsd query --nts time.cloudflare.com
  ntpsd query --samples 4 192.0.2.1 '[2001:db8::1]:123'
`,
  async run(args, context) {
    const options = readOptions(args);
    if (typeof options === "string") {
      context.err(`ntpsd query: ${plain(options)}\nTry "ntpsd query --help"\n`);
      return EXIT.usage;
    }
    const { query } = await import("./query.ts");
    return await query(options, context);
  },
};

function readOptions(args: Arguments): QueryOptions | string {
  const wrong = args.operands.find((host) => parseHostPort(host) === undefined);
  if (wrong !== undefined) {
    return `Wanted HOST, HOST:PORT or [IPv6]:PORT, with a port from 1 to 65535, found "${wrong}"`;
  }
  const samples = textOption(args, "samples") ?? "1";
  if (!/^[1-9][0-9]?$/.test(samples)) {
    return `--samples wants an integer from 1 to 99, found "${samples}"`;
  }
  const asked = textOption(args, "timeout");
  const timeoutText = asked ?? "2s";
  const timeout = parseDuration(timeoutText);
  if (timeout === undefined || timeout < 0.001 || timeout > 3600) {
    return `--timeout wants a duration from 1ms to 1h, found "${timeoutText}"`;
  }
  const v4 = hasOption(args, "ipv4"), v6 = hasOption(args, "ipv6");
  if (v4 && v6) return "Wanted one of --ipv4 and --ipv6, found both";
  const nts = hasOption(args, "nts");
  const authority = textOption(args, "ca");
  if (authority !== undefined && !nts) return "--ca goes with --nts";
  return {
    hosts: args.operands,
    nts,
    authority,
    samples: Number(samples),
    timeout,
    preparationTimeout: asked === undefined ? PREPARATION_TIMEOUT : timeout,
    family: v4 ? "ipv4" : v6 ? "ipv6" : undefined,
    json: hasOption(args, "json"),
  };
}
