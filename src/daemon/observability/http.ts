/**
 * The status over HTTP: what `ntpsd status`, Prometheus and health checks read.
 *
 * The problem: any client that reaches the port may open connections without end, and send and
 * read slowly. A page in a browser on this machine can send requests here, and read the responses
 * under a name of its own that resolves to 127.0.0.1 (DNS rebinding). The idea: a connection
 * carries one request, has a deadline and a place in a table (`src/daemon/tcp/tcp_listener.ts`);
 * nothing can be changed over HTTP, only GET and HEAD are answered, on loopback only under names
 * that are ours (RFC 9110 section 7.4), and other sites get no permission to read. Nothing that was
 * sent is repeated in an answer or the log.
 *
 * Limits: no encryption and no passwords, which is why it listens on loopback unless told
 * otherwise.
 *
 * @module
 */
import { visibleText } from "../../base/visible_text.ts";
import { ipToBytes } from "../../base/ip_address.ts";
import { describeFault } from "../../base/describe_fault.ts";
import { err, type Result } from "../../base/result.ts";
import { formatSocketAddress, type SocketAddress } from "../../base/socket_address.ts";
import { type StatusDocument, unhealthyReason } from "../../engine/status/snapshot.ts";
import {
  type HttpRequest,
  HttpRequestReader,
  type RejectionStatus,
  rejectionText,
} from "./http_request.ts";
import { log } from "../../system/log.ts";
import { METRICS_CONTENT_TYPE, renderMetrics } from "./metrics.ts";
import {
  describeListenError,
  type ListenerReason,
  type TcpConnection,
  TcpListener,
} from "../tcp/tcp_listener.ts";
import { connectionTurns } from "../../system/turns.ts";

/** What the HTTP server serves, and where. */
export interface HttpOptions {
  /** Where to listen; port 0 takes a free one. */
  readonly listen: SocketAddress;
  /**
   * Returns the names under which it may be asked on loopback, beside localhost and numeric
   * loopback addresses.
   */
  names(): readonly string[];
  /** Makes the status document of this moment. */
  status(): StatusDocument;
  /** The most that a request may take to come, in milliseconds; ten seconds when left out. */
  readonly requestTimeoutMs?: number;
  /** The most that an answer may take to be read, in milliseconds; twenty seconds when left out. */
  readonly responseTimeoutMs?: number;
}

/** A running HTTP server; `completed` counts the requests that were served. */
export type HttpListener = TcpListener<HttpReason>;

/** Why a connection ended without a useful response; these are counted. */
export type HttpReason =
  | "bad-request"
  | "closed"
  | "foreign-host"
  | "method-not-allowed"
  | "not-found"
  | "request-timeout"
  | "too-long";

/** What is answered. */
export interface HttpResponse {
  /** The status, 200 to 505. */
  readonly status: number;
  /** How the connection is counted. */
  readonly outcome: "completed" | HttpReason | "internal-error";
  /** The text. */
  readonly body: string;
  /** The type of the text; plain when left out. */
  readonly type?: string;
}

/** So many connections there may be; health checks, Prometheus and commands need few. */
const CONNECTIONS_MAX = 64;
const REQUEST_TIMEOUT_MS = 10_000;
/** For clients that read slowly. */
const RESPONSE_TIMEOUT_MS = 20_000;
/** For clients that still send, so that the response is not lost by a reset. */
const DRAIN_MS = 250;
const DRAIN_LENGTH_MAX = 65_536;
const READ_LENGTH = 2048;

/** Starts the HTTP server; the error is a sentence that says what to do. */
export function startHttpServer(options: HttpOptions): Result<HttpListener, string> {
  const { listen } = options;
  const requestTimeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  const where = formatSocketAddress(listen);
  const started = TcpListener.start<HttpReason>({
    listen,
    name: `HTTP on ${where}`,
    connectionsMax: CONNECTIONS_MAX,
    lifetimeMs: requestTimeoutMs + (options.responseTimeoutMs ?? RESPONSE_TIMEOUT_MS),
    serve: (connection) => serve(connection, options),
  });
  if (started.ok) return started;
  const reason = describeListenError(started.error, listen.port);
  return err(`Cannot serve the status on ${where}: ${reason}`);
}

async function serve(
  connection: TcpConnection<HttpReason>,
  options: HttpOptions,
): Promise<"completed" | HttpReason | ListenerReason> {
  const asked = await readRequest(connection, options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS);
  if (asked === "closed") return asked;
  const { octets, outcome } = await connectionTurns.do(() => {
    const answered = typeof asked === "object" ? safeResponse(asked, options) : rejection(asked);
    const isHead = typeof asked === "object" && asked.method === "HEAD";
    const text = isHead ? head(answered) : head(answered) + answered.body;
    return { octets: new TextEncoder().encode(text), outcome: answered.outcome };
  });
  for (let at = 0; at < octets.length;) {
    at += await connection.transport.write(octets.subarray(at));
  }
  await connection.within(DRAIN_MS, { work: drain(connection.transport), because: "timeout" });
  return outcome;
}

