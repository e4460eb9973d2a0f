/**
 * Every call that ntpsd makes of the system, refused with every error that it can give.
 *
 * The idea: each piece of work runs with its first call refused, then its second, and so on;
 * whatever the error, nothing is thrown, no descriptor is lost, no file is half written, and what
 * the work says of a refusal names the call and the error. Then the loops that the daemon lives by
 * run over refusals and go on.
 *
 * @module
 */
import "../support/libc_opened.ts";
import assert from "node:assert/strict";
import { withRefusals } from "../support/failing_calls.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/places.ts";
import { ClockWatch } from "../../ffi/clock/clock_watch.ts";
import type { OsError } from "../../ffi/errno.ts";
import {
  appendToFile,
  appendToFileInBackground,
  executablePath,
  fileStatus,
  fileStatusInBackground,
  makeDirectory,
  mayWrite,
  readFile,
  readFileInBackground,
  removeFile,
  setFileAside,
  writeFileAtomic,
  writeFileAtomicInBackground,
} from "../../ffi/file/files.ts";
import { interfaceAddresses } from "../../ffi/interfaces.ts";
import { Poller } from "../../ffi/poller.ts";
import { hostName, openFilesLimit } from "../../ffi/process/process.ts";
import { findUser, hasCapability } from "../../ffi/process/privileges.ts";
import { resolveName } from "../../ffi/resolver.ts";
import { routeSource } from "../../ffi/route.ts";
import { notifyService } from "../../ffi/process/sd_notify.ts";
import { ServerSocket } from "../../ffi/socket/server_socket.ts";
import { UdpSocket } from "../../ffi/socket/udp_socket.ts";
import { hasLocalAddress } from "../../ffi/socket/datagram_socket.ts";
import { readHardwareTimestamping } from "../../ffi/socket/timestamping.ts";
import { readKernelClock } from "../../ffi/clock/timex.ts";
import type { Result } from "../../src/base/result.ts";
import { OwnAddresses } from "../../src/daemon/own_addresses.ts";

/** Errors of sockets, files, clocks, memory, limits and filters. */
const ERRORS: Readonly<Record<string, number>> = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  EPIPE: 32,
  ENOSYS: 38,
  ELOOP: 40,
  EMSGSIZE: 90,
  ENOPROTOOPT: 92,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ECONNRESET: 104,
  ENOBUFS: 105,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
  ESTALE: 116,
  EDQUOT: 122,
  ECANCELED: 125,
};

/** So often a call is refused that is refused every time. */
const LASTING = 50;
const LOOPBACK = { family: "ipv4", address: "127.0.0.1", port: 0 } as const;
const OLD = new TextEncoder().encode("old"), NEW = new TextEncoder().encode("the new content");

/**
 * Work that makes calls; what it opens it closes, and its outcome is a `Result` where it can fail.
 */
type Work = (folder: string) => unknown | Promise<unknown>;

function closing<Value extends { close(): void }>(opened: Result<Value, unknown>): unknown {
  if (opened.ok) opened.value.close();
  return opened;
}

const WORK: Readonly<Record<string, Work>> = {
  "reading a file": (folder) => readFile(`${folder}/old`, 100),
  "reading a file in the background": (folder) => readFileInBackground(`${folder}/old`, 100),
  "replacing a file": (folder) => writeFileAtomic(`${folder}/old`, { bytes: NEW }),
  "replacing a file in the background": (folder) =>
    writeFileAtomicInBackground(`${folder}/old`, { bytes: NEW }),
  "adding to a file": (folder) => appendToFile(`${folder}/log`, { bytes: NEW }),
  "adding to a file in the background": (folder) => appendToFileInBackground(`${folder}/log`, NEW),
  "looking at a file": (folder) => fileStatus(`${folder}/old`),
  "looking at a file in the background": (folder) => fileStatusInBackground(`${folder}/old`),
  "making directories": (folder) => makeDirectory(`${folder}/a/b`),
  "removing a file": (folder) => removeFile(`${folder}/spare`),
  "setting a file aside": (folder) => setFileAside(`${folder}/spare`),
  "asking for permission": (folder) => mayWrite(folder),
  "finding the program": () => executablePath(),
  "opening a client's socket": () => closing(UdpSocket.open({ peer: { ...LOOPBACK, port: 9 } })),
  "opening a listener": () => closing(ServerSocket.open({ local: LOOPBACK, freeBind: true })),
  "opening a set of descriptors": () => closing(Poller.open()),
  "watching the clock": () => closing(ClockWatch.open()),
  "reading the kernel's clock": () => readKernelClock(),
  "listing the interfaces": () => interfaceAddresses(),
  "resolving a number": () => resolveName("127.0.0.1", { port: 1 }),
  "resolving a name": () => resolveName("localhost", { port: 1 }),
  "finding the route": () => routeSource("ipv4"),
  "following the addresses": () => new OwnAddresses().read(),
  "looking for an address": () => hasLocalAddress(LOOPBACK),
  "telling the service manager": (folder) => notifyService({ ready: true }, `${folder}/nobody`),
  "asking an interface": () => readHardwareTimestamping("lo"),
  "finding a user": () => findUser("nobody"),
  "asking for a capability": () => hasCapability("CAP_SYS_TIME"),
  "finding the name of the machine": () => hostName(),
  "reading the limit on files": () => openFilesLimit(),
};

