/**
 * The NTP servers of the daemon: one loop for each `[[server]]` section, all fed with what the
 * engine knows of the clock.
 *
 * What the listeners serve is one shared header template, refreshed about once a second and after
 * each change of the clock; in between it ages by itself. Sections that stay the same over a reload
 * keep their socket, their limits and their counts. A section that cannot be opened (its port is
 * taken, its interface is not there yet) is told to `FunctionStates` and tried again with every
 * `retry`. An address that this machine does not have yet is bound to all the same, which also
 * works when a low port could not be had any more, and counts as closed until the machine has it.
 * Limits: whether it has it is asked once a `retry`.
 *
 * @module
 */
import { AssertionFailure, present } from "../base/assert.ts";
import { describeFault } from "../base/describe_fault.ts";
import type { Bytes } from "../base/bytes.ts";
import type { Instant } from "../base/instant.ts";
import { ok, type Result } from "../base/result.ts";
import {
  formatSocketAddress,
  isWildcard,
  parseSocketAddress,
  type SocketAddress,
} from "../base/socket_address.ts";
import type { PollExponent } from "../base/units.ts";
import { NTP_PORT } from "../base/ports.ts";
import type { ServerConfig, SynchronizationConfig } from "../config/config.ts";
import { isDualStack } from "../config/listen.ts";
import type { ServedTime } from "../engine/status/served_time.ts";
import type { ServerDocument } from "../engine/status/snapshot.ts";
import { AccessRules } from "../server/access.ts";
import type { MacResponder, NtsResponder } from "../server/authentication.ts";
import { ClientTable } from "../server/client_table.ts";
import {
  HeaderTemplate,
  type ServerClockState,
  unsynchronizedClock,
} from "../server/clock_state.ts";
import { InterleavedTable } from "../server/interleaved.ts";
import { RateLimiter } from "../server/rate_limit.ts";
import { type ControlHandler, Responder } from "../server/respond.ts";
import { readRealtimeNtp } from "../../ffi/clock/clock.ts";
import { ERRNO, type OsError } from "../../ffi/errno.ts";
import { ServerSocket } from "../../ffi/socket/server_socket.ts";
import { hasLocalAddress } from "../../ffi/socket/datagram_socket.ts";
import type { ControlResponse } from "./control/control_listener.ts";
import type { FunctionStates } from "./observability/function_states.ts";
import { log } from "../system/log.ts";
import { servedClock } from "./served_clock.ts";
import { ServerLoop } from "./server_loop.ts";
import { randomSource } from "../system/random.ts";

/** How many of the busiest clients a status document shows. */
const BUSIEST_SHOWN = 20;

/** What authenticated responses need; left out when the daemon has no keys. */
export interface ServerAuthentication {
  /** Opens cookies and protects responses (RFC 8915). */
  readonly nts?: NtsResponder | undefined;
  /** Checks and makes codes with symmetric keys. */
  readonly keys?: MacResponder | undefined;
}

/** What a listener is opened with. */
interface Plan {
  readonly config: ServerConfig;
  readonly dualStack: boolean;
}

/** What listeners are opened for. */
export interface NtpListenersContext {
  /** What is served without a source. */
  readonly synchronization: SynchronizationConfig;
  /** What authenticated responses need. */
  readonly authentication: ServerAuthentication;
  /** Answers the control protocol, mode 6; such requests are dropped when left out. */
  readonly control?: ControlResponse;
  /**
   * Does what must not wait for long, while a server is busy; called every few milliseconds then.
   */
  readonly onBusy?: () => void;
}

interface OpenServer {
  readonly local: SocketAddress;
  readonly responder: Responder;
  readonly loop: ServerLoop;
  readonly clients: ClientTable | undefined;
}

interface Section {
  /** The plan as text: a listener is kept as long as this stays the same. */
  readonly text: string;
  readonly plan: Plan;
  /** Undefined as long as it cannot be opened. */
  server: OpenServer | undefined;
  /** The number of the error that keeps it closed. */
  errno: number;
}

/** Runs all listeners. */
export class NtpListeners {
  readonly #precision: PollExponent;
  readonly #template: HeaderTemplate;
  readonly #functions: FunctionStates;
  #sections: Section[] = [];
  #context: NtpListenersContext | undefined;
  #synchronization: SynchronizationConfig | undefined;
  /** What went wrong with ourselves and is in the log already. */
  readonly #toldErrors = new Set<string>();

