import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import fc from "../../tests/support/properties.ts";
import type { Option } from "./command.ts";
import { tokensOf } from "./tokens.ts";

const KNOWN: Readonly<Record<string, Option>> = {
  config: { type: "string", short: "c", doc: "" },
  limit: { type: "string", doc: "" },
  json: { type: "boolean", doc: "" },
  quiet: { type: "boolean", short: "q", doc: "" },
};

/** The same by the library of Node. */
function reference(words: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(KNOWN).map(([name, { type, short }]) => [name, {
      type,
      ...(short === undefined ? {} : { short }),
    }]),
  );
  const args = [...words];
  const { tokens } = parseArgs({
    args,
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return tokens.filter(({ kind }) => kind !== "option-terminator").map((token) => {
    if (token.kind === "positional") return { kind: "operand", value: token.value };
    if (token.kind !== "option") return token;
    const { kind, name, rawName, value } = token;
    return { kind, name, rawName, value };
  });
}

Deno.test("letters, long names, values and operands are split", () => {
  assert.deepEqual(tokensOf(["a", "-qcb", "--json", "--limit=3=4", "--", "-q"], KNOWN), [
    { kind: "operand", value: "a" },
    { kind: "option", name: "quiet", rawName: "-q", value: undefined },
    { kind: "option", name: "config", rawName: "-c", value: "b" },
    { kind: "option", name: "json", rawName: "--json", value: undefined },
    { kind: "option", name: "limit", rawName: "--limit", value: "3=4" },
    { kind: "operand", value: "-q" },
  ]);
  assert.deepEqual(tokensOf(["-c"], KNOWN), [
    { kind: "option", name: "config", rawName: "-c", value: undefined },
  ]);
});

Deno.test("words are split as by Node", () => {
  const pieces = ["-", "--", "c", "q", "x", "config", "limit", "json", "=", "v", ""];
  // a dash among letters ends the options there, and a name that begins with "=" is empty
  const isAlike = (word: string) => !/^-[^-].*-|^--=/.test(word);
  const word = fc.array(fc.constantFrom(...pieces), { maxLength: 4 })
    .map((parts) => parts.join("")).filter(isAlike);
  fc.assert(fc.property(fc.array(word, { maxLength: 6 }), (words) => {
    assert.deepEqual(tokensOf(words, KNOWN), reference(words));
  }));
});
