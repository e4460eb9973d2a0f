/**
 * A request over HTTP to the daemon on this machine.
 *
 * The idea: `fetch` would follow the proxy settings of the environment, which are not meant for a
 * loopback address, so the few lines of HTTP/1.0 that are needed are spoken here. Limits: GET only,
 * no redirects, responses of at most 8 MiB, ten seconds.
 *
 * @module
 */
import { err, ok, type Result } from "../../base/result.ts";
import { formatSocketAddress, parseSocketAddress } from "../../base/socket_address.ts";
import type { HttpResponse } from "../command_context.ts";

const RESPONSE_MAX = 8 * 1024 * 1024;
const TIMEOUT_MS = 10_000;

/**
 * Gets `path` from a numeric address with port, in ten seconds if not told otherwise; the error is
 * a sentence.
 */
export async function httpGet(
  address: string,
  path: string,
  { timeoutMs = TIMEOUT_MS }: { readonly timeoutMs?: number } = {},
): Promise<Result<HttpResponse, string>> {
  const parsed = parseSocketAddress(address);
  if (parsed === undefined) return err(`Wanted a numeric address with a port, found "${address}"`);
  const shown = formatSocketAddress(parsed);
  let connection: Deno.TcpConn | undefined;
  const ended = new AbortController();
  const timer = setTimeout(() => {
    ended.abort();
    if (connection !== undefined) close(connection);
  }, timeoutMs);
  try {
    connection = await Deno.connect({
      hostname: parsed.address,
      port: parsed.port,
      signal: ended.signal,
    });
    const request = `GET ${path} HTTP/1.0\r\nHost: ${shown}\r\nConnection: close\r\n\r\n`;
    await writeAll(connection, new TextEncoder().encode(request));
    return parseResponse(await readAll(connection), shown);
  } catch (error) {
    const what = connection === undefined ? "Cannot connect to" : "No response from";
    const late = `no answer within ${timeoutMs / 1000} s`;
    const isLate = connection === undefined && ended.signal.aborted;
    return err(`${what} ${shown}: ${isLate ? late : reason(error)}`);
  } finally {
    clearTimeout(timer);
    if (connection !== undefined) close(connection);
  }
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

async function readAll(connection: Deno.TcpConn): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65_536);
  let text = "";
  let total = 0;
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) return text + decoder.decode();
    total += count;
    if (total > RESPONSE_MAX) throw new Error("the response is too long");
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
}

function parseResponse(text: string, shown: string): Result<HttpResponse, string> {
  const status = /^HTTP\/1\.[01] ([0-9]{3})[ \r]/.exec(text)?.[1];
  const end = text.indexOf("\r\n\r\n");
  if (status === undefined || end < 0) return err(`The server at ${shown} is not ntpsd`);
  return ok({ status: Number(status), body: text.slice(end + 4) });
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It was closed already, by the timer or the other side.
  }
}

function reason(error: unknown): string {
  if (error instanceof Deno.errors.ConnectionRefused) return "connection refused";
  if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
    return "it takes too long";
  }
  return error instanceof Error ? error.message : String(error);
}
