/**
 * Kernel timestamps of datagrams (SO_TIMESTAMPING): switching them on, and asking whether an interface timestamps in hardware.
 *
 * The idea: software timestamps of the kernel are taken in real time as the datagram passes the driver, on receipt and on
 * sending, and work everywhere. Transmit timestamps come back through the socket's error queue, numbered by a count of sends.
 *
 * What is decided about hardware timestamps: they are in the time of the interface's own clock (PHC), so one is of use only
 * together with a conversion to real time (see `phc.ts`). A socket delivers them converted, or not at all: an unconverted
 * one never passes for real time, and the software timestamp is always asked for as well.
 *
 * @module
 */
import { ok, type Result } from "../../src/base/result.ts";
import { ERRNO, failed, type OsError } from "../errno.ts";
import { libc } from "../libc.ts";
import { allocate } from "../memory.ts";
import {
  closeDescriptor,
  LEVEL,
  openDatagramSocket,
  setIntegerOption,
  SOCKET_OPTION,
} from "./socket_option.ts";

/** Bits of the SO_TIMESTAMPING option. */
export const TIMESTAMPING = {
  transmitHardware: 0x1,
  transmitSoftware: 0x2,
  receiveHardware: 0x4,
  receiveSoftware: 0x8,
  software: 0x10,
  rawHardware: 0x40,
  optionId: 0x80,
  optionTimestampOnly: 0x800,
  optionTransmitBoth: 0x4000,
} as const;

/** Which timestamps to ask for. */
export interface TimestampingChoice {
  /** Timestamps of what is sent, numbered from 0 by send, through the error queue. */
  readonly transmit: boolean;
  /** Hardware timestamps beside the software ones. */
  readonly hardware: boolean;
}

/** What an interface can do, and does, about hardware timestamps. */
export interface HardwareTimestamping {
  /** The number of its clock: /dev/ptpN; absent when it has none. */
  readonly phcIndex?: number;
  /** Whether it can timestamp what it sends. */
  readonly canTransmit: boolean;
  /** Whether it can timestamp every datagram, or every NTP datagram, that it receives. */
  readonly canReceiveNtp: boolean;
  /** Whether it is set to timestamp what it sends. */
  readonly transmitOn: boolean;
  /** Whether it is set to timestamp NTP datagrams that it receives. */
  readonly receiveOn: boolean;
}

const SIOCETHTOOL = 0x8946n;
const SIOCSHWTSTAMP = 0x89b0n;
const SIOCGHWTSTAMP = 0x89b1n;
const ETHTOOL_GET_TS_INFO = 0x41;
const TRANSMIT_ON = 1;
const FILTER_ALL = 1;
const FILTER_NTP_ALL = 15;
const INTERFACE_NAME_MAX = 15;

const request = allocate(40);
const information = allocate(44);
const configuration = allocate(12);

/** Asks the kernel for timestamps on a socket. */
export function enableTimestamping(
  fd: number,
  choice: TimestampingChoice,
): Result<void, OsError> {
  return setIntegerOption(fd, {
    level: LEVEL.socket,
    name: SOCKET_OPTION.timestamping,
    value: timestampingFlags(choice),
  });
}

/** Returns the bits of SO_TIMESTAMPING for a choice. */
export function timestampingFlags(choice: TimestampingChoice): number {
  const t = TIMESTAMPING;
  let flags = t.software | t.receiveSoftware;
  if (choice.transmit) flags |= t.transmitSoftware | t.optionId | t.optionTimestampOnly;
  if (choice.hardware) flags |= t.rawHardware | t.receiveHardware;
  if (choice.hardware && choice.transmit) flags |= t.transmitHardware | t.optionTransmitBoth;
  return flags;
}

/**
 * Keeps the kernel's receive timestamps switched on for the life of the process, by a socket that is never used. The kernel
 * switches them on some milliseconds after the first socket asks, and off again after the last; with a new socket per
 * request the first answer would often arrive untimestamped. Returns the descriptor.
 */
