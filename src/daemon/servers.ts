/**
 * The NTP servers of the daemon: one loop for each `[[server]]` section, all fed with what the engine knows of the clock.
 *
 * What the listeners serve is one shared header template, refreshed about once a second and after each change of the clock;
 * in between it ages by itself. Sections that stay the same over a reload keep their socket, their limits and their
 * counts. Limits: a section that cannot be opened is logged and tried again at the next reload; the others go on.
 *
 * @module
 */
import { present } from "../base/assert.ts";
import type { Instant } from "../base/instant.ts";
import type { Result } from "../base/result.ts";
import { formatSocketAddress, parseSocketAddress } from "../base/socket_address.ts";
import type { PollExponent } from "../base/units.ts";
import type { ServerConfig, SynchronizationConfig } from "../config/config.ts";
import { isDualStack } from "../config/listen.ts";
import type { ServedTime } from "../engine/served_time.ts";
import type { ServerDocument } from "../engine/snapshot.ts";
import { parseReferenceId, referenceIdFromAscii } from "../protocol/reference_id.ts";
import { AccessRules } from "../server/access.ts";
import type { MacResponder, NtsResponder } from "../server/authentication.ts";
import { ClientTable } from "../server/client_table.ts";
import {
  HeaderTemplate,
  localReferenceClock,
  type ServerClockState,
  unsynchronizedClock,
} from "../server/clock_state.ts";
import { InterleavedTable } from "../server/interleaved.ts";
import { RateLimiter } from "../server/rate_limit.ts";
import { Responder } from "../server/respond.ts";
import { readRealtimeNtp } from "../../ffi/clock.ts";
import { ERRNO, type OsError } from "../../ffi/errno.ts";
import { ServerSocket } from "../../ffi/server_socket.ts";
import { log } from "./log.ts";
import { ServerLoop } from "./server_loop.ts";
import { randomSource } from "./system_random.ts";

/** How many of the busiest clients a status document shows. */
const BUSIEST_SHOWN = 20;

/** What answers that are authenticated need; left out when the daemon has no keys. */
export interface ServerAuthentication {
  /** Opens cookies and protects answers (RFC 8915). */
  readonly nts?: NtsResponder | undefined;
  /** Checks and makes codes with symmetric keys. */
  readonly keys?: MacResponder | undefined;
}

/** What a listener is opened with. */
interface Plan {
  readonly config: ServerConfig;
  readonly dualStack: boolean;
  /** A listener learns only when it is opened whether it answers Network Time Security. */
  readonly servesNts: boolean;
}

/** What listeners are opened for. */
export interface ServersContext {
  /** What is served without a source. */
  readonly synchronization: SynchronizationConfig;
  /** What answers that are authenticated need. */
  readonly authentication: ServerAuthentication;
  /** Does what must not wait for long, while a server is busy; called every few milliseconds then. */
  readonly meanwhile?: () => void;
}

interface RunningServer {
  /** The plan as text: a listener is kept as long as this stays the same. */
  readonly plan: string;
  readonly config: ServerConfig;
  readonly responder: Responder;
  readonly loop: ServerLoop;
  readonly clients: ClientTable | undefined;
}

/** Runs all listeners. */
export class Servers {
  readonly #precision: PollExponent;
  readonly #template: HeaderTemplate;
  #running: RunningServer[] = [];
  #synchronization: SynchronizationConfig | undefined;

  /** `precision` is that of the local clock. */
  constructor(precision: PollExponent) {
    this.#precision = precision;
    this.#template = new HeaderTemplate(unsynchronizedClock(precision));
  }

  /** Whether any listener is open. */
  get isServing(): boolean {
    return this.#running.length > 0;
  }

  /** Closes, keeps and opens listeners, so that they are those of a configuration. */
  async configure(
    configs: readonly ServerConfig[],
    context: ServersContext,
  ): Promise<void> {
    this.#synchronization = context.synchronization;
    const servesNts = context.authentication.nts !== undefined;
    const listens = configs.map(({ listen }) => listen);
    const plans = configs.map((config): Plan => (
      { config, dualStack: isDualStack(config.listen, listens), servesNts }
    ));
    const wanted = new Map(plans.map((plan) => [JSON.stringify(plan), plan]));
    const kept = this.#running.filter(({ plan }) => wanted.has(plan));
    const closing = this.#running.filter((server) => !kept.includes(server));
    this.#running = kept;
    // a port is free again only when its old listener is gone
    await Promise.all(closing.map(({ loop }) => loop.stop()));
    for (const [text, plan] of wanted) {
      if (kept.some((server) => server.plan === text)) continue;
      const server = this.#open(plan, context);
      if (server !== undefined) this.#running.push(server);
    }
  }

