/**
 * Telling the service manager how we are: the datagram protocol of sd_notify(3).
 *
 * The idea: one datagram of `NAME=value` lines to the socket that NOTIFY_SOCKET names. Limits:
 * without that variable there is nothing to tell, which is no error.
 *
 * @module
 */
import { ok, type Result } from "../../src/base/result.ts";
import { ERRNO, failed, type OsError } from "../errno.ts";
import {
  AF_UNIX,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCKADDR_UN,
} from "../headers/socket.ts";
import { libc } from "../libc.ts";
import { environmentVariable, processId } from "./process.ts";
import { closeDescriptor } from "../descriptor.ts";

/** What can be told, in the words of sd_notify(3). */
export interface ServiceNotice {
  /** The start is over and the service does its work. */
  readonly ready?: true;
  /** The configuration is being read again; takes the monotonic clock in microseconds along. */
  readonly reloadingAtMicroseconds?: bigint;
  /** The start, or the end, takes longer than usual: so much more time is asked for from now on. */
  readonly extendTimeoutMicroseconds?: number;
  /** The service is alive; to be told often enough where the service manager watches over it. */
  readonly watchdog?: true;
  /** The service begins to end. */
  readonly stopping?: true;
  /** One line for people. */
  readonly status?: string;
}

/** Without the octet that closes it. */
const PATH_LENGTH_MAX = SOCKADDR_UN.sizeof - SOCKADDR_UN.sun_path - 1;

/** Whether there is a service manager to tell. */
export function hasServiceManager(): boolean {
  return (environmentVariable("NOTIFY_SOCKET") ?? "") !== "";
}

/** Whether the service manager ends this process if it does not tell often that it is alive. */
export function isWatchedOver(): boolean {
  const pid = environmentVariable("WATCHDOG_PID");
  const isForThisProcess = pid === undefined || pid === String(processId());
  return isForThisProcess && Number(environmentVariable("WATCHDOG_USEC") ?? 0) > 0;
}

/** Tells the service manager; false when there is none. */
export function notifyService(
  notice: ServiceNotice,
  socketPath: string | undefined = environmentVariable("NOTIFY_SOCKET"),
): Result<boolean, OsError> {
  if (socketPath === undefined || socketPath === "") return ok(false);
  const what = "tell the service manager";
  const address = unixAddress(socketPath);
  if (address === undefined) return failed({ call: "sendto", what, code: ERRNO.EINVAL });
  const fd = libc().socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed({ call: "socket", what });
  const text = new TextEncoder().encode(noticeLines(notice));
  const flags = MSG_NOSIGNAL | MSG_DONTWAIT;
  const sent = libc().sendto(fd, text, BigInt(text.length), flags, address, address.length);
  const result: Result<boolean, OsError> = sent < 0 ? failed({ call: "sendto", what }) : ok(true);
  closeDescriptor(fd);
  return result;
}

function noticeLines(notice: ServiceNotice): string {
  const lines: string[] = [];
  if (notice.ready) lines.push("READY=1");
  if (notice.reloadingAtMicroseconds !== undefined) {
    lines.push("RELOADING=1", `MONOTONIC_USEC=${notice.reloadingAtMicroseconds}`);
  }
  if (notice.extendTimeoutMicroseconds !== undefined) {
    lines.push(`EXTEND_TIMEOUT_USEC=${notice.extendTimeoutMicroseconds}`);
  }
  if (notice.watchdog) lines.push("WATCHDOG=1");
  if (notice.stopping) lines.push("STOPPING=1");
  if (notice.status !== undefined) lines.push(`STATUS=${notice.status.replaceAll("\n", " ")}`);
  return lines.join("\n");
}

/**
 * Makes a `sockaddr_un`: an absolute path with a closing zero, or after `@` an abstract name with a
 * zero in front.
 */
function unixAddress(path: string): Uint8Array<ArrayBuffer> | undefined {
  const name = new TextEncoder().encode(path);
  const isAbstract = path.startsWith("@");
  if (name.length > PATH_LENGTH_MAX || name.includes(0)) return undefined;
  if (!isAbstract && !path.startsWith("/")) return undefined;
  const address = new Uint8Array(SOCKADDR_UN.sun_path + name.length + (isAbstract ? 0 : 1));
  address[SOCKADDR_UN.sun_family] = AF_UNIX;
  address.set(name, SOCKADDR_UN.sun_path);
  if (isAbstract) address[SOCKADDR_UN.sun_path] = 0;
  return address;
}
