import assert from "node:assert/strict";
import { FunctionStates } from "./function_states.ts";

function watched(): { readonly states: FunctionStates; readonly lines: string[] } {
  const lines: string[] = [];
  const states = new FunctionStates({
    info: (line) => lines.push(`info ${line}`),
    error: (line) => lines.push(`error ${line}`),
  });
  return { states, lines };
}

const SERVER = { kind: "server", name: "[::]:123" } as const;

Deno.test("each change is logged once, in pairs", () => {
  const { states, lines } = watched();
  for (let i = 0; i < 3; i++) states.down(SERVER, "The port is taken");
  states.down(SERVER, "Permission denied");
  for (let i = 0; i < 3; i++) states.up(SERVER);
  states.down(SERVER, "Permission denied");
  states.up(SERVER);
  assert.deepEqual(lines, [
    "error Server [::]:123: The port is taken",
    "error Server [::]:123: Permission denied",
    "info Server [::]:123 works",
    "error Server [::]:123: Permission denied",
    "info Server [::]:123 works again",
  ]);
});

Deno.test("what is plural has its verb", () => {
  const { states, lines } = watched();
  states.down({ kind: "keyset", name: "/k" }, "No");
  states.up({ kind: "keyset", name: "/k" });
  assert.equal(lines[1], "info Keys for cookies in /k work");
});

Deno.test("what works from the start is not worth a line", () => {
  const { states, lines } = watched();
  states.up(SERVER);
  assert.deepEqual(lines, []);
  assert.deepEqual(states.documents(), [{ ...SERVER, up: true, reason: "" }]);
});

Deno.test("what is not configured any more is forgotten, others of the same name are not", () => {
  const { states } = watched();
  states.down(SERVER, "No");
  states.up({ kind: "nts-ke-server", name: "[::]:123" });
  states.up({ kind: "server", name: "127.0.0.1:123" });
  states.keepOnly("server", ["127.0.0.1:123"]);
  assert.deepEqual(states.documents().map(({ kind, name }) => [kind, name]), [
    ["nts-ke-server", "[::]:123"],
    ["server", "127.0.0.1:123"],
  ]);
});
