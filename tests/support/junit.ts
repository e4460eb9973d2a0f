/**
 * The counts of a test run, read from the JUnit report that `deno test` writes.
 *
 * The idea: the report's elements are few and their text is escaped, so a scan for tags is enough.
 * Limits: only what `deno test` writes is understood.
 *
 * @module
 */

/** How many tests ended how. */
export interface Counts {
  /** Tests and test steps that passed. */
  readonly passed: number;
  /** Tests and test steps that failed. */
  readonly failed: number;
  /** The names of those that did not run, each after the file it is in. */
  readonly skipped: readonly string[];
}

/** Counts the test cases of a report; text without any counts as nothing. */
export function readJunit(xml: string): Counts {
  let passed = 0;
  let failed = 0;
  const skipped: string[] = [];
  const pattern =
    /<testcase name="([^"]*)" classname="([^"]*)"[^>]*?(\/>|>([\s\S]*?)<\/testcase>)/g;
  for (const [, name = "", file = "", , body = ""] of xml.matchAll(pattern)) {
    if (/<(failure|error)\b/.test(body)) failed++;
    else if (body.includes("<skipped")) skipped.push(`${file}: ${unescape(name)}`);
    else passed++;
  }
  return { passed, failed, skipped };
}

/** Adds two counts. */
export function addCounts(a: Counts, b: Counts): Counts {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: [...a.skipped, ...b.skipped],
  };
}

/** Writes counts as the one line that closes a test run. */
export function summary(counts: Counts): string {
  const skipped = counts.skipped.length > 0 ? `, ${counts.skipped.length} skipped` : "";
  return `${counts.passed} passed, ${counts.failed} failed${skipped}`;
}

function unescape(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    lt: "<",
    gt: ">",
    quot: '"',
    apos: "'",
    amp: "&",
  };
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (whole, name: string) => entities[name] ?? whole);
}
