/**
 * Kernel timestamps of datagrams (SO_TIMESTAMPING): switching them on, and asking whether an
 * interface timestamps in hardware.
 *
 * The idea: software timestamps of the kernel are taken in real time as the datagram passes the
 * driver, on receipt and on sending, and work everywhere. Transmit timestamps come back through the
 * socket's error queue, numbered by a count of sends.
 *
 * What is decided about hardware timestamps: they are in the time of the interface's own clock
 * (PHC), so one is of use only together with a conversion to real time (see `phc.ts`). A socket
 * delivers them converted, or not at all: an unconverted one never passes for real time, and the
 * software timestamp is always asked for as well.
 *
 * @module
 */
import { ok, type Result } from "../../src/base/result.ts";
import { closeDescriptor } from "../descriptor.ts";
import { ERRNO, failed, type OsError } from "../errno.ts";
import { IFNAMSIZ } from "../headers/names.ts";
import { SO_TIMESTAMPING, SOL_SOCKET } from "../headers/socket.ts";
import {
  ETHTOOL_GET_TS_INFO,
  ETHTOOL_TS_INFO,
  HWTSTAMP_CONFIG,
  HWTSTAMP_FILTER_ALL,
  HWTSTAMP_FILTER_NTP_ALL,
  HWTSTAMP_TX_ON,
  IFREQ,
  SIOCETHTOOL,
  SIOCGHWTSTAMP,
  SOF_TIMESTAMPING_OPT_ID,
  SOF_TIMESTAMPING_OPT_TSONLY,
  SOF_TIMESTAMPING_OPT_TX_SWHW,
  SOF_TIMESTAMPING_RAW_HARDWARE,
  SOF_TIMESTAMPING_RX_HARDWARE,
  SOF_TIMESTAMPING_RX_SOFTWARE,
  SOF_TIMESTAMPING_SOFTWARE,
  SOF_TIMESTAMPING_TX_HARDWARE,
  SOF_TIMESTAMPING_TX_SOFTWARE,
} from "../headers/timestamping.ts";
import { libc } from "../libc.ts";
import { allocate, type Memory } from "../memory.ts";
import { openDatagramSocket } from "./datagram_socket.ts";
import { setIntegerOption } from "./socket_option.ts";

/** Which timestamps to ask for. */
export interface TimestampingChoice {
  /** Timestamps of what is sent, numbered from 0 by send, through the error queue. */
  readonly transmit: boolean;
  /** Hardware timestamps beside the software ones. */
  readonly hardware: boolean;
}

/** What an interface does about hardware timestamps. */
export interface HardwareTimestamping {
  /** Whether it can timestamp what it sends and NTP datagrams that it receives. */
  readonly isCapable: boolean;
  /** The number of its clock: /dev/ptpN; absent when it has none. */
  readonly phcIndex?: number;
  /** Whether it is set to timestamp what it sends. */
  readonly transmitOn: boolean;
  /** Whether it is set to timestamp NTP datagrams that it receives. */
  readonly receiveOn: boolean;
}

const RECEIVES_NTP: readonly number[] = [HWTSTAMP_FILTER_ALL, HWTSTAMP_FILTER_NTP_ALL];

const request = allocate(IFREQ.sizeof);
const information = allocate(ETHTOOL_TS_INFO.sizeof);
const configuration = allocate(HWTSTAMP_CONFIG.sizeof);

/** Asks the kernel for timestamps on a socket. */
export function enableTimestamping(
  fd: number,
  choice: TimestampingChoice,
): Result<void, OsError> {
  return setIntegerOption(fd, {
    level: SOL_SOCKET,
    name: SO_TIMESTAMPING,
    value: timestampingFlags(choice),
  });
}

function timestampingFlags({ transmit, hardware }: TimestampingChoice): number {
  let flags = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE;
  if (transmit) {
    flags |= SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;
  }
  if (hardware) flags |= SOF_TIMESTAMPING_RAW_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE;
  if (hardware && transmit) flags |= SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_OPT_TX_SWHW;
  return flags;
}

/**
 * Keeps the kernel's receive timestamps switched on for the life of the process, by a socket that
 * is never used. The kernel switches them on some milliseconds after the first socket asks, and off
 * again after the last; with a new socket per request the first response would often arrive
 * untimestamped. Returns the descriptor.
 */
export function holdTimestamping(): Result<number, OsError> {
  const socket = openDatagramSocket("ipv4", true);
  if (!socket.ok) return socket;
  const enabled = enableTimestamping(socket.value, { transmit: false, hardware: false });
  if (enabled.ok) return socket;
  closeDescriptor(socket.value);
  return enabled;
}

/**
 * Asks the driver of an interface which clock it has and what it is set to timestamp; changes
 * nothing.
 */
export function readHardwareTimestamping(
  interfaceName: string,
): Result<HardwareTimestamping, OsError> {
  return withInterface(interfaceName, (fd, what) => {
    const { bytes, view } = information;
    bytes.fill(0);
    view.setUint32(ETHTOOL_TS_INFO.cmd, ETHTOOL_GET_TS_INFO, true);
    if (!askInterface(fd, SIOCETHTOOL, information)) return failed({ call: "ioctl", what });
    const phc = view.getInt32(ETHTOOL_TS_INFO.phc_index, true);
    const set = readConfiguration(fd);
    return ok({
      isCapable: phc >= 0 && canTimestamp(information),
      ...(phc < 0 ? {} : { phcIndex: phc }),
      transmitOn: set.transmit === HWTSTAMP_TX_ON,
      receiveOn: RECEIVES_NTP.includes(set.filter),
    });
  });
}

/** Tells whether an interface offers timestamps of both directions. */
function canTimestamp({ view }: Memory): boolean {
  const transmits = view.getUint32(ETHTOOL_TS_INFO.tx_types, true) & (1 << HWTSTAMP_TX_ON);
  const filters = view.getUint32(ETHTOOL_TS_INFO.rx_filters, true);
  return transmits !== 0 && RECEIVES_NTP.some((filter) => (filters & (1 << filter)) !== 0);
}

/**
 * Reads what an interface is set to; as if it were set to nothing where the driver does not say.
 */
function readConfiguration(fd: number): { transmit: number; filter: number } {
  const { bytes, view } = configuration;
  bytes.fill(0);
  if (!askInterface(fd, SIOCGHWTSTAMP, configuration)) return { transmit: 0, filter: 0 };
  return {
    transmit: view.getInt32(HWTSTAMP_CONFIG.tx_type, true),
    filter: view.getInt32(HWTSTAMP_CONFIG.rx_filter, true),
  };
}

/** Makes a request about the interface whose name stands in the request structure. */
function askInterface(fd: number, command: bigint, argument: Memory): boolean {
  request.view.setBigUint64(IFREQ.ifr_data, argument.address, true);
  return libc().ioctl(fd, command, request.bytes) === 0;
}

/** Runs `use` with a socket for interface requests and the name stored in the request structure. */
function withInterface<Value>(
  interfaceName: string,
  use: (fd: number, what: string) => Result<Value, OsError>,
): Result<Value, OsError> {
  const what = `use hardware timestamps of the network interface ${interfaceName}`;
  const name = new TextEncoder().encode(interfaceName);
  if (name.length >= IFNAMSIZ || name.includes(0)) {
    return failed({ call: "ioctl", what, code: ERRNO.EINVAL });
  }
  const socket = openDatagramSocket("ipv4", true);
  if (!socket.ok) return socket;
  request.bytes.fill(0);
  request.bytes.set(name, IFREQ.ifr_name);
  const result = use(socket.value, what);
  closeDescriptor(socket.value);
  return result;
}
