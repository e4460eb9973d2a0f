import { deepEqual, equal, match, ok } from "node:assert/strict";
import { ConfigPath, Diagnostics } from "./config_path.ts";
import { boolean, duration, integer } from "./field.ts";
import { foreignLineHint } from "./foreign_keys.ts";
import { complete, completeIfWhole, type Keys, optional, required } from "./key.ts";
import { configurationReference, sectionReference } from "./reference.ts";
import { SECTIONS } from "./schema.ts";
import { section, table } from "./table_field.ts";

/** All that there is to write for new keys. */
const NEW_KEYS = {
  "patience-ms": optional(integer(1, 5000), {
    default: 500,
    build: (milliseconds) => milliseconds / 1000,
    doc: "How long it waits.",
  }),
  "is-new": optional(boolean, { default: true, reload: "restart", doc: "Whether it is new." }),
  "give-up-after": optional(duration(1), { doc: "When it gives up." }),
};

Deno.test("a key that is written once is read, built with its default, and documented", () => {
  const diagnostics = new Diagnostics();
  const row = table(NEW_KEYS).read({ "give-up-after": "1h" }, new ConfigPath(diagnostics));
  deepEqual(diagnostics.errors, []);
  const built: { patience: number; isNew: boolean; giveUpAfter: number | undefined } = complete(
    NEW_KEYS,
    row,
  );
  deepEqual(built, { patience: 0.5, isNew: true, giveUpAfter: 3600 });
  const section = { name: "new", heading: "[new]", doc: "New.", keys: NEW_KEYS };
  equal(
    sectionReference({ ...section, identity: undefined }),
    [
      "## `[new]`",
      "",
      "New.",
      "",
      "- `patience-ms`: an integer from 1 to 5000; default: 500. How long it waits.",
      "- `is-new`: true or false; default: true. Whether it is new.",
      "- `give-up-after`: a duration of at least 1 second; default: none. When it gives up.",
      "",
    ].join("\n"),
  );
});

Deno.test("a table that lacks a key it must have is not built", () => {
  const keys = {
    here: required(boolean, { doc: "It." }),
    "so-far": optional(boolean, { doc: "" }),
  };
  equal(completeIfWhole(keys, { here: undefined, "so-far": true }), undefined);
  deepEqual(completeIfWhole(keys, { here: false, "so-far": undefined }), {
    here: false,
    soFar: undefined,
  });
});

Deno.test("a key of a section that forgets the effect of a reload does not compile", () => {
  const keys = {
    told: optional(boolean, { reload: "restart", doc: "Told." }),
    forgotten: optional(boolean, { doc: "Forgotten." }),
  };
  // @ts-expect-error: the second key has no reload
  const made = section(keys, "A section.");
  equal(made.field.keys?.["forgotten"]?.reload, undefined);
  equal(section({ told: keys.told }, "A section.").field.keys?.["told"]?.reload, "restart");
});

Deno.test("every key has a sentence, and every default is one that may be written", () => {
  const visit = (keys: Keys, path: string): void => {
    for (const [name, { doc, field, otherwise }] of Object.entries(keys)) {
      match(doc, /[.)]$/, `${path}.${name}`);
      // Numbers, words and lists are shown as they are written; anything else is a sentence.
      const shown = /^(true|false|-?[0-9]+|"[^"]*"|\[.*\])$/.exec(otherwise)?.[0];
      if (shown !== undefined) {
        const diagnostics = new Diagnostics();
        field.read(JSON.parse(shown), new ConfigPath(diagnostics));
        deepEqual(diagnostics.errors, [], `${path}.${name} = ${shown}`);
      }
      visit(field.keys ?? {}, `${path}.${name}`);
    }
  };
  for (const { name, keys } of SECTIONS) visit(keys, name);
});

Deno.test("a word of another program beside a key is answered with the key", () => {
  equal(foreignLineHint("driftfile /var/lib/x"), "use drift-file in [clock]");
  equal(foreignLineHint("ntsntpserver a.example"), "use ntp-server in [[nts-ke-server]]");
  const keysByWord = new Map<string, string>();
  for (const [name, { foreign }] of SECTIONS.flatMap(({ keys }) => Object.entries(keys))) {
    const words = typeof foreign === "string" ? foreign : Object.keys(foreign).join(" ");
    for (const word of words.split(" ").filter((word) => word !== "")) {
      equal(keysByWord.get(word) ?? name, name, `${word} means one key`);
      keysByWord.set(word, name);
    }
  }
});

Deno.test("the reference has every key of every section", () => {
  const reference = configurationReference();
  for (const { heading, keys } of SECTIONS) {
    ok(reference.includes(`## \`${heading}\``));
    for (const name of Object.keys(keys)) ok(reference.includes(`- \`${name}\`: `), name);
  }
});
