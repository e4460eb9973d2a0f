/**
 * The status over HTTP: what `ntpsd status`, Prometheus and health checks read.
 *
 * The problem: a page in a browser on this machine can send requests here, and with a name of its own that it lets point to
 * 127.0.0.1 it can read the answers. The idea: nothing can be changed over HTTP, only GET and HEAD are answered, and only under
 * names that are ours (RFC 9110 section 7.4); other sites get no permission to read. Limits: no encryption and no passwords,
 * which is why it listens on loopback unless told otherwise.
 *
 * @module
 */
import { ipFamily, ipToBytes } from "../base/ip_address.ts";
import { err, ok, type Result } from "../base/result.ts";
import { formatSocketAddress, parseHostPort, type SocketAddress } from "../base/socket_address.ts";
import { type StatusDocument, unhealthyReason } from "../engine/snapshot.ts";
import { METRICS_CONTENT_TYPE, renderMetrics } from "./metrics.ts";

/** What the HTTP server serves, and where. */
export interface HttpOptions {
  /** Where to listen; port 0 takes a free one. */
  readonly listen: SocketAddress;
  /** Names of this machine under which it may be asked, beside localhost and addresses. */
  readonly names: readonly string[];
  /** Makes the status document of this moment. */
  status(): StatusDocument;
}

/** A running HTTP server. */
export interface HttpServer {
  /** Where it listens. */
  readonly address: SocketAddress;
  /** Stops listening, without waiting for idle connections. */
  close(): void;
  /** Settles when all connections are gone. */
  readonly finished: Promise<void>;
}

/** Starts the HTTP server; the error is a sentence that says what to do. */
export function startHttpServer(options: HttpOptions): Result<HttpServer, string> {
  const { listen } = options;
  const abort = new AbortController();
  try {
    const server = Deno.serve({
      hostname: listen.address,
      port: listen.port,
      signal: abort.signal,
      onListen: () => {},
    }, (request) => answer(request, options));
    const address = { ...listen, port: server.addr.port };
    return ok({ address, close: () => abort.abort(), finished: server.finished });
  } catch (error) {
    return err(`Cannot serve the status on ${formatSocketAddress(listen)}: ${advice(error)}`);
  }
}

/** Answers one request. */
export function answer(request: Request, context: HttpOptions): Response {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return respond(request, {
      status: 405,
      body: "Only GET and HEAD\n",
      headers: { allow: "GET, HEAD" },
    });
  }
  if (!isOurName(request.headers.get("host"), context)) {
    return respond(request, { status: 421, body: "This server is not known under that name\n" });
  }
  switch (new URL(request.url).pathname) {
    case "/status": {
      const body = `${JSON.stringify(context.status())}\n`;
      return respond(request, { status: 200, body, type: "application/json" });
    }
    case "/metrics": {
      const body = renderMetrics(context.status(), { residentBytes: Deno.memoryUsage().rss });
      return respond(request, { status: 200, body, type: METRICS_CONTENT_TYPE });
    }
    case "/healthz":
      return health(request, context.status());
    default:
      return respond(request, { status: 404, body: "There are /status, /metrics and /healthz\n" });
  }
}

function health(request: Request, document: StatusDocument): Response {
  const reason = unhealthyReason(document);
  if (reason !== undefined) return respond(request, { status: 503, body: `${reason}\n` });
  const faults = document.functions.filter(({ up }) => !up).map(({ kind, name, reason }) =>
    `${kind} ${name}: ${reason}\n`
  );
  return respond(request, { status: 200, body: `${document.state}\n${faults.join("")}` });
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function respond(request: Request, answer: Answer): Response {
  const body = new TextEncoder().encode(answer.body);
  const headers = {
    "content-type": answer.type ?? "text/plain; charset=utf-8",
    "content-length": String(body.length),
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    ...answer.headers,
  };
  return new Response(request.method === "HEAD" ? null : body, { status: answer.status, headers });
}

/**
 * Tells whether a Host header is one that a page from elsewhere cannot have: localhost, a loopback address, the address that is
 * listened on, a given name. A server on all addresses takes any numeric one, because pages have names.
 */
function isOurName(header: string | null, { listen, names }: HttpOptions): boolean {
  const host = parseHostPort(header ?? "")?.host.toLowerCase().replace(/\.$/, "");
  if (host === undefined) return false;
  if (host === "localhost" || host.endsWith(".localhost")) return true;
  if (names.some((name) => name.toLowerCase() === host)) return true;
  const octets = ipToBytes(host);
  if (octets === undefined) return false;
  if (isLoopback(octets) || isAny(listen.address)) return true;
  return host === listen.address;
}

function isLoopback(octets: Uint8Array): boolean {
  if (octets.length === 4) return octets[0] === 127;
  return octets[15] === 1 && octets.subarray(0, 15).every((octet) => octet === 0);
}

function isAny(address: string): boolean {
  return ipFamily(address) !== undefined &&
    ipToBytes(address)?.every((octet) => octet === 0) === true;
}

function advice(error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) {
    return "the port is in use, perhaps by another ntpsd; choose another observability.listen";
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return "this machine has no such address; choose another observability.listen";
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return "permission denied; choose a port of 1024 or more in observability.listen";
  }
  return error instanceof Error ? error.message : String(error);
}