  /** `precision` is that of the local clock. */
  constructor(precision: PollExponent, functions: FunctionStates) {
    this.#precision = precision;
    this.#template = new HeaderTemplate(unsynchronizedClock(precision));
    this.#functions = functions;
  }

  /** Whether any listener is open. */
  get isServing(): boolean {
    return this.#sections.some(({ server }) => server !== undefined);
  }

  /** The listeners that are not open, as configured. */
  get closed(): readonly string[] {
    return this.#sections.filter(({ server }) => server === undefined)
      .map(({ plan }) => plan.config.listen);
  }

  /**
   * Why no listener will ever open as things are; undefined when one is open, or may open later.
   */
  get neverOpens(): "listen-not-permitted" | "listen-not-supported" | undefined {
    if (this.#sections.length === 0 || this.isServing) return undefined;
    if (!this.#sections.every(({ errno }) => LASTING_ERRORS.has(errno))) return undefined;
    return this.#sections.every(({ errno }) => errno === ERRNO.EAFNOSUPPORT)
      ? "listen-not-supported"
      : "listen-not-permitted";
  }

  /** Closes, keeps and opens listeners, so that they are those of a configuration. */
  async configure(
    configs: readonly ServerConfig[],
    context: NtpListenersContext,
  ): Promise<void> {
    // Nothing is opened before all is closed that has to be.
    this.#context = undefined;
    this.#synchronization = context.synchronization;
    const servesNts = context.authentication.nts !== undefined;
    const listens = configs.map(({ listen }) => listen);
    const plans = configs.map((config): Plan => (
      { config, dualStack: isDualStack(config.listen, listens) }
    ));
    const before = this.#sections;
    this.#sections = plans.map((plan) => {
      // A listener learns only when it is opened whether it answers Network Time Security.
      const text = JSON.stringify({ ...plan, servesNts });
      return before.find((section) => section.text === text) ??
        { text, plan, server: undefined, errno: 0 };
    });
    this.#functions.keepOnly("server", listens);
    // a port is free again only when its old listener is gone
    const closing = before.filter((section) => !this.#sections.includes(section));
    await Promise.all(closing.map(({ server }) => server?.loop.stop()));
    this.#context = context;
    this.retry();
  }

  /**
   * Tries again what could not be opened, and looks whether the addresses are there; to be called
   * about once a second.
   */
  retry(): void {
    const context = this.#context;
    if (context === undefined) return;
    for (const section of this.#sections) {
      const { listen } = section.plan.config;
      section.server ??= this.#open(section, context);
      const { server } = section;
      if (server === undefined) continue;
      if (isThere(server.local)) this.#functions.up({ kind: "server", name: listen });
      else this.#functions.down({ kind: "server", name: listen }, NO_ADDRESS);
    }
  }

  /** Takes over what the engine says of the clock; what makes no sense is not served. */
  update(time: ServedTime, now: Instant): void {
    try {
      if (this.#template.setState(this.#stateOf(time, now))) return;
      this.#tell(new AssertionFailure(`A clock can be served: ${describe(time)}`));
    } catch (error) {
      this.#template.setState(unsynchronizedClock(this.#precision));
      this.#tell(error);
    }
  }

  /** Forgets the timestamps of interleaved mode, because the clock was stepped. */
  clockStepped(): void {
    for (const { server } of this.#sections) server?.responder.clockStepped();
  }

  /** Describes all listeners that are open for status. */
  documents(): readonly ServerDocument[] {
    return this.#sections.flatMap(({ plan, server }) => {
      if (server === undefined) return [];
      const { responder, loop, clients } = server;
      const counts = responder.counters.snapshot();
      return [{
        listen: plan.config.listen,
        ...counts,
        dropped: loop.receiveDrops > 0
          ? { ...counts.dropped, "receive-queue-full": loop.receiveDrops }
          : counts.dropped,
        ...(clients === undefined ? {} : { clients: clients.busiest(BUSIEST_SHOWN) }),
      }];
    });
  }

  /** Closes all listeners. */
  async stop(): Promise<void> {
    const sections = this.#sections;
    this.#sections = [];
    this.#context = undefined;
    await Promise.all(sections.map(({ server }) => server?.loop.stop()));
  }

  #open(section: Section, context: NtpListenersContext): OpenServer | undefined {
    const { plan } = section, { config } = plan;
    const access = AccessRules.build(config);
    const socket = openSocket(plan);
    section.errno = socket.ok ? 0 : socket.error.code;
    if (!socket.ok || !access.ok) {
      const reason = socket.ok ? (access.ok ? "" : access.error) : reasonOf(socket.error);
      this.#functions.down({ kind: "server", name: config.listen }, reason);
      if (socket.ok) socket.value.close();
      return undefined;
    }
    const clients = config.clientTable ? new ClientTable(randomSource) : undefined;
    const control = (datagram: Bytes, index: number) => {
      const responses = context.control?.(datagram, loop.client(index)) ?? [];
      for (const octets of responses) loop.sendBeside(index, octets);
      return responses.length > 0;
    };
    const parts = { access: access.value, clients, control, context };
    const responder = this.#makeResponder(config, parts);
    const loop = new ServerLoop({ socket: socket.value, responder }, {
      onReceiveError: (_, error) => log.warning(`Server ${config.listen}: ${error.message}`),
      onSendError: (error) =>
        log.warning(
          `Server ${config.listen}: ${error.message}; more of that kind are only counted`,
        ),
      onInternalError: (error) => this.#tell(error),
      onBusy: context.onBusy,
    });
    loop.start();
    const { local } = socket.value;
    if (isThere(local)) {
      const families = plan.dualStack ? ", IPv4 as well" : "";
      log.info(`Serves time on ${formatSocketAddress(local)}${families}`);
    }
    return { local, responder, loop, clients };
  }

