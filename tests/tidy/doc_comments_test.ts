import assert from "node:assert/strict";
import { runAny } from "../support/command.ts";
import { ROOT, sourceFiles } from "./project.ts";

/** The product's files, without its tests: what `deno doc --lint` judges. */
const documented = (await sourceFiles()).filter((path) =>
  /^(src|ffi)\/|^main\.ts$/.test(path) && !path.endsWith("_test.ts")
);

/**
 * A branded type needs a symbol that nobody else can name, so a private name in a public type is no
 * fault here; all other findings of `deno doc --lint` are.
 */
const ACCEPTED = "private-type-ref";

Deno.test("every export has a doc comment", async () => {
  const result = await runAny(Deno.execPath(), {
    args: ["doc", "--lint", ...documented],
    cwd: ROOT,
  });
  assert.ok(result.code === 0 || result.stderr.includes("documentation lint error"), result.stderr);
  assert.deepEqual(findings(result.stderr), []);
});

Deno.test("a missing doc comment would be noticed", async () => {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, "export const answer: number = 42;\n");
    const result = await runAny(Deno.execPath(), { args: ["doc", "--lint", file] });
    assert.deepEqual(findings(result.stderr), [`${file}: missing-jsdoc 1`]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("every module says in a header what it is for", async () => {
  const wanted = (await sourceFiles()).filter((path) =>
    path !== "main.ts" && !path.endsWith("_test.ts")
  );
  const faults: string[] = [];
  for (const path of wanted) {
    const text = await Deno.readTextFile(`${ROOT}/${path}`);
    const header = text.match(/^\/\*\*[\s\S]*?\*\//)?.[0] ?? "";
    if (!header.includes("@module")) faults.push(path);
  }
  assert.deepEqual(faults, []);
});

/**
 * Reads what `deno doc --lint` prints as one line for each file: its path, and the rules with the
 * lines they name.
 */
function findings(text: string): string[] {
  const pattern = /^error\[([a-z-]+)\][^\n]*\n\s*--> ([^\n]+):(\d+):\d+$/gm;
  const matches = [...text.matchAll(pattern)].filter((match) => match[1] !== ACCEPTED);
  const files = Map.groupBy(matches, (match) => match[2] ?? "");
  return [...files].map(([file, found]) =>
    `${file.replace(`${ROOT}/`, "")}: ${found.map((match) => `${match[1]} ${match[3]}`).join(", ")}`
  );
}
