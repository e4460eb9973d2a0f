import { deepEqual, ok } from "node:assert/strict";
import type { Keys } from "../../config/key.ts";
import { parseScenario } from "./parse.ts";
import { SCENARIO_SCHEMA } from "./schema.ts";

/** Writes each default of a table as the manual shows it, one key a line. */
function defaultLines(keys: Keys): readonly string[] {
  return Object.entries(keys).flatMap(([name, { required, otherwise }]) => {
    if (required) return [];
    const isPlain = /^(true|false|-?[0-9.]+|"[^"]*"|[0-9-]{10}T[0-9:]{8}Z)$/.test(otherwise);
    const isDuration = /^[0-9.]+(us|ms|s|min|h|d|w)$/.test(otherwise);
    if (isDuration) return [`${name} = "${otherwise}"`];
    // Anything else is a sentence, or none.
    return isPlain ? [`${name} = ${otherwise}`] : [];
  });
}

function tableKeys(name: string): Keys {
  return SCENARIO_SCHEMA.keys?.[name]?.field.keys ?? {};
}

/** Returns a value with numbers as exact as ten digits, since a unit is multiplied with. */
function rounded(value: unknown): unknown {
  if (typeof value === "number") return Number(value.toPrecision(10));
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, rounded(part)]));
}

Deno.test("a scenario in which every default is written is the one in which none is", () => {
  const top = 'name = "x"\nduration = "1h"\n', server = '[[server]]\nname = "a"\n';
  const lines = [
    ...defaultLines(SCENARIO_SCHEMA.keys ?? {}),
    ...["clock", "server-defaults", "limits"].flatMap((name) => [
      `[${name}]`,
      ...defaultLines(tableKeys(name)),
    ]),
  ];
  ok(lines.length > 30, `${lines.length} lines`);
  const written = parseScenario(`${top}${lines.join("\n")}\n${server}`);
  const plain = parseScenario(top + server);
  ok(written.ok, written.ok ? "" : JSON.stringify(written.error));
  deepEqual(rounded(written), rounded(plain));
});
