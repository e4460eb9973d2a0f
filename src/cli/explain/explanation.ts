/**
 * The status document in sentences: whether the clock is right, how sure that is, and why each
 * source is in or out.
 *
 * @module
 */
import { unreachable } from "../../base/assert.ts";
import {
  isTimeKnown,
  type SourceDocument,
  type StatusDocument,
} from "../../engine/status/snapshot.ts";
import { formatSeconds } from "../display/quantity.ts";
import { sharedNames } from "../status/source_label.ts";
import { clockHint, functionHint, sourceHint } from "./hints.ts";

/** One thing to know, and what to do about it. */
export interface Finding {
  /** What it is about. */
  readonly about: "clock" | "function" | "ntpsd" | "source";
  /** Which of its kind; null where there is one. */
  readonly name: string | null;
  /** The status word of a source, else null. */
  readonly status: SourceDocument["status"] | null;
  /** One or more sentences, without a full stop at the end. */
  readonly text: string;
  /** What to do, a clause; null for nothing. */
  readonly hint: string | null;
}

/** What there is to know. */
export interface Explanation {
  /** Whether the error of the clock is known and bounded. */
  readonly synchronized: boolean;
  /** Null when nothing is known of the error. */
  readonly errorBoundSeconds: number | null;
  /** The clock first, then what does not work, then the sources in their order. */
  readonly findings: readonly Finding[];
}

/** Explains a status document. */
export function explain(document: StatusDocument): Explanation {
  const { state, sources, functions, internalErrors, errorBoundSeconds } = document;
  return {
    synchronized: isTimeKnown(state),
    errorBoundSeconds,
    findings: [
      finding("clock", { text: clockText(document), hint: clockHint(document) }),
      finding("clock", { text: agreementText(document) }),
      ...functions.filter(({ up }) => !up).map(({ kind, name, reason }) =>
        finding("function", {
          name: `${kind} ${name}`,
          text: reason,
          hint: functionHint(kind, reason),
        })
      ),
      ...internalErrors > 0 ? [ownErrors(internalErrors)] : [],
      ...sources.map((source) =>
        finding("source", {
          name: nameAmong(source, sources),
          status: source.status,
          text: source.reason === "" ? "No reason is known" : source.reason,
          hint: sourceHint(source, sources),
        })
      ),
    ],
  };
}

function finding(
  about: Finding["about"],
  { name = null, status = null, text, hint }:
    & Partial<Pick<Finding, "name" | "status">>
    & Pick<Finding, "text">
    & { readonly hint?: string | undefined },
): Finding {
  return { about, name, status, text, hint: hint ?? null };
}

function clockText(document: StatusDocument): string {
  const known = rightness(document);
  return document.why === "" ? known : `${known}. ${document.why}`;
}

function rightness({ state, errorBoundSeconds: bound, adjusting }: StatusDocument): string {
  const error = formatSeconds(bound);
  switch (state) {
    case "synchronized":
      if (bound === null) return "The clock counts as right, and its error is not known";
      return `The clock is right to within ${error}, if the sources are right`;
    case "holdover":
      return `The clock continues without sources, and is right to within ${error} by now`;
    case "monitoring":
      return `The clock, which ntpsd only measures, is right to within ${error}, if the sources are right`;
    case "starting":
      return "Whether the clock is right is not known yet";
    case "unsynchronized":
      return bound === null || !adjusting
        ? "Whether the clock is right is not known"
        : `The clock may be wrong by ${error}`;
    default:
      return unreachable(state);
  }
}

const AGREEING: readonly string[] = ["selected", "combined", "candidate", "outlier"];

/** Says how many sources agree; without a majority `candidate` says nothing of that. */
function agreementText({ sources }: StatusDocument): string {
  const lead = sources.find(({ status }) => status === "selected");
  const all = sources.length;
  if (all === 0) return "No sources are configured";
  if (lead === undefined) {
    return all === 1 ? "The only source is not in use" : `None of ${all} sources is in use`;
  }
  const agreeing = sources.filter(({ status }) => AGREEING.includes(status)).length;
  const used = sources.filter(({ status }) => status === "combined").length + 1;
  const name = nameAmong(lead, sources);
  if (all === 1) return `The only source is ${name}: no other confirms its time`;
  if (agreeing === 1) {
    return `Only ${name} is in use, of ${all} sources: no other confirms its time`;
  }
  const inUse = used === agreeing ? " and are in use" : `, ${used} of them in use`;
  return `${agreeing} of ${all} sources agree${inUse}, led by ${name}`;
}

function ownErrors(count: number): Finding {
  const text = count === 1
    ? "An error of ntpsd has ended one of its tasks"
    : `${count} errors of ntpsd have ended tasks`;
  return finding("ntpsd", { text, hint: "report what the log says of it" });
}

/** The name of a source, with its address when others have the same. */
function nameAmong({ name, address }: SourceDocument, all: readonly SourceDocument[]): string {
  return sharedNames(all).has(name) && address !== null ? `${name} (${address})` : name;
}
