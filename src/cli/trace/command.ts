/**
 * `ntpsd trace`: the chain of servers from a host to the primary server.
 *
 * @module
 */
import { parseHostPort } from "../../base/socket_address.ts";
import type { Seconds } from "../../base/units.ts";
import { parseDuration } from "../../config/duration.ts";
import { type Arguments, type Command, hasOption, JSON_OPTION, textOption } from "../command.ts";
import { formatOffset, formatSeconds } from "../display/quantity.ts";
import { type Paint, painter, plain } from "../display/style.ts";
import { type Column, layOutTable, PAGE_WIDTH } from "../display/table.ts";
import { wrapText } from "../../base/wrap_text.ts";
import { EXIT } from "../exit_code.ts";
import type { QueryResult } from "../query/report.ts";
import type { ServerQuestion } from "../command_context.ts";
import { type Chain, followChain } from "./chain.ts";

/** The command `trace`. */
export const traceCommand: Command = {
  name: "trace",
  summary: "follow a server to the primary server at the top",
  operands: "HOST[:PORT]",
  operandsMin: 1,
  operandsMax: 1,
  options: {
    timeout: { type: "string", value: "D", doc: "how long to wait for each response (2s)" },
    ipv4: { type: "boolean", short: "4", doc: "use IPv4 only" },
    ipv6: { type: "boolean", short: "6", doc: "use IPv6 only" },
    json: JSON_OPTION,
  },
  more: `
The distance is that of the server to the reference clock: the largest error
that it can have by its own account. The port is that of HOST; the others are
asked at port 123.

Exit status: 0 a server of stratum 1 was reached; 1 it was not.

Example:
  ntpsd trace -4 pool.ntp.org
`,
  async run(args, context) {
    const [host = ""] = args.operands;
    const question = readOptions(args, host);
    if (typeof question === "string") {
      context.err(`ntpsd trace: ${plain(question)}\nTry "ntpsd trace --help"\n`);
      return EXIT.usage;
    }
    const chain = await followChain(host, (next) => context.askServer(next, question));
    context.out(
      hasOption(args, "json")
        ? `${JSON.stringify(documentOf(chain))}\n`
        : renderChain(chain, { columns: context.columns, paint: painter(context.color) }),
    );
    return chain.end === "stratum-1" ? EXIT.done : EXIT.no;
  },
};

function readOptions(args: Arguments, host: string): ServerQuestion | string {
  if (parseHostPort(host) === undefined) {
    return `Wanted HOST, HOST:PORT or [IPv6]:PORT, with a port from 1 to 65535, found "${host}"`;
  }
  const text = textOption(args, "timeout") ?? "2s";
  const timeout = parseDuration(text);
  if (timeout === undefined || timeout < 0.001 || timeout > 3600) {
    return `--timeout wants a duration from 1ms to 1h, found "${text}"`;
  }
  const v4 = hasOption(args, "ipv4"), v6 = hasOption(args, "ipv6");
  if (v4 && v6) return "Wanted one of --ipv4 and --ipv6, found both";
  return { timeout, family: v4 ? "ipv4" : v6 ? "ipv6" : undefined };
}

/** How a chain is shown. */
export interface ChainView {
  /** The width of the terminal; undefined if there is none. */
  readonly columns: number | undefined;
  /** What colours the text. */
  readonly paint: Paint;
}

const COLUMNS: readonly Column[] = [
  { title: "Server", align: "left", shrinks: true },
  { title: "St", align: "right" },
  { title: "Offset", align: "right" },
  { title: "Distance", align: "right" },
  { title: "Reference", align: "left" },
];

/** Writes a chain for a person: a line for each server, and why it ends. */
export function renderChain({ servers, reason }: Chain, { columns, paint }: ChainView): string {
  const width = columns ?? PAGE_WIDTH;
  const cells = servers.map((server) => [
    plain(nameOf(server)),
    server.stratum === null ? "-" : `${server.stratum}`,
    formatOffset(server.offsetSeconds),
    formatSeconds(distanceOf(server)),
    plain(server.referenceId ?? "-"),
  ]);
  const [titles = "", ...lines] = layOutTable(COLUMNS, cells, { width });
  const end = wrapText(plain(reason), { width: Math.min(width, PAGE_WIDTH), indent: "    " });
  return `${[paint(titles, "strong"), ...lines, "", ...end].join("\n")}\n`;
}

function nameOf({ name, address }: QueryResult): string {
  const host = address?.replace(/:123$/, "");
  return host === undefined || host === name || address === name ? name : `${name} (${host})`;
}

/** How far the server is from the reference clock (RFC 5905 section 11.1). */
function distanceOf({ rootDelaySeconds, rootDispersionSeconds }: QueryResult): Seconds | null {
  if (rootDelaySeconds === null || rootDispersionSeconds === null) return null;
  return rootDelaySeconds / 2 + rootDispersionSeconds;
}

function documentOf({ servers, end, reason }: Chain): unknown {
  const rows = servers.map((server) => ({ ...server, rootDistanceSeconds: distanceOf(server) }));
  return { end, reason, servers: rows };
}
