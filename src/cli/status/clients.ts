/**
 * `ntpsd clients`: the busiest networks of clients, where the servers count them.
 *
 * The idea: a count is an upper bound, because the table has a fixed size; what is certain stands
 * beside it. Limits: the status document has the busiest 20 networks of each server.
 *
 * @module
 */
import type { ServerDocument, StatusDocument } from "../../engine/status/snapshot.ts";
import { type Command, hasOption, JSON_OPTION } from "../command.ts";
import { formatCount } from "../display/quantity.ts";
import { type Paint, painter, plain } from "../display/style.ts";
import { type Column, layOutTable } from "../display/table.ts";
import { EXIT } from "../exit_code.ts";
import { type Shown, showStatus, STATUS_OPTIONS } from "./daemon_status.ts";

/** The command `clients`. */
export const clientsCommand: Command = {
  name: "clients",
  summary: "list the busiest clients of the servers",
  operands: "",
  operandsMin: 0,
  operandsMax: 0,
  options: {
    ...STATUS_OPTIONS,
    verbose: {
      type: "boolean",
      short: "v",
      doc: "a row for each server, with its share of the requests",
    },
    json: JSON_OPTION,
  },
  more: `
Clients are counted where [[server]] has client-table = true, by networks: IPv4
cut to /24, IPv6 to /48. A busy newcomer inherits the count of the network that
it replaces, so a network sent at most "Requests" and no less than "At least".

Exit status: 0 done; 1 no server counts its clients; 69 the daemon cannot be
reached.
`,
  run(args, context) {
    const view = {
      verbose: hasOption(args, "verbose"),
      columns: context.columns,
      paint: painter(context.color),
    };
    return showStatus({ args, context }, (document) => {
      const shown = clientsOf(document);
      return hasOption(args, "json") ? asJson(shown) : asText(shown, view);
    });
  },
};

/** How clients are shown. */
export interface ClientsView {
  /** Whether each server has rows of its own. */
  readonly verbose: boolean;
  /** The width of the terminal; undefined if there is none. */
  readonly columns: number | undefined;
  /** What colours the text. */
  readonly paint: Paint;
}

/** One network of clients at one server. */
interface ClientRow {
  readonly server: string;
  readonly prefix: string;
  readonly requests: number;
  readonly error: number;
  /** The part of the server's requests that came from it, at most. */
  readonly share: number;
}

/** The busiest first; undefined when no server counts its clients. */
function clientsOf({ servers }: StatusDocument): readonly ClientRow[] | undefined {
  if (servers.every(({ clients }) => clients === undefined)) return undefined;
  return servers.flatMap(rowsOf).toSorted((a, b) => b.requests - a.requests);
}

function rowsOf({ listen, received, clients = [] }: ServerDocument): readonly ClientRow[] {
  return clients.map(({ prefix, requests, error }) => {
    const share = received > 0 ? Math.min(1, requests / received) : 0;
    return { server: listen, prefix, requests, error, share };
  });
}

function asJson(rows: readonly ClientRow[] | undefined): Shown {
  const text = `${JSON.stringify({ counted: rows !== undefined, clients: rows ?? [] })}\n`;
  return { text, exitCode: rows === undefined ? EXIT.no : EXIT.done };
}

function asText(rows: readonly ClientRow[] | undefined, view: ClientsView): Shown {
  if (rows === undefined) {
    const text = "No server counts its clients; client-table = true in [[server]] does\n";
    return { text, exitCode: EXIT.no };
  }
  if (rows.length === 0) return { text: "No client has sent a request yet\n", exitCode: EXIT.done };
  const [titles = "", ...lines] = view.verbose ? wideTable(rows, view) : narrowTable(rows, view);
  const text = [view.paint(titles, "strong"), ...lines].map((line) => `${line}\n`).join("");
  return { text, exitCode: EXIT.done };
}

const NARROW: readonly Column[] = [
  { title: "Client", align: "left", shrinks: true },
  { title: "Requests", align: "right" },
  { title: "At least", align: "right" },
];

const WIDE: readonly Column[] = [
  ...NARROW,
  { title: "Share", align: "right" },
  { title: "Server", align: "left" },
];

/** One row for each network, whichever servers it asks. */
function narrowTable(rows: readonly ClientRow[], view: ClientsView): readonly string[] {
  const sums = new Map<string, { readonly requests: number; readonly error: number }>();
  for (const { prefix, requests, error } of rows) {
    const before = sums.get(prefix) ?? { requests: 0, error: 0 };
    sums.set(prefix, { requests: before.requests + requests, error: before.error + error });
  }
  const cells = [...sums].toSorted(([, a], [, b]) => b.requests - a.requests)
    .map(([prefix, sum]) => cellsOf({ prefix, ...sum }));
  return layOutTable(NARROW, cells, { width: view.columns });
}

function wideTable(rows: readonly ClientRow[], view: ClientsView): readonly string[] {
  const cells = rows.map((row) => [
    ...cellsOf(row),
    `${(100 * row.share).toFixed(1)} %`,
    plain(row.server),
  ]);
  return layOutTable(WIDE, cells, { width: view.columns });
}

function cellsOf(
  { prefix, requests, error }: Pick<ClientRow, "prefix" | "requests" | "error">,
): readonly string[] {
  return [plain(prefix), formatCount(requests), formatCount(requests - error)];
}
