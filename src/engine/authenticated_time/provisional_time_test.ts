import { deepEqual, equal, match } from "node:assert/strict";
import { exchangeCertificate } from "../../../tests/support/nts_sessions.ts";
import type { Association } from "../../association/association.ts";
import type { SourceGroup } from "../../association/source_group.ts";
import type { Instant } from "../../base/instant.ts";
import { ntpTimestamp } from "../../base/ntp_timestamp.ts";
import { builtinConfig } from "../../config/builtin.ts";
import type { ExchangeCertificate } from "../../nts/key_exchange/outcome.ts";
import type { Action, Event } from "../events.ts";
import { ProvisionalTime } from "./provisional_time.ts";
import { unixSecondsOf } from "./told_time.ts";
import type { MemberOfSource } from "../sources/source_set.ts";

const YEAR = 31_557_600;
const HOUR = 3600;
/** The true time is in 2026; the clock shows 1970. */
const NOW = 1_795_000_000;
const CLOCK = 1000;
const CONFIG = builtinConfig();

/** A moment by a local clock that shows so many Unix seconds. */
function at(clock: number, monotonic = 0): Instant {
  return { monotonic, realtime: ntpTimestamp(BigInt(clock + 2_208_988_800) << 32n) };
}

/** A member as far as it matters here. */
function member(id: number, options: { certificate?: Partial<ExchangeCertificate> } = {}) {
  const state = { provisional: true };
  const certificate = exchangeCertificate({
    notBefore: NOW - YEAR,
    notAfter: NOW + YEAR,
    identity: `certificate ${id}`,
    host: `host${id}.example`,
    ...options.certificate,
  });
  const association = {
    id,
    protection: {
      authentication: "nts",
      certificate,
      get isProvisional() {
        return state.provisional;
      },
      confirmCertificate: () => state.provisional = false,
    },
  } as unknown as Association;
  const config = { ...CONFIG.sources[0], host: certificate.host };
  return { association, config, group: {} as SourceGroup } as MemberOfSource;
}

function watch(options: { strict?: boolean; trusted?: boolean } = {}): ProvisionalTime {
  const { strict = false, trusted = false } = options;
  const config = { ...CONFIG, nts: { ...CONFIG.nts, strict } };
  const known = { clockIsTrusted: trusted, lowerBounds: [NOW - YEAR] };
  return new ProvisionalTime({ config, known, start: at(CLOCK) });
}

function measure(
  provisional: ProvisionalTime,
  id: number,
  about: { members: readonly MemberOfSource[]; offset?: number; believed?: number },
): readonly Action[] {
  const measurement = { offset: about.offset ?? NOW - CLOCK, error: 0.01 };
  const context = { clock: CLOCK, offset: about.believed, members: about.members };
  return provisional.measured(new Map([[id, measurement]]), context);
}

function verified(reasons: Readonly<Record<number, string | undefined>>) {
  const results = Object.entries(reasons).map(([id, reason]) => ({
    association: Number(id),
    reason,
  }));
  return { type: "certificates-verified", results } satisfies Event;
}

function idsOf(actions: readonly Action[]): readonly number[] {
  return actions.flatMap((action) =>
    action.type === "verify-certificates"
      ? action.certificates.map(({ association }) => association)
      : []
  );
}

Deno.test("a quorum is verified at its time, then released; until then nobody is used", () => {
  const provisional = watch();
  const members = [member(1), member(2)];
  deepEqual(measure(provisional, 1, { members }), []);
  match(provisional.reason ?? "", /^Provisional: .* 1 of 2 required sources agree/);
  const asked = measure(provisional, 2, { members });
  deepEqual(asked.map((action) => action.type === "verify-certificates" && action.at), [NOW]);
  deepEqual(idsOf(asked), [1, 2]);
  deepEqual(measure(provisional, 1, { members }), [], "one verification at a time");
  deepEqual(provisional.released(members), []);
  const result = provisional.verified(verified({ 1: undefined, 2: undefined }), {
    members,
    now: 7,
  });
  equal(result.hasReleased, true);
  deepEqual(result.actions.map(({ type }) => type), ["log"]);
  deepEqual(provisional.released(members), members);
  equal(provisional.reason, undefined);
  const exchange = {
    type: "exchange-keys",
    association: 3,
    host: "h",
    port: 1,
    certificateAuthority: undefined,
    aeadAlgorithms: [],
  } as const;
  const [dated] = provisional.withDates([exchange], at(CLOCK, 7));
  const dates = { now: NOW, outside: "refuse", lowerBound: NOW - YEAR };
  deepEqual(dated, { ...exchange, dates });
});

