/**
 * Decides for which requests the network interface's own timestamps are used, and keeps the clocks
 * that they are read on.
 *
 * The idea: a driver timestamps NTP packets in hardware only when its administrator has told it so
 * (`hwstamp_ctl -i eth0 -t 1 -r 1`); then, and only then, we take part. Switching it on ourselves
 * would change what other programs on this interface get, and needs CAP_NET_ADMIN, which ntpsd does
 * not keep; so nothing is ever set here, only read (docs/hardware-timestamps.md says how to switch
 * it on). Timestamps of the interface are in the time of its own clock; each is converted to real
 * time by reading both clocks, and believed only if it lies near the kernel's timestamp of the same
 * packet. Both timestamps of an exchange are of the same kind, or the asymmetry of the kinds would
 * look like an offset.
 *
 * What it costs when no interface offers it: one lookup in a map for each request, and every
 * quarter of an hour for each server one socket that sends nothing, to see which interface leads
 * there. A driver is asked as often, once for an interface.
 *
 * A socket with such timestamps is tied to its interface. A server whose responses come in by
 * another one would never be heard, so after two requests without a response that server is asked
 * in the plain way until the next look. Limits: a wrong timestamp that lies within ten milliseconds
 * of the kernel's is believed.
 *
 * @module
 */
import { difference, type NtpTimestamp } from "../base/ntp_timestamp.ts";
import { ReasonCounter } from "../base/reason_counter.ts";
import type { Result } from "../base/result.ts";
import { formatAddress, type SocketAddress } from "../base/socket_address.ts";
import type { MonotonicSeconds, Seconds } from "../base/units.ts";
import type { HardwareClock } from "../../ffi/socket/udp_socket.ts";
import type { HardwareTimestamping } from "../../ffi/socket/timestamping.ts";

/** The clock of an interface. */
export interface InterfaceClock extends HardwareClock {
  /** Tells whether the clock can still be read. */
  isAlive(): boolean;
  /** Forgets how it stood to real time, because that was set. */
  reset(): void;
  /** Gives it back. */
  close(): void;
}

/** What is asked of the system; errors are sentences. */
export interface HardwarePort {
  /** Returns the interface by which packets to a server leave now; undefined when there is none. */
  interfaceTowards(server: SocketAddress): string | undefined;
  /** Asks what the driver of an interface is set to do. */
  timestampingOf(interfaceName: string): Result<HardwareTimestamping, string>;
  /** Opens the clock /dev/ptpN. */
  openClock(index: number): Result<InterfaceClock, string>;
}

/** Why the kernel's timestamps were used where the interface's might have been; counted. */
export type FallbackReason =
  /** The interface cannot timestamp what it sends and NTP packets that it receives. */
  | "not-offered"
  /** The interface can, but nobody has enabled it. */
  | "not-enabled"
  /** The driver makes timestamps, but its clock cannot be read. */
  | "clock-closed"
  /** The clock could be read once and cannot any more. */
  | "clock-gone"
  /** A socket could not be tied to the interface, or could not send from it. */
  | "socket-refused"
  /** Requests from sockets that were tied to the interface brought no response. */
  | "unanswered"
  /** The timestamp of the request did not come, or not in time. */
  | "no-transmit-timestamp"
  /** The response came without one. */
  | "no-receive-timestamp"
  /** A timestamp was too far from the kernel's. */
  | "disagrees";

/** How to open a socket that gets the interface's timestamps. */
export interface HardwareChoice {
  /** The name of the interface, to which the socket is to be tied. */
  readonly device: string;
  /** What makes real time of its timestamps. */
  readonly hardwareClock: HardwareClock;
}

/** The timestamps of one packet, both in real time. */
export interface TimestampPair {
  /** The kernel's, or that of this program if there is none. */
  readonly software: NtpTimestamp;
  /** The interface's; undefined when there is none. */
  readonly hardware: NtpTimestamp | undefined;
}

/** Writes to the log. */
export type Tell = (message: string) => void;

