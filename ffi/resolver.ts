/**
 * Names to addresses, by the system's own resolver, so that the hosts file and nsswitch.conf count.
 *
 * The idea: `getaddrinfo` on the thread pool, a few names at a time. Limits: it takes as long as the system's resolver is set to take, up to
 * half a minute, and cannot be cancelled; its order of addresses (RFC 6724) is kept.
 *
 * @module
 */
import type { AddressFamily } from "../src/base/ip_address.ts";
import { err, ok, type Result } from "../src/base/result.ts";
import type { SocketAddress } from "../src/base/socket_address.ts";
import type { Bytes } from "../src/base/bytes.ts";
import { inBackground, THREADS } from "./background.ts";
import { libc } from "./libc.ts";
import { LookupQueue } from "./lookup_queue.ts";
import { allocate, cString, type Memory, readCString, viewAt } from "./memory.ts";
import { decodeSockaddr, familyNumber } from "./socket/sockaddr.ts";

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
export const ADDRESSES_MAX = 64;

const SOCK_DGRAM = 2;
const EAI_NONAME = -2;
const EAI_NODATA = -5;

const CODES: ReadonlyMap<number, readonly [name: string, temporary: boolean]> = new Map([
  [-1, ["EAI_BADFLAGS", false]],
  [EAI_NONAME, ["EAI_NONAME", false]],
  [-3, ["EAI_AGAIN", true]],
  [-4, ["EAI_FAIL", true]],
  [EAI_NODATA, ["EAI_NODATA", false]],
  [-6, ["EAI_FAMILY", false]],
  [-7, ["EAI_SOCKTYPE", false]],
  [-8, ["EAI_SERVICE", false]],
  [-9, ["EAI_ADDRFAMILY", false]],
  [-10, ["EAI_MEMORY", true]],
  [-11, ["EAI_SYSTEM", true]],
]);

const AI_NUMERICHOST = 4;

type Found = Result<readonly SocketAddress[], ResolveError>;

const queue = new LookupQueue<Found>(THREADS.names, () => performance.now());

/**
 * Resolves a name or numeric text (with `%eth0` or `%2` for a link-local address) to at most `ADDRESSES_MAX` addresses, in the
 * resolver's order, each once. Numeric text is answered at once; a name waits for its turn.
 */
export async function resolveName(host: string, options: ResolveOptions): Promise<Found> {
  const name = cString(host);
  if (name === undefined) return err(resolveError(host, EAI_NONAME));
  const { family, port } = options;
  const numeric = ask(name, family, AI_NUMERICHOST);
  const code = libc().getaddrinfo(...numeric.args);
  const found = code === EAI_NONAME
    ? await queue.look(`${family ?? ""} ${host}`, async () => {
      const question = ask(name, family, 0);
      const code = await inBackground("names", "getaddrinfo", question.args);
      return collect(host, code, question.list);
    })
    : collect(host, code, numeric.list);
  return found.ok ? ok(found.value.map((address) => ({ ...address, port }))) : found;
}

type Question = readonly [name: Bytes, service: null, hints: Bytes, list: Bytes];

function ask(
  name: Bytes,
  family: AddressFamily | undefined,
  flags: number,
): { readonly args: [...Question]; readonly list: Memory } {
  const hints = allocate(48), list = allocate(8);
  hints.view.setInt32(0, flags, true);
  hints.view.setInt32(4, family === undefined ? 0 : familyNumber(family), true);
  hints.view.setInt32(8, SOCK_DGRAM, true);
  return { args: [name, null, hints.bytes, list.bytes], list };
}

/** Takes the addresses out of the resolver's list and gives the list back. */
function collect(host: string, code: number, list: Memory): Found {
  if (code !== 0) return err(resolveError(host, code));
  const head = list.view.getBigUint64(0, true);
  const addresses = readList(head);
  libc().freeaddrinfo(Deno.UnsafePointer.create(head));
  return addresses.length === 0 ? err(resolveError(host, EAI_NODATA)) : ok(addresses);
}

/** Walks the list of `addrinfo` structures: family 4, address length 16, address 24, next 40. */
function readList(head: bigint): readonly SocketAddress[] {
  const found = new Map<string, SocketAddress>();
  for (let at = head; at !== 0n && found.size < ADDRESSES_MAX;) {
    const info = viewAt(at);
    if (info === undefined) break;
    const sockaddr = viewAt(info.getBigUint64(24));
    const length = info.getUint32(16);
    if (sockaddr !== undefined && length >= 16) {
      const copy = new Uint8Array(32);
      sockaddr.copyInto(copy.subarray(0, Math.min(length, 28)));
      const address = decodeSockaddr(new DataView(copy.buffer));
      if (address !== undefined && (address.family === "ipv4" || length >= 28)) {
        found.set(`${address.address}%${address.scopeId ?? 0}`, address);
      }
    }
    at = info.getBigUint64(40);
  }
  return [...found.values()];
}

function resolveError(host: string, code: number): ResolveError {
  const [name, temporary] = CODES.get(code) ?? [`EAI_${code}`, true];
  const reason = readCString(libc().gai_strerror(code)) ?? "unknown reason";
  const sentence = reason.charAt(0).toLowerCase() + reason.slice(1);
  return { name, temporary, message: `Cannot resolve ${host}: ${sentence} (${name})` };
}