/** Reads until a request is whole, will never be one, or does not come in time (408). */
async function readRequest(
  { transport }: TcpConnection<HttpReason>,
  timeoutMs: number,
): Promise<HttpRequest | RejectionStatus | 408 | "closed"> {
  const reader = new HttpRequestReader();
  const buffer = new Uint8Array(READ_LENGTH);
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), timeoutMs);
  try {
    for (;;) {
      const length = await Promise.race([transport.read(buffer), late.promise]);
      if (length === "late") return reader.hasBegun ? 408 : "closed";
      if (length === null) return "closed";
      const step = reader.feed(buffer.subarray(0, length));
      if (step.kind === "request") return step.request;
      if (step.kind === "refuse") return step.status;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Takes and forgets what still comes, until the client has closed. */
async function drain(transport: Deno.TcpConn): Promise<void> {
  try {
    await transport.closeWrite();
    const buffer = new Uint8Array(READ_LENGTH);
    for (let left = DRAIN_LENGTH_MAX; left > 0;) {
      const length = await transport.read(buffer);
      if (length === null) return;
      left -= length;
    }
  } catch {
    // The client is gone, or its time is over: the answer is out in any case.
  }
}

/**
 * The boundary of a request: an internal error is told to the client as such, and once in the log.
 */
function safeResponse(request: HttpRequest, options: HttpOptions): HttpResponse {
  try {
    return answer(request, options);
  } catch (error) {
    tellOnce(`An HTTP request failed with an internal error, ${describeFault(error)}`);
    return { status: 500, outcome: "internal-error", body: "Internal error, see the log\n" };
  }
}

const told = new Set<string>();
const TOLD_MAX = 8;

function tellOnce(message: string): void {
  if (told.has(message) || told.size >= TOLD_MAX) return;
  told.add(message);
  log.error(`${message}; further ones are only counted`);
}

/** Answers one request. */
export function answer(request: HttpRequest, context: HttpOptions): HttpResponse {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return { status: 405, outcome: "method-not-allowed", body: "Only GET and HEAD\n" };
  }
  if (!isOurName(request.host, context)) {
    return {
      status: 421,
      outcome: "foreign-host",
      body: "This server is not known under that name; see observability.hosts\n",
    };
  }
  const resource = RESOURCES.get(request.path);
  if (resource !== undefined) return resource(context);
  return { status: 404, outcome: "not-found", body: "There are /status, /metrics and /healthz\n" };
}

/** What can be read, by its path. */
const RESOURCES: ReadonlyMap<string, (context: HttpOptions) => HttpResponse> = new Map([
  ["/status", status],
  ["/metrics", metrics],
  ["/healthz", (context: HttpOptions) => health(context.status())],
]);

function status(context: HttpOptions): HttpResponse {
  const body = `${visibleText(JSON.stringify(context.status()))}\n`;
  return { status: 200, outcome: "completed", body, type: "application/json" };
}

function metrics(context: HttpOptions): HttpResponse {
  const body = renderMetrics(context.status(), { residentBytes: Deno.memoryUsage().rss });
  return { status: 200, outcome: "completed", body, type: METRICS_CONTENT_TYPE };
}

function health(document: StatusDocument): HttpResponse {
  const reason = unhealthyReason(document);
  const first = visibleText(reason ?? document.state);
  const faults = document.functions.filter(({ up }) => !up).map(({ kind, name, reason }) =>
    visibleText(`${kind} ${name}: ${reason}`)
  ).filter((fault) => fault !== first);
  return {
    status: reason === undefined ? 200 : 503,
    outcome: "completed",
    body: [first, ...faults].map((line) => `${line}\n`).join(""),
  };
}

function rejection(status: RejectionStatus | 408): HttpResponse {
  if (status === 408) {
    return { status, outcome: "request-timeout", body: "The request took too long\n" };
  }
  const outcome = status === 414 || status === 431 ? "too-long" : "bad-request";
  return { status, outcome, body: `${rejectionText(status)}\n` };
}

const PHRASES: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  414: "URI Too Long",
  421: "Misdirected Request",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};

/** Writes the status line and the headers of an answer. */
export function head({ status, body, type }: HttpResponse): string {
  const lines = [
    `HTTP/1.1 ${status} ${PHRASES[status] ?? ""}`,
    `Date: ${new Date().toUTCString()}`,
    `Content-Type: ${type ?? "text/plain; charset=utf-8"}`,
    `Content-Length: ${new TextEncoder().encode(body).length}`,
    ...(status === 405 ? ["Allow: GET, HEAD"] : []),
    "Cache-Control: no-store",
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy: same-origin",
    "Referrer-Policy: no-referrer",
    "X-Content-Type-Options: nosniff",
    "Connection: close",
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/**
 * Tells whether a name is one that a page from elsewhere cannot have: localhost, a loopback
 * address, the address that is listened on, a given name. That matters on loopback alone: what the
 * network may reach needs no page in a browser to be read. Clients without Host (HTTP/1.0) are no
 * browsers.
 */
function isOurName(host: string | undefined, { listen, names }: HttpOptions): boolean {
  if (host === undefined || !isLoopback(listen.address)) return true;
  const name = host.replace(/\.$/, "");
  if (name === "localhost" || name.endsWith(".localhost") || isLoopback(name)) return true;
  return names().some((ours) => ours.toLowerCase().replace(/\.$/, "") === name);
}

function isLoopback(address: string): boolean {
  const octets = ipToBytes(address);
  if (octets === undefined) return false;
  if (octets.length === 4) return octets[0] === 127;
  const zeros = octets.subarray(0, 10).every((octet) => octet === 0);
  const isMapped = octets[10] === 0xff && octets[11] === 0xff && octets[12] === 127;
  const isOne = octets[15] === 1 && octets.subarray(10, 15).every((octet) => octet === 0);
  return zeros && (isMapped || isOne);
}
