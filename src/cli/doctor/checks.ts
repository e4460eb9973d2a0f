/**
 * What `ntpsd doctor` makes of a machine and a configuration: one sentence for each thing that
 * matters, and what to do.
 *
 * The idea: what keeps ntpsd, as it is configured, from its work is a problem; what makes it worse,
 * or cannot be known as this user, is a note.
 *
 * @module
 */
import type { Result } from "../../base/result.ts";
import { parseSocketAddress } from "../../base/socket_address.ts";
import { NTP_PORT } from "../../base/ports.ts";
import type { Config } from "../../config/config.ts";
import { type StatusDocument, unhealthyReason } from "../../engine/status/snapshot.ts";
import type { MachineFacts, ProcessFact } from "../../system/machine_facts.ts";
import type { ClosedFiles } from "../../system/secret_files.ts";
import { shareCommand } from "../keygen.ts";

/** How a check ends. */
export type CheckLevel = "ok" | "note" | "problem";

/** One check. */
export interface Check {
  /** What was looked at, in a word or two. */
  readonly name: string;
  /** How it ends. */
  readonly level: CheckLevel;
  /** One sentence, without a full stop. */
  readonly text: string;
  /** What to do, a clause; null for nothing. */
  readonly hint: string | null;
}

/** What the checks go by. */
export interface DoctorFacts {
  /** This machine. */
  readonly machine: MachineFacts;
  /** The configuration. */
  readonly configuration: ConfigurationFacts;
  /** The status document of the daemon, or why there is none. */
  readonly daemon: Result<StatusDocument, string>;
}

/** What was found out about the configuration. */
export interface ConfigurationFacts {
  /** The file; undefined for the built-in configuration. */
  readonly file: string | undefined;
  /** What it says; undefined if that is not to be understood. */
  readonly config: Config | undefined;
  /** The errors, each in a line. */
  readonly errors: readonly string[];
  /** The files that the user of the service cannot read, where that can be known. */
  readonly closed?: ClosedFiles | undefined;
}

/** Makes all checks, in the order in which things are put right. */
export function examine(facts: DoctorFacts): readonly Check[] {
  return [
    checkConfiguration(facts),
    checkServiceFiles(facts),
    checkOthers(facts),
    checkPort(facts),
    checkClockRight(facts),
    checkPortRight(facts),
    checkContainer(facts),
    checkOpenSsl(facts),
    checkAuthorities(facts),
    checkClocksource(facts),
    checkLeapFile(facts),
    checkTimestamps(facts),
    checkDaemon(facts),
  ];
}

type Found = Omit<Check, "name">;

const fine = (text: string): Found => ({ level: "ok", text, hint: null });
const note = (text: string, hint: string): Found => ({ level: "note", text, hint });
const must = (text: string, hint: string): Found => ({ level: "problem", text, hint });

function checkConfiguration({ configuration: { file, config, errors } }: DoctorFacts): Check {
  const name = "configuration";
  const [first] = errors;
  if (first !== undefined) {
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
    return { name, ...must(`${first}${more}`, 'correct it; "ntpsd check" reports every error') };
  }
  if (file === undefined) {
    const text = "There is no configuration file, so ntpsd uses the built-in one";
    return { name, ...note(text, "write /etc/ntpsd/ntpsd.toml if you want other sources") };
  }
  if (config?.sources.length === 0 && config.synchronization.localStratum === undefined) {
    return { name, ...must(`${file} has no source`, "add a [[source]]") };
  }
  return { name, ...fine(`${file} has no error`) };
}

/** Looks at what keeps the unit from starting, though root can read everything. */
function checkServiceFiles({ configuration: { closed }, machine }: DoctorFacts): Check {
  const name = "files of the service";
  const [first] = closed?.paths ?? [];
  if (closed === undefined) {
    return machine.isRoot
      ? { name, ...note("There is no user for the service", "see the installation in README.md") }
      : { name, ...note("Not examined", "run this as root to see what the service may read") };
  }
  if (first === undefined) return { name, ...fine(`The user ${closed.user} may read all files`) };
  const more = closed.paths.length > 1 ? ` (and ${closed.paths.length - 1} more)` : "";
  const text = `The user ${closed.user} may not read ${first}${more}`;
  const hint = `${shareCommand(closed.user, first)}, and let that user enter the folders above it`;
  return { name, ...(isEnabled(machine) ? must(text, hint) : note(text, hint)) };
}

function isEnabled({ enabledUnits }: MachineFacts): boolean {
  return enabledUnits.includes("ntpsd.service");
}

/** The units of other time daemons. */
const OTHER_UNITS: ReadonlySet<string> = new Set([
  "systemd-timesyncd.service",
  "chrony.service",
  "chronyd.service",
  "ntpsec.service",
  "ntp.service",
  "ntpd.service",
  "openntpd.service",
  "ntpd-rs.service",
]);

