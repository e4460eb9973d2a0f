/**
 * Names to addresses, by the system's own resolver, so that the hosts file and nsswitch.conf count.
 *
 * The idea: `getaddrinfo` on the thread pool, a few names at a time. Limits: it takes as long as
 * the system's resolver is set to take, up to half a minute, and cannot be cancelled; its order of
 * addresses (RFC 6724) is kept.
 *
 * @module
 */
import type { AddressFamily } from "../src/base/ip_address.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import type { SocketAddress } from "../src/base/socket_address.ts";
import type { Bytes } from "../src/base/bytes.ts";
import { inBackground, THREADS } from "./background.ts";
import {
  ADDRINFO,
  AI_NUMERICHOST,
  EAI_ADDRFAMILY,
  EAI_AGAIN,
  EAI_BADFLAGS,
  EAI_FAIL,
  EAI_FAMILY,
  EAI_MEMORY,
  EAI_NODATA,
  EAI_NONAME,
  EAI_SERVICE,
  EAI_SOCKTYPE,
  EAI_SYSTEM,
} from "./headers/names.ts";
import { SOCK_DGRAM, SOCKADDR_IN, SOCKADDR_IN6 } from "./headers/socket.ts";
import { libc } from "./libc.ts";
import { LookupQueue } from "./lookup_queue.ts";
import { allocate, cString, type Memory, readCString, viewAt } from "./memory.ts";
import { decodeSockaddr, familyNumber, SOCKADDR_SIZE } from "./socket/sockaddr.ts";

/** Why a name has no addresses. */
export interface ResolveError {
  /** The resolver's name for it: `EAI_NONAME`. */
  readonly name: string;
  /** One sentence without full stop. */
  readonly message: string;
  /** Whether asking again later may help; not so when the name does not exist. */
  readonly temporary: boolean;
}

/** How to resolve. */
export interface ResolveOptions {
  /** The port to put into the addresses. */
  readonly port: number;
  /** Only this family; both when left out. */
  readonly family?: AddressFamily;
}

/** The most addresses of one name that are taken. */
const ADDRESSES_MAX = 64;

const CODES: ReadonlyMap<number, readonly [name: string, temporary: boolean]> = new Map([
  [EAI_BADFLAGS, ["EAI_BADFLAGS", false]],
  [EAI_NONAME, ["EAI_NONAME", false]],
  [EAI_AGAIN, ["EAI_AGAIN", true]],
  [EAI_FAIL, ["EAI_FAIL", true]],
  [EAI_NODATA, ["EAI_NODATA", false]],
  [EAI_FAMILY, ["EAI_FAMILY", false]],
  [EAI_SOCKTYPE, ["EAI_SOCKTYPE", false]],
  [EAI_SERVICE, ["EAI_SERVICE", false]],
  [EAI_ADDRFAMILY, ["EAI_ADDRFAMILY", false]],
  [EAI_MEMORY, ["EAI_MEMORY", true]],
  [EAI_SYSTEM, ["EAI_SYSTEM", true]],
]);

type Found = Result<readonly SocketAddress[], ResolveError>;

const queue = new LookupQueue<Found>(THREADS.names, () => performance.now());

/**
 * Resolves a name or numeric text (with `%eth0` or `%2` for a link-local address) to at most
 * `ADDRESSES_MAX` addresses, in the resolver's order, each once. Numeric text is answered at once;
 * a name waits for its turn.
 */
export async function resolveName(host: string, options: ResolveOptions): Promise<Found> {
  const name = cString(host);
  if (name === undefined) return err(resolveError(host, EAI_NONAME));
  const { family, port } = options;
  const numeric = ask(name, { family, flags: AI_NUMERICHOST });
  const code = libc().getaddrinfo(...numeric.args);
  const found = code === EAI_NONAME
    ? await queue.look(`${family ?? ""} ${host}`, async () => {
      const question = ask(name, { family, flags: 0 });
      const code = await inBackground("names", "getaddrinfo", question.args);
      return collect(host, { code, list: question.list });
    })
    : collect(host, { code, list: numeric.list });
  return found.ok ? ok(found.value.map((address) => ({ ...address, port }))) : found;
}

type Question = readonly [name: Bytes, service: null, hints: Bytes, list: Bytes];

function ask(
  name: Bytes,
  { family, flags }: { readonly family: AddressFamily | undefined; readonly flags: number },
): { readonly args: [...Question]; readonly list: Memory } {
  const hints = allocate(ADDRINFO.sizeof), list = allocate(8);
  hints.view.setInt32(ADDRINFO.ai_flags, flags, true);
  hints.view.setInt32(ADDRINFO.ai_family, family === undefined ? 0 : familyNumber(family), true);
  hints.view.setInt32(ADDRINFO.ai_socktype, SOCK_DGRAM, true);
  return { args: [name, null, hints.bytes, list.bytes], list };
}

/** Takes the addresses out of the resolver's list and gives the list back. */
function collect(
  host: string,
  { code, list }: { readonly code: number; readonly list: Memory },
): Found {
  if (code !== 0) return err(resolveError(host, code));
  const head = list.view.getBigUint64(0, true);
  const addresses = readList(head);
  libc().freeaddrinfo(Deno.UnsafePointer.create(head));
  return addresses.length === 0 ? err(resolveError(host, EAI_NODATA)) : ok(addresses);
}

/** Walks the list of `struct addrinfo`. */
function readList(head: bigint): readonly SocketAddress[] {
  const found = new Map<string, SocketAddress>();
  for (let at = head; at !== 0n && found.size < ADDRESSES_MAX;) {
    const info = viewAt(at);
    if (info === undefined) break;
    const address = readAddress(info);
    if (address !== undefined) found.set(`${address.address}%${address.scopeId ?? 0}`, address);
    at = info.getBigUint64(ADDRINFO.ai_next);
  }
  return [...found.values()];
}

function readAddress(info: Deno.UnsafePointerView): SocketAddress | undefined {
  const sockaddr = viewAt(info.getBigUint64(ADDRINFO.ai_addr));
  const length = info.getUint32(ADDRINFO.ai_addrlen);
  if (sockaddr === undefined || length < SOCKADDR_IN.sizeof) return undefined;
  const copy = new Uint8Array(SOCKADDR_SIZE);
  sockaddr.copyInto(copy.subarray(0, Math.min(length, SOCKADDR_IN6.sizeof)));
  const address = decodeSockaddr(new DataView(copy.buffer));
  return address?.family === "ipv6" && length < SOCKADDR_IN6.sizeof ? undefined : address;
}

function resolveError(host: string, code: number): ResolveError {
  const [name, temporary] = CODES.get(code) ?? [`EAI_${code}`, true];
  const reason = readCString(libc().gai_strerror(code)) ?? "unknown reason";
  const sentence = reason.charAt(0).toLowerCase() + reason.slice(1);
  return { name, temporary, message: `Cannot resolve ${host}: ${sentence} (${name})` };
}
