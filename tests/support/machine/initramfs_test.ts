import assert from "node:assert/strict";
import { archive, loadOrder } from "./initramfs.ts";

const DEPENDENCIES = [
  "kernel/net/9p/9pnet.ko: kernel/fs/netfs/netfs.ko",
  "kernel/fs/netfs/netfs.ko:",
  "kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko kernel/fs/netfs/netfs.ko",
  "kernel/drivers/char/hw_random/virtio-rng.ko.xz:",
].join("\n");

Deno.test("modules are loaded after what they need, each once, and what the kernel has is left out", () => {
  assert.deepEqual(loadOrder(DEPENDENCIES, ["9p", "9pnet", "virtio_rng", "built_in"]), [
    "kernel/fs/netfs/netfs.ko",
    "kernel/net/9p/9pnet.ko",
    "kernel/fs/9p/9p.ko",
    "kernel/drivers/char/hw_random/virtio-rng.ko.xz",
  ]);
});

Deno.test("an archive has headers of hexadecimal digits and ends with a trailer", () => {
  const octets = new TextEncoder().encode("hello");
  const text = new TextDecoder().decode(archive(["bin"], [{ path: "bin/x", octets }]));
  const entries = text.split("070701").slice(1);
  assert.equal(text.length % 4, 0);
  assert.equal(entries.length, 3);
  const fields = (entry = "") => entry.slice(0, 104).match(/.{8}/g)?.map((n) => parseInt(n, 16));
  assert.deepEqual(fields(entries[0])?.slice(1, 7), [0o040755, 0, 0, 1, 0, 0]);
  assert.deepEqual([fields(entries[1])?.[1], fields(entries[1])?.[6]], [0o100755, 5]);
  assert.match(entries[1] ?? "", /bin\/x\0+hello\0+$/);
  assert.match(entries[2] ?? "", /TRAILER!!!\0+$/);
});
