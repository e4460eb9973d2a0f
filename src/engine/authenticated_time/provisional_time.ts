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
 * source that fails is given up, and begins anew with an exchange in which dates count. By which
 * time certificates are judged is decided by `CertificateClock`.
 *
 * Limits: whether `strict` is wanted is what the configuration says at the start. With it
 * certificates are judged by the local clock until a time is vouched for, whatever has set it.
 *
 * @module
 */
import { assert, unreachable } from "../../base/assert.ts";
import type { Association } from "../../association/association.ts";
import type { Instant } from "../../base/instant.ts";
import type { MonotonicSeconds, Seconds, UnixSeconds } from "../../base/units.ts";
import type { Config } from "../../config/config.ts";
import { canonicalHost } from "../../config/special_address.ts";
import type { ExchangeCertificate } from "../../nts/key_exchange/outcome.ts";
import {
  type BootstrapMeasurement,
  type BootstrapRejection,
  disagreeing,
  TimeBootstrap,
} from "./certificate_time.ts";
import { BoundAdvice } from "./bound_advice.ts";
import { CertificateClock } from "./certificate_clock.ts";
import type { CertificateTime } from "./clock_trust.ts";
import { CertificateSpans } from "./certificate_spans.ts";
import type { Action, Event } from "../events.ts";
import type { Contradiction } from "../../selection/candidate.ts";
import type { MemberOfSource } from "../sources/source_set.ts";
import { secondText, type ToldTime, unixSecondsOf } from "./told_time.ts";
import { keyIdentityOf, quorumOf } from "./vouchers.ts";
import { VouchedBound } from "./vouched_bound.ts";

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
  /** The sources to be given up, and why. */
  readonly refused: readonly { readonly association: number; readonly reason: string }[];
  /** Whether sources that were held back may be used now. */
  readonly hasReleased: boolean;
  /** What is to be logged and saved. */
  readonly actions: readonly Action[];
}

/** Tells whether a source waits for its certificate to be confirmed. */
export function isHeldBack({ association }: MemberOfSource): boolean {
  return association.protection?.isProvisional === true;
}

/** A verification under way: at which time, and whether provisional sources alone found it. */
interface Verification {
  readonly at: UnixSeconds;
  readonly byQuorum: boolean;
}

/** Holds provisional sources back until their time is confirmed. */
export class ProvisionalTime {
  readonly #bootstrap: TimeBootstrap;
  readonly #followed = new Map<number, ExchangeCertificate | undefined>();
  #rejections: ReadonlyMap<number, BootstrapRejection> = new Map();
  #reason: string | undefined;
  #verifying: Verification | undefined;
  readonly #bound = new VouchedBound();
  readonly #spans = new CertificateSpans();
  readonly #advice: BoundAdvice;
  readonly #clock = new CertificateClock();

