/**
 * What a source is called in a table, so that rows can be told apart: by its name, or by the
 * address of each server where several have one name.
 *
 * @module
 */
import { NTP_PORT } from "../../base/ports.ts";
import type { SourceDocument } from "../../engine/status/snapshot.ts";
import { plain } from "../display/style.ts";

/** Returns a label for each source, in order. */
export function sourceLabels(sources: readonly SourceDocument[]): readonly string[] {
  const shared = sharedNames(sources);
  return sources.map(({ name, address }) => {
    if (!shared.has(name) || address === null) return plain(name);
    const server = plain(withoutUsualPort(address));
    return server === plain(name) ? server : `${server} ${plain(name)}`;
  });
}

/** Returns the names that more than one source has. */
export function sharedNames(sources: readonly SourceDocument[]): ReadonlySet<string> {
  const seen = new Set<string>(), shared = new Set<string>();
  for (const { name } of sources) (seen.has(name) ? shared : seen).add(name);
  return shared;
}

/** Leaves out port 123, and then the brackets too. */
function withoutUsualPort(address: string): string {
  const end = `:${NTP_PORT}`;
  return address.endsWith(end)
    ? address.slice(0, -end.length).replace(/^\[(.*)\]$/, "$1")
    : address;
}
