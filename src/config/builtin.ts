/**
 * The configuration that holds when there is none: a client that asks three authenticated servers
 * and the public pool.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Config } from "./config.ts";
import { parseConfig } from "./parse.ts";

/** The text of the built-in configuration, as an administrator could have written it. */
export const BUILTIN_CONFIG_TEXT = `\
# What ntpsd does without a configuration file.

[[source]]
mode = "nts"
address = "time.cloudflare.com"

[[source]]
mode = "nts"
address = "nts.netnod.se"

[[source]]
mode = "nts"
address = "ptbtime1.ptb.de"

[[source]]
mode = "pool"
address = "pool.ntp.org"
count = 4

[synchronization]
minimum-agreeing-sources = 2

[observability]
listen = "127.0.0.1:9975"
`;

/** Returns the built-in configuration. */
export function builtinConfig(): Config {
  const parsed = parseConfig(BUILTIN_CONFIG_TEXT);
  assert(parsed.ok, "The built-in configuration has an error");
  return parsed.value.config;
}
