import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { parseConfig } from "../config/parse.ts";
import { neededCapabilities } from "./confinement.ts";

const SOURCE = '[[source]]\nmode = "server"\naddress = "192.0.2.1"\n';
const OBSERVABILITY = "[observability]\nlisten = ";

function needed(text: string, noAdjust = false): readonly string[] {
  const parsed = parseConfig(SOURCE + text);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return neededCapabilities({ config: parsed.value.config, noAdjust });
}

Deno.test("the capability to set the clock is kept by whoever adjusts it", () => {
  assert.deepEqual(needed(""), ["CAP_SYS_TIME"]);
  assert.deepEqual(needed("[clock]\nadjust = true\n"), ["CAP_SYS_TIME"]);
  assert.deepEqual(needed("[clock]\nadjust = false\n"), []);
  assert.deepEqual(needed("", true), []);
  assert.deepEqual(needed("[clock]\nadjust = true\n", true), []);
});

Deno.test("the capability to bind low ports is kept by whoever serves", () => {
  assert.deepEqual(needed('[[server]]\nlisten = "[::]:123"\n', true), ["CAP_NET_BIND_SERVICE"]);
  const exchange = '[[nts-ke-server]]\nlisten = "[::]:4460"\n' +
    'certificate-chain-path = "/c"\nprivate-key-path = "/k"\n';
  assert.deepEqual(needed(exchange, true), ["CAP_NET_BIND_SERVICE"]);
  assert.deepEqual(needed(`${OBSERVABILITY}"127.0.0.1:9975"\n`, true), []);
  assert.deepEqual(needed(`${OBSERVABILITY}"127.0.0.1:1"\n`, true), ["CAP_NET_BIND_SERVICE"]);
  assert.deepEqual(needed('[[server]]\nlisten = "[::]:123"\n'), [
    "CAP_SYS_TIME",
    "CAP_NET_BIND_SERVICE",
  ]);
});
