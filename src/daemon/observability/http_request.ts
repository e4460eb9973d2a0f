/**
 * Reads one HTTP request of an unknown client (RFC 9112): the line, the headers, and nothing behind
 * them.
 *
 * The problem: the octets may be anything, without end, in any pieces. The idea: at most 8 KiB are
 * looked at; what is not strictly a request is refused by a status; of the headers Host alone is
 * kept. Octets are taken as characters of one octet each, so that nothing has to be decoded.
 * Limits: the body, if there is one, is not read.
 *
 * @module
 */
import { unreachable } from "../../base/assert.ts";
import { parseHostPort } from "../../base/socket_address.ts";

/** A request. */
export interface HttpRequest {
  /** As written; not necessarily one that exists. */
  readonly method: string;
  /** Without the query; empty for methods other than GET and HEAD. */
  readonly path: string;
  /**
   * Name or numeric address that was asked, without port and brackets, in lower case; undefined
   * when none was said (HTTP/1.0).
   */
  readonly host: string | undefined;
}

/** Why there is no request: the status code of the response. */
export type RejectionStatus = 400 | 414 | 431 | 505;

/** What became of the octets so far. */
export type RequestStep =
  | { readonly kind: "wait" }
  | { readonly kind: "request"; readonly request: HttpRequest }
  | { readonly kind: "refuse"; readonly status: RejectionStatus };

/** Line and headers together have at most so many octets. */
export const HEAD_LENGTH_MAX = 8192;

const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-~]+) HTTP\/([0-9])\.([0-9])$/;
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t -~\x80-\xff]*)$/;
const ABSOLUTE_FORM = /^https?:\/\/([^/?#@]+)(\/[^?#]*)?(?:[?#].*)?$/i;

/** Reads a request piece by piece. */
export class HttpRequestReader {
  #text = "";

  /** Whether anything came, beside empty lines. */
  get hasBegun(): boolean {
    return this.#text !== "";
  }

  /** Takes the next octets; not to be called again after anything but "wait". */
  feed(octets: Uint8Array): RequestStep {
    const room = HEAD_LENGTH_MAX - this.#text.length;
    const from = Math.max(0, this.#text.length - 3);
    this.#text += String.fromCharCode(...octets.subarray(0, room));
    if (from === 0) this.#text = this.#text.replace(/^(\r?\n)+/, ""); // RFC 9112 section 2.2
    const end = this.#text.slice(from).search(/\n\r?\n/);
    if (end >= 0) return parseHead(this.#text.slice(0, from + end));
    if (octets.length < room) return { kind: "wait" };
    return { kind: "refuse", status: this.#text.includes("\n") ? 431 : 414 };
  }
}

function parseHead(head: string): RequestStep {
  const [first = "", ...fields] = head.split("\n").map((line) => line.replace(/\r$/, ""));
  const [, method = "", target = "", major, minor] = REQUEST_LINE.exec(first) ?? [];
  if (method === "") return refuse(400);
  if (major !== "1") return refuse(505);
  const hosts: string[] = [];
  for (const line of fields) {
    const [, name, value = ""] = FIELD_LINE.exec(line) ?? [];
    if (name === undefined) return refuse(400);
    if (name.toLowerCase() === "host") hosts.push(withoutBlanks(value));
  }
  // RFC 9112 section 3.2: one Host, and none only from clients that are older than it
  if (hosts.length > 1 || (hosts.length === 0 && minor !== "0")) return refuse(400);
  if (method !== "GET" && method !== "HEAD") return accept({ method, path: "", host: undefined });
  return parseTarget(target, { method, said: hosts[0] });
}

/**
 * Takes blanks away at both ends. No expression with a repetition before another or before an end
 * does that in a time that grows with the length alone.
 */
function withoutBlanks(text: string): string {
  const isBlank = (at: number) => text[at] === " " || text[at] === "\t";
  let from = 0, to = text.length;
  while (from < to && isBlank(from)) from++;
  while (from < to && isBlank(to - 1)) to--;
  return text.slice(from, to);
}

function parseTarget(
  target: string,
  about: { readonly method: string; readonly said: string | undefined },
): RequestStep {
  const { method } = about;
  const absolute = ABSOLUTE_FORM.exec(target);
  if (absolute === null && !target.startsWith("/")) return refuse(400);
  const path = absolute === null ? target.replace(/[?#].*$/, "") : absolute[2] ?? "/";
  // The target's authority counts in place of the header (RFC 9112 section 3.2.2).
  const said = absolute === null ? about.said : absolute[1];
  if (said === undefined || said === "") return accept({ method, path, host: said });
  const host = parseHostPort(said)?.host.toLowerCase();
  return host === undefined ? refuse(400) : accept({ method, path, host });
}

function accept(request: HttpRequest): RequestStep {
  return { kind: "request", request };
}

function refuse(status: RejectionStatus): RequestStep {
  return { kind: "refuse", status };
}

/** Returns what is wrong with a request, without quoting it. */
export function rejectionText(status: RejectionStatus): string {
  switch (status) {
    case 400:
      return "Not a request that is understood";
    case 414:
      return "The request line is too long";
    case 431:
      return "The headers are too long";
    case 505:
      return "HTTP/1.1 is spoken here";
    default:
      return unreachable(status);
  }
}
