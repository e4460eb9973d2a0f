/**
 * Lines to and from a Unix socket.
 *
 * @module
 */
import { PATIENCE_MS, waitUntil } from "../wait_until.ts";

/** A connection by which lines come and go. */
export class LineSocket {
  readonly #connection: Deno.UnixConn;
  #writes: Promise<unknown> = Promise.resolve();

  private constructor(connection: Deno.UnixConn, take: (line: string) => void) {
    this.#connection = connection;
    void this.#read(take);
  }

  /** Connects to a socket as soon as it is there; each line that comes is handed to `take`. */
  static async connect(path: string, take: (line: string) => void): Promise<LineSocket> {
    const connect = () => Deno.connect({ transport: "unix", path }).catch(() => undefined);
    const what = () => path;
    const connection = await waitUntil(connect, { timeoutMs: PATIENCE_MS, what });
    return new LineSocket(connection, take);
  }

  /** Sends a line. */
  write(line: string): void {
    const octets = new TextEncoder().encode(`${line}\n`);
    const connection = this.#connection;
    this.#writes = this.#writes.then(() => connection.write(octets)).catch(() => {});
  }

  /** Ends the connection. */
  close(): void {
    this.#connection.close();
  }

  async #read(take: (line: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    const octets = new Uint8Array(4096);
    let text = "";
    try {
      for (let n = 0; (n = await this.#connection.read(octets) ?? 0) > 0;) {
        const lines = (text + decoder.decode(octets.subarray(0, n), { stream: true })).split("\n");
        text = lines.pop() ?? "";
        for (const line of lines) take(line.trim());
      }
    } catch {
      // Closed by `close`.
    }
  }
}
