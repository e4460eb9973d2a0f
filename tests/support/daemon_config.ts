/**
 * Configurations for the tests' daemons: plain servers, asked every second so that a test is short.
 *
 * @module
 */

/** A server to ask. */
export interface ServerPlace {
  /** Its numeric address. */
  readonly address: string;
  /** Its UDP port; 123 unless given. */
  readonly port?: number;
}

/** Writes a configuration that asks servers every second, and needs `agreeing` of them to agree. */
export function clientConfig(servers: readonly ServerPlace[], agreeing: number): string {
  const sources = servers.map((server) =>
    `[[source]]\nmode = "server"\naddress = "${endpoint(server)}"\niburst = true\n`
  );
  return [
    "[source-defaults]",
    "poll-interval-limits = { min = 0, max = 1 }",
    "initial-poll-interval = 0",
    ...sources,
    "[synchronization]",
    `minimum-agreeing-sources = ${agreeing}`,
    "",
  ].join("\n");
}

/** Writes `192.0.2.1:123` or `[2001:db8::1]:123`. */
export function endpoint(server: ServerPlace): string {
  const host = server.address.includes(":") ? `[${server.address}]` : server.address;
  return `${host}:${server.port ?? 123}`;
}