/** The time daemons that set the clock, by the names that the kernel has of them. */
const OTHERS: Readonly<Record<string, string>> = {
  "chronyd": "chronyd",
  "ntpd": "ntpd",
  "systemd-timesyn": "systemd-timesyncd",
  "ntp-daemon": "ntpd-rs",
  "phc2sys": "phc2sys",
};

function checkOthers({ machine, configuration: { config } }: DoctorFacts): Check {
  const name = "other time daemons";
  const found = machine.processes.filter(adjustsClock)
    .map(({ id, name: process }) => `${OTHERS[process]} (process ${id})`);
  if (found.length === 0) return { name, ...checkOtherUnits(machine, config) };
  const text = `${found.join(" and ")} ${found.length === 1 ? "runs" : "run"}`;
  if (config?.clock.adjust === false) {
    return { name, ...note(text, "nothing, because ntpsd only measures here") };
  }
  const hint = 'stop and disable it ("systemctl disable --now UNIT"): two daemons that adjust ' +
    "one clock are both wrong";
  return { name, ...must(text, hint) };
}

/** A chronyd with -x leaves the clock alone. */
function adjustsClock({ name, args }: ProcessFact): boolean {
  if (!Object.hasOwn(OTHERS, name)) return false;
  return name !== "chronyd" || !args.some((arg) => /^-[46dnqQRs]*x/.test(arg));
}

/** Of two that are enabled either may win when the machine starts. */
function checkOtherUnits(machine: MachineFacts, config: Config | undefined): Found {
  const units = machine.enabledUnits.filter((unit) => OTHER_UNITS.has(unit));
  if (units.length === 0) return fine("No other time daemon runs or is enabled");
  const text = `${units.join(" and ")} ${units.length === 1 ? "is" : "are"} enabled, and may win ` +
    "over ntpsd when the machine starts";
  if (config?.clock.adjust === false) {
    return note(text, "nothing, because ntpsd only measures here");
  }
  const hint = `"systemctl disable ${units.join(" ")}"`;
  return isEnabled(machine) ? must(text, hint) : note(text, hint);
}

function checkPort({ machine: { isPortTaken }, configuration, daemon }: DoctorFacts): Check {
  const name = "port 123";
  const listeners = daemon.ok
    ? daemon.value.functions.filter(({ kind, name: listen }) =>
      (kind === "server" || kind === "ntpq") && isNtpPort(listen)
    )
    : [];
  const isOurs = listeners.length > 0 && listeners.every(({ up }) => up);
  if (isPortTaken === undefined) {
    return { name, ...note("Cannot be examined", 'see "ss -ulpn"') };
  }
  if (!isPortTaken) return { name, ...fine("The UDP port 123 is free") };
  if (isOurs) return { name, ...fine("The UDP port 123 is served by ntpsd") };
  const text = "Another program has the UDP port 123";
  const ntpq = controlListener(configuration.config?.control.ntpq);
  const isServers = configuration.config?.servers.some(({ listen }) => isNtpPort(listen));
  const needs = isServers === true
    ? "[[server]] needs"
    : ntpq !== undefined && isNtpPort(ntpq)
    ? "ntpq in [control] needs"
    : undefined;
  return needs === undefined
    ? { name, ...note(text, "nothing, because nothing in the configuration needs it") }
    : { name, ...must(text, `find it by "ss -ulpn" and stop it, because ${needs} the port`) };
}

function controlListener(listen: string | undefined): string | undefined {
  return listen === "off" ? undefined : listen;
}

function isNtpPort(listen: string): boolean {
  return portOf(listen) === NTP_PORT;
}

function portOf(listen: string): number | undefined {
  return parseSocketAddress(listen)?.port;
}

function checkClockRight({ machine, configuration: { config } }: DoctorFacts): Check {
  const name = "right to set the clock";
  if (config?.clock.adjust === false) return { name, ...fine("Not needed, ntpsd only measures") };
  if (machine.maySetClock) return { name, ...fine("This user has CAP_SYS_TIME") };
  const text = "This user does not have CAP_SYS_TIME";
  if (!machine.isRoot) {
    return { name, ...note(text, "run ntpsd as root or by its unit, which grants it") };
  }
  const hint = "grant it (--cap-add SYS_TIME for a container), or set adjust = false in [clock]";
  return { name, ...must(`Root does not have CAP_SYS_TIME here`, hint) };
}

function checkPortRight({ machine, configuration: { config } }: DoctorFacts): Check {
  const name = "right to open ports";
  const { servers = [], ntsKeServers = [], control, observability } = config ?? {};
  const listens = [...servers, ...ntsKeServers].map(({ listen }) => listen);
  const others = [controlListener(control?.ntpq), control?.chronyc, observability?.listen];
  const low = [...listens, ...others].filter((listen) => listen !== undefined)
    .filter((listen) => (portOf(listen) ?? Infinity) < machine.unprivilegedPorts);
  if (low.length === 0) return { name, ...fine("The configuration needs no privileged port") };
  if (machine.mayBindLowPorts) return { name, ...fine("This user has CAP_NET_BIND_SERVICE") };
  const text = `${low[0]} needs CAP_NET_BIND_SERVICE, which this user does not have`;
  return machine.isRoot
    ? { name, ...must(text, "grant it to the container (--cap-add NET_BIND_SERVICE)") }
    : { name, ...note(text, "start ntpsd as root or by its unit, where the port is opened") };
}

