/**
 * Starting with a clock that may be wrong: sources whose certificates do not fit the clock are
 * measured, held back, and let in when enough of them agree on a time at which their certificates
 * are good.
 *
 * `TimeBootstrap` holds the reasoning and the argument why it is safe; this class carries it out in
 * the engine. It follows the sources with Network Time Security, tells how dates are to be judged
 * in every key exchange, asks for the chains to be verified again at the time that was found, and
 * ends the provisional time when they are good. A time that other authenticated sources vouch for
 * ends it too: then those that are held back are verified at that time, if they tell it too. A
 * source that fails is given up, and begins anew with an exchange in which dates count. A time for
 * which no authenticated source vouches decides nothing about certificates, even when the clock
 * follows it: once a time was vouched for, certificates are judged by that one and by what has
 * passed since on a clock that is never set.
 *
 * Limits: whether `strict` is wanted is what the configuration says at the start. With it
 * certificates are judged by the local clock until a time is vouched for, whatever has set it.
 *
 * @module
 */
import { unreachable } from "../../base/assert.ts";
import type { Association } from "../../association/association.ts";
import type { Instant } from "../../base/instant.ts";
import { type NtpTimestamp, toUnixNanoseconds } from "../../base/ntp_timestamp.ts";
import {
  type MonotonicSeconds,
  NANOSECONDS_PER_SECOND,
  type Seconds,
  SECONDS_PER_DAY,
  type UnixSeconds,
} from "../../base/units.ts";
import { formatUtc } from "../../base/utc.ts";
import type { Config } from "../../config/config.ts";
import { canonicalHost } from "../../config/special_address.ts";
import type { ExchangeCertificate } from "../../nts/key_exchange/outcome.ts";
import {
  type BootstrapMeasurement,
  type BootstrapRejection,
  TimeBootstrap,
  timeBoundPath,
} from "./certificate_time.ts";
import { CertificateSpans, secondText, type ToldTime } from "./certificate_spans.ts";
import type { Action, Event } from "../events.ts";
import type { Contradiction } from "../../selection/candidate.ts";
import type { MemberOfSource } from "../sources/source_set.ts";
import { keyIdentityOf } from "./vouchers.ts";
import { VouchedBound } from "./vouched_bound.ts";

/** What is known of the clock before anything was measured. */
export interface CertificateTime {
  /** Whether the clock can be believed at the start, see `isClockTrusted`. */
  readonly clockIsTrusted: boolean;
  /** Times that have certainly passed, in Unix seconds: that of the release, that kept on disk. */
  readonly lowerBounds: readonly UnixSeconds[];
  /** That of them which was kept on disk; left out where none was. */
  readonly kept?: UnixSeconds | undefined;
}

/** A clock that is believed, where nothing else is known. */
export const CLOCK_TRUSTED: CertificateTime = { clockIsTrusted: true, lowerBounds: [] };

/** A clock that is set, and not later than this after the time that was kept, is believed. */
const TRUST_AGE_MAX: Seconds = SECONDS_PER_DAY;

/**
 * Tells whether the clock can be believed at the start: the kernel says that some program keeps it
 * right, and it is close to a time that authenticated sources vouched for and that was kept
 * (`VouchedBound`). A clock that forged packets may have set is not.
 */
export function isClockTrusted(
  known: {
    readonly isKept: boolean;
    readonly clock: UnixSeconds;
    readonly lastVouched: UnixSeconds | undefined;
  },
): boolean {
  if (!known.isKept || known.lastVouched === undefined) return false;
  const age = known.clock - known.lastVouched;
  return age >= 0 && age <= TRUST_AGE_MAX;
}

/** What a decision depends on. */
export interface ProvisionalContext {
  /** The local clock in Unix seconds. */
  readonly clock: UnixSeconds;
  /**
   * How far the local clock is from the time that authenticated sources vouch for; undefined while
   * they vouch for none.
   */
  readonly offset: Seconds | undefined;
  /** All servers that are asked now, trusted ones included. */
  readonly members: readonly MemberOfSource[];
}

/** What became of certificates that were verified again. */
export interface Verified {
  /** Who is to be given up, and why. */
  readonly refused: readonly { readonly association: number; readonly reason: string }[];
  /** Whether sources that were held back may be used now. */
  readonly hasReleased: boolean;
  /** What is to be logged and saved. */
  readonly actions: readonly Action[];
}

/**
 * Times that differ by no more than this, and what they may be wrong by, are the same where dates
 * are judged.
 */
const SAME_TIME: Seconds = 60;

