/**
 * Durations as an administrator writes them: `1s`, `250ms`, `1h30m`, `4w`.
 *
 * @module
 */
import { type Seconds, SECONDS_PER_DAY } from "../base/units.ts";

const SECONDS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  "µs": 1e-6,
  "μs": 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  min: 60,
  h: 3600,
  d: SECONDS_PER_DAY,
  w: 604800,
};

/**
 * Reads a duration: numbers with a unit each (ns, us, ms, s, m or min, h, d, w), one after another,
 * largest first or not; a number alone is seconds. Undefined when it is not that, or not finite.
 * Never negative.
 */
export function parseDuration(text: string): Seconds | undefined {
  const compact = text.replaceAll(/\s+/g, "");
  if (/^[0-9]{1,15}(\.[0-9]{1,12})?$/.test(compact)) return Number(compact);
  if (!/^([0-9]{1,15}(\.[0-9]{1,12})?[a-zµμ]{1,3})+$/.test(compact)) return undefined;
  let total = 0;
  for (const [, digits, , unit] of compact.matchAll(/([0-9]+(\.[0-9]+)?)([a-zµμ]+)/g)) {
    const factor = Object.hasOwn(SECONDS, unit ?? "") ? SECONDS[unit ?? ""] : undefined;
    if (factor === undefined) return undefined;
    // one division rounds once, a product with 1e-6 twice
    total += factor < 1 ? Number(digits) / Math.round(1 / factor) : Number(digits) * factor;
  }
  return total;
}

/**
 * Writes a duration in the largest unit that leaves a short number: `250ms`, `1.5s`, `36h`, `4w`.
 */
export function formatDuration(seconds: Seconds): string {
  const unit = wholeUnit(seconds);
  if (unit !== undefined) return `${Math.round(seconds / unit[1])}${unit[0]}`;
  return `${Number(seconds.toPrecision(6))}s`;
}

function wholeUnit(seconds: number): readonly [string, number] | undefined {
  if (seconds === 0) return ["s", 1];
  const units: readonly (readonly [string, number])[] = [
    ["w", 604800],
    ["d", SECONDS_PER_DAY],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
    ["ms", 1e-3],
    ["us", 1e-6],
    ["ns", 1e-9],
  ];
  return units.find(([, size]) => {
    const count = seconds / size;
    return count >= 1 && Math.abs(count - Math.round(count)) < 1e-9 * count;
  });
}
