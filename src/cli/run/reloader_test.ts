import { deepEqual, equal, ok as assertOk } from "node:assert/strict";
import { reloader } from "./reloader.ts";
import { filesBeside } from "../../../tests/support/files_beside.ts";

const USUAL = "/etc/ntpsd/ntpsd.toml";
const GOOD = '[[source]]\nmode = "server"\naddress = "a.example"\n';

function lines(result: ReturnType<ReturnType<typeof reloader>>): readonly string[] {
  return result.ok ? [] : result.error;
}

Deno.test("a file that vanishes, is emptied or is cut off changes nothing, and a good one does", () => {
  const content: Record<string, string | undefined> = { [USUAL]: GOOD };
  const reload = reloader({ named: undefined, inForce: USUAL }, filesBeside(content));
  assertOk(reload().ok);
  content[USUAL] = undefined;
  deepEqual(lines(reload()), [
    `${USUAL}: The file is gone (restart ntpsd to use the built-in configuration)`,
  ]);
  for (const empty of ["", "\n\n", "# only a remark\n", "\ufeff", " \t\r\n"]) {
    content[USUAL] = empty;
    deepEqual(lines(reload()), [
      `${USUAL}: There is nothing in the file (restart ntpsd if that is meant)`,
    ]);
  }
  content[USUAL] = GOOD.slice(0, 20);
  equal(lines(reload()).length, 1);
  content[USUAL] = GOOD;
  assertOk(reload().ok);
});

Deno.test("a named file that is gone is an error, and a file that appears is taken", () => {
  const content: Record<string, string | undefined> = {};
  deepEqual(lines(reloader({ named: "/c", inForce: "/c" }, filesBeside(content))()), [
    "Cannot read /c: no such file",
  ]);
  const reload = reloader({ named: undefined, inForce: undefined }, filesBeside(content));
  const builtin = reload();
  assertOk(builtin.ok && builtin.value.file === undefined);
  content[USUAL] = GOOD;
  const taken = reload();
  assertOk(taken.ok && taken.value.file === USUAL);
  content[USUAL] = undefined;
  equal(lines(reload()).length, 1);
});

Deno.test("a file of keys that is gone or lacks a key that is needed is an error", () => {
  const content: Record<string, string | undefined> = {
    "/c": `${GOOD}key = 3\n[keys]\nfile = "/k"\n`,
    "/k": "3 MD5 abc\n",
  };
  const reload = reloader({ named: "/c", inForce: "/c" }, filesBeside(content));
  assertOk(reload().ok);
  content["/k"] = undefined;
  deepEqual(lines(reload()), ["/c:6: keys.file: Cannot read /k: no such file"]);
  content["/k"] = "4 MD5 abc\n";
  deepEqual(lines(reload()), [
    "/c:4: source[0].key: Source a.example wants key 3, which is not in /k",
  ]);
});
