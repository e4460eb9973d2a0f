/**
 * What documents show in indented blocks beside command lines: lines of the log, scenarios, units,
 * folders to test.
 */
import assert from "node:assert/strict";
import { parseScenario } from "../../src/simulation/scenario/parse.ts";
import { projectFiles, ROOT } from "./project.ts";
import { factsOf } from "./syntax.ts";
import { isProduct } from "./use_rules.ts";

const files = await projectFiles();
const texts = new Set<string>();
for (const path of files.filter((each) => each.endsWith(".ts") && isProduct(each))) {
  for (const text of factsOf(path, await Deno.readTextFile(`${ROOT}/${path}`)).texts) {
    texts.add(text);
  }
}
/** Texts of the program that say something, the longest first. */
const SAID = [...texts].filter((text) => /[a-z]/.test(text) && text.trim().length > 1)
  .sort((a, b) => b.length - a.length);

/** The indented lines of a document, without the indentation. */
async function indented(document: string): Promise<readonly string[]> {
  const text = await Deno.readTextFile(`${ROOT}/${document}`);
  return [...text.matchAll(/^ {4}(.*)$/gm)].map(([, line = ""]) => line);
}

/** What is left of a line when names, numbers and all that the program says are taken away. */
function unsaid(line: string): string {
  let rest = line.replaceAll(/\b\w+\.example\.(net|com|org)\b|\d[\d.:]*/g, "\0");
  for (const text of SAID) rest = rest.replaceAll(text, "\0").replaceAll(text.trim(), "\0");
  return rest.replaceAll(/[\0\s():;]/g, "");
}

Deno.test("the lines of the log that docs/sources.md shows are made of what the program says", async () => {
  const lines = await indented("docs/sources.md");
  assert.ok(lines.length >= 7, lines.join("\n"));
  assert.deepEqual(lines.map(unsaid).filter((rest) => rest !== ""), []);
  assert.notEqual(unsaid("Source ntp1.example.net is excellent again"), "");
});

/** The parts of a shown message between names, numbers and what stands for them. */
function partsOf(message: string): readonly string[] {
  return message.split(/\.\.\.|\([^)]*\)|\b(?:N|[A-Z]{4,}|eth0|\d\S*)(?!\w)|[;:,](?= |$)/)
    .map((part) => part.trim()).filter((part) => part.includes(" "));
}

function isSaid(part: string): boolean {
  return SAID.some((text) => text.includes(part)) || unsaid(part) === "";
}

Deno.test("messages that docs/faults.md and others quote are what the program says", async () => {
  const faults = await Deno.readTextFile(`${ROOT}/docs/faults.md`);
  const seen = faults.split("\n").filter((line) => line.startsWith("|"))
    .map((line) => line.split(" | ")[2] ?? "");
  const hardware = await Deno.readTextFile(`${ROOT}/docs/hardware-timestamps.md`);
  const quoted = [...seen, hardware.replaceAll("\n", " ")].flatMap((text) =>
    [...text.matchAll(/"([A-Za-z][^"]*)"/g)].map(([, message = ""]) => message)
  );
  const shown = (await indented("docs/nts.md")).filter((line) => line.startsWith("Its time"));
  assert.equal(shown.length, 1);
  const parts = [...quoted, ...shown].flatMap(partsOf);
  assert.ok(parts.length >= 18, parts.join("\n"));
  assert.deepEqual(parts.filter((part) => !isSaid(part)), []);
  assert.equal(partsOf("None of the 7 sources responds").every(isSaid), false);
});

Deno.test("the scenario that docs/simulation.md shows is right", async () => {
  const lines = await indented("docs/simulation.md");
  const from = lines.indexOf('name = "mine"');
  assert.ok(from >= 0);
  const parsed = parseScenario(lines.slice(from).join("\n"), {
    configurationText: await Deno.readTextFile(`${ROOT}/dist/client.toml`),
  });
  assert.ok(parsed.ok, parsed.ok ? "" : JSON.stringify(parsed.error));
});

Deno.test("command lines of documents name no file and no folder of ours that is missing", async () => {
  const faults: string[] = [];
  for (const document of files.filter((path) => path.endsWith(".md"))) {
    for (const line of await indented(document)) {
      const named = line.matchAll(/(?<=^| )(?:src|ffi|tests|tools|docs)(?:\/[\w./-]*)?(?= |$)/g);
      for (const [path] of named) {
        const isThere = files.some((file) => file === path || file.startsWith(`${path}/`));
        if (!isThere) faults.push(`${document}: ${path}`);
      }
    }
  }
  assert.deepEqual(faults, []);
});
