import { deepEqual, equal, match, ok as truthy } from "node:assert/strict";
import { IDLE_CONTEXT } from "../../../tests/support/idle_context.ts";
import { exampleSource, exampleStatus } from "../../../tests/support/status_example.ts";
import { err, ok } from "../../base/result.ts";
import type { StatusDocument } from "../../engine/status/snapshot.ts";
import { main } from "../main.ts";
import { OffsetHistory, sourceKey } from "./offset_history.ts";
import { choose, drawScreen, NO_CHOICE } from "./screen.ts";
import { type Key, keyOf, type Terminal } from "./terminal.ts";

/** A terminal with keys to come, after each of which what is drawn is kept. */
class TestTerminal implements Terminal {
  readonly isUnicode = true;
  readonly screens: (readonly string[])[] = [];
  readonly calls: string[] = [];
  readonly #keys: (Key | undefined)[];

  constructor(keys: readonly (Key | undefined)[]) {
    this.#keys = [...keys];
  }

  size() {
    return { columns: 100, rows: 12 };
  }

  open() {
    this.calls.push("open");
  }

  close() {
    this.calls.push("close");
  }

  draw(lines: readonly string[]) {
    this.screens.push(lines);
  }

  async key() {
    // what was asked meanwhile is answered first
    await new Promise((resolve) => setTimeout(resolve, 0));
    return this.#keys.length === 0 ? "quit" as const : this.#keys.shift();
  }
}

const NAMES = ["b.example", "a.example", "c.example"];

function threeSources(): StatusDocument {
  const sources = NAMES.map((name, i) =>
    exampleSource({
      name,
      offsetSeconds: [3e-3, -1e-3, 2e-3][i] ?? 0,
      status: (["falseticker", "combined", "selected"] as const)[i] ?? "starting",
      errorBoundSeconds: [1e-3, 3e-3, null][i] ?? null,
    })
  );
  return exampleStatus({ sources });
}

async function watch(
  keys: readonly (Key | undefined)[],
  { body = JSON.stringify(threeSources()), words = [] }: {
    readonly body?: string;
    readonly words?: readonly string[];
  } = {},
) {
  // the first answer comes while no key does
  const terminal = new TestTerminal([undefined, ...keys]);
  let complaint = "";
  const code = await main(["watch", "--interval", "1h", ...words], {
    ...IDLE_CONTEXT,
    terminal: () => Promise.resolve(terminal),
    out() {},
    err: (text) => complaint += text,
    httpGet: () => Promise.resolve(body === "" ? err("Cannot connect") : ok({ status: 200, body })),
  });
  return { code, terminal, complaint, last: terminal.screens.at(-1) ?? [] };
}

/** The rows of the sources of a screen, by the beginnings of their names. */
function rows(screen: readonly string[]): readonly string[] {
  return screen.flatMap((line) => /^.[*+x] ([abc])\.example/.exec(line)?.[1] ?? []);
}

Deno.test("watch shows the clock and the sources, and gives the screen back", async () => {
  const { code, terminal, last } = await watch([]);
  equal(code, 0);
  deepEqual(terminal.calls, ["open", "close"]);
  match(last[0] ?? "", /^synchronised, stratum \d+, running for /);
  match(last[1] ?? "", /^Offset .* {2}Error .* {2}Frequency /);
  deepEqual(rows(last), ["b", "a", "c"]);
  match(last.at(-1) ?? "", /^q ends {2}s sorts \(as configured\) {2}Enter opens$/);
});

Deno.test("s sorts by use, offset and error, and comes back to the order of the configuration", async () => {
  const orders = [["c", "a", "b"], ["a", "c", "b"], ["b", "a", "c"], ["b", "a", "c"]];
  for (const [i, order] of orders.entries()) {
    const keys = Array.from({ length: i + 1 }, () => "sort" as const);
    deepEqual(rows((await watch(keys)).last), order, `${i}`);
  }
});

Deno.test("up and down mark a source within the table, Enter shows it and goes back", async () => {
  const marked = (screen: readonly string[]) => screen.find((line) => line.startsWith(">")) ?? "";
  match(marked((await watch([])).last), /b\.example/);
  match(marked((await watch(["up"])).last), /b\.example/);
  match(marked((await watch(["down", "down", "down"])).last), /c\.example/);
  match(marked((await watch(["down", "sort"])).last), /a\.example/);
  const { last } = await watch(["down", "enter"]);
  truthy(last.some((line) => line.includes("a.example")));
  truthy(!last.some((line) => line.includes("b.example")));
  match(last.join("\n"), /\(combined\) /);
  match(last.at(-1) ?? "", /Enter goes back$/);
  deepEqual(rows((await watch(["down", "enter", "back"])).last), ["b", "a", "c"]);
});