Deno.test("a quorum that loses a member at verification is none", () => {
  const provisional = watch();
  const members = [member(1), member(2)];
  measure(provisional, 1, { members });
  measure(provisional, 2, { members });
  const result = provisional.verified(verified({ 1: undefined, 2: "Revoked" }), {
    members,
    now: 7,
  });
  deepEqual(result.refused, [{ association: 2, reason: "Revoked" }]);
  equal(result.hasReleased, false);
  deepEqual(provisional.released(members), [], "the other one alone is no quorum");
  const left = members.slice(0, 1);
  deepEqual(measure(provisional, 1, { members: left }), []);
  match(provisional.reason ?? "", /1 of 2/);
});

Deno.test("sources of one certificate, or with a time outside of it, are no quorum", () => {
  const same = { identity: "the same" };
  const twins = [member(1, { certificate: same }), member(2, { certificate: same })];
  const provisional = watch();
  for (const id of [1, 2]) deepEqual(measure(provisional, id, { members: twins }), []);

  const early = { notBefore: NOW - 3 * YEAR, notAfter: NOW - 2 * YEAR };
  const members = [member(3, { certificate: early }), member(4, { certificate: early })];
  const other = watch();
  for (const id of [3, 4]) {
    deepEqual(measure(other, id, { members }), []);
    deepEqual(measure(other, id, { members, offset: NOW - 2.5 * YEAR - CLOCK }), []);
  }
  match(other.reasonOf(3), /has certainly passed/);
});

Deno.test("a time that was found without them ends the waiting: who fits it is released, who does not is refused", () => {
  const provisional = watch();
  const members = [member(1), member(2)];
  const asked = measure(provisional, 1, { members, believed: NOW - CLOCK });
  deepEqual(idsOf(asked), [1, 2]);
  const result = provisional.verified(verified({ 1: undefined, 2: "It has expired" }), {
    members,
    now: 7,
  });
  deepEqual(result.refused, [{ association: 2, reason: "It has expired" }]);
  deepEqual([result.hasReleased, result.actions], [true, []], "nobody vouches for such a bound");
  deepEqual(provisional.released(members), members.slice(0, 1));
  const [dated] = provisional.withDates([{ type: "exchange-keys" } as Action], at(NOW));
  const dates = { now: NOW, outside: "refuse", lowerBound: NOW - YEAR };
  deepEqual(dated?.type === "exchange-keys" && dated.dates, dates);
});

Deno.test("after a step old measurements do not count, and an answer under way is void", () => {
  const provisional = watch();
  const members = [member(1), member(2)];
  measure(provisional, 1, { members });
  provisional.clockStepped();
  deepEqual(measure(provisional, 2, { members }), []);
  deepEqual(idsOf(measure(provisional, 1, { members })), [1, 2]);
  provisional.clockStepped();
  const late = provisional.verified(verified({ 1: undefined, 2: "x" }), { members, now: 7 });
  deepEqual(late, { refused: [], hasReleased: false, actions: [] });
});

Deno.test("dates count when the clock is trusted, or strictness is wanted", () => {
  const exchange = { type: "exchange-keys" } as Action;
  for (const options of [{ strict: true }, { trusted: true }]) {
    const [dated] = watch(options).withDates([exchange], at(CLOCK));
    deepEqual(dated?.type === "exchange-keys" && dated.dates?.outside, "refuse");
  }
  const [dated] = watch().withDates([exchange], at(CLOCK));
  deepEqual(dated?.type === "exchange-keys" && dated.dates?.outside, "accept-provisionally");
});

