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
  const counts = new Map<string, number>();
  for (const { name } of sources) counts.set(name, (counts.get(name) ?? 0) + 1);
  return sources.map(({ name, address }) => {
    const isShared = (counts.get(name) ?? 0) > 1;
    if (!isShared || address === null) return plain(name);
    const server = plain(withoutUsualPort(address));
    return server === plain(name) ? server : `${server} ${plain(name)}`;
  });
}

/** Leaves out port 123, and then the brackets too. */
function withoutUsualPort(address: string): string {
  const end = `:${NTP_PORT}`;
  return address.endsWith(end)
    ? address.slice(0, -end.length).replace(/^\[(.*)\]$/, "$1")
    : address;
}
