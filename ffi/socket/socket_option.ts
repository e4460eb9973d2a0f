/**
 * Setting options of sockets.
 *
 * Touches the sockets that it is asked about, by setsockopt(2).
 *
 * @module
 */
import { ok, type Result } from "../../src/base/result.ts";
import { ERRNO, failed, type OsError } from "../errno.ts";
import { SO_BINDTODEVICE, SOL_SOCKET } from "../headers/socket.ts";
import { libc } from "../libc.ts";
import { allocate, cString } from "../memory.ts";

const integer = allocate(4);

/** Sets an option whose value is an integer. */
export function setIntegerOption(
  fd: number,
  option: { readonly level: number; readonly name: number; readonly value: number },
): Result<void, OsError> {
  integer.view.setInt32(0, option.value, true);
  if (libc().setsockopt(fd, option.level, option.name, integer.bytes, 4) === 0) {
    return ok(undefined);
  }
  return failed({
    call: "setsockopt",
    what: `set option ${option.name} of level ${option.level} of a socket`,
  });
}

/** Ties a socket to one network interface by its name. */
export function bindToDevice(fd: number, device: string): Result<void, OsError> {
  const name = cString(device);
  const what = `use the network interface ${device}`;
  if (name === undefined) return failed({ call: "setsockopt", what, code: ERRNO.EINVAL });
  if (libc().setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, name.length) === 0) {
    return ok(undefined);
  }
  return failed({
    call: "setsockopt",
    what,
    hint: "Check the name of the interface with `ip link`",
  });
}
