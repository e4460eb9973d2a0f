/**
 * `ntpsd query`: asks servers once, prints what they say, and never touches the clock.
 *
 * @module
 */
import { NTP_PORT } from "../../base/ports.ts";
import { resolveName } from "../../../ffi/resolver.ts";
import { holdTimestamping } from "../../../ffi/socket/timestamping.ts";
import { err, ok, type Result } from "../../base/result.ts";
import {
  formatSocketAddress,
  parseHostPort,
  type SocketAddress,
} from "../../base/socket_address.ts";
import { formatReferenceId } from "../../protocol/reference_id.ts";
import { rootDistance } from "../../selection/root_distance.ts";
import { randomSource } from "../../system/random.ts";
import { complain } from "../command.ts";
import { EXIT, type ExitCode } from "../exit_code.ts";
import { PREPARATION_TIMEOUT, type QueryOptions } from "./query_options.ts";
import type { Authenticate, Authentication } from "./authentication.ts";
import { QueriedServer, type Sample } from "./queried_server.ts";
import { type QueryResult, renderQuery } from "./report.ts";
import { painter, plain } from "../display/style.ts";
import type { CommandContext, ServerQuestion } from "../command_context.ts";

/** Between two requests to one host, so that no rate limit is met. */
const SPACING_MS = 2000;
/** So many addresses of a name are tried. */
const ADDRESSES_MAX = 4;
/** The kernel takes this long to switch its receive timestamps on. */
const TIMESTAMPING_MS = 10;

/** Asks all hosts at the same time and prints what they say. */
export async function query(
  options: QueryOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const authenticate = options.nts ? await ntsAuthentication(options) : undefined;
  if (authenticate !== undefined && !authenticate.ok) {
    const { message } = authenticate.error, text = `ntpsd query: ${plain(message)}\n`;
    complain({ message, text, json: options.json }, context);
    return authenticate.error.exitCode;
  }
  await switchTimestampsOn();
  const results = await Promise.all(
    options.hosts.map((host) => queryHost(host, { options, authenticate: authenticate?.value })),
  );
  context.out(
    options.json
      ? `${JSON.stringify({ results })}\n`
      : renderQuery(results, { columns: context.columns, paint: painter(context.color) }),
  );
  return results.some((result) => result.ok) ? EXIT.done : EXIT.no;
}

/** Asks one host once, without authentication. */
export async function askServer(host: string, question: ServerQuestion): Promise<QueryResult> {
  await switchTimestampsOn();
  const options: QueryOptions = {
    hosts: [host],
    nts: false,
    authority: undefined,
    samples: 1,
    preparationTimeout: PREPARATION_TIMEOUT,
    json: false,
    ...question,
  };
  return queryHost(host, { options, authenticate: undefined });
}

let timestamps: Promise<void> | undefined;

/** Once for all requests of the process. */
function switchTimestampsOn(): Promise<void> {
  if (timestamps === undefined) {
    holdTimestamping();
    timestamps = pause(TIMESTAMPING_MS);
  }
  return timestamps;
}

async function ntsAuthentication(
  options: QueryOptions,
): Promise<Result<Authenticate, { message: string; exitCode: ExitCode }>> {
  const { openNts } = await import("./nts.ts");
  return openNts({ authority: options.authority, timeout: options.preparationTimeout });
}

async function queryHost(
  written: string,
  { options, authenticate }: {
    readonly options: QueryOptions;
    readonly authenticate: Authenticate | undefined;
  },
): Promise<QueryResult> {
  const target = parseHostPort(written);
  const about: About = { name: written, nts: options.nts };
  if (target === undefined) {
    return failure(about, "Wanted HOST, HOST:PORT or [IPv6]:PORT");
  }
  const agreed = await authenticate?.(target.host, target.port);
  if (agreed?.ok === false) return failure(about, agreed.error);
  const authentication = agreed?.value;
  const addresses = await lookUp(authentication ?? target, options);
  if (!addresses.ok) return failure(about, addresses.error);
  return await askAddresses(addresses.value, { about, options, authentication });
}

