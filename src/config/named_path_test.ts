import { deepEqual, equal, match } from "node:assert/strict";
import { list } from "./field.ts";
import { type Keys, optional } from "./key.ts";
import { namedPaths } from "./named_path.ts";
import { parseConfig } from "./parse.ts";
import { fileToRead, stateFile } from "./path_field.ts";
import { pathConflicts } from "./path_conflicts.ts";
import { type Section, SECTIONS } from "./schema.ts";

const PATHS = `[[source]]
mode = "server"
address = "a.example"
[[source]]
mode = "nts"
address = "b.example"
certificate-authority = "/authority"
[[nts-ke-server]]
listen = "0.0.0.0:4460"
ntp-server = "c.example"
certificate-chain-path = "/chain"
private-key-path = "/key"
[keyset]
key-storage-path = "/cookie-keys"
[keys]
file = "/keys"
[clock]
drift-file = "/drift"
leap-seconds-file = "/leap"
[nts]
cookie-storage-path = "/cookies"
[observability]
statistics-path = "/statistics"
`;

function pathsOf(text: string, sections?: readonly Section[]) {
  const parsed = parseConfig(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return namedPaths(parsed.value.config, sections);
}

Deno.test("every path of a configuration is named with its key and its use", () => {
  deepEqual(
    pathsOf(PATHS).map(({ key, path, use }) => [key, path, use.kind, use.isSecret]),
    [
      ["source[1].certificate-authority", "/authority", "read", false],
      ["nts-ke-server[0].certificate-chain-path", "/chain", "read", false],
      ["nts-ke-server[0].private-key-path", "/key", "read", true],
      ["keyset.key-storage-path", "/cookie-keys", "state", true],
      ["keys.file", "/keys", "read", true],
      ["clock.drift-file", "/drift", "state", false],
      ["clock.leap-seconds-file", "/leap", "read", false],
      ["nts.cookie-storage-path", "/cookies", "state", true],
      ["observability.statistics-path", "/statistics", "folder", false],
    ],
  );
  deepEqual(pathsOf(""), []);
});

/** Returns the keys of which a path is read without a use that `namedPaths` sees. */
function unseenPaths(keys: Keys, isNested = false): readonly string[] {
  return Object.entries(keys).flatMap(([name, { field }]) => [
    ...(/\bpaths?\b/.test(field.wanted) && (field.path === undefined || isNested) ? [name] : []),
    ...unseenPaths(field.keys ?? {}, true),
  ]);
}

Deno.test("every key that wants a path says what ntpsd does with it", () => {
  for (const { name, keys } of SECTIONS) deepEqual(unseenPaths(keys), [], name);
  const paths = list(stateFile(), "a list of paths");
  deepEqual(unseenPaths({ many: optional(paths, { doc: "Many." }) }), ["many"]);
});

Deno.test("a path of a new key is found by its definition alone", () => {
  const [clock] = SECTIONS.filter(({ name }) => name === "clock");
  equal(clock?.name, "clock");
  const keys: Keys = {
    // The key is new, the value that of another one: only the definition counts.
    "drift-file": optional(stateFile({ isSecret: true, suffixes: [".more"] }), { doc: "New." }),
    "leap-seconds-file": optional(fileToRead(), { doc: "New." }),
  };
  const sections = [{ ...clock, heading: "[clock]", doc: "", identity: undefined, keys }];
  const paths = pathsOf(
    '[clock]\ndrift-file = "/x"\nleap-seconds-file = "/x.more"\nadjust = "auto"\n',
    sections,
  );
  deepEqual(paths.map(({ key, use }) => [key, use.kind]), [
    ["clock.drift-file", "state"],
    ["clock.leap-seconds-file", "read"],
  ]);
  const [conflict] = pathConflicts(paths);
  match(conflict?.message ?? "", /^ntpsd also writes it with "\.more" behind it: /);
});