/**
 * A time that no source has vouched for again for so long refuses no certificate for its dates any
 * more, as at the start: those that told it may have lied, and those who could say so may have no
 * keys left.
 */
const ANCHOR_AGE: Seconds = 6 * 3600;

/**
 * The local clock is read as a time from 1970 to 2106: a machine without a battery starts in 1970.
 */
const CLOCK_ERA = 2n ** 31n * NANOSECONDS_PER_SECOND;

/** Holds provisional sources back until their time is confirmed. */
export class ProvisionalTime {
  readonly #bootstrap: TimeBootstrap;
  readonly #followed = new Map<number, ExchangeCertificate | undefined>();
  #rejections: ReadonlyMap<number, BootstrapRejection> = new Map();
  #reason: string | undefined;
  #verifying: { readonly at: UnixSeconds; readonly byQuorum: boolean } | undefined;
  readonly #bound = new VouchedBound();
  readonly #spans = new CertificateSpans();
  readonly #kept: UnixSeconds | undefined;
  /** Where a time that has passed is kept; undefined where it is not. */
  #keptPath: string | undefined;
  /** Whether this run has found a time that has passed. */
  #hasRaised = false;
  /** A time that can be believed, and when it was. */
  #anchor: { readonly time: UnixSeconds; readonly at: MonotonicSeconds } | undefined;

