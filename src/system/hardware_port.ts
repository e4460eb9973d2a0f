/**
 * Network interfaces and their clocks as the system has them, for `HardwareTimestamps`.
 *
 * @module
 */
import { equalSocketAddress, type SocketAddress } from "../base/socket_address.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { OsError } from "../../ffi/errno.ts";
import { interfaceAddresses } from "../../ffi/interfaces.ts";
import { PhcClock } from "../../ffi/socket/phc.ts";
import { UdpSocket } from "../../ffi/socket/udp_socket.ts";
import { readHardwareTimestamping } from "../../ffi/socket/timestamping.ts";
import type { HardwarePort, InterfaceClock } from "./hardware_timestamps.ts";

/** The hardware of this machine. */
export const systemHardware: HardwarePort = {
  interfaceTowards(server) {
    const local = localAddressTowards(server);
    const addresses = interfaceAddresses();
    if (local === undefined || !addresses.ok) return undefined;
    const found = addresses.value.find(({ address }) =>
      equalSocketAddress({ ...address, port: 0 }, { ...local, port: 0 })
    );
    // A loopback interface has no clock, so that its driver need not be asked.
    return found === undefined || found.loopback ? undefined : found.name;
  },
  timestampingOf: (name) => sentence(readHardwareTimestamping(name)),
  openClock(index) {
    const opened = PhcClock.open(index);
    return opened.ok ? ok(interfaceClock(opened.value)) : sentence(opened);
  },
};

/** Finds the local address that the kernel would choose; nothing is sent. */
function localAddressTowards(server: SocketAddress): SocketAddress | undefined {
  const opened = UdpSocket.open({ peer: server, kernelTimestamps: false });
  if (!opened.ok) return undefined;
  const local = opened.value.localAddress();
  opened.value.close();
  return local.ok ? local.value : undefined;
}

function interfaceClock(clock: PhcClock): InterfaceClock {
  return {
    toRealtime: (hardwareNanoseconds) => clock.toRealtime(hardwareNanoseconds),
    isAlive: () => clock.read().ok,
    reset: () => clock.reset(),
    close: () => clock.close(),
  };
}

function sentence<Value>(result: Result<Value, OsError>): Result<Value, string> {
  if (result.ok) return result;
  const { message, hint } = result.error;
  return err(hint === undefined ? message : `${message}; ${hint}`);
}
