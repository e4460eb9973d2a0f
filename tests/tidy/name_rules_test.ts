import assert from "node:assert/strict";
import { FOREIGN_NAMES, missingNames, OLD_WORDS, oldWords } from "./name_rules.ts";
import { factsOf } from "./syntax.ts";

/** Files in which a comment may name `Machine.start`, `TIMEOUT_MAX`, `pollMin` and the texts. */
const CODE = factsOf(
  "src/engine/machine.ts",
  'class Machine { start() {} }\nconst TIMEOUT_MAX = 1;\nconst pollMin = "no-select key_file";\n',
);

function missing(comment: string): string[] {
  const file = factsOf("src/engine/other.ts", `\n// ${comment}\nf();\n`);
  return missingNames([CODE, file]).map(({ line, what }) => `${line} ${what.split(" ")[0]}`);
}

Deno.test("a name in a comment that is nowhere in the code is noticed", () => {
  assert.deepEqual(missing("as `engine` does"), ["2 engine"]);
  assert.deepEqual(missing("as `Machine.stop` does"), ["2 Machine.stop"]);
  assert.deepEqual(missing("as `stop()` does"), ["2 stop"]);
  assert.deepEqual(missing("as OldMachine does"), ["2 OldMachine"]);
  assert.deepEqual(missing("no more than TIMEOUT_MIN"), ["2 TIMEOUT_MIN"]);
  assert.deepEqual(missing("see machinery.ts"), ["2 machinery.ts"]);
  assert.deepEqual(missing("see `src/nts/machine.ts`"), ["2 src/nts/machine.ts"]);
});

Deno.test("names that are there, words and addresses are right", () => {
  const comments = [
    "as `Machine.start` and `Machine.#start()` do in machine.ts, `engine/machine.ts`",
    "no more than TIMEOUT_MAX, pollMin, `key_file`",
    "NTPsec's way, at https://example.net/someName?x=y_z",
    `what ${FOREIGN_NAMES[0]} says`,
    "const struct some_type *some_function(OTHER_TYPE *some_thing, unsigned long b, ...)",
  ];
  for (const comment of comments) assert.deepEqual(missing(comment), [], comment);
});

Deno.test("a prototype goes on in lines that are indented, other comments do not", () => {
  assert.deepEqual(missing("int some_function(OTHER_TYPE *b,\n//   some_type c)"), []);
  assert.deepEqual(missing("int some_function(OTHER_TYPE *b)\n// some_type"), ["3 some_type"]);
});

Deno.test("every old word is noticed, in each way to write an identifier", () => {
  for (const old of Object.keys(OLD_WORDS)) {
    const words = old.split(" ");
    const capital = words.map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`).join("");
    const constant = `THE_${words.join("_").toUpperCase()}`;
    for (const name of [`${capital}Of`, `the${capital}`, `the${capital}Of`, constant]) {
      const [offence] = oldWords(factsOf("src/base/a.ts", `\nconst ${name} = 1;\n`));
      assert.equal(offence?.line, 2, name);
    }
  }
});

Deno.test("longer words and the keys of documents are no old words", () => {
  const sources = [
    "const timestamp = 1; const believed = status.lastReplySecondsAgo; const whyever = 2;",
    "const { why: reason } = status; show({ why: reason, now: status.why });",
    "interface Status { readonly why: string }",
  ];
  for (const source of sources) {
    assert.deepEqual(oldWords(factsOf("src/base/a.ts", source)), [], source);
  }
});

Deno.test("a variable is not called as the key of a document is", () => {
  const sources = ["const why = 1;", "const { why } = status;", "f(status[why]);", "g({ why });"];
  for (const source of sources) {
    assert.equal(oldWords(factsOf("src/base/a.ts", `\n${source}`))[0]?.line, 2, source);
  }
});