Deno.test("a daemon that does not answer is told, and what was known stays", async () => {
  const { code, last } = await watch([], { body: "" });
  equal(code, 0);
  match(last.join("\n"), /Cannot connect\. Is the daemon running\?/);
  const picture = {
    document: threeSources(),
    at: -60_000,
    error: "Cannot connect",
    history: new OffsetHistory(),
    choice: NO_CHOICE,
  };
  const paint = (text: string) => text;
  const drawn = drawScreen(picture, { columns: 80, rows: 20, isUnicode: true, paint, now: 0 });
  deepEqual(rows(drawn), ["b", "a", "c"]);
  deepEqual(drawn.slice(-3, -1), ["What is shown is 1 min 0 s old", "Cannot connect"]);
});

Deno.test("a daemon that never answers keeps no key waiting", async () => {
  const terminal = new TestTerminal([undefined, undefined]);
  const httpGet = () => new Promise<never>(() => {});
  const context = { ...IDLE_CONTEXT, out() {}, err() {}, httpGet };
  equal(await main(["watch"], { ...context, terminal: () => Promise.resolve(terminal) }), 0);
  deepEqual(terminal.calls, ["open", "close"]);
});

Deno.test("a small screen shows the marked source, and no line too many", () => {
  const sources = Array.from({ length: 50 }, (_, i) => exampleSource({ name: `s${i}.example` }));
  const document = exampleStatus({ sources });
  const history = new OffsetHistory();
  const paint = (text: string) => text;
  for (const row of [0, 20, 49]) {
    for (const rows of [5, 8, 24]) {
      const marked = sourceKey(exampleSource({ name: `s${row}.example` }));
      const choice = { ...NO_CHOICE, marked };
      const picture = { document, at: 0, error: undefined, history, choice };
      const view = { columns: 80, rows, isUnicode: true, paint, now: 0 };
      const drawn = drawScreen(picture, view);
      truthy(drawn.length <= rows, `${drawn.length} of ${rows}`);
      if (rows > 5) match(drawn.join("\n"), new RegExp(`^>.*s${row}\\.`, "m"));
    }
  }
});

Deno.test("the history has a sign for each new sample, within their range", () => {
  const history = new OffsetHistory();
  const view = { isUnicode: true, most: 16 };
  for (const [i, offset] of [0, 7, 7, 3, 1].entries()) {
    const source = exampleSource({ measuredOffsetSeconds: 1e-6 * offset, received: i });
    history.note([source]);
    history.note([source]);
  }
  equal(history.signs(exampleSource(), view), "▁██▄▂");
  equal(history.signs(exampleSource(), { ...view, most: 2 }), "█▁");
  equal(history.signs(exampleSource(), { ...view, isUnicode: false }), "07731");
  equal(history.signs(exampleSource({ name: "other.example" }), view), "");
  history.note([]);
  equal(history.signs(exampleSource(), view), "");
});

Deno.test("watch without a terminal, or with an interval that is none, says so", async () => {
  let complaint = "";
  const context = { ...IDLE_CONTEXT, out() {}, err: (text: string) => complaint += text };
  equal(await main(["watch"], context), 64);
  match(complaint, /It draws on a terminal; "ntpsd status" and "ntpsd sources" print once/);
  const { code, terminal } = await watch([], { words: ["--interval", "0"] });
  equal(code, 64);
  deepEqual(terminal.calls, []);
});

Deno.test("octets of a terminal are keys", () => {
  const keys: readonly (readonly [string, Key])[] = [
    ["\x1b[A", "up"],
    ["\x1bOB", "down"],
    ["k", "up"],
    ["\r", "enter"],
    ["\x1b", "back"],
    ["\x1b[C", "other"],
    ["\x1b[Aq", "up"],
    ["s", "sort"],
    ["\x03", "quit"],
    ["qq", "quit"],
    ["", "other"],
    ["\xff\x00", "other"],
  ];
  for (const [text, key] of keys) {
    equal(keyOf(Uint8Array.from(text, (each) => each.charCodeAt(0))), key, JSON.stringify(text));
  }
  equal(choose(NO_CHOICE, { key: "other", sources: threeSources().sources }), NO_CHOICE);
  deepEqual(choose(NO_CHOICE, { key: "enter", sources: [] }), { ...NO_CHOICE, isOpen: false });
});
