/**
 * What `ntpsd doctor` looks at on this machine.
 *
 * The idea: this file reads and judges nothing; what cannot be read is undefined or left out.
 * Limits: looks as the user who asks; in a container it sees the processes of that alone.
 *
 * @module
 */
import { namesIn } from "../../ffi/file/directory.ts";
import { fileStatus, readFile } from "../../ffi/file/files.ts";
import { interfaceAddresses } from "../../ffi/interfaces.ts";
import { OpenSsl } from "../../ffi/openssl/mod.ts";
import { hasAuthorities } from "../../ffi/openssl/trust_store.ts";
import { hasCapability } from "../../ffi/process/privileges.ts";
import { unprivilegedPortStart, userIds } from "../../ffi/process/process.ts";
import { readHardwareTimestamping } from "../../ffi/socket/timestamping.ts";
import { UNIX_EPOCH_IN_NTP_SECONDS } from "../base/epoch.ts";
import { NTP_PORT } from "../base/ports.ts";
import { parseLeapTable } from "../engine/leap/leap_table.ts";

/** A process. */
export interface ProcessFact {
  /** Its number. */
  readonly id: number;
  /** Its name as the kernel has it, cut to 15 characters. */
  readonly name: string;
  /** The words of its command line after the first; empty if they cannot be read. */
  readonly args: readonly string[];
}

/** What is known of this machine. */
export interface MachineFacts {
  /** All processes that can be seen. */
  readonly processes: readonly ProcessFact[];
  /** The units that are started with the machine, `ntpsd.service`. */
  readonly enabledUnits: readonly string[];
  /** Whether a socket has the UDP port 123; undefined when that cannot be read. */
  readonly isPortTaken: boolean | undefined;
  /** Whether this user is root. */
  readonly isRoot: boolean;
  /** Whether this user may set the clock. */
  readonly maySetClock: boolean;
  /** Whether this user may open ports below `unprivilegedPorts`. */
  readonly mayBindLowPorts: boolean;
  /** The first port that everybody may open. */
  readonly unprivilegedPorts: number;
  /** The version of OpenSSL, or why there is none. */
  readonly openssl: { readonly version: string } | { readonly error: string };
  /** Whether there is a list of trusted certificate authorities. */
  readonly hasAuthorities: boolean;
  /** What the kernel counts time by. */
  readonly clocksource: string | undefined;
  /** What kind of container this is in. */
  readonly container: string | undefined;
  /** The first list of leap seconds in the usual places. */
  readonly leapFile: LeapFileFact | undefined;
  /** The network interfaces that lead to others. */
  readonly interfaces: readonly InterfaceFact[];
  /** Now, in Unix seconds. */
  readonly now: number;
}

/** A list of leap seconds. */
export interface LeapFileFact {
  /** Where it is. */
  readonly path: string;
  /** When it expires, in Unix seconds; undefined when it is damaged. */
  readonly expiresAt: number | undefined;
}

/** A network interface. */
export interface InterfaceFact {
  /** Its name. */
  readonly name: string;
  /** Whether it can timestamp packets of NTP in both directions. */
  readonly isCapable: boolean;
}

const LEAP_FILES = [
  "/usr/share/zoneinfo/leap-seconds.list",
  "/var/lib/ntp/leap-seconds.list",
  "/etc/ntp/leap-seconds.list",
];
const CLOCKSOURCE = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
const UNIT_FOLDERS = ["/etc/systemd/system", "/usr/lib/systemd/system"];
const TEXT_MAX = 1 << 20;

/** Looks at this machine. */
export function readMachineFacts(): MachineFacts {
  const openssl = OpenSsl.open();
  return {
    processes: processes(),
    enabledUnits: enabledUnits(),
    isPortTaken: isPortTaken(),
    isRoot: userIds().effectiveUid === 0,
    maySetClock: hasCapability("CAP_SYS_TIME"),
    mayBindLowPorts: hasCapability("CAP_NET_BIND_SERVICE"),
    unprivilegedPorts: unprivilegedPortStart(),
    openssl: openssl.ok ? { version: openssl.value.version } : { error: openssl.error.message },
    hasAuthorities: hasAuthorities(),
    clocksource: textOf(CLOCKSOURCE)?.trim(),
    container: container(),
    leapFile: leapFile(),
    interfaces: interfaces(),
    now: Date.now() / 1000,
  };
}

function textOf(path: string): string | undefined {
  const octets = readFile(path, TEXT_MAX);
  return octets.ok ? new TextDecoder().decode(octets.value) : undefined;
}

function isThere(path: string): boolean {
  const found = fileStatus(path);
  return found.ok && found.value !== undefined;
}

function processes(): readonly ProcessFact[] {
  return namesIn("/proc").filter((name) => /^[0-9]+$/.test(name)).flatMap((id) => {
    const name = textOf(`/proc/${id}/comm`)?.trim();
    if (name === undefined) return [];
    const args = (textOf(`/proc/${id}/cmdline`) ?? "").split("\0").slice(1, -1);
    return [{ id: Number(id), name, args }];
  });
}

/** Reads what `systemctl enable` has linked to, here and in what the distribution presets. */
function enabledUnits(): readonly string[] {
  const units = UNIT_FOLDERS.flatMap((folder) =>
    namesIn(folder).filter((name) => /\.(wants|requires)$/.test(name))
      .flatMap((name) => namesIn(`${folder}/${name}`))
  );
  return [...new Set(units)];
}

function isPortTaken(): boolean | undefined {
  const tables = ["/proc/net/udp", "/proc/net/udp6"].map(textOf);
  if (tables.every((text) => text === undefined)) return undefined;
  return tables.some((text) => hasLocalPort(text ?? "", NTP_PORT));
}

/** Tells whether a table of the kernel (proc(5), /proc/net/udp) has a socket at a local port. */
export function hasLocalPort(table: string, port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return table.split("\n").some((line) =>
    /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) /.exec(line)?.[1] === hex
  );
}

function container(): string | undefined {
  if (isThere("/.dockerenv")) return "docker";
  if (isThere("/run/.containerenv")) return "podman";
  return textOf("/run/systemd/container")?.trim();
}

function leapFile(): LeapFileFact | undefined {
  for (const path of LEAP_FILES) {
    const text = textOf(path);
    if (text === undefined) continue;
    const table = parseLeapTable(text);
    const expiresAt = table.ok ? table.value.expiresAt - UNIX_EPOCH_IN_NTP_SECONDS : undefined;
    return { path, expiresAt };
  }
  return undefined;
}

function interfaces(): readonly InterfaceFact[] {
  const addresses = interfaceAddresses();
  if (!addresses.ok) return [];
  const names = addresses.value.filter(({ up, loopback }) => up && !loopback)
    .map(({ name }) => name);
  return [...new Set(names)].map((name) => {
    const found = readHardwareTimestamping(name);
    return { name, isCapable: found.ok && found.value.isCapable };
  });
}