  /** Takes over what the engine says of the clock. */
  update(time: ServedTime, now: Instant): void {
    this.#template.setState(this.#stateOf(time, now));
  }

  /** Forgets the timestamps of interleaved mode, because the clock was stepped. */
  clockStepped(): void {
    for (const { responder } of this.#running) responder.clockStepped();
  }

  /** Describes all listeners for status. */
  documents(): readonly ServerDocument[] {
    return this.#running.map(({ config, responder, loop, clients }) => {
      const counts = responder.counters.snapshot();
      return {
        listen: config.listen,
        ...counts,
        dropped: loop.receiveDrops > 0
          ? { ...counts.dropped, "receive-queue-full": loop.receiveDrops }
          : counts.dropped,
        ...(clients === undefined ? {} : { clients: clients.busiest(BUSIEST_SHOWN) }),
      };
    });
  }

  /** Closes all listeners. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = [];
    await Promise.all(running.map(({ loop }) => loop.stop()));
  }

  #open(plan: Plan, context: ServersContext): RunningServer | undefined {
    const { config } = plan;
    const { authentication, meanwhile } = context;
    const access = AccessRules.build(config);
    const socket = openSocket(plan);
    if (!socket.ok || !access.ok) {
      const why = socket.ok ? (access.ok ? "" : access.error) : socket.error.message;
      log.error(`Server ${config.listen} is not opened: ${why}`);
      if (socket.ok) socket.value.close();
      return undefined;
    }
    const { rateLimit } = config;
    const clients = config.clientTable ? new ClientTable(randomSource) : undefined;
    const responder = new Responder({
      template: this.#template,
      readClock: readRealtimeNtp,
      random: randomSource,
      versions: config.acceptNtpVersions,
      access: access.value,
      rateLimiter: rateLimit && new RateLimiter({ ...rateLimit, random: randomSource }),
      // who is told to slow down is told the interval at which he would be answered
      kissPoll: rateLimit && Math.max(0, rateLimit.interval),
      interleaved: config.interleaved ? new InterleavedTable({ random: randomSource }) : undefined,
      requireNts: config.requireNts === false ? undefined : config.requireNts,
      clients,
      ...authentication,
    });
    const loop = new ServerLoop({ socket: socket.value, responder }, {
      onReceiveError: (_, error) => log.warning(`Server ${config.listen}: ${error.message}`),
      meanwhile,
    });
    loop.start();
    const families = plan.dualStack ? ", IPv4 as well" : "";
    log.info(`Serves time on ${formatSocketAddress(socket.value.local)}${families}`);
    return { plan: JSON.stringify(plan), config, responder, loop, clients };
  }

  #stateOf(time: ServedTime, now: Instant): ServerClockState {
    if (time.synchronized) return { ...time, precision: this.#precision };
    const stratum = this.#synchronization?.localStratum;
    if (stratum === undefined) return unsynchronizedClock(this.#precision);
    const { referenceId } = this.#synchronization ?? {};
    return localReferenceClock({
      stratum,
      referenceId: parseReferenceId(referenceId ?? "LOCL") ?? referenceIdFromAscii("LOCL"),
      precision: this.#precision,
      realtime: now.realtime,
      now: now.monotonic,
    });
  }
}

/** Opens the socket of a section; without IPv6 in the kernel, one for both families serves what there is. */
function openSocket({ config, dualStack }: Plan): Result<ServerSocket, OsError> {
  const local = present(parseSocketAddress(config.listen, 123), "The configuration was checked");
  const { reusePort } = config;
  const socket = ServerSocket.open({ local, dualStack, reusePort });
  if (socket.ok || !dualStack || socket.error.code !== ERRNO.EAFNOSUPPORT) return socket;
  const ipv4 = { family: "ipv4", address: "0.0.0.0", port: local.port } as const;
  return ServerSocket.open({ local: ipv4, reusePort });
}
