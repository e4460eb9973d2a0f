/**
 * Says why a server gives no answers of use, in the same words for status, sources and log.
 *
 * The idea: what is known of the way (no route, a refusal) comes first, then what was dropped; of a
 * server that has never answered requests with a key, the key is the first suspect, because most
 * servers say nothing to a wrong one. Limits: what a lookup or a key exchange found is told by the
 * source itself.
 *
 * @module
 */
import type { Association } from "../../association/association.ts";
import type { ServerHistory } from "../../association/server_history.ts";

/** What is looked at. */
export interface SilentServer
  extends Pick<Association, "lastSendFailure" | "report" | "protection"> {
  /** What has come from it. */
  readonly history: Pick<ServerHistory, "unansweredRequests" | "dropped" | "lastResponseAt">;
}

/**
 * Returns why the newest requests had no answer of use, a sentence; undefined when nothing is known
 * but that they had none.
 */
export function silenceOf(server: SilentServer): string | undefined {
  const { lastSendFailure, history: { unansweredRequests, dropped: { recent } } } = server;
  if (lastSendFailure !== undefined) return lastSendFailure;
  if (unansweredRequests === 0) return undefined;
  if (recent !== undefined) return `Its responses are dropped: ${recent}`;
  const suspicion = suspicionOf(server);
  if (suspicion === "") return undefined;
  return `Did not answer the last ${unansweredRequests} requests${suspicion}`;
}

/** Returns the same for the log: a predicate for a sentence. */
export function errorOf(server: SilentServer): string {
  return `${server.report}${suspicionOf(server)}`;
}

function suspicionOf(
  { lastSendFailure, history: { lastResponseAt, dropped: { recent } }, protection }: SilentServer,
): string {
  const isUnexplained = lastResponseAt === undefined && lastSendFailure === undefined &&
    recent === undefined;
  if (protection?.authentication !== "mac" || !isUnexplained) return "";
  return "; most servers do not answer requests with a wrong key";
}
