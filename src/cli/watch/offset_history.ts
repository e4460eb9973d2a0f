/**
 * The last samples of each source, for a line of signs that shows how they vary.
 *
 * Limits: a sample that comes and goes between two looks is not seen.
 *
 * @module
 */
import type { SourceDocument } from "../../engine/status/snapshot.ts";

/** So many samples are kept of each source. */
const SAMPLES = 16;

const BLOCKS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const DIGITS = ["0", "1", "2", "3", "4", "5", "6", "7"];

interface Track {
  readonly received: number;
  readonly offsets: readonly number[];
}

/** The samples since the begin, by source. */
export class OffsetHistory {
  #tracks = new Map<string, Track>();

  /** Takes what is new in the sources; those that are gone are forgotten. */
  note(sources: readonly SourceDocument[]): void {
    const before = this.#tracks;
    this.#tracks = new Map(sources.map((source) => {
      const key = sourceKey(source);
      const known = before.get(key) ?? { received: -1, offsets: [] };
      const offset = source.measuredOffsetSeconds ?? source.offsetSeconds;
      if (offset === null || source.received === known.received) return [key, known];
      const offsets = [...known.offsets, offset].slice(-SAMPLES);
      return [key, { received: source.received, offsets }];
    }));
  }

  /** Returns a sign for each of the last samples of a source, at most `most`, the newest last. */
  signs(
    source: SourceDocument,
    { isUnicode, most }: { readonly isUnicode: boolean; readonly most: number },
  ): string {
    const offsets = this.#tracks.get(sourceKey(source))?.offsets.slice(-most) ?? [];
    const least = Math.min(...offsets), span = Math.max(...offsets) - least;
    const scale = isUnicode ? BLOCKS : DIGITS;
    const steps = scale.length - 1;
    return offsets.map((offset) => {
      const step = span > 0 ? Math.round(steps * (offset - least) / span) : 0;
      return scale[step] ?? "";
    }).join("");
  }
}

/** Returns what tells a source apart from the others. */
export function sourceKey({ name, address }: SourceDocument): string {
  return `${name} ${address ?? ""}`;
}
