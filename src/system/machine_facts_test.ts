import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { OpenSsl } from "../../ffi/openssl/mod.ts";
import { hasLocalPort, readMachineFacts } from "./machine_facts.ts";

// Libraries are opened at the first use and stay open: no leak of the test that comes first.
OpenSsl.open();

Deno.test("this machine is seen: its processes, interfaces, and what may be done here", () => {
  const facts = readMachineFacts();
  const own = facts.processes.find(({ id }) => id === Deno.pid);
  assert.match(own?.name ?? "", /^\S.{0,14}$/);
  assert.notEqual(facts.isPortTaken, undefined);
  assert.ok(facts.unprivilegedPorts >= 0);
  assert.ok(facts.interfaces.every(({ name }) => name !== "" && name !== "lo"));
  const names = facts.interfaces.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
});

Deno.test("a socket of a port is found in the kernel's table, at its local end alone", () => {
  const line = (local: string, remote: string) =>
    `  sl  local_address rem_address\n  12: ${local} ${remote} 07 00000000:00000000\n`;
  assert.equal(hasLocalPort(line("00000000:007B", "00000000:0000"), 123), true);
  assert.equal(hasLocalPort(line(`${"0".repeat(32)}:007B`, `${"0".repeat(32)}:0000`), 123), true);
  assert.equal(hasLocalPort(line("0100007F:C001", "0100007F:007B"), 123), false);
  assert.equal(hasLocalPort("", 123), false);
});
