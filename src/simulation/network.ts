/**
 * The simulated network: names, servers, and the paths to them.
 *
 * The idea: it knows when a packet arrives, if at all; the world keeps the time. Each direction of
 * each path draws from its own stream. Packets may overtake each other.
 *
 * @module
 */
import { present } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";
import { ipFamily } from "../base/ip_address.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Seconds } from "../base/units.ts";
import { Bursts } from "./bursts.ts";
import { drawDelay, drawLoss } from "./delay.ts";
import { Draws } from "./draws.ts";
import type { Scenario } from "./scenario/scenario.ts";
import { type ServingTime, SimulatedServer } from "./server.ts";

/** A server with the streams of randomness that belong to it. */
export interface Host {
  /** The server itself. */
  readonly server: SimulatedServer;
  /** Draws for the way to it. */
  readonly forward: Draws;
  /** Draws for the way back. */
  readonly backward: Draws;
  /** Spells of congestion in each direction. */
  readonly bursts: { readonly forward: Bursts; readonly backward: Bursts };
  /** What an adversary draws. */
  readonly adversary: Draws;
}

/** A request at the moment at which it arrives at a server. */
export interface ArrivingRequest extends ServingTime {
  /** The packet. */
  readonly request: Uint8Array;
}

/** What comes back from a server. */
export interface Arrival {
  /** When, in seconds since the start. */
  readonly at: Seconds;
  /** A packet, or the news that its host refuses the request. */
  readonly packet: Bytes | "refused";
}

/** How many addresses a pool's name gives at a time. */
const POOL_RESPONSE_SIZE = 4;

/** The network of one run. */
export class SimulatedNetwork {
  readonly #hosts = new Map<string, Host>();
  readonly #resolver: Draws;
  readonly #noise: { readonly mean: Seconds; readonly draws: Draws };
  /** Whether the machine has a network at all. */
  isUp = true;

  /** Sets up the servers of a scenario for the run with this seed. */
  constructor(scenario: Scenario, seed: number) {
    this.#resolver = Draws.stream(seed, "resolver");
    const noise = Draws.stream(seed, "timestamps");
    this.#noise = { mean: scenario.machine.timestampNoise, draws: noise };
    for (const model of scenario.servers) {
      const stream = (part: string): Draws => Draws.stream(seed, `${model.name} ${part}`);
      this.#hosts.set(model.address, {
        server: new SimulatedServer(model, { clock: stream("clock"), grain: stream("grain") }),
        forward: stream("forward"),
        backward: stream("backward"),
        bursts: {
          forward: new Bursts(stream("forward bursts")),
          backward: new Bursts(stream("backward bursts")),
        },
        adversary: stream("adversary"),
      });
    }
  }

  /** All servers. */
  hosts(): IterableIterator<Host> {
    return this.#hosts.values();
  }

  /** The server at an address; undefined when there is none. */
  at(address: string): Host | undefined {
    return this.#hosts.get(address);
  }

  /** The servers with these names; none named means all. */
  named(names: readonly string[]): readonly SimulatedServer[] {
    const all = [...this.#hosts.values()].map((host) => host.server);
    return names.length === 0 ? all : all.filter((server) => names.includes(server.model.name));
  }

  /**
   * Returns the addresses of a name, for a pool some of them in random order; or why there are
   * none.
   */
  resolve(name: string): Result<readonly string[], string> {
    if (ipFamily(name) !== undefined) return ok([name]);
    if (!this.isUp) return err(`Temporary failure in name resolution of ${name}`);
    const models = [...this.#hosts.values()].map((host) => host.server.model);
    const own = models.filter((model) => model.name === name).map((model) => model.address);
    if (own.length > 0) return ok(own);
    const members = models.filter((model) => model.pools.includes(name)).map((model) =>
      model.address
    );
    if (members.length === 0) return err(`No address is known for ${name}`);
    for (let i = members.length - 1; i > 0; i--) {
      const j = Math.floor(this.#resolver.uniform() * (i + 1));
      const swapped = present(members[i], "A pool has lost a member");
      members[i] = present(members[j], "A pool has lost a member");
      members[j] = swapped;
    }
    return ok(members.slice(0, POOL_RESPONSE_SIZE));
  }

  /**
   * Lets a request arrive at a server, and returns what comes back: its response, if neither the
   * server nor the path loses it, and before that what an adversary forges.
   */
  serve(
    host: Host,
    { request, ...now }: ArrivingRequest,
  ): readonly Arrival[] {
    const { server } = host;
    const response = server.respond(request, now);
    const leaves = now.time + server.model.turnaround;
    const delay = this.travel(host, { direction: "backward", time: leaves });
    if (response === undefined) {
      const { alive, refuses } = server.model;
      const isRefused = !alive && refuses && delay !== undefined;
      return isRefused ? [{ at: leaves + delay, packet: "refused" }] : [];
    }
    const arrivals: Arrival[] = [];
    const forged = server.forge(response, host.adversary);
    if (forged !== undefined) arrivals.push({ at: now.time, packet: forged });
    if (delay !== undefined) arrivals.push({ at: leaves + delay, packet: response });
    return arrivals;
  }

  /** How long a packet that leaves at `time` is under way; undefined when it is lost. */
  travel(
    host: Host,
    { direction, time }: { direction: "forward" | "backward"; time: Seconds },
  ): Seconds | undefined {
    const draws = host[direction];
    const path = host.server.model[direction];
    const isLost = drawLoss(path, draws);
    const burst = host.bursts[direction].factorAt(path.bursts, time);
    const delay = drawDelay(path, draws, { time, burst });
    const noise = this.#noise.mean > 0 ? this.#noise.draws.exponential(this.#noise.mean) : 0;
    return isLost ? undefined : delay + noise;
  }
}