for (const [name, work] of Object.entries(WORK)) {
  Deno.test(`${name}: whatever call is refused with whatever error, it is a value`, async () => {
    await using folder = await temporaryFolder();
    let refusals = 0;
    for (const [error, errno] of Object.entries(ERRORS)) {
      for (let place = 0;; place++) {
        await lay(folder);
        const meets = (_: string, index: number) => index === place;
        const { value, refused, left } = await withRefusals(
          { errno, meets },
          () => work(folder.path),
        );
        assert.equal(left, 0, `${error} of ${refused}: a descriptor is lost`);
        if (refused === undefined) break;
        check(value, `${error} of ${refused} (${place})`);
        await checkFiles(folder, `${error} of ${refused} (${place})`);
        refusals++;
      }
    }
    assert.ok(refusals >= Object.keys(ERRORS).length, "the work makes calls that can be refused");
  });

  Deno.test(`${name}: a call that is refused every time is told by its name and error`, async () => {
    await using folder = await temporaryFolder();
    await lay(folder);
    const { calls } = await withRefusals({ errno: 0, meets: () => false }, () => work(folder.path));
    for (const call of new Set(calls)) {
      for (const [error, errno] of Object.entries(ERRORS)) {
        await lay(folder);
        // What is tried again at once, as after an interruption, comes to its end some time.
        let left = LASTING;
        const meets = (made: string) => made === call && left-- > 0;
        const { value, left: open } = await withRefusals({ errno, meets }, () => work(folder.path));
        assert.equal(open, 0, `${error} of ${call}: a descriptor is lost`);
        check(value, `${error} of ${call}`);
        await checkFiles(folder, `${error} of ${call}`);
        if (left > 0 && isRefused(value)) assert.match(told(value), new RegExp(error), call);
      }
    }
  });
}

function isRefused(value: unknown): value is { readonly error: OsError } {
  return typeof value === "object" && value !== null && "ok" in value && value.ok === false;
}

/**
 * The errors that a refusal may name in place of its own: lost on another thread, or translated for
 * whoever reads it.
 */
const TRANSLATED = "EIO EEXIST ENXIO EAI_SYSTEM EMSGSIZE EAFNOSUPPORT";

function told({ error }: { readonly error: OsError }): string {
  return TRANSLATED.includes(error.name) ? Object.keys(ERRORS).join() : error.name;
}

/** A refusal that is told is told in full; no advice is needed, a sentence is. */
function check(value: unknown, what: string): void {
  if (!isRefused(value)) return;
  const { message, name } = value.error;
  assert.match(message, /^Cannot [a-z].*[^.]$|^wanted /, what);
  assert.match(name, /^E[A-Z0-9_]+$/, what);
}

/**
 * What stood in a file is there, whole, or what was to stand in it; nothing lies about beside it.
 */
async function checkFiles({ path }: TemporaryFolder, what: string): Promise<void> {
  const text = await Deno.readTextFile(`${path}/old`);
  assert.ok(text === "old" || text === "the new content", `${what}: ${text}`);
  const log = await Deno.readTextFile(`${path}/log`);
  assert.ok(log === "line\n" || log === "line\nthe new content", `${what}: ${log}`);
}

async function lay({ path }: TemporaryFolder): Promise<void> {
  for (const entry of Deno.readDirSync(path)) {
    await Deno.remove(`${path}/${entry.name}`, { recursive: true });
  }
  await Deno.writeFile(`${path}/old`, OLD);
  await Deno.writeTextFile(`${path}/spare`, "spare");
  await Deno.writeTextFile(`${path}/log`, "line\n");
}
