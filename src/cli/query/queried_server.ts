/**
 * A server that `ntpsd query` asks: an association of the daemon's own, asked as often as the
 * command line says.
 *
 * The idea: what makes requests and tests responses exists once (`association.ts`), so what the
 * daemon would drop is not shown as the time either, and for the same reason. An association goes
 * by the time that it is told; it is told that the next request is due. Limits: a response that
 * fails a test is passed over until the time is up, because anyone can send one; the reason of the
 * last is returned then.
 *
 * @module
 */
import { Association } from "../../association/association.ts";
import type { AssociationConfig } from "../../association/config.ts";
import type { DatagramEvent, SendAction } from "../../association/events.ts";
import { type OffsetAndDelay, offsetAndDelay } from "../../association/exchange.ts";
import type { Measurement } from "../../association/measurement.ts";
import type { PacketProtection } from "../../association/protection.ts";
import type { RandomSource } from "../../base/random.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { formatSocketAddress, type SocketAddress } from "../../base/socket_address.ts";
import type { MonotonicSeconds, Seconds } from "../../base/units.ts";
import type { ProtectionReason } from "../../nts/client/session_protection.ts";
import { dropText } from "./drop_text.ts";
import { exchange } from "./exchange.ts";

/** What one exchange shows. */
export interface Sample extends Measurement, OffsetAndDelay {}

/** Protects requests and verifies responses; it exchanges no keys by itself. */
export type QueryProtection =
  & Pick<PacketProtection, "authentication" | "protect" | "verify">
  & {
    /** Why the last response was not authentic; undefined when it was. */
    readonly reason: ProtectionReason | undefined;
  };

/** How a server is asked. */
export interface QueriedServerOptions {
  /** Where it is. */
  readonly address: SocketAddress;
  /** Where the unguessable octets come from. */
  readonly random: RandomSource;
  /** How packets are authenticated; not at all when left out. */
  readonly protection?: QueryProtection | undefined;
}

/** One server at one address. */
export class QueriedServer {
  readonly #association: Association;
  readonly #protection: QueryProtection | undefined;
  #now: MonotonicSeconds = 0;
  #requests = 0;

  /** Makes it; nothing is sent yet. */
  constructor({ address, random, protection }: QueriedServerOptions) {
    this.#protection = protection;
    this.#association = new Association({
      id: 0,
      name: formatSocketAddress(address),
      address,
      config: configOf(address),
      random,
      allocateRequest: () => this.#requests++,
      protection,
    });
    this.#association.start(this.#now);
  }

  /** Whether it denies service, and so is asked no more. */
  get isStopped(): boolean {
    return this.#association.isStopped;
  }

  /**
   * Sends a request and waits for the response; the error is a sentence. Not to be called when the
   * server `isStopped`.
   */
  async ask(timeout: Seconds): Promise<Result<Sample, string>> {
    const request = this.#nextRequest();
    if (request === undefined) return err("The server gave too few cookies for so many samples");
    let rejection: string | undefined;
    const settled = await exchange(request, {
      timeout,
      receive: (datagram) => {
        const received = this.#receive(datagram);
        if (!received.ok) rejection = received.error.sentence;
        if (received.ok) return received;
        return received.error.isFinal ? err(received.error.sentence) : undefined;
      },
    });
    if (!settled.ok) return settled;
    return settled.value ?? err(rejection ?? "No response");
  }

  /** Lets the time come at which the next request is due; undefined when it cannot be protected. */
  #nextRequest(): SendAction | undefined {
    this.#now = this.#association.nextRequestAt;
    return this.#association.handleTimer(this.#now).find((action) => action.type === "send");
  }

  #receive(datagram: DatagramEvent): Result<Sample, { sentence: string; isFinal: boolean }> {
    const { measurement, actions } = this.#association.handleDatagram(datagram, this.#now);
    if (measurement !== undefined) return ok({ ...measurement, ...offsetAndDelay(measurement) });
    const sentence = dropText(this.#association.history.dropped.last ?? "unexpected", {
      octets: datagram.packet,
      protectionReason: this.#protection?.reason,
    });
    return err({ sentence, isFinal: actions.some((action) => action.type === "close") });
  }
}

/** As one that is configured by its address alone; how often it is asked is decided here. */
function configOf({ address, port }: SocketAddress): AssociationConfig {
  return {
    host: address,
    port,
    certificateAuthority: undefined,
    aeadAlgorithms: [],
    iburst: false,
    pollIntervalLimits: { min: 6, max: 6 },
    initialPollInterval: 6,
    interleaved: false,
  };
}
