/**
 * The simulated world with sources of both kinds: some prove who they are, by certificates with
 * dates, and some do not.
 *
 * Plain servers may be forged, all at once and by any offset.
 *
 * @module
 */
import type { CertificateTime } from "../../src/engine/authenticated_time/clock_trust.ts";
import { configOf, EngineWorld, PLAIN_DAY } from "./engine_world.ts";
import { plainSession } from "./nts_sessions.ts";

export const DAY = 86_400;
/** True time at the start, in Unix seconds. */
export const START = PLAIN_DAY + 43_200 - 2_208_988_800;

export const PROVEN = ["192.0.2.1", "192.0.2.2", "192.0.2.3"] as const;
export const PLAIN = ["198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.4"] as const;

/** What a world is like. */
export interface NtsWorldOptions {
  /**
   * Lines of [synchronization]; the quorum is 2 and there are three with NTS and four without, as
   * built in.
   */
  readonly synchronization?: string;
  /** Lines for every source with NTS. */
  readonly each?: string;
  /** Further lines for some of them. */
  readonly own?: Readonly<Record<string, string>>;
  readonly strict?: boolean;
  readonly proven?: readonly string[];
  readonly plain?: readonly string[];
  /** True time minus the clock at the start. */
  readonly offset?: number;
  readonly time?: Partial<CertificateTime>;
  /** Where cookies are kept; nowhere if left out. */
  readonly cookies?: string;
  readonly mayAdjust?: boolean;
  readonly seed?: number;
  /** After so many seconds sessions exchange keys again. */
  readonly renewal?: number;
}

/** A world with sources of both kinds. */
export class NtsWorld extends EngineWorld {
  constructor(options: NtsWorldOptions = {}) {
    const { renewal } = options;
    super({
      config: configText(options),
      offset: options.offset ?? 0,
      mayAdjust: options.mayAdjust ?? true,
      seed: options.seed ?? 1,
      more: {
        certificateTime: { clockIsTrusted: false, lowerBounds: [], ...options.time },
        protections: {
          startSession: (outcome, { now }) =>
            plainSession(outcome, { now, ...(renewal === undefined ? {} : { renewal }) }),
        },
      },
    });
    this.#issue(options);
  }

  /** Lets every plain server tell a time that is so many seconds ahead of the truth. */
  forge(error: number, change: { rootDispersion?: number; leap?: "insert" } = {}): void {
    for (const address of PLAIN) Object.assign(this.server(address), { error, ...change });
  }

  /** Silences servers with NTS, key exchange included, or lets them speak again. */
  silence(hosts: readonly string[], isSilent = true): void {
    const { mute } = this.certificates;
    for (const host of hosts) {
      this.server(host).isSilent = isSilent;
      if (isSilent) mute.add(host);
      else mute.delete(host);
    }
  }

  /** Lets the engine go on with another configuration. */
  reload(options: NtsWorldOptions): void {
    this.#issue(options);
    this.handle({ type: "reconfigure", config: configOf(configText(options)) });
  }

  /** The times that were saved as passed. */
  get bounds(): readonly number[] {
    return this.wanted("save-time-bound").map(({ bound }) => bound);
  }

  /**
   * Gives every host with NTS a certificate that is valid for a month before and after the start.
   */
  #issue({ proven = PROVEN }: NtsWorldOptions): void {
    const dates = { notBefore: START - 30 * DAY, notAfter: START + 30 * DAY };
    for (const host of proven) this.certificates.issue(host, dates);
  }
}

function configText(options: NtsWorldOptions): string {
  const { proven = PROVEN, plain = PLAIN, each = "", own = {}, cookies } = options;
  const section = (mode: string, address: string, more = "") =>
    `[[source]]\nmode = "${mode}"\naddress = "${address}"\n${more}\n`;
  return proven.map((host) => section("nts", host, `${each}\n${own[host] ?? ""}`)).join("") +
    plain.map((address) => section("server", address)).join("") +
    `[synchronization]\n${options.synchronization ?? "minimum-agreeing-sources = 2"}\n` +
    `[nts]\nstrict = ${options.strict ?? false}\n` +
    (cookies === undefined ? "" : `cookie-storage-path = "${cookies}"\n`);
}
