/**
 * How a queried host is authenticated, as the query sees it.
 *
 * @module
 */
import type { Result } from "../../base/result.ts";
import type { QueryProtection } from "./queried_server.ts";
import type { NtsFacts } from "./report.ts";

/** A way to authenticate a host: made once for each, before the first request. */
export interface Authentication {
  /** What protects the packets. */
  readonly protection: QueryProtection;
  /** The number of the AEAD algorithm. */
  readonly aead: number;
  /** How often to ask again after a refusal, because there are other keys to try. */
  readonly spareTries: number;
  /** What to tell of the key exchange. */
  readonly facts: NtsFacts;
  /** The NTP server to ask. */
  readonly host: string;
  /** The UDP port of the NTP server. */
  readonly port: number;
}

/** Exchanges keys with a host; the error is a sentence. */
export type Authenticate = (
  host: string,
  port: number | undefined,
) => Promise<Result<Authentication, string>>;
