/**
 * Prints docs/configuration.md from the schema that reads configurations, so that the two cannot differ.
 *
 *     deno task docs            (a test fails while the file is not what this prints)
 *
 * @module
 */
import type { Key, Keys } from "../src/config/field.ts";
import { SCHEMA } from "../src/config/schema.ts";
import { ROOT } from "./build_settings.ts";

/** Where the reference is kept, from the root. */
export const REFERENCE = "docs/configuration.md";

const INTRODUCTION = `# Configuration

<!-- Printed by tools/configuration_reference.ts from src/config/schema.ts; change it there. -->

ntpsd reads \`/etc/ntpsd/ntpsd.toml\`, or the file named after \`-c\`; without either it uses a built-in configuration and says
so. The format is TOML. Durations are seconds (\`0.5\`) or text with units (\`"500ms"\`, \`"90s"\`, \`"4w"\`); prefixes are CIDR
text (\`"192.0.2.0/24"\`, \`"2001:db8::/32"\`). A key that is not listed here is an error.

\`ntpsd check\` tells everything that is wrong with a file at once. A running daemon rereads its file on SIGHUP, keeps what did
not change, and keeps its old configuration when the new one has an error. [dist/client.toml](../dist/client.toml) and
[dist/server.toml](../dist/server.toml) are whole examples.
`;

/** Returns the reference as Markdown. */
export function configurationReference(): string {
  const sections = Object.entries(SCHEMA.keys ?? {}).map(([name, key]) => section(name, key));
  return `${INTRODUCTION}\n${sections.join("\n")}`;
}

function section(name: string, key: Key<unknown>): string {
  const heading = key.field.wanted.includes("sections") ? `[[${name}]]` : `[${name}]`;
  const rows = rowsOf(key.field.keys ?? {}, "");
  return [
    `## \`${heading}\``,
    "",
    key.doc,
    "",
    "| key | value | without it | what it is for |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

/** Returns the rows of a table, those of inline tables after the row of their key. */
function rowsOf(keys: Keys, prefix: string): string[] {
  return Object.entries(keys).flatMap(([name, key]) => {
    const cells = [
      `\`${prefix}${name}\``,
      key.field.keys === undefined ? key.field.wanted : "a table",
      key.required ? "**required**" : key.otherwise,
      key.doc,
    ];
    const row = `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
    return [row, ...rowsOf(key.field.keys ?? {}, `${prefix}${name}.`)];
  });
}

if (import.meta.main) await Deno.writeTextFile(`${ROOT}${REFERENCE}`, configurationReference());
