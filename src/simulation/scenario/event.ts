/**
 * The `[[event]]` tables: what happens when.
 *
 * @module
 */
import { unreachable } from "../../base/assert.ts";
import {
  NANOSECONDS_PER_SECOND,
  type Ppm,
  type Seconds,
  SECONDS_PER_DAY,
} from "../../base/units.ts";
import type { UnixNanoseconds } from "../../base/ntp_timestamp.ts";
import type { ConfigPath } from "../../config/config_path.ts";
import { duration, text, word } from "../../config/field.ts";
import { optional, required, type Row } from "../../config/key.ts";
import { names, signedDuration } from "./fields.ts";
import { CHANGE_KEYS, type ServerChange, serverChange } from "./server.ts";

/** The keys of `[[event]]`. */
export const EVENT_KEYS = {
  "at": required(duration(), { doc: "The time from the start." }),
  "kind": required(
    word([
      "server-change",
      "server-dies",
      "server-returns",
      "route-change",
      "suspend",
      "clock-step",
      "clock-frequency",
      "oscillator-step",
      "leap",
      "network-down",
      "network-up",
      "restart",
    ]),
    { doc: "What happens." },
  ),
  "server": optional(names, { otherwise: "all", doc: "The servers that it concerns." }),
  "label": optional(text, {
    otherwise: "made from the kind",
    doc: "Its name in the summary and the plot.",
  }),
  "duration": optional(duration(), {
    otherwise: "required for suspend",
    doc: "How long the machine sleeps.",
  }),
  "error": optional(signedDuration, {
    default: 0,
    doc:
      "By how much the clock is put forward too far after the suspend; not less than minus the " +
      "duration.",
  }),
  "step": optional(signedDuration, {
    otherwise: "required for clock-step",
    doc: "By how much another program steps the clock.",
  }),
  "announce": optional(duration(), {
    default: SECONDS_PER_DAY,
    doc: "How long before the leap second the servers announce it.",
  }),
  ...CHANGE_KEYS,
};

/** One `[[event]]` as it is read. */
export type EventRow = Row<typeof EVENT_KEYS>;

/** Something that happens at a stated time (seconds since the start). */
export type ScenarioEvent =
  & { readonly at: Seconds; readonly label: string }
  & (
    | {
      readonly kind: "server-change";
      readonly servers: readonly string[];
      readonly change: ServerChange;
    }
    | {
      /** The machine sleeps. */
      readonly kind: "suspend";
      readonly duration: Seconds;
      /** How much too far the clocks are put forward at the end. */
      readonly error: Seconds;
    }
    | { readonly kind: "clock-step"; readonly step: Seconds }
    | { readonly kind: "clock-frequency"; readonly frequency: Ppm }
    | { readonly kind: "oscillator-step"; readonly frequency: Ppm }
    | { readonly kind: "leap"; readonly leap: "insert" | "delete"; readonly announce: Seconds }
    | { readonly kind: "network-down" }
    | { readonly kind: "network-up" }
    | { readonly kind: "restart" }
  );

/** Builds the events in the order of time; one with an error is missing. */
export function buildEvents(
  rows: readonly (EventRow | undefined)[],
  { start, root }: { readonly start: UnixNanoseconds; readonly root: ConfigPath },
): readonly ScenarioEvent[] {
  const events = rows.flatMap((row, i) => {
    if (row?.at === undefined || row.kind === undefined) return [];
    const at = root.key("event").index(i);
    const event = buildEvent(row, at);
    if (event?.kind === "leap" && !isMidnight(start, event.at)) {
      at.key("at").report("Wanted the end of a day in UTC, where leap seconds are");
    }
    return event === undefined ? [] : [event];
  });
  checkSleep(events, root);
  return events.toSorted((a, b) => a.at - b.at);
}

/** Returns the names of the servers to which an event happens; none means all. */
export function serversOf({ server }: Pick<EventRow, "server">): readonly string[] {
  return server === undefined ? [] : [server].flat();
}

function buildEvent(row: EventRow, at: ConfigPath): ScenarioEvent | undefined {
  const kind = row.kind ?? "restart";
  const servers = serversOf(row);
  const place = servers.length === 0 ? "" : ` ${servers.join(", ")}`;
  const base = { at: row.at ?? 0, label: row.label ?? `${kind.replaceAll("-", " ")}${place}` };
  const changed = (change: ServerChange = {}): ScenarioEvent => {
    return { ...base, kind: "server-change", servers, change: { ...serverChange(row), ...change } };
  };
  const missing = (key: string): undefined => {
    at.key(key).report(`Missing for a ${kind}`);
  };
  switch (kind) {
    case "server-change":
    case "route-change":
      return changed();
    case "server-dies":
      return changed({ alive: false });
    case "server-returns":
      return changed({ alive: true });
    case "suspend": {
      const sleep = row.duration === undefined ? missing("duration") : buildSleep(row, at);
      return sleep && { ...base, kind, ...sleep };
    }
    case "clock-step":
      return row.step === undefined ? missing("step") : { ...base, kind, step: row.step };
    case "clock-frequency":
    case "oscillator-step":
      if (row["frequency-ppm"] === undefined) return missing("frequency-ppm");
      return { ...base, kind, frequency: row["frequency-ppm"] };
    case "leap":
      if (row.leap !== "insert" && row.leap !== "delete") return missing("leap");
      return { ...base, kind, leap: row.leap, announce: EVENT_KEYS.announce.build(row.announce) };
    case "network-down":
    case "network-up":
    case "restart":
      return { ...base, kind };
    default:
      return unreachable(kind);
  }
}

function buildSleep(
  row: EventRow,
  at: ConfigPath,
): { readonly duration: Seconds; readonly error: Seconds } | undefined {
  const duration = row.duration ?? 0;
  const error = EVENT_KEYS.error.build(row.error);
  if (duration + error >= 0) return { duration, error };
  at.key("error").report(
    "Wanted no more backward than the sleep is long: the boot-time clock never goes back",
  );
  return undefined;
}

/** While the machine sleeps, only servers change. */
function checkSleep(events: readonly ScenarioEvent[], root: ConfigPath): void {
  for (const sleep of events) {
    if (sleep.kind !== "suspend") continue;
    for (const event of events) {
      const isDuring = event.at >= sleep.at && event.at <= sleep.at + sleep.duration;
      if (event === sleep || !isDuring) continue;
      if (event.kind === "server-change" || event.kind === "leap") continue;
      root.key("event").report(`Wanted no "${event.kind}" while the machine sleeps`);
    }
  }
}

function isMidnight(start: UnixNanoseconds, at: Seconds): boolean {
  if (!Number.isInteger(at)) return false;
  return (start / NANOSECONDS_PER_SECOND + BigInt(at)) % BigInt(SECONDS_PER_DAY) === 0n;
}
