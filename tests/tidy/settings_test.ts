import assert from "node:assert/strict";
import { ENGINE_FLAGS } from "../../tools/build_settings.ts";
import { ROOT, sourceFiles } from "./project.ts";

interface Settings {
  readonly imports: Readonly<Record<string, string>>;
  readonly permissions: Readonly<Record<string, unknown>>;
  readonly tasks: Readonly<Record<string, { readonly command: string }>>;
  readonly test: unknown;
  readonly lock: unknown;
  readonly compilerOptions: Readonly<Record<string, unknown>>;
}

const settings = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`)) as Settings;

Deno.test("the daemon's permissions are net and ffi and nothing else", () => {
  assert.deepEqual(settings.permissions["daemon"], { net: true, ffi: true });
});

Deno.test("tasks that run the daemon's code use that permission set alone", () => {
  for (const name of ["start", "demo"]) {
    const command = (settings.tasks[name]?.command ?? "").replace(`${ENGINE_FLAGS} `, "");
    assert.match(
      command,
      /^DENO_NO_UPDATE_CHECK=1 deno run -q --no-prompt -P=daemon [a-z_/]+\.ts$/,
      name,
    );
  }
});

Deno.test("the engine's flags are the same however the daemon is started", async () => {
  const containers = await Deno.readTextFile(`${ROOT}/dist/Containerfile`);
  assert.ok(settings.tasks["start"]?.command.includes(` ${ENGINE_FLAGS} `));
  assert.ok(containers.includes(`"${ENGINE_FLAGS}"`));
});

Deno.test("what is built carries that permission set alone", async () => {
  const build = await Deno.readTextFile(`${ROOT}/tools/build_settings.ts`);
  const flags = build.match(/RUNTIME_PERMISSIONS[^=]*= \[([^\]]*)\]/)?.[1] ?? "";
  assert.equal(flags.replaceAll(/\s/g, ""), '"--no-prompt","--allow-net","--allow-ffi"');
  const sources = (await sourceFiles()).filter((path) => path.startsWith("tools/"));
  for (const path of sources) {
    const grants = (await Deno.readTextFile(`${ROOT}/${path}`)).match(/--allow-[a-z-]+|"-A"/g) ??
      [];
    const expected = path === "tools/build_settings.ts" ? ["--allow-net", "--allow-ffi"] : [];
    assert.deepEqual(grants, expected, path);
  }
});

Deno.test("the promised tasks exist", () => {
  const promised = [
    "start",
    "demo",
    "test",
    "ok",
    "compile",
    "compile:all",
    "bundle",
    "bench:server",
    "bench:nts",
    "bench:discipline",
    "bench:codec",
    "fuzz",
    "docs",
  ];
  assert.deepEqual(promised.filter((name) => settings.tasks[name] === undefined), []);
});

Deno.test("dependencies are npm packages at one exact version", () => {
  for (const [name, specifier] of Object.entries(settings.imports)) {
    assert.match(specifier, /^npm:\/?(@[a-z-]+\/)?[a-z0-9.-]+@\d+\.\d+\.\d+\/?$/, name);
  }
  assert.deepEqual(settings.lock, { path: "./deno.lock", frozen: true });
});

Deno.test("the lock file names npm packages only", async () => {
  const lock = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.lock`)) as Record<string, unknown>;
  assert.deepEqual(Object.keys(lock).sort(), ["npm", "specifiers", "version", "workspace"]);
  const specifiers = Object.keys(lock["specifiers"] as Record<string, string>);
  assert.deepEqual(specifiers.filter((name) => !name.startsWith("npm:")), []);
});

Deno.test("code imports packages by the names of deno.json, never by a specifier", async () => {
  const faults: string[] = [];
  for (const path of await sourceFiles()) {
    if (path.startsWith("tests/tidy/")) continue;
    const text = await Deno.readTextFile(`${ROOT}/${path}`);
    if (/from "(npm|jsr|https?):/.test(text)) faults.push(path);
  }
  assert.deepEqual(faults, []);
});

Deno.test("sanitizers and the strict compiler options are on", () => {
  assert.deepEqual(settings.test, { sanitizeOps: true, sanitizeResources: true });
  const wanted = ["strict", "noUncheckedIndexedAccess", "noImplicitOverride", "erasableSyntaxOnly"];
  for (const name of wanted) assert.equal(settings.compilerOptions[name], true, name);
});