const LOOK_INTERVAL: Seconds = 900;
/**
 * More than a driver or a busy machine delays a timestamp, less than a clock that is not the right
 * one would show.
 */
const TIMESTAMPS_APART_MAX: Seconds = 0.01;
/**
 * So many exchanges in a row with timestamps that disagree, and the interface is given up until the
 * next look.
 */
const DISAGREEMENTS_MAX = 3;
/**
 * So many requests in a row without a response, and a server is asked in the plain way until the
 * next look.
 */
const UNANSWERED_MAX = 2;
const SERVERS_MAX = 512;

interface Interface {
  readonly name: string;
  /** When the driver is asked anew. */
  readonly lookAgainAt: MonotonicSeconds;
  clock: InterfaceClock | undefined;
  /** Exchanges in a row with timestamps that disagree. */
  disagreements: number;
}

interface Route {
  readonly lookAgainAt: MonotonicSeconds;
  /** The interface that leads there; undefined when this server is asked in the plain way. */
  by: string | undefined;
  /** Requests in a row that brought no response. */
  unanswered: number;
}

/** The decision for each server, remembered for a quarter of an hour. */
export class HardwareTimestamps {
  readonly #port: HardwarePort;
  readonly #tell: Tell;
  readonly #routes = new Map<string, Route>();
  readonly #interfaces = new Map<string, Interface>();
  readonly #said = new Map<string, string>();
  readonly #fallbacks = new ReasonCounter<FallbackReason>();

  /**
   * Asks nothing yet; `tell` is for what an administrator may want to know: a line when an
   * interface comes or goes.
   */
  constructor(port: HardwarePort, tell: Tell) {
    this.#port = port;
    this.#tell = tell;
  }

  /** How often the kernel's timestamps were used instead, by reason. */
  get fallbacks(): Readonly<Record<string, number>> {
    return this.#fallbacks.snapshot();
  }

  /** Returns how to open the socket for a request to a server; undefined for the plain way. */
  choose(server: SocketAddress, now: MonotonicSeconds): HardwareChoice | undefined {
    const { by } = this.#routeTo(server, now);
    const hardwareClock = by === undefined ? undefined : this.#interfaces.get(by)?.clock;
    if (by === undefined || hardwareClock === undefined) return undefined;
    return { device: by, hardwareClock };
  }

  /**
   * Notes that a socket could not be opened as chosen: the server is asked in the plain way until
   * the next look.
   */
  refused(server: SocketAddress): void {
    this.#avoid(this.#routes.get(routeKey(server)), "socket-refused");
  }

  /** Notes whether a request that was sent as chosen brought a response. */
  ended(server: SocketAddress, isAnswered: boolean): void {
    const route = this.#routes.get(routeKey(server));
    if (route === undefined) return;
    route.unanswered = isAnswered ? 0 : route.unanswered + 1;
    if (route.unanswered >= UNANSWERED_MAX) this.#avoid(route, "unanswered");
  }

  /** Tells whether the interface's timestamps of an exchange are to be used, both or none. */
  believes(
    choice: HardwareChoice,
    exchange: { readonly transmit: TimestampPair; readonly receive: TimestampPair },
  ): boolean {
    const by = this.#interfaces.get(choice.device);
    const { transmit, receive } = exchange;
    if (transmit.hardware === undefined || receive.hardware === undefined) {
      if (by?.clock?.isAlive() === false) return this.#giveUp(by, "clock-gone");
      const sent = transmit.hardware !== undefined;
      return this.#fallBack(sent ? "no-receive-timestamp" : "no-transmit-timestamp");
    }
    const agree = apart(transmit) <= TIMESTAMPS_APART_MAX && apart(receive) <= TIMESTAMPS_APART_MAX;
    if (by !== undefined) by.disagreements = agree ? 0 : by.disagreements + 1;
    if (agree) return true;
    if (by === undefined || by.disagreements < DISAGREEMENTS_MAX) {
      return this.#fallBack("disagrees");
    }
    return this.#giveUp(by, "disagrees");
  }

