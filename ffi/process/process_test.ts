import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { ipFamily } from "../../src/base/ip_address.ts";
import { readFile } from "../file/files.ts";
import { interfaceAddresses } from "../interfaces.ts";
import { findUser, hasCapability, userName } from "./privileges.ts";
import { environmentVariable, hostName, openFilesLimit, processId, userIds } from "./process.ts";
import { resolveName } from "../resolver.ts";
import { notifyService } from "./sd_notify.ts";

Deno.test("the environment is read by name", () => {
  assert.ok((environmentVariable("PATH") ?? "").includes("/"));
  assert.equal(environmentVariable("NTPSD_NO_SUCH_VARIABLE"), undefined);
});

Deno.test("the process knows itself", () => {
  assert.equal(processId(), Deno.pid);
  const host = hostName();
  assert.ok(host.ok && host.value.length > 0 && !host.value.includes("\0"));
  const ids = userIds();
  assert.ok(ids.uid >= 0 && ids.effectiveUid >= 0);
});

Deno.test("the limit on open files is that of this process", () => {
  const limit = openFilesLimit();
  const limits = readFile("/proc/self/limits", 65_536);
  assert.ok(limit.ok && limits.ok);
  const [, told] = /^Max open files +(\S+)/m.exec(new TextDecoder().decode(limits.value)) ?? [];
  assert.equal(limit.value, told === "unlimited" ? Infinity : Number(told));
});

Deno.test("users are found by name", () => {
  assert.deepEqual(findUser("root"), { ok: true, value: { name: "root", uid: 0, gid: 0 } });
  assert.deepEqual(findUser("ntpsd-no-such-user"), { ok: true, value: undefined });
  assert.equal(userName(0), "root");
  assert.equal(userName(4_000_000_000), "number 4000000000");
  assert.equal(typeof hasCapability("CAP_SYS_TIME"), "boolean");
});

Deno.test("own addresses are listed, with the loopback interface among them", () => {
  const list = interfaceAddresses();
  assert.ok(list.ok);
  const loopback = list.value.find((entry) => entry.address.address === "127.0.0.1");
  assert.deepEqual(loopback, {
    name: "lo",
    address: { family: "ipv4", address: "127.0.0.1", port: 0 },
    up: true,
    loopback: true,
  });
  for (const { name, address } of list.value) {
    assert.equal(ipFamily(address.address), address.family);
    const { scopeId } = address;
    if (scopeId !== undefined) assert.equal(scopeId, interfaceIndex(name));
  }
});

Deno.test("names come from the hosts file, numbers from themselves", async () => {
  const local = await resolveName("localhost", { port: 123, family: "ipv4" });
  assert.deepEqual(local, {
    ok: true,
    value: [{ family: "ipv4", address: "127.0.0.1", port: 123 }],
  });
  const numeric = await resolveName("2001:db8:0::1", { port: 4460 });
  assert.deepEqual(numeric, {
    ok: true,
    value: [{ family: "ipv6", address: "2001:db8::1", port: 4460 }],
  });
  const scoped = await resolveName("fe80::1%lo", { port: 1 });
  assert.ok(scoped.ok);
  assert.equal(scoped.value[0]?.scopeId, interfaceIndex("lo"));
});

Deno.test("a name without addresses says why", async () => {
  const wrong = await resolveName("192.0.2.1", { port: 1, family: "ipv6" });
  assert.ok(!wrong.ok);
  assert.equal(wrong.error.temporary, false);
  const missing = await resolveName("no-such-host.invalid", { port: 1 });
  assert.ok(!missing.ok);
  assert.match(missing.error.message, /^Cannot resolve no-such-host.invalid: .* \(EAI_[A-Z]+\)$/);
  const zero = await resolveName("a\0b", { port: 1 });
  assert.ok(!zero.ok && zero.error.name === "EAI_NONAME");
});

// What only this test calls: a service manager's end of the socket.
const manager = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
}).symbols;

Deno.test("the service manager is told in its own words", () => {
  const name = `@ntpsd-notify-${processId()}-${crypto.randomUUID()}`;
  const address = new TextEncoder().encode(`\x01\0${name}`);
  address[2] = 0;
  const fd = manager.socket(1, 2, 0);
  assert.equal(manager.bind(fd, address, address.length), 0);
  const next = () => {
    const buffer = new Uint8Array(512);
    const length = manager.recv(fd, buffer, 512n, 0x40);
    return length < 0 ? undefined : new TextDecoder().decode(buffer.subarray(0, length));
  };
  assert.deepEqual(notifyService({ ready: true, status: "On time\nreally" }, name), {
    ok: true,
    value: true,
  });
  assert.equal(next(), "READY=1\nSTATUS=On time really");
  notifyService({ reloadingAtMicroseconds: 123n }, name);
  assert.equal(next(), "RELOADING=1\nMONOTONIC_USEC=123");
  notifyService({ stopping: true }, name);
  assert.equal(next(), "STOPPING=1");
  manager.close(fd);
  const nobody = notifyService({ ready: true }, name);
  assert.ok(!nobody.ok && nobody.error.name === "ECONNREFUSED");
  assert.deepEqual(notifyService({ ready: true }, ""), { ok: true, value: false });
  const relative = notifyService({ ready: true }, "relative/path");
  assert.ok(!relative.ok && relative.error.name === "EINVAL");
});

/** Reads the number of an interface where the kernel shows it. */
function interfaceIndex(name: string): number {
  const text = readFile(`/sys/class/net/${name}/ifindex`, 64);
  return text.ok ? Number(new TextDecoder().decode(text.value)) : NaN;
}
