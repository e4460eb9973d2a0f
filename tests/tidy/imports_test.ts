import assert from "node:assert/strict";
import { type Edge, importGraph, ROOT } from "./project.ts";

/** For every folder, what it may import besides itself (design: which way imports may point). */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  crypto: ["base"],
  protocol: ["base", "crypto"],
  nts: ["base", "crypto", "protocol"],
  association: ["base", "config", "crypto", "protocol", "nts"],
  server: ["base", "config", "crypto", "protocol", "nts"],
  selection: ["base", "config", "crypto", "protocol", "nts", "association"],
  discipline: ["base", "config", "crypto", "protocol", "nts", "association", "selection"],
  config: ["base"],
  convert: ["base", "config"],
  ffi: ["base"],
};
const CORE = [
  "base",
  "crypto",
  "protocol",
  "nts",
  "association",
  "server",
  "selection",
  "discipline",
  "config",
];
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  ...MAY_IMPORT,
  engine: CORE,
  control: [...CORE, "engine"],
  simulation: [...CORE, "engine"],
  system: [...CORE, "engine", "ffi"],
  daemon: [...CORE, "engine", "control", "system", "ffi"],
  cli: [...CORE, "convert", "engine", "simulation", "system", "run", "ffi"],
  run: [...CORE, "engine", "system", "daemon", "cli", "ffi"],
  main: ["base", "cli", "run"],
};

/** Which folders may use which package; whoever adds a package says here where it is needed. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "@noble/ciphers": ["crypto"],
  "@noble/hashes": ["crypto"],
  "@logtape/logtape": ["system"],
  "smol-toml": ["config", "simulation"],
  "d3-array": ["simulation"],
  "d3-shape": ["simulation"],
};

const graph = await importGraph();
const { imports } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`)) as {
  readonly imports: Readonly<Record<string, string>>;
};

Deno.test("imports point down the layers only", () => {
  assert.ok(graph.length > 0);
  assert.deepEqual(graph.map(layerFault).filter((fault) => fault !== undefined), []);
});

Deno.test("a wrong import would be noticed", () => {
  const edge = (from: string, to: string) => layerFault({ from, to, typeOnly: true });
  assert.match(edge("src/base/a.ts", "src/crypto/b.ts") ?? "", /base may not import crypto/);
  assert.match(edge("src/engine/a.ts", "ffi/clock/clock.ts") ?? "", /engine may not import ffi/);
  assert.match(edge("src/association/a.ts", "src/server/b.ts") ?? "", /may not import server/);
  assert.match(edge("src/daemon/a.ts", "src/simulation/b.ts") ?? "", /may not import simulation/);
  assert.match(edge("ffi/a.ts", "src/protocol/b.ts") ?? "", /ffi may not import protocol/);
  assert.match(edge("main.ts", "src/daemon/b.ts") ?? "", /main may not import daemon/);
  assert.match(edge("src/cli/a.ts", "tests/support/b.ts") ?? "", /may not import tests/);
  assert.match(edge("src/engine/a.ts", "npm:/smol-toml@1.9.1") ?? "", /may not use smol-toml/);
  assert.match(edge("src/engine/a.ts", "jsr:/@std/toml@1.0.0") ?? "", /only npm packages/);
  assert.match(edge("src/unheard/a.ts", "src/base/b.ts") ?? "", /unheard is not a known folder/);
  assert.equal(edge("src/engine/a_test.ts", "tests/support/b.ts"), undefined);
  assert.equal(edge("tests/support/a.ts", "ffi/b.ts"), undefined);
  assert.match(edge("src/cli/status/a.ts", "src/daemon/b.ts") ?? "", /may not import daemon/);
  assert.equal(edge("src/cli/run/a.ts", "src/daemon/b.ts"), undefined);
});

Deno.test("every package that is pinned is used, and no more are allowed than there are", () => {
  const used = new Set(graph.map(({ to }) => packageOf(to)));
  const pinned = Object.keys(imports).map((name) => name.replace(/\/$/, ""));
  const code = pinned.filter((name) => !name.startsWith("@types/"));
  assert.deepEqual(code.filter((name) => !used.has(name)), []);
  assert.deepEqual(Object.keys(PACKAGES).filter((name) => !pinned.includes(name)), []);
});

function layerFault(edge: Edge): string | undefined {
  const from = layerOf(edge.from);
  if (from === "tests" || from === "tools" || from === "dist") return undefined;
  const where = `${edge.from} imports ${edge.to}: `;
  const allowed = LAYERS[from];
  if (allowed === undefined) return `${where}${from} is not a known folder`;
  const isTest = edge.from.endsWith("_test.ts");
  if (edge.to.startsWith("node:")) return undefined;
  // The version is written in one place, and the bundle carries a copy.
  if (edge.to === "deno.json" && from === "cli") return undefined;
  if (!/^[a-z]+:/.test(edge.to)) {
    const to = layerOf(edge.to);
    if (to === from || allowed.includes(to) || (isTest && to === "tests")) return undefined;
    // What a command shows is tested with what the daemon says.
    if (isTest && from === "cli" && to === "daemon") return undefined;
    return `${where}${from} may not import ${to}`;
  }
  const name = packageOf(edge.to);
  if (name === undefined) return `${where}only npm packages are used`;
  if (isTest || PACKAGES[name]?.includes(from) === true) return undefined;
  return `${where}${from} may not use ${name}`;
}

function packageOf(specifier: string): string | undefined {
  return specifier.match(/^npm:\/?((?:@[^/]+\/)?[^@/]+)/)?.[1];
}

function layerOf(path: string): string {
  if (path === "main.ts") return "main";
  // The one command that is the daemon; the others see it over HTTP.
  if (path.startsWith("src/cli/run/")) return "run";
  const [top = "", folder = ""] = path.split("/");
  return top === "src" ? folder : top;
}
