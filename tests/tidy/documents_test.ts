import assert from "node:assert/strict";
import { formatConfigError } from "../../src/config/config_error.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { SECTIONS } from "../../src/config/schema.ts";
import { configurationDocument, REFERENCE } from "../../tools/configuration_reference.ts";
import { filesBeside } from "../support/files_beside.ts";
import { importGraph, projectFiles, ROOT } from "./project.ts";

const files = await projectFiles();
const documents = files.filter((path) => path.endsWith(".md"));
const FOLDERS = ["src", "ffi", "tests", "tools", "dist", "docs", ".ci"];

async function tasks(): Promise<string[]> {
  const settings = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`)) as { tasks: object };
  return Object.keys(settings.tasks);
}

Deno.test("the documents are there", () => {
  const wanted = ["README", "ARCHITECTURE", "CONTRIBUTING", "SECURITY", "CHANGELOG"];
  assert.deepEqual(wanted.map((name) => `${name}.md`).filter((path) => !files.includes(path)), []);
  assert.ok(files.includes("LICENSE"));
});

Deno.test("documents name no file or folder that is missing", async () => {
  const faults: string[] = [];
  for (const document of documents) {
    const text = await Deno.readTextFile(`${ROOT}/${document}`);
    for (const path of namedPaths(text)) {
      if (!isThere(path) && !isBuilt(path)) faults.push(`${document}: ${path}`);
    }
  }
  assert.deepEqual(faults, []);
});

Deno.test("a missing file would be noticed", () => {
  const text = "See `src/base/nothing.ts`, [this](dist/none.toml) and `README.md`.";
  assert.deepEqual(namedPaths(text), ["src/base/nothing.ts", "dist/none.toml", "README.md"]);
  assert.equal(isThere("src/base/nothing.ts"), false);
  assert.equal(isThere("README.md"), true);
  assert.equal(isThere("src/base/"), true);
});

Deno.test("documents name no task that is missing", async () => {
  const known = await tasks();
  const faults: string[] = [];
  for (const document of documents) {
    const text = await Deno.readTextFile(`${ROOT}/${document}`);
    for (const match of text.matchAll(/\bdeno(?:@[\d.]+)? task ([a-z0-9:]+)/g)) {
      const name = match[1] ?? "";
      if (!known.includes(name)) faults.push(`${document}: ${name}`);
    }
  }
  assert.deepEqual(faults, []);
});

Deno.test("the ways of a datagram in ARCHITECTURE.md are those of the code", async () => {
  const text = await Deno.readTextFile(`${ROOT}/ARCHITECTURE.md`);
  const edges = await importGraph();
  const ways = [...text.matchAll(/, (\d+) files[^\n]*\n(?:[^\n]+\n)*\n((?:\d+\. .*\n)+)/g)];
  assert.equal(ways.length, 2);
  for (const [, count, list = ""] of ways) {
    const files = [...list.matchAll(/^\d+\. `([^`]+)`/gm)].map(([, path = ""]) => path);
    assert.equal(files.length, Number(count));
    const isLinked = (path: string, before: readonly string[]) =>
      edges.some(({ from, to }) =>
        (to === path && before.includes(from)) || (from === path && before.includes(to))
      );
    assert.deepEqual(files.filter((path, i) => i > 0 && !isLinked(path, files.slice(0, i))), []);
  }
});

Deno.test("README opens with the two commands for a bare machine", async () => {
  const text = await Deno.readTextFile(`${ROOT}/README.md`);
  const demo = text.indexOf("npx -y deno@2.9.6 task demo");
  const test = text.indexOf("npx -y deno@2.9.6 task test");
  assert.ok(demo > 0 && demo < test, "the demo comes first, then the test");
  assert.ok(test < text.indexOf("./ntpsd"), "both come before anything else to type");
});

Deno.test("every figure of README is measured by a task that is there", async () => {
  const text = await Deno.readTextFile(`${ROOT}/README.md`);
  const [, rows = ""] = /^\| what .*\n\| -.*\n((?:\|.*\n)+)/m.exec(text) ?? [];
  const measuredBy = rows.trim().split("\n").map((row) => /`(bench:[a-z]+)` +\|$/.exec(row)?.[1]);
  assert.ok(measuredBy.length >= 10, rows);
  const known = await tasks();
  assert.deepEqual(measuredBy.filter((task) => task === undefined || !known.includes(task)), []);
});

Deno.test("the scenarios of the benchmark are those that docs/discipline.md describes", async () => {
  const text = await Deno.readTextFile(`${ROOT}/docs/discipline.md`);
  const [, rows = ""] = /^\| scenario .*\n\| -.*\n((?:\|.*\n)+)/m.exec(text) ?? [];
  const described = rows.trim().split("\n").map((row) => {
    const [name, _servers, ...figures] = row.slice(1, -1).split("|").map((cell) => cell.trim());
    return [name, ...figures];
  });
  const written = await Promise.all(
    files.filter((path) => path.startsWith("tests/simulation/baseline/")).map(scenarioFigures),
  );
  assert.deepEqual(described.toSorted(), written.toSorted());
});