  /** Forgets how the clocks stand to real time, because that was set. */
  clockStepped(): void {
    for (const { clock } of this.#interfaces.values()) clock?.reset();
  }

  /** Gives all clocks back. */
  close(): void {
    for (const { clock } of this.#interfaces.values()) clock?.close();
    this.#interfaces.clear();
    this.#routes.clear();
  }

  #routeTo(server: SocketAddress, now: MonotonicSeconds): Route {
    const key = routeKey(server);
    const known = this.#routes.get(key);
    if (known !== undefined && now < known.lookAgainAt) return known;
    if (this.#routes.size >= SERVERS_MAX) this.#routes.clear();
    const name = this.#port.interfaceTowards(server);
    const isOffered = name !== undefined && this.#interface(name, now).clock !== undefined;
    const by = isOffered ? name : undefined;
    const route = { lookAgainAt: now + LOOK_INTERVAL, by, unanswered: 0 };
    this.#routes.set(key, route);
    return route;
  }

  #interface(name: string, now: MonotonicSeconds): Interface {
    const known = this.#interfaces.get(name);
    if (known !== undefined && now < known.lookAgainAt) return known;
    const clock = this.#offered(name, known?.clock);
    const found = { name, lookAgainAt: now + LOOK_INTERVAL, clock, disagreements: 0 };
    this.#interfaces.set(name, found);
    return found;
  }

  /**
   * Asks the driver; returns the clock, which is the one that was open already if there was one.
   */
  #offered(name: string, open: InterfaceClock | undefined): InterfaceClock | undefined {
    const setting = this.#port.timestampingOf(name);
    if (!setting.ok || !isEnabled(setting.value) || setting.value.phcIndex === undefined) {
      this.#fallbacks.add(setting.ok && setting.value.isCapable ? "not-enabled" : "not-offered");
      if (open !== undefined) this.#say(name, `${name} does not timestamp NTP packets any more`);
      open?.close();
      return undefined;
    }
    if (open?.isAlive() === true) return open;
    open?.close();
    const clock = this.#port.openClock(setting.value.phcIndex);
    if (!clock.ok) {
      this.#fallbacks.add("clock-closed");
      this.#say(
        name,
        `${name} timestamps NTP packets, but its timestamps cannot be used: ${clock.error}`,
      );
      return undefined;
    }
    this.#say(name, `The timestamps of the network interface ${name} are used`);
    return clock.value;
  }

  #avoid(route: Route | undefined, reason: "socket-refused" | "unanswered"): void {
    if (route?.by === undefined) return;
    this.#fallbacks.add(reason);
    route.by = undefined;
  }

  /** Says of an interface what is not what was said last. */
  #say(name: string, message: string): void {
    if (this.#said.get(name) === message) return;
    this.#said.set(name, message);
    this.#tell(message);
  }

  #fallBack(reason: FallbackReason): false {
    this.#fallbacks.add(reason);
    return false;
  }

  /** Uses an interface no more until the next look. */
  #giveUp(by: Interface, reason: "clock-gone" | "disagrees"): false {
    by.clock?.close();
    by.clock = undefined;
    const cause = reason === "clock-gone"
      ? "its clock cannot be read any more"
      : "its timestamps and the kernel's disagree";
    this.#say(
      by.name,
      `The timestamps of the network interface ${by.name} are not used for now: ${cause}`,
    );
    return this.#fallBack(reason);
  }
}

/**
 * Tells whether a driver is set to timestamp both what it sends and the NTP packets that it
 * receives.
 */
export function isEnabled(setting: HardwareTimestamping): boolean {
  return setting.phcIndex !== undefined && setting.transmitOn && setting.receiveOn;
}

function apart({ software, hardware }: TimestampPair): Seconds {
  return hardware === undefined ? Infinity : Math.abs(difference(hardware, software));
}

function routeKey(server: SocketAddress): string {
  return formatAddress(server);
}
