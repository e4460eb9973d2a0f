/**
 * A little world with sources of both kinds: some prove who they are, by certificates with dates, and some do not.
 *
 * Key exchanges and verifications are done as the daemon does them, but for cryptography: what is judged is dates. Plain servers may
 * be forged, all at once and by any offset. No permission, no real time.
 *
 * @module
 */
import { equal } from "node:assert/strict";
import type { PacketProtection } from "../../src/association/protection.ts";
import { err, ok } from "../../src/base/result.ts";
import type { MonotonicSeconds } from "../../src/base/units.ts";
import type { Action, ExchangeKeysAction } from "../../src/engine/events.ts";
import type { KeyExchangeOutcome } from "../../src/nts/key_exchange/outcome.ts";
import type { CertificateTime } from "../../src/engine/authenticated_time/provisional_time.ts";
import type { ProtectionStatus } from "../../src/nts/client/session_protection.ts";
import { exchangeCertificate, exchangeOutcome } from "./nts_sessions.ts";
import { configOf, EngineWorld, PLAIN_DAY } from "./engine_world.ts";

export const DAY = 86_400;
/** True time at the start, in Unix seconds. */
export const START = PLAIN_DAY + 43_200 - 2_208_988_800;

export const PROVEN = ["192.0.2.1", "192.0.2.2", "192.0.2.3"] as const;
export const PLAIN = ["198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.4"] as const;

/** What a certificate is like; by default it is valid for a month before and after the start. */
export interface FakeCertificate {
  notBefore: number;
  notAfter: number;
  identity: string;
}

export interface NtsWorldOptions {
  /** Lines of [synchronization]; the quorum is 2 and there are three with NTS and four without, as built in. */
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
  /** After so many seconds sessions exchange keys again. */
  readonly renewal?: number;
}

/** One engine with sources of both kinds. */
export class NtsWorld {
  readonly world: EngineWorld;
  /** Hosts whose key exchange does not answer. */
  readonly mute = new Set<string>();
  readonly certificates = new Map<string, FakeCertificate>();
  /** The times that were saved as passed. */
  readonly bounds: number[] = [];
  /** Why key exchanges failed, in order. */
  readonly failures: string[] = [];

  constructor(options: NtsWorldOptions = {}) {
    const { proven = PROVEN } = options;
    for (const host of proven) this.#issue(host);
    this.world = new EngineWorld({
      config: configText(options),
      offset: options.offset ?? 0,
      mayAdjust: options.mayAdjust ?? true,
      more: {
        certificateTime: { clockIsTrusted: false, lowerBounds: [], ...options.time },
        protections: {
          startSession: (_, outcome, { now }) => session(outcome, now, options.renewal ?? Infinity),
        },
      },
    });
  }

  /** Lets every plain server tell a time that is so many seconds ahead of the truth. */
  forge(error: number, change: { rootDispersion?: number; leap?: "insert" } = {}): void {
    for (const address of PLAIN) Object.assign(this.world.server(address), { error, ...change });
  }

  /** Silences servers with NTS, key exchange included, or lets them speak again. */
  silence(hosts: readonly string[], isSilent = true): void {
    for (const host of hosts) {
      this.world.server(host).isSilent = isSilent;
      if (isSilent) this.mute.add(host);
      else this.mute.delete(host);
    }
  }

  start(): this {
    this.world.start();
    return this;
  }

  /** Lets the engine go on with another configuration. */
  reload(options: NtsWorldOptions): void {
    for (const host of options.proven ?? PROVEN) this.#issue(host);
    this.world.handle({ type: "reconfigure", config: configOf(configText(options)) });
  }

  /** Lets the world go on, key exchanges and verifications included. */
  run(seconds: number): void {
    const begin = this.world.time;
    const end = begin + seconds;
    while (this.world.time < end && this.panic === undefined) {
      this.#serve();
      this.world.run(Math.min(this.world.time < begin + 60 ? 1 : 10, end - this.world.time));
    }
    this.#serve();
  }