function checkContainer({ machine: { container }, configuration }: DoctorFacts): Check {
  const name = "container";
  if (container === undefined) return { name, ...fine("This is no container that shows itself") };
  const text = `This is a container (${container}), and its clock is that of the host`;
  if (configuration.config?.clock.adjust === false) return { name, ...fine(text) };
  return { name, ...note(text, "let one ntpsd of the whole host adjust the clock") };
}

function needsNts({ configuration: { config } }: DoctorFacts): boolean {
  return config === undefined || config.ntsKeServers.length > 0 ||
    config.sources.some(({ mode }) => mode === "nts" || mode === "nts-pool");
}

function checkOpenSsl(facts: DoctorFacts): Check {
  const name = "OpenSSL", { openssl } = facts.machine;
  if ("version" in openssl) return { name, ...fine(`${openssl.version} is there`) };
  return needsNts(facts)
    ? { name, ...must(openssl.error, "install OpenSSL 3 (package libssl3); NTS needs it") }
    : { name, ...note(openssl.error, "nothing, until NTS is configured") };
}

function checkAuthorities(facts: DoctorFacts): Check {
  const name = "trusted authorities", { config } = facts.configuration;
  if (facts.machine.hasAuthorities) return { name, ...fine("There is a list of authorities") };
  const text = "There is no list of trusted certificate authorities";
  const isNeeded = config?.sources.some(({ mode, certificateAuthority }) =>
    (mode === "nts" || mode === "nts-pool") && certificateAuthority === undefined
  );
  return isNeeded === true
    ? { name, ...must(text, "install the package ca-certificates") }
    : { name, ...note(text, "nothing, until a source with NTS needs it") };
}

/** Clocks that take long to read, or are coarse. */
const SLOW = /^(hpet|acpi_pm|jiffies|refined-jiffies|pit)$/;

function checkClocksource({ machine: { clocksource } }: DoctorFacts): Check {
  const name = "clocksource";
  if (clocksource === undefined) {
    return { name, ...note("The clocksource cannot be read", "nothing, it is seldom a bad one") };
  }
  if (!SLOW.test(clocksource)) return { name, ...fine(`The kernel counts time by ${clocksource}`) };
  const text = `The kernel counts time by ${clocksource}, which is slow to read`;
  return {
    name,
    ...note(text, 'see "dmesg | grep -i clocksource" for what is wrong with the tsc'),
  };
}

function checkLeapFile({ machine: { leapFile, now }, configuration }: DoctorFacts): Check {
  const name = "leap seconds";
  const configured = configuration.config?.clock.leapSecondsFile;
  // another list is examined with the configuration
  if (configured !== undefined && configured !== leapFile?.path) {
    return { name, ...fine(`The list of the configuration is ${configured}`) };
  }
  if (leapFile === undefined) {
    return { name, ...note("There is no list of leap seconds", "install the package tzdata") };
  }
  const { path, expiresAt } = leapFile;
  if (expiresAt === undefined) {
    return { name, ...note(`${path} is no list of leap seconds`, "install tzdata again") };
  }
  if (expiresAt <= now) {
    return { name, ...note(`${path} has expired`, "update the package tzdata") };
  }
  if (configured !== undefined) return { name, ...fine(`${path} is valid`) };
  const hint = `set leap-seconds-file = "${path}" in [clock] so that ntpsd uses it`;
  return { name, ...note(`${path} is valid, but not in the configuration`, hint) };
}

function checkTimestamps({ machine: { interfaces } }: DoctorFacts): Check {
  const name = "timestamps";
  if (interfaces.length === 0) {
    const text = "No network interface has an address";
    return { name, ...note(text, "bring the network up before sources can be reached") };
  }
  const capable = interfaces.filter(({ isCapable }) => isCapable).map(({ name }) => name);
  if (capable.length === 0) {
    return { name, ...fine("The kernel takes the timestamps; no network interface can") };
  }
  return { name, ...fine(`Packets can be timestamped by ${capable.join(", ")}`) };
}

function checkDaemon({ daemon }: DoctorFacts): Check {
  const name = "daemon";
  if (!daemon.ok) {
    return {
      name,
      ...note(daemon.error, 'if it does not run, start it: "systemctl enable --now ntpsd"'),
    };
  }
  const reason = unhealthyReason(daemon.value);
  if (reason === undefined) return { name, ...fine(`ntpsd runs: ${daemon.value.state}`) };
  const hint = '"ntpsd why" says what to do';
  return daemon.value.state === "starting"
    ? { name, ...note(`ntpsd runs: ${reason}`, `wait some seconds; ${hint}`) }
    : { name, ...must(`ntpsd runs: ${reason}`, hint) };
}