/** Returns the addresses to try; the error is a sentence. */
async function lookUp(
  { host, port = NTP_PORT }: { readonly host: string; readonly port?: number | undefined },
  { family, preparationTimeout }: QueryOptions,
): Promise<Result<readonly SocketAddress[], string>> {
  const looking = resolveName(host, { port, ...(family === undefined ? {} : { family }) });
  const resolved = await within(preparationTimeout, looking);
  if (resolved === undefined) {
    return err(`Looking up ${host} took longer than ${preparationTimeout} s`);
  }
  if (!resolved.ok) return err(resolved.error.message);
  return ok(resolved.value.slice(0, ADDRESSES_MAX));
}

/** Waits for a promise so many seconds at most; then undefined. */
async function within<Value>(seconds: number, work: Promise<Value>): Promise<Value | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), seconds * 1000);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

interface About {
  readonly name: string;
  readonly nts: boolean;
  /** Left out while the name is not resolved. */
  readonly address?: SocketAddress;
}

interface Asking {
  readonly about: About;
  readonly options: QueryOptions;
  readonly authentication: Authentication | undefined;
}

/** Takes the first address that answers; the failure of the first one is told when none does. */
async function askAddresses(
  addresses: readonly SocketAddress[],
  asking: Asking,
): Promise<QueryResult> {
  let failed: QueryResult | undefined;
  for (const address of addresses) {
    const asked = await askRepeatedly(address, asking);
    if (asked.ok) return success({ ...asking, address }, asked.value);
    failed ??= failure({ ...asking.about, address }, asked.error);
  }
  return failed ?? failure(asking.about, "The name has no address");
}

async function askRepeatedly(
  address: SocketAddress,
  { options, authentication }: Asking,
): Promise<Result<readonly Sample[], string>> {
  const protection = authentication?.protection;
  const server = new QueriedServer({ address, random: randomSource, protection });
  const samples: Sample[] = [];
  let reason = "No response";
  let spare = authentication?.spareTries ?? 0;
  for (let tries = 0; samples.length < options.samples && !server.isStopped; tries++) {
    if (tries > 0) await pause(SPACING_MS);
    const sample = await server.ask(options.timeout);
    if (sample.ok) {
      samples.push(sample.value);
      continue;
    }
    reason = sample.error;
    // Without a response to the first request, the next address is worth more than the next
    // request.
    if (samples.length === 0 && spare-- <= 0) break;
    if (tries >= options.samples) break;
  }
  return samples.length > 0 ? ok(samples) : err(reason);
}

/** Chooses the sample with the shortest delay: it had the least time to go wrong. */
function success(
  { about, authentication, address }: Asking & { readonly address: SocketAddress },
  samples: readonly Sample[],
): QueryResult {
  const [best] = samples.toSorted((a, b) => a.delay - b.delay);
  if (best === undefined) return failure({ ...about, address }, "No response");
  return {
    name: about.name,
    address: formatSocketAddress(address),
    ok: true,
    error: null,
    stratum: best.stratum,
    referenceId: formatReferenceId(best.referenceId, {
      stratum: best.stratum,
      family: address.family,
    }),
    leap: best.leapIndicator,
    offsetSeconds: best.offset,
    delaySeconds: Math.max(0, best.delay),
    rootDelaySeconds: best.rootDelay,
    rootDispersionSeconds: best.rootDispersion,
    errorBoundSeconds: rootDistance(best, { delay: best.delay, uncertainty: 0 }).distance,
    authentication: authentication === undefined ? "none" : "nts",
    aead: authentication?.aead ?? null,
    timestamping: best.timestamping,
    samples: samples.length,
    nts: authentication?.facts ?? null,
  };
}

function failure({ name, nts, address }: About, error: string): QueryResult {
  return {
    name,
    address: address === undefined ? null : formatSocketAddress(address),
    ok: false,
    error,
    stratum: null,
    referenceId: null,
    leap: null,
    offsetSeconds: null,
    delaySeconds: null,
    rootDelaySeconds: null,
    rootDispersionSeconds: null,
    errorBoundSeconds: null,
    authentication: nts ? "nts" : "none",
    aead: null,
    timestamping: null,
    samples: 0,
    nts: null,
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