  /** The sentence with which the engine gave up. */
  get panic(): string | undefined {
    const found = this.world.actions.find(({ type }) => type === "panic");
    return found?.type === "panic" ? found.message : undefined;
  }

  /** The steps of the clock so far. */
  get steps(): readonly number[] {
    return this.world.commands.map(({ step }) => step).filter((step) => step !== 0);
  }

  /** The words for some sources, each once. */
  statuses(addresses: readonly string[]): readonly string[] {
    return [...new Set(addresses.map((address) => this.world.source(address).status))].toSorted();
  }

  #issue(host: string): void {
    if (this.certificates.has(host)) return;
    const dates = { notBefore: START - 30 * DAY, notAfter: START + 30 * DAY };
    this.certificates.set(host, { ...dates, identity: host });
  }

  #serve(): void {
    const { actions } = this.world;
    const kept = actions.filter(({ type }) => type === "panic");
    const todo = actions.splice(0).filter(({ type }) => type !== "panic");
    actions.push(...kept);
    for (const action of todo) this.#do(action);
  }

  #do(action: Action): void {
    if (action.type === "save-time-bound") this.bounds.push(action.bound);
    if (action.type === "exchange-keys") this.#exchange(action);
    if (action.type !== "verify-certificates") return;
    const results = action.certificates.map(({ association, certificate }) => ({
      association,
      refusal: dateFault(certificate, action.at),
    }));
    this.world.handle({ type: "certificates-verified", results });
  }

  #exchange(action: ExchangeKeysAction): void {
    const { association, host, dates } = action;
    const certificate = this.certificates.get(host);
    equal(
      certificate !== undefined && dates !== undefined,
      true,
      "every exchange says how to judge",
    );
    if (certificate === undefined || dates === undefined) return;
    const fault = dateFault(certificate, dates.now);
    const refusal = this.mute.has(host)
      ? "connection refused"
      : certificate.notAfter < (dates.lowerBound ?? 0)
      ? "it ended before a time that has passed"
      : dates.outside === "refuse"
      ? fault
      : undefined;
    if (refusal !== undefined) {
      this.failures.push(refusal);
      this.world.handle({ type: "keys-exchanged", association, result: err(refusal) });
      return;
    }
    const value = exchangeOutcome({
      cookies: [],
      peerAddress: host,
      provisional: fault === undefined ? undefined : "certificate-expired",
      certificate: exchangeCertificate({ ...certificate, host }),
    });
    this.world.handle({ type: "keys-exchanged", association, result: ok(value) });
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

function dateFault(
  { notBefore, notAfter }: Pick<FakeCertificate, "notBefore" | "notAfter">,
  at: number,
): string | undefined {
  if (at > notAfter) return "certificate has expired";
  return at < notBefore ? "certificate is not yet valid" : undefined;
}

/** A session without cryptography. */
function session(
  outcome: KeyExchangeOutcome,
  begun: MonotonicSeconds,
  renewal: number,
): PacketProtection {
  const state = {
    isProvisional: outcome.provisional !== undefined,
    certificate: outcome.certificate,
    exchangedAt: begun,
    isRenewalWanted: false,
  };
  return {
    authentication: "nts",
    get certificate() {
      return state.certificate;
    },
    get isProvisional() {
      return state.isProvisional;
    },
    get status(): ProtectionStatus {
      return {
        cookies: 8,
        aead: 15,
        lastKeyExchange: 0,
        provisional: state.isProvisional,
        failures: {},
        dropped: {},
      };
    },
    protect: (packet) => ok({ packet, uniqueIdentifier: new Uint8Array(0) }),
    verify: () => ok({}),
    confirmCertificate: () => state.isProvisional = false,
    renewKeys(now) {
      state.isRenewalWanted = now - state.exchangedAt >= 3600;
    },
    beginKeyExchange(now) {
      if (!state.isRenewalWanted && now - state.exchangedAt < renewal) return false;
      state.isRenewalWanted = false;
      state.exchangedAt = now;
      return true;
    },
    endKeyExchange(result) {
      if (!result.ok) return;
      state.isProvisional = result.value.provisional !== undefined;
      state.certificate = result.value.certificate;
    },
  };
}