  /** What is `known` of the clock is taken as it was at `start`, that of the daemon. */
  constructor(config: Config, known: CertificateTime, start: Instant) {
    this.#kept = known.kept;
    this.#keptPath = timeBoundPath(config.nts.cookieStoragePath);
    this.#bootstrap = new TimeBootstrap({
      strict: config.nts.strict,
      clockIsTrusted: known.clockIsTrusted,
      quorum: quorumOf(config),
      lowerBounds: known.lowerBounds,
    });
    if (known.clockIsTrusted) {
      this.#anchor = { time: unixSecondsOf(start.realtime), at: start.monotonic };
    }
  }

  /**
   * Takes over where the bound is kept, and how many must agree: a quorum that was found by the old
   * number is looked for again.
   */
  reconfigure(config: Config): void {
    this.#keptPath = timeBoundPath(config.nts.cookieStoragePath);
    this.#bootstrap.setQuorum(quorumOf(config));
    if (this.#verifying?.byQuorum === true) this.#verifying = undefined;
  }

  /** The latest time that has certainly passed. */
  get lowerBound(): UnixSeconds {
    return this.#bootstrap.lowerBound;
  }

  /** Why no time is used yet, in a sentence; undefined when no source is held back. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Says why the time that a source tells cannot be; undefined when it can. */
  contradictionOf(
    { protection }: Association,
    told: ToldTime,
    now: MonotonicSeconds,
  ): Contradiction | undefined {
    const bound = this.#bootstrap.lowerBound;
    if (told.time + told.error < bound) {
      const reason = `It tells ${secondText(told.time)}, and ${secondText(bound)} has certainly ` +
        `passed${this.#boundAdvice()}`;
      return { kind: "past", reason };
    }
    const certificate = protection?.certificate;
    const reason = certificate && this.#spans.contradictionOf(certificate, told, now);
    return reason === undefined ? undefined : { kind: "outside-own-certificate", reason };
  }

  /** Notes which certificates there are now, and since when. */
  noteCertificates(members: readonly MemberOfSource[], now: MonotonicSeconds): void {
    for (const { association: { protection } } of members) {
      const certificate = protection?.certificate;
      if (certificate !== undefined) this.#spans.note(certificate, now);
    }
  }

  /** Says in every key exchange that is wanted how dates are judged. */
  withDates(actions: readonly Action[], now: Instant): readonly Action[] {
    if (!actions.some(({ type }) => type === "exchange-keys")) return actions;
    const age = now.monotonic - (this.#anchor?.at ?? Infinity);
    if (age > ANCHOR_AGE) this.#bootstrap.reopen();
    const boundAdvice = this.#boundAdvice();
    const dates = {
      ...this.#bootstrap.datePolicy(this.#timeOf(now)),
      ...(boundAdvice === "" ? {} : { boundAdvice }),
    };
    return actions.map((action) => action.type === "exchange-keys" ? { ...action, dates } : action);
  }

  /** Returns those that may be used. */
  released(members: readonly MemberOfSource[]): readonly MemberOfSource[] {
    return members.some(isHeldBack) ? members.filter((member) => !isHeldBack(member)) : members;
  }

  /** Whether a source that is held back tells a time outside of its own certificate. */
  isMisdated(association: number): boolean {
    return this.#rejections.get(association) === "outside-own-certificate";
  }

  /** Says of a source that is held back why it is. */
  reasonOf(association: number): string {
    const rejection = this.#rejections.get(association);
    const detail = rejection === undefined ? "" : `; ${REJECTIONS[rejection]}`;
    return `Provisional: its certificate's dates do not fit this clock, so it waits for others to agree${detail}`;
  }

  /**
   * Takes what is measured of sources with Network Time Security, and decides whether a time is
   * good enough to be verified.
   */
  measured(
    evidence: ReadonlyMap<number, BootstrapMeasurement>,
    context: ProvisionalContext,
  ): readonly Action[] {
    this.#follow(context.members);
    for (const [id, measurement] of evidence) {
      if (this.#followed.has(id)) this.#bootstrap.measured(id, measurement);
    }
    if (this.#verifying !== undefined) return [];
    const held = context.members.filter(isHeldBack);
    if (context.offset !== undefined) {
      this.#reason = undefined;
      const { isProvisional } = this.#bootstrap;
      const members = isProvisional ? context.members : held;
      const agreeing = this.#agreeing(members, evidence, context.offset);
      if (agreeing.length === 0 && !isProvisional) return [];
      return this.#verify(agreeing, { at: context.clock + context.offset, byQuorum: false });
    }
    if (held.length === 0) this.#reason = undefined;
    return held.length > 0 ? this.#askQuorum(context) : [];
  }

  /** Draws the conclusions from certificates that were verified again. */
  verified(
    event: Extract<Event, { type: "certificates-verified" }>,
    context: { readonly members: readonly MemberOfSource[]; readonly now: MonotonicSeconds },
  ): Verified {
    const verifying = this.#verifying;
    this.#verifying = undefined;
    const refused = event.results.flatMap(({ association, reason }) =>
      reason === undefined ? [] : [{ association, reason }]
    );
    if (verifying === undefined) return { refused: [], hasReleased: false, actions: [] };
    // A quorum that lost a member may be none: those that are left are judged anew at the next
    // measurement.
    if (verifying.byQuorum && refused.length > 0) {
      return { refused, hasReleased: false, actions: [] };
    }
    for (const { association } of context.members) {
      const result = event.results.find((each) => each.association === association.id);
      if (result !== undefined && result.reason === undefined) {
        association.protection?.confirmCertificate?.();
      }
    }
    return { refused, ...this.#confirm(verifying, context.now) };
  }

  /** The clock was stepped: what was measured by it is void. */
  clockStepped(): void {
    for (const id of this.#followed.keys()) this.#bootstrap.remove(id);
    this.#followed.clear();
    this.#verifying = undefined;
  }

  /**
   * Takes a time that authenticated sources vouch for and that the clock follows: certificates are
   * judged by it, and once it has gone on for hours it is saved now and then how late it certainly
   * is.
   */
  vouched(time: UnixSeconds, now: MonotonicSeconds): readonly Action[] {
    this.#anchor = { time, at: now };
    if (this.#bootstrap.isProvisional) return [];
    const passed = this.#bound.vouched(time, now);
    if (passed === undefined) return [];
    this.#bootstrap.passed(passed);
    this.#hasRaised = true;
    return [{ type: "save-time-bound", bound: this.#bootstrap.lowerBound }];
  }

  #confirm(
    verifying: { readonly at: UnixSeconds; readonly byQuorum: boolean },
    now: MonotonicSeconds,
  ): { readonly hasReleased: boolean; readonly actions: readonly Action[] } {
    this.#reason = undefined;
    this.#rejections = new Map();
    if (!this.#bootstrap.isProvisional) return { hasReleased: true, actions: [] };
    this.#followed.clear();
    this.#bootstrap.confirm();
    if (!verifying.byQuorum) return { hasReleased: true, actions: [] };
    const date = formatUtc(BigInt(Math.floor(verifying.at)) * NANOSECONDS_PER_SECOND);
    const message = `Enough sources agree on a time at which their certificates are good: ${date}`;
    return {
      hasReleased: true,
      actions: [{ type: "log", level: "info", message }, ...this.vouched(verifying.at, now)],
    };
  }

  #timeOf({ monotonic, realtime }: Instant): UnixSeconds {
    return this.#anchor === undefined
      ? unixSecondsOf(realtime)
      : this.#anchor.time + monotonic - this.#anchor.at;
  }

  /** What can be done about a bound that is wrong: that of the release is not. */
  #boundAdvice(): string {
    const isKept = this.#kept === this.#bootstrap.lowerBound;
    if (!this.#hasRaised && !isKept) return "";
    return this.#keptPath === undefined
      ? "; if that is wrong, start ntpsd again"
      : `; if that is wrong, stop ntpsd, remove ${this.#keptPath} and start it again`;
  }

  #askQuorum(context: ProvisionalContext): readonly Action[] {
    const outcome = this.#bootstrap.findQuorum(context.clock);
    switch (outcome.kind) {
      case "not-needed":
        this.#reason = context.members.every(isHeldBack)
          ? "Provisional: certificates wait for a time that is known"
          : undefined;
        return [];
      case "provisional":
        this.#rejections = outcome.refused;
        this.#reason =
          `Provisional: certificates do not fit this clock, and ${outcome.agreeing} of ` +
          `${outcome.needed} sources agree on a time that fits them (each host and public key counts once)`;
        return [];
      case "agreed": {
        this.#rejections = outcome.refused;
        this.#reason = "Provisional: certificates are verified at the time that was found";
        const members = context.members.filter(({ association }) =>
          outcome.sources.includes(association.id)
        );
        return this.#verify(members, { at: context.clock + outcome.offset, byQuorum: true });
      }
      default:
        return unreachable(outcome);
    }
  }

  /**
   * Leaves out who tells another time than the one that is believed: that it is outside of their
   * certificates says nothing about these, and perhaps they are right. Selection does not use them,
   * and those that are held back stay so until they agree.
   */
  #agreeing(
    members: readonly MemberOfSource[],
    evidence: ReadonlyMap<number, BootstrapMeasurement>,
    offset: Seconds,
  ): readonly MemberOfSource[] {
    const disagreeing = new Map<number, BootstrapRejection>();
    for (const { association: { id } } of members) {
      const told = evidence.get(id);
      if (told === undefined || Math.abs(told.offset - offset) <= told.error + SAME_TIME) continue;
      disagreeing.set(id, "disagrees-with-the-quorum");
    }
    this.#rejections = disagreeing;
    return members.filter(({ association: { id } }) => !disagreeing.has(id));
  }

  #verify(
    members: readonly MemberOfSource[],
    verifying: { readonly at: UnixSeconds; readonly byQuorum: boolean },
  ): readonly Action[] {
    const certificates = members.flatMap(({ association }) => {
      const certificate = association.protection?.certificate;
      return certificate === undefined ? [] : [{ association: association.id, certificate }];
    });
    this.#verifying = verifying;
    return [{ type: "verify-certificates", certificates, at: verifying.at }];
  }

  /** Keeps the bootstrap's list of sources like ours; those that are only watched have no say. */
  #follow(members: readonly MemberOfSource[]): void {
    if (!this.#bootstrap.isProvisional) return;
    const voting = members.filter(({ config }) => !config.noSelect);
    const alive = new Set(voting.map(({ association }) => association.id));
    for (const id of this.#followed.keys()) {
      if (alive.has(id)) continue;
      this.#bootstrap.remove(id);
      this.#followed.delete(id);
    }
    for (const { association, config } of voting) {
      const { protection, id } = association;
      if (protection?.authentication !== "nts") continue;
      const { certificate } = protection;
      if (this.#followed.has(id) && this.#followed.get(id) === certificate) continue;
      this.#followed.set(id, certificate);
      const host = canonicalHost(config.host);
      this.#bootstrap.add(id, { host, key: keyIdentityOf(association), certificate });
    }
  }
}

/** So many must agree: as the configuration says, but no more than there are hosts that could. */
function quorumOf({ sources, synchronization }: Config): number {
  const hosts = new Set(
    sources.filter(({ mode, noSelect }) => !noSelect && (mode === "nts" || mode === "nts-pool"))
      .map(({ host }) => canonicalHost(host)),
  );
  return Math.max(1, Math.min(synchronization.minimumAgreeingSources, hosts.size));
}

/** Tells what the local clock shows in Unix seconds. */
export function unixSecondsOf(realtime: NtpTimestamp): UnixSeconds {
  return Number(toUnixNanoseconds(realtime, CLOCK_ERA)) / 1e9;
}

/** Tells whether a source waits for its certificate to be confirmed. */
export function isHeldBack({ association }: MemberOfSource): boolean {
  return association.protection?.isProvisional === true;
}

const REJECTIONS: Readonly<Record<BootstrapRejection, string>> = {
  "outside-own-certificate": "the time that it tells is outside of its own certificate",
  "before-lower-bound": "the time that it tells has certainly passed",
  "disagrees-with-the-quorum": "it disagrees with the others",
};
