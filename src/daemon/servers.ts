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
import { parseSocketAddress } from "../base/socket_address.ts";
import type { PollExponent } from "../base/units.ts";
import type { ServerConfig, SynchronizationConfig } from "../config/config.ts";
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

interface RunningServer {
  readonly config: ServerConfig;
  readonly servesNts: boolean;
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
    context: {
      readonly synchronization: SynchronizationConfig;
      readonly authentication: ServerAuthentication;
    },
  ): Promise<void> {
    this.#synchronization = context.synchronization;
    // a listener learns only when it is opened whether it answers Network Time Security
    const servesNts = context.authentication.nts !== undefined;
    const wanted = configs.map((config) => ({ config, text: JSON.stringify(config) }));
    const kept = this.#running.filter((server) =>
      server.servesNts === servesNts &&
      wanted.some(({ text }) => text === JSON.stringify(server.config))
    );
    const closing = this.#running.filter((server) => !kept.includes(server));
    this.#running = kept;
    // a port is free again only when its old listener is gone
    await Promise.all(closing.map(({ loop }) => loop.stop()));
    for (const { config, text } of wanted) {
      if (kept.some((server) => JSON.stringify(server.config) === text)) continue;
      const server = this.#open(config, context.authentication);
      if (server !== undefined) this.#running.push(server);
    }
  }

  /** Takes over what the engine says of the clock. */
  update(time: ServedTime, now: Instant): void {
    this.#template.setState(this.#stateOf(time, now));
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

  #open(config: ServerConfig, authentication: ServerAuthentication): RunningServer | undefined {
    const local = present(parseSocketAddress(config.listen, 123), "The configuration was checked");
    const access = AccessRules.build(config);
    const socket = ServerSocket.open({ local, reusePort: config.reusePort });
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
      interleaved: config.interleaved ? new InterleavedTable({ random: randomSource }) : undefined,
      requireNts: config.requireNts === false ? undefined : config.requireNts,
      clients,
      ...authentication,
    });
    const loop = new ServerLoop({ socket: socket.value, responder }, {
      onReceiveError: (_, error) => log.warning(`Server ${config.listen}: ${error.message}`),
    });
    loop.start();
    log.info(`Serves time on ${config.listen}`);
    const servesNts = authentication.nts !== undefined;
    return { config, servesNts, responder, loop, clients };
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
