import { deepEqual, equal, ok } from "node:assert/strict";
import { takenBy } from "./listen.ts";
import { parseConfig } from "./parse.ts";

Deno.test("a server on all addresses takes up a single one of each family that it serves", () => {
  ok(takenBy(["[::]:123"], "127.0.0.1:123"), "of IPv4 too, if no other section has IPv4");
  ok(takenBy(["[::]:123"], "[::1]:123"));
  ok(takenBy(["0.0.0.0:123"], "127.0.0.1:123"));
  ok(takenBy(["127.0.0.1:123"], "127.0.0.1:123"));
  ok(!takenBy(["[::]:123", "192.0.2.1:123"], "127.0.0.1:123"), "[::] is IPv6 alone then");
  ok(!takenBy(["0.0.0.0:123"], "[::1]:123"));
  ok(!takenBy(["[::]:1123"], "127.0.0.1:123"));
});

/** Returns the keys of what is wrong with a configuration. */
function wrongKeys(control: string, servers = ""): readonly string[] {
  const parsed = parseConfig(`${servers}[control]\n${control}\n`);
  return parsed.ok ? [] : parsed.error.map(({ path }) => path);
}

Deno.test("monitoring protocols that cannot be open beside a server or each other are told", () => {
  const at = (listen: string) => `[[server]]\nlisten = "${listen}"\n`;
  deepEqual(wrongKeys('ntpq = "127.0.0.1:323"\nchronyc = "127.0.0.1:323"'), ["control.ntpq"]);
  deepEqual(wrongKeys('ntpq = "0.0.0.0:323"\nchronyc = "127.0.0.1:323"'), ["control.ntpq"]);
  deepEqual(wrongKeys('chronyc = "127.0.0.1:123"', at("[::]:123")), ["control.chronyc"]);
  deepEqual(wrongKeys('chronyc = "0.0.0.0:123"', at("127.0.0.1:123")), ["control.chronyc"]);
  deepEqual(wrongKeys('ntpq = "0.0.0.0:123"', at("127.0.0.1:123")), ["control.ntpq"]);
  for (const listen of ["127.0.0.1:123", "0.0.0.0:123", "[::]:123"]) {
    deepEqual(wrongKeys('ntpq = "127.0.0.1:123"', at(listen)), [], listen);
  }
  equal(wrongKeys('ntpq = "127.0.0.1:123"\nchronyc = "127.0.0.1:323"').length, 0);
});
