import assert from "node:assert/strict";
import { bindHint } from "./bind_hint.ts";

const hint = (port: number, portStart: number, mayBindLow: boolean) =>
  bindHint(port, { portStart, mayBindLow });

Deno.test("the capability is blamed for low ports only, and only where it is missing", () => {
  assert.match(hint(123, 1024, false), /^Ports below 1024 need CAP_NET_BIND_SERVICE/);
  assert.match(hint(123, 1024, false), /so restart it; .*AmbientCapabilities=/);
  assert.match(hint(1500, 2000, false), /^Ports below 2000 need CAP_NET_BIND_SERVICE/);
  for (
    const other of [
      hint(123, 1024, true),
      hint(123, 100, false),
      hint(123, 0, false),
      hint(9975, 1024, false),
      hint(0, 1024, false),
    ]
  ) {
    assert.doesNotMatch(other, /CAP_NET/);
    assert.match(other, /SELinux/);
  }
});
