/**
 * Structures and constants of the headers about timestamps of datagrams, the error queue, and the
 * clocks of interfaces.
 *
 * The constants come from <linux/errqueue.h>, <linux/ethtool.h>, <linux/net_tstamp.h>,
 * <linux/ptp_clock.h>, <linux/sockios.h>.
 *
 * @module
 */
import type { StructLayout } from "./struct_layout.ts";

/**
 * Control data of type `SO_TIMESTAMPING`: three times, of which the first is software's and the
 * last hardware's.
 */
export const SCM_TIMESTAMPING = {
  type: "struct scm_timestamping",
  header: "linux/errqueue.h",
  sizeof: 48,
  "ts[0]": 0,
  "ts[2]": 32,
} as const satisfies StructLayout;

/**
 * Control data of type `IP_RECVERR` or `IPV6_RECVERR`; for an ICMP error the address of who reports
 * it follows.
 */
export const SOCK_EXTENDED_ERR = {
  type: "struct sock_extended_err",
  header: "linux/errqueue.h",
  sizeof: 16,
  ee_errno: 0,
  ee_origin: 4,
  ee_info: 8,
  ee_data: 12,
} as const satisfies StructLayout;

/** A request about an interface. */
export const IFREQ = {
  type: "struct ifreq",
  header: "net/if.h",
  sizeof: 40,
  ifr_name: 0,
  ifr_data: 16,
} as const satisfies StructLayout;

/** What an interface can do about timestamps. */
export const ETHTOOL_TS_INFO = {
  type: "struct ethtool_ts_info",
  header: "linux/ethtool.h",
  sizeof: 44,
  cmd: 0,
  so_timestamping: 4,
  phc_index: 8,
  tx_types: 12,
  rx_filters: 28,
} as const satisfies StructLayout;

/** What an interface is set to do about timestamps. */
export const HWTSTAMP_CONFIG = {
  type: "struct hwtstamp_config",
  header: "linux/net_tstamp.h",
  sizeof: 12,
  flags: 0,
  tx_type: 4,
  rx_filter: 8,
} as const satisfies StructLayout;

/** A time of an interface's clock, or of the system's beside it. */
export const PTP_CLOCK_TIME = {
  type: "struct ptp_clock_time",
  header: "linux/ptp_clock.h",
  sizeof: 16,
  sec: 0,
  nsec: 8,
} as const satisfies StructLayout;

/** Readings in turn: the system's clock, the interface's, ..., the system's. */
export const PTP_SYS_OFFSET_ARGUMENT = {
  type: "struct ptp_sys_offset",
  header: "linux/ptp_clock.h",
  sizeof: 832,
  n_samples: 0,
  ts: 16,
} as const satisfies StructLayout;

/** Readings by threes: the system's clock before, the interface's, the system's after. */
export const PTP_SYS_OFFSET_EXTENDED_ARGUMENT = {
  type: "struct ptp_sys_offset_extended",
  header: "linux/ptp_clock.h",
  sizeof: 1216,
  n_samples: 0,
  ts: 16,
} as const satisfies StructLayout;

/** No error: the timestamp of something that was sent. */
export const SO_EE_ORIGIN_TIMESTAMPING = 4;

/** Take timestamps of sending in hardware. */
export const SOF_TIMESTAMPING_TX_HARDWARE = 0x1;
/** Take timestamps of sending in the kernel. */
export const SOF_TIMESTAMPING_TX_SOFTWARE = 0x2;
/** Take timestamps of receipt in hardware. */
export const SOF_TIMESTAMPING_RX_HARDWARE = 0x4;
/** Take timestamps of receipt in the kernel. */
export const SOF_TIMESTAMPING_RX_SOFTWARE = 0x8;
/** Report the timestamps of the kernel. */
export const SOF_TIMESTAMPING_SOFTWARE = 0x10;
/** Report the timestamps of the hardware, in the time of its own clock. */
export const SOF_TIMESTAMPING_RAW_HARDWARE = 0x40;
/** Number what is sent, from 0 on. */
export const SOF_TIMESTAMPING_OPT_ID = 0x80;
/** Timestamps of sending come back without the datagram. */
export const SOF_TIMESTAMPING_OPT_TSONLY = 0x800;
/** Timestamps of sending by hardware and by the kernel are both reported. */
export const SOF_TIMESTAMPING_OPT_TX_SWHW = 0x4000;

/** Ask or tell a driver by a command of linux/ethtool.h. */
export const SIOCETHTOOL = 0x8946n;
/** Ask what an interface is set to do about timestamps. */
export const SIOCGHWTSTAMP = 0x89b1n;
/** Command of `SIOCETHTOOL`: what can this interface do about timestamps. */
export const ETHTOOL_GET_TS_INFO = 0x41;
/** The interface takes timestamps of what is sent, where a socket asks for it. */
export const HWTSTAMP_TX_ON = 1;
/** The interface takes timestamps of everything that is received. */
export const HWTSTAMP_FILTER_ALL = 1;
/** The interface takes timestamps of all NTP packets that are received. */
export const HWTSTAMP_FILTER_NTP_ALL = 15;

/** Read the clock of an interface and the system's in turn. */
export const PTP_SYS_OFFSET = 0x4340_3d05n;
/** Read the clock of an interface with the system's before and after it. */
export const PTP_SYS_OFFSET_EXTENDED = 0xc4c0_3d09n;