  #makeResponder(
    config: ServerConfig,
    parts: {
      readonly access: AccessRules;
      readonly clients: ClientTable | undefined;
      readonly control: ControlHandler;
      readonly context: NtpListenersContext;
    },
  ): Responder {
    const { rateLimit } = config;
    const { access, clients, control, context } = parts;
    return new Responder({
      template: this.#template,
      readClock: readRealtimeNtp,
      random: randomSource,
      versions: config.acceptNtpVersions,
      access,
      rateLimiter: rateLimit && new RateLimiter({ ...rateLimit, random: randomSource }),
      // A client that is too fast learns the interval at which it would be answered.
      kissPoll: rateLimit && Math.max(0, rateLimit.interval),
      interleaved: config.interleaved ? new InterleavedTable({ random: randomSource }) : undefined,
      requireNts: config.requireNts === false ? undefined : config.requireNts,
      clients,
      control,
      onInternalError: (error) => this.#tell(error),
      ...context.authentication,
    });
  }

  /** Logs an internal error, once for each. */
  #tell(error: unknown): void {
    const text = describeFault(error);
    if (this.#toldErrors.has(text) || this.#toldErrors.size === TOLD_ERRORS_MAX) return;
    this.#toldErrors.add(text);
    log.error(
      `Internal error in the server, please report it; other requests are still answered: ${text}`,
    );
  }

  #stateOf(time: ServedTime, now: Instant): ServerClockState {
    const synchronization = this.#synchronization;
    return servedClock(time, { synchronization, precision: this.#precision, now });
  }
}

const NO_ADDRESS = "This machine does not have the address now; time is served as soon as it has";
const TOLD_ERRORS_MAX = 16;
/** Errors that do not pass by themselves. */
const LASTING_ERRORS: ReadonlySet<number> = new Set([
  ERRNO.EACCES,
  ERRNO.EPERM,
  ERRNO.EAFNOSUPPORT,
]);

/** Tells whether a listener can be reached at its address. */
function isThere(local: SocketAddress): boolean {
  return isWildcard(local) || hasLocalAddress(local);
}

function reasonOf({ message, hint }: OsError): string {
  return `${message}${hint === undefined ? "" : `. ${hint}`}; it is tried again every second`;
}

function describe(time: ServedTime): string {
  return JSON.stringify(time, (_, value) => typeof value === "bigint" ? `${value}` : value);
}

/**
 * Opens the socket of a section; without IPv6 in the kernel, one for both families serves what
 * there is.
 */
function openSocket(plan: Plan): Result<ServerSocket, OsError> {
  const { dualStack, config: { listen, reusePort } } = plan;
  const local = present(parseSocketAddress(listen, NTP_PORT), "The configuration was checked");
  const socket = ServerSocket.open({ local, dualStack, reusePort });
  if (socket.ok) return ok(socket.value);
  switch (socket.error.code) {
    case ERRNO.EADDRNOTAVAIL: {
      const early = ServerSocket.open({ local, reusePort, freeBind: true });
      return early.ok ? early : socket;
    }
    case ERRNO.EAFNOSUPPORT: {
      if (!dualStack) return socket;
      const ipv4 = { family: "ipv4", address: "0.0.0.0", port: local.port } as const;
      return ServerSocket.open({ local: ipv4, reusePort });
    }
    default:
      return socket;
  }
}