export function holdTimestamping(): Result<number, OsError> {
  const socket = openDatagramSocket("ipv4", true);
  if (!socket.ok) return socket;
  const enabled = enableTimestamping(socket.value, { transmit: false, hardware: false });
  if (enabled.ok) return socket;
  closeDescriptor(socket.value);
  return enabled;
}

/** Asks the driver of an interface what it can do and is set to do about hardware timestamps; changes nothing. */
export function readHardwareTimestamping(
  interfaceName: string,
): Result<HardwareTimestamping, OsError> {
  return withInterface(interfaceName, (fd, what) => {
    information.bytes.fill(0);
    information.view.setUint32(0, ETHTOOL_GET_TS_INFO, true);
    request.view.setBigUint64(16, information.address, true);
    if (libc().ioctl(fd, SIOCETHTOOL, request.bytes) !== 0) return failed({ call: "ioctl", what });
    const phc = information.view.getInt32(8, true);
    const flags = information.view.getUint32(4, true);
    const filters = information.view.getUint32(28, true);
    const set = readConfiguration(fd);
    return ok({
      ...(phc < 0 ? {} : { phcIndex: phc }),
      canTransmit: (flags & TIMESTAMPING.transmitHardware) !== 0 &&
        (information.view.getUint32(12, true) & (1 << TRANSMIT_ON)) !== 0,
      canReceiveNtp: (flags & TIMESTAMPING.receiveHardware) !== 0 &&
        (filters & ((1 << FILTER_ALL) | (1 << FILTER_NTP_ALL))) !== 0,
      transmitOn: set.transmit === TRANSMIT_ON,
      receiveOn: set.filter === FILTER_ALL || set.filter === FILTER_NTP_ALL,
    });
  });
}

/** Sets an interface to timestamp what it sends and every NTP datagram it receives; needs CAP_NET_ADMIN. */
export function enableHardwareTimestamping(interfaceName: string): Result<void, OsError> {
  return withInterface(interfaceName, (fd, what) => {
    let code = 0;
    for (const filter of [FILTER_NTP_ALL, FILTER_ALL]) {
      configuration.bytes.fill(0);
      configuration.view.setInt32(4, TRANSMIT_ON, true);
      configuration.view.setInt32(8, filter, true);
      request.view.setBigUint64(16, configuration.address, true);
      if (libc().ioctl(fd, SIOCSHWTSTAMP, request.bytes) === 0) return ok(undefined);
      const failure = failed({ call: "ioctl", what });
      code = failure.error.code;
      if (code === ERRNO.EPERM) break;
    }
    return failed({ call: "ioctl", what, code, hint: "It needs CAP_NET_ADMIN and driver support" });
  });
}

function readConfiguration(fd: number): { transmit: number; filter: number } {
  configuration.bytes.fill(0);
  request.view.setBigUint64(16, configuration.address, true);
  if (libc().ioctl(fd, SIOCGHWTSTAMP, request.bytes) !== 0) return { transmit: 0, filter: 0 };
  return {
    transmit: configuration.view.getInt32(4, true),
    filter: configuration.view.getInt32(8, true),
  };
}

/** Runs `use` with a socket for interface requests and the name stored in the request structure. */
function withInterface<Value>(
  interfaceName: string,
  use: (fd: number, what: string) => Result<Value, OsError>,
): Result<Value, OsError> {
  const what = `use hardware timestamps of the network interface ${interfaceName}`;
  const name = new TextEncoder().encode(interfaceName);
  if (name.length > INTERFACE_NAME_MAX || name.includes(0)) {
    return failed({ call: "ioctl", what, code: ERRNO.EINVAL });
  }
  const socket = openDatagramSocket("ipv4", true);
  if (!socket.ok) return socket;
  request.bytes.fill(0);
  request.bytes.set(name);
  const result = use(socket.value, what);
  closeDescriptor(socket.value);
  return result;
}
