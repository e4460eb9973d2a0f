/**
 * Runs the unit tests of what reaches the system in one isolate, since loading modules is what
 * takes an emulated processor most of the time. `aarch64_test.ts` starts it.
 *
 * @module
 */

/** Files whose tests reach the system, and may do so otherwise on each processor. */
const FILES = [
  "clock/clock",
  "clock/timex",
  "file/files",
  "openssl/mod",
  "poller",
  "process/process",
  "socket/server_socket",
  "socket/sockaddr",
  "socket/udp_socket",
];

/** Tests among them that need what QEMU does not know, or take long and touch nothing. */
const BEYOND_QEMU: readonly (readonly [names: RegExp, need: string])[] = [
  [/^a batch carries|carry kernel timestamps|are timestamped, numbered/, "SO_TIMESTAMPING"],
  [/^a send that fails does not shift/, "SO_TIMESTAMPING"],
  [/behind a refused answer|^one refused answer/, "control data that the kernel refuses"],
  [/^what is dropped for want of room/, "SO_RXQ_OVFL"],
  [/^what cannot be opened says why/, "SO_BINDTODEVICE"],
  [/^control data of any octets/, "a quick processor"],
];

const test = Deno.test as (definition: Deno.TestDefinition) => void;
const chosen = (name: string, fn: () => void | Promise<void>) => {
  const need = BEYOND_QEMU.find(([names]) => names.test(name))?.[1];
  test(need === undefined ? { name, fn } : { name: `${name} [${need}]`, fn, ignore: true });
};
Object.assign(Deno, { test: chosen });
for (const file of FILES) await import(`../../ffi/${file}_test.ts`);