Deno.test("the version is one and the same", async () => {
  const settings = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`)) as { version: string };
  const changes = await Deno.readTextFile(`${ROOT}/CHANGELOG.md`);
  assert.match(settings.version, /^\d+\.\d+\.\d+$/);
  assert.ok(changes.includes(settings.version), `CHANGELOG.md tells of ${settings.version}`);
});

Deno.test("the example configurations are right", async () => {
  const examples = files.filter((path) => /^dist\/.*\.toml$/.test(path));
  assert.ok(examples.length >= 2);
  for (const path of examples) {
    assert.deepEqual(configFaults(await Deno.readTextFile(`${ROOT}/${path}`)), [], path);
  }
});

Deno.test("configurations in documents are right", async () => {
  for (const document of documents) {
    const text = await Deno.readTextFile(`${ROOT}/${document}`);
    for (const [, toml = ""] of text.matchAll(/^```toml\n([\s\S]*?)^```$/gm)) {
      assert.deepEqual(configFaults(toml), [], document);
    }
  }
  assert.equal(configFaults("[[source]]\nmod = 1\n").length > 0, true);
});

Deno.test("the configuration reference is what the schema says; deno task docs writes it", async () => {
  assert.equal(await Deno.readTextFile(`${ROOT}/${REFERENCE}`), await configurationDocument());
});

Deno.test("docs/configuration.md names what a reload leaves to the next start", async () => {
  const text = await Deno.readTextFile(`${ROOT}/${REFERENCE}`);
  const [, told = ""] = /A few \(([^)]*)\) take\s+effect\s+at\s+the\s+next\s+start/.exec(text) ??
    [];
  const waiting = SECTIONS.flatMap(({ name, keys }) =>
    Object.entries(keys).filter(([, { reload }]) => reload === "restart")
      .map(([key]) => told.includes(`[${name}]`) ? `[${name}]` : key)
  );
  assert.deepEqual(
    told.split(/,\s+/).map((key) => key.replaceAll("`", "")).toSorted(),
    [...new Set(waiting)].toSorted(),
  );
});

Deno.test("the table of the Best Practices criteria is whole, and its sums are right", async () => {
  const text = await Deno.readTextFile(`${ROOT}/docs/security/best-practices.md`);
  const wanted = { passing: 67, silver: 55, gold: 23 };
  for (const [level, count] of Object.entries(wanted)) {
    const section = text.split(/^## /m).find((part) => part.toLowerCase().startsWith(level)) ?? "";
    const rows = [
      ...section.matchAll(/^\| `(\w+)` +\| (met|\*\*not met\*\*|not applicable) +\| \S/gm),
    ];
    assert.equal(new Set(rows.map(([, name]) => name)).size, count, level);
    assert.equal(rows.length, count, level);
    const sum = (state: string) => rows.filter((row) => row[2] === state).length;
    const cells = [level, count, sum("met"), sum("**not met**"), sum("not applicable")];
    assert.match(text, new RegExp(`^\\| ${cells.join(" +\\| ")} +\\|$`, "m"), level);
  }
});

/** What the table of docs/discipline.md says of a scenario: delays, wander and poll exponents. */
async function scenarioFigures(path: string): Promise<readonly string[]> {
  const text = await Deno.readTextFile(`${ROOT}/${path}`);
  const value = (key: string) =>
    new RegExp(`^(?:.*[ {])?${key} = "?([^",}\\s]+)`, "m").exec(text)?.[1] ?? `no ${key}`;
  const time = (key: string) => value(key).replace(/(?<=\d)(?=[a-z])/, " ");
  const [min, max] = [value("min"), value("max")];
  const polls = min === max ? min : `${min} to ${max}`;
  assert.deepEqual([value("duration"), value("measure-from")], ["40_000", "10_000"], path);
  assert.equal(value("frequency-ppm"), "50", path);
  return [value("name"), time("delay"), time("jitter"), value("wander"), polls];
}

function configFaults(text: string): string[] {
  const parsed = parseConfig(text, { beside: filesBeside({}) });
  return parsed.ok ? [] : parsed.error.map((error) => formatConfigError(error, "file"));
}

/** Finds paths of this repository in inline code and in links. */
function namedPaths(text: string): string[] {
  const quoted = [...text.matchAll(/`([^`\s]+)`|\]\(([^)\s#]+)[^)]*\)/g)];
  return quoted.map((match) => (match[1] ?? match[2] ?? "").replace(/^\.\//, "")).filter((path) => {
    if (/[*{}<>$:]/.test(path)) return false;
    const top = path.split("/")[0] ?? "";
    return path.includes("/") ? FOLDERS.includes(top) : /^[A-Z]+\.md$/.test(path);
  });
}

function isThere(path: string): boolean {
  const folder = path.endsWith("/") ? path : `${path}/`;
  return files.includes(path) || files.some((file) => file.startsWith(folder));
}

/** Tells whether a path is made by a task and ignored by git. */
function isBuilt(path: string): boolean {
  return /^dist\/ntpsd(\.js|-(x86_64|aarch64))?$/.test(path) || path === "tests/.scratch/";
}