Deno.test("what is vouched for bounds others when it has gone on for hours, and never goes back", () => {
  const provisional = watch({ trusted: true });
  const saved = (time: number, at: number) =>
    provisional.vouched(time, at).map((action) =>
      action.type === "save-time-bound" ? action.bound : action.type
    );
  const hours = Array.from({ length: 9 }, (_, hour) => saved(NOW + hour * HOUR, hour * HOUR));
  deepEqual(hours, [[], [], [], [], [], [], [NOW], [NOW + HOUR], [NOW + 2 * HOUR]]);
  const [dated] = provisional.withDates([{ type: "exchange-keys" } as Action], at(CLOCK));
  const dates = dated?.type === "exchange-keys" ? dated.dates : undefined;
  equal(dates?.boundAdvice, "; if that is wrong, restart ntpsd");
  deepEqual(saved(NOW + 9 * HOUR - 1, 9 * HOUR - 1), [], "once an hour");
  const later = Array.from({ length: 7 }, (_, hour) => saved(NOW + hour * HOUR, (hour + 9) * HOUR));
  deepEqual(later.slice(0, 6).flat(), [], "it begins anew");
  deepEqual(later[6], [NOW + 2 * HOUR], "and never goes back");
  const gaps = watch({ trusted: true });
  deepEqual([0, 1, 48 * HOUR, 96 * HOUR].flatMap((at) => gaps.vouched(NOW + at, at)), []);
  deepEqual(watch().vouched(NOW, 0), [], "a provisional time bounds nothing");
});

Deno.test("a time that nobody vouches for again refuses no certificate after hours, unless strictness is wanted", () => {
  const exchange = { type: "exchange-keys" } as Action;
  for (const strict of [false, true]) {
    const provisional = watch({ strict, trusted: true });
    provisional.vouched(NOW, 0);
    const outside = [6, 7].map((hours) => {
      const [dated] = provisional.withDates([exchange], at(CLOCK, hours * 3600));
      return dated?.type === "exchange-keys" && dated.dates?.outside;
    });
    deepEqual(outside, ["refuse", strict ? "refuse" : "accept-provisionally"]);
  }
});

Deno.test("who tells another time than the one that is believed is not judged by it", () => {
  const provisional = watch();
  const [one, two, three] = [member(1), member(2), member(3)];
  const members = [one, two, three];
  const falseOffset = NOW - CLOCK + 20 * 86_400;
  const told = (offset: number) => ({ offset, error: 0.01 });
  const evidence = new Map([[1, told(falseOffset)], [2, told(falseOffset + 0.005)], [
    3,
    told(NOW - CLOCK),
  ]]);
  const asked = provisional.measured(evidence, { clock: CLOCK, offset: falseOffset, members });
  deepEqual(idsOf(asked), [1, 2]);
  provisional.verified(verified({ 1: undefined, 2: undefined }), { members, now: 7 });
  deepEqual(provisional.released(members), [one, two]);
  deepEqual(provisional.measured(evidence, { clock: CLOCK, offset: falseOffset, members }), []);
  match(provisional.reasonOf(3), /differs from that of the others/);
  const truth = { clock: CLOCK, offset: NOW - CLOCK, members };
  deepEqual(idsOf(provisional.measured(evidence, truth)), [3], "it is asked when it agrees");
});

Deno.test("a quorum that another configuration makes too small while it is verified is none", () => {
  const provisional = watch();
  const members = [member(1), member(2)];
  measure(provisional, 1, { members });
  deepEqual(idsOf(measure(provisional, 2, { members })), [1, 2]);
  const synchronization = { ...CONFIG.synchronization, minimumAgreeingSources: 3 };
  provisional.reconfigure({ ...CONFIG, synchronization });
  const late = verified({ 1: undefined, 2: undefined });
  equal(provisional.verified(late, { members, now: 7 }).hasReleased, false);
  deepEqual(measure(provisional, 1, { members }), []);
  match(provisional.reason ?? "", /2 of 3 required sources agree/);
  deepEqual(provisional.released(members), []);
});

Deno.test("a clock that starts in 1970 shows 1970", () => {
  equal(unixSecondsOf(ntpTimestamp(2_208_988_800n << 32n)), 0);
  equal(unixSecondsOf(ntpTimestamp(0n)), 2 ** 32 - 2_208_988_800);
});
