/**
 * A world in which names, key exchanges and the administrator may lead several sources to one
 * server.
 *
 * Key exchanges end with whatever address the test says, and their keys are good at `honest`
 * addresses alone. No permission, no real time.
 *
 * @module
 */
import { err, ok } from "../../src/base/result.ts";
import type { KeyExchangeOutcome } from "../../src/nts/key_exchange/outcome.ts";
import { EngineWorld } from "./engine_world.ts";
import { exchangeCertificate, exchangeOutcome, plainSession } from "./nts_sessions.ts";

/** What a key exchange names; `isTrue` when its keys are those of the time server there. */
export interface NamedServer {
  readonly address: string;
  readonly port?: number;
  readonly isTrue?: boolean;
  /** What tells the public key from others; that of the host if left out. */
  readonly identity?: string;
}

/**
 * Makes a world: `names` are what name servers say, `exchanges` what key exchanges say; a host that
 * is in neither fails.
 */
export function sharedServerWorld(
  config: string,
  about: {
    readonly names?: Readonly<Record<string, readonly string[]>>;
    readonly exchanges?: Readonly<Record<string, () => NamedServer | undefined>>;
  },
): EngineWorld {
  const world = new EngineWorld({
    config,
    more: {
      protections: {
        startSession: (outcome) =>
          plainSession(outcome, { isGenuine: outcome.keys.clientToServer[0] === 1 }),
      },
    },
  });
  world.resolve = (host) => about.names?.[host];
  world.exchange = ({ host }) => {
    const named = about.exchanges?.[host]?.();
    if (named === undefined) return { result: err("Connection refused"), reason: "closed" };
    return { result: ok(outcomeOf(host, named)) };
  };
  return world;
}

/** The addresses that are asked for a source, sorted, without the usual port. */
export function askedFor(world: EngineWorld, name: string): readonly string[] {
  return world.snapshot.sources.filter((source) => source.name === name)
    .flatMap(({ address }) => address?.replace(/:123$/, "") ?? []).toSorted();
}

function outcomeOf(host: string, named: NamedServer): KeyExchangeOutcome {
  const { address, port = 123, isTrue = true, identity = host } = named;
  return exchangeOutcome({
    keys: {
      clientToServer: new Uint8Array([isTrue ? 1 : 0]),
      serverToClient: new Uint8Array(32),
    },
    cookies: [],
    ntpServer: address,
    ntpPort: port,
    peerAddress: "203.0.113.99",
    certificate: exchangeCertificate({ identity, host }),
  });
}
