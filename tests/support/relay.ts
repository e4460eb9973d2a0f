/**
 * A relay between a TCP client and a server that may change, cut or hold back what passes: peers
 * that stop anywhere.
 *
 * @module
 */

/** Which way octets go. */
export type Direction = "to-server" | "to-client";

/**
 * What becomes of octets: they are replaced, or the connection is closed to both, or held open and
 * silent.
 */
export type Alteration = Uint8Array<ArrayBuffer> | "close" | "hold";

/** Decides on octets; `offset` is how many went that way on this connection before. */
export type Alter = (
  octets: Uint8Array<ArrayBuffer>,
  direction: Direction,
  offset: number,
) => Alteration;

/** A relay at work. */
export interface Relay {
  /** Its port on 127.0.0.1. */
  readonly port: number;
  /** Ends it and all its connections; resolves when nothing runs any more. */
  stop(): Promise<void>;
}

/** Starts a relay to a port of 127.0.0.1; each connection gets its own `Alter`. */
export function startRelay(port: number, makeAlter: () => Alter): Relay {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.TcpConn>();
  const running: Promise<void>[] = [];
  const accept = async () => {
    for await (const client of listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
      if (server === undefined) {
        quietly(() => client.close());
        continue;
      }
      open.add(client).add(server);
      const alter = makeAlter();
      running.push(pump(client, server, (octets, offset) => alter(octets, "to-server", offset)));
      running.push(pump(server, client, (octets, offset) => alter(octets, "to-client", offset)));
    }
  };
  running.push(accept());
  return {
    port: listener.addr.port,
    async stop() {
      quietly(() => listener.close());
      for (const connection of open) quietly(() => connection.close());
      for (let done = 0; done < running.length;) {
        done = running.length;
        await Promise.all(running);
        for (const connection of open) quietly(() => connection.close());
      }
    },
  };
}

async function pump(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  alter: (octets: Uint8Array<ArrayBuffer>, offset: number) => Alteration,
): Promise<void> {
  const buffer = new Uint8Array(16_384);
  try {
    for (let offset = 0;;) {
      const length = await from.read(buffer);
      if (length === null) break;
      const altered = alter(buffer.slice(0, length), offset);
      offset += length;
      if (altered === "close") break;
      if (altered === "hold") return;
      for (let at = 0; at < altered.length;) at += await to.write(altered.subarray(at));
    }
  } catch {
    // One of the two is gone; the other follows.
  }
  quietly(() => from.close());
  quietly(() => to.close());
}

function quietly(close: () => void): void {
  try {
    close();
  } catch {
    // It was closed before.
  }
}