  /** What is `known` of the clock is taken as it was at `start`, that of the daemon. */
  constructor(
    { config, known, start }: {
      readonly config: Config;
      readonly known: CertificateTime;
      readonly start: Instant;
    },
  ) {
    this.#advice = new BoundAdvice(config, known.kept);
    this.#bootstrap = new TimeBootstrap({
      strict: config.nts.strict,
      clockIsTrusted: known.clockIsTrusted,
      quorum: quorumOf(config),
      lowerBounds: known.lowerBounds,
    });
    if (known.clockIsTrusted) {
      this.#clock.vouched(unixSecondsOf(start.realtime), start.monotonic);
    }
  }

  /**
   * Takes over where the bound is kept, and how many must agree: a quorum that was found by the old
   * number is looked for again.
   */
  reconfigure(config: Config): void {
    this.#advice.reconfigure(config);
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
  contradictionOf({ protection }: Association, told: ToldTime): Contradiction | undefined {
    const bound = this.#bootstrap.lowerBound;
    if (told.time + told.error < bound) {
      const reason = `Its time, ${secondText(told.time)}, is before ${secondText(bound)}, which ` +
        `has certainly passed${this.#advice.adviceOn(bound)}`;
      return { kind: "past", reason };
    }
    const certificate = protection?.certificate;
    const reason = certificate && this.#spans.contradictionOf(certificate, told);
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
    if (this.#clock.isStale(now.monotonic)) this.#bootstrap.reopen();
    const boundAdvice = this.#advice.adviceOn(this.#bootstrap.lowerBound);
    const dates = {
      ...this.#bootstrap.datePolicy(this.#clock.read(now)),
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
    return "Provisional: its certificate is not valid at the time of this clock, so it is not used " +
      `until other sources agree on a time${detail}`;
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
    const { clock, offset, members } = context;
    if (offset !== undefined) {
      this.#rejections = disagreeing(evidence, offset);
      return this.#verifyAgreeing(members, clock + offset);
    }
    if (members.some(isHeldBack)) return this.#askQuorum(context);
    this.#reason = undefined;
    return [];
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
    // a quorum that lost a member may be none: the next measurement decides on those that are left
    const isBroken = verifying.byQuorum && refused.length > 0;
    if (isBroken) return { refused, hasReleased: false, actions: [] };
    for (const { association } of context.members) {
      const result = event.results.find((each) => each.association === association.id);
      if (result !== undefined && result.reason === undefined) {
        association.protection?.confirmCertificate?.();
      }
    }
    return { refused, hasReleased: true, actions: this.#confirm(verifying, context.now) };
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
    this.#clock.vouched(time, now);
    if (this.#bootstrap.isProvisional) return [];
    const passed = this.#bound.vouched(time, now);
    if (passed === undefined) return [];
    this.#bootstrap.passed(passed);
    this.#advice.raised();
    return [{ type: "save-time-bound", bound: this.#bootstrap.lowerBound }];
  }

  /** Ends the provisional time if it goes on. */
  #confirm({ at, byQuorum }: Verification, now: MonotonicSeconds): readonly Action[] {
    this.#reason = undefined;
    this.#rejections = new Map();
    if (!this.#bootstrap.isProvisional) return [];
    this.#followed.clear();
    this.#bootstrap.confirm();
    if (!byQuorum) return [];
    const date = secondText(at);
    const message = `Enough sources agree on a time at which their certificates are valid: ${date}`;
    return [{ type: "log", level: "info", message }, ...this.vouched(at, now)];
  }

  #askQuorum(context: ProvisionalContext): readonly Action[] {
    const outcome = this.#bootstrap.findQuorum(context.clock);
    switch (outcome.kind) {
      case "not-needed":
        this.#reason = context.members.every(isHeldBack)
          ? "Provisional: certificates cannot be verified before the time is known"
          : undefined;
        return [];
      case "provisional":
        this.#rejections = outcome.refused;
        this.#reason = `Provisional: certificates are not valid at the time of this clock, and ` +
          `${outcome.agreeing} of ${outcome.needed} required sources agree on a time at which ` +
          "they are (each host and public key counts once)";
        return [];
      case "agreed": {
        this.#rejections = outcome.refused;
        this.#reason =
          "Provisional: certificates are being verified at the time on which the sources agree";
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
   * Verifies at a time that is vouched for. Sources that tell another time are left out: that it is
   * outside of their certificates says nothing about these, and they may be right. Selection does
   * not use them, and those that are held back stay so until they agree.
   */
  #verifyAgreeing(members: readonly MemberOfSource[], at: UnixSeconds): readonly Action[] {
    this.#reason = undefined;
    const { isProvisional } = this.#bootstrap;
    const agreeing = (isProvisional ? members : members.filter(isHeldBack))
      .filter(({ association: { id } }) => !this.#rejections.has(id));
    if (agreeing.length === 0 && !isProvisional) return [];
    return this.#verify(agreeing, { at, byQuorum: false });
  }

  #verify(
    members: readonly MemberOfSource[],
    verifying: Verification,
  ): readonly Action[] {
    const certificates = members.flatMap(({ association }) => {
      const certificate = association.protection?.certificate;
      return certificate === undefined ? [] : [{ association: association.id, certificate }];
    });
    assert(this.#verifying === undefined, "Certificates are verified at one time at a time");
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

const REJECTIONS: Readonly<Record<BootstrapRejection, string>> = {
  "outside-own-certificate": "its time is outside the validity of its own certificate",
  "before-lower-bound": "its time has certainly passed",
  "disagrees-with-the-quorum": "its time differs from that of the others",
};
