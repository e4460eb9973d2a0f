/**
 * Gets a text over HTTPS, from a server whose certificate is valid.
 *
 * Redirections are followed only to HTTPS. Limits: texts of at most 256 KiB, 30 seconds; the
 * authorities are those that the runtime brings along.
 *
 * @module
 */
import { err, ok, type Result } from "../../base/result.ts";

const TEXT_MAX = 262_144;
const TIMEOUT_MS = 30_000;
const REDIRECTIONS_MAX = 5;

/** Gets the text at an address, by `fetch` of the runtime if left out; the error is a sentence. */
export async function fetchText(
  address: string,
  get: typeof fetch = fetch,
): Promise<Result<string, string>> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  let url = address;
  try {
    for (let i = 0; i <= REDIRECTIONS_MAX; i++) {
      if (!URL.canParse(url) || new URL(url).protocol !== "https:") {
        return err(`Wanted an address that begins with https://, found ${url}`);
      }
      const response = await get(url, { redirect: "manual", signal });
      const next = response.headers.get("location");
      if (response.status >= 300 && response.status < 400 && next !== null) {
        await response.body?.cancel();
        url = new URL(next, url).href;
        continue;
      }
      return await textOf(response, url);
    }
    return err(`${address} leads from one address to another without end`);
  } catch (error) {
    return err(`Cannot get ${url}: ${reasonOf(error)}`);
  }
}

async function textOf(response: Response, url: string): Promise<Result<string, string>> {
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    return err(`Cannot get ${url}: the server answers with status ${response.status}`);
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body) {
    parts.push(part);
    length += part.length;
    if (length > TEXT_MAX) return err(`Cannot get ${url}: wanted at most ${TEXT_MAX} octets`);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return ok(new TextDecoder().decode(bytes));
}

/** Says why a request failed: what the runtime says last is the most exact. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  if (error.name === "TimeoutError") return `no answer within ${TIMEOUT_MS / 1000} s`;
  const inner = error.cause instanceof Error ? error.cause : error;
  const text = inner.message.split(": ").at(-1) ?? inner.message;
  if (!/certificate/i.test(inner.message)) return text;
  const advice = /expired|notvalidyet/i.test(text)
    ? "is the clock right?"
    : "only authorities that browsers trust count here";
  return `the certificate is not valid (${text}); ${advice}`;
}
