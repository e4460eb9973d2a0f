/**
 * Commands and options of other time daemons and their tools, and what to do here instead.
 *
 * @module
 */

const FOREGROUND = "ntpsd always stays in the foreground and logs to standard error";
const PANIC =
  "how far the clock may be set at the start is startup-step-panic-threshold in [synchronization] of the configuration";

/** Options of the daemons, with their dashes. */
const OPTIONS: Readonly<Record<string, string>> = {
  "-n": FOREGROUND,
  "-d": `${FOREGROUND}; more is logged with --log-level debug`,
  "-D": `${FOREGROUND}; more is logged with --log-level debug`,
  "-f": "the configuration is named with -c, the drift file with drift-file in [clock]",
  "-F": "system calls are filtered unless seccomp = false in [security]",
  "-g": PANIC,
  "-G": PANIC,
  "-4": "the addresses of the sources say over which family they are asked",
  "-6": "the addresses of the sources say over which family they are asked",
  "-k": "the file of keys is named with file in [keys]",
  "-l": "the log goes to standard error, and by the service manager to the journal",
  "-p": "there is no file with the number of the process: the service manager knows it",
  "-P": "priorities are given by the service manager (CPUSchedulingPolicy=)",
  "-u": "the user is named with user in [security]",
  "--foreground": FOREGROUND,
  "--nofork": FOREGROUND,
  "--no-daemon": FOREGROUND,
  "--daemon": FOREGROUND,
  "--debug": `${FOREGROUND}; more is logged with --log-level debug`,
  "--verbose": "more is logged with --log-level debug",
  "--panicgate": PANIC,
  "--configfile": "the configuration is named with --config",
  "--quit": "the clock is set once with --once",
  "--user": "the user is named with user in [security]",
};

const SIGNAL =
  "the service manager does that (systemctl), or a signal: SIGHUP reads the configuration again, SIGTERM ends the daemon";

/** Commands of chronyc, ntpq, ntpctl and of service scripts. */
const COMMANDS: Readonly<Record<string, string>> = {
  "tracking": '"ntpsd status" tells that',
  "rv": '"ntpsd status" tells that',
  "activity": '"ntpsd status" tells that',
  "serverstats": '"ntpsd status" tells that',
  "ntpdata": '"ntpsd sources" tells that',
  "sourcestats": '"ntpsd sources" tells that',
  "selectdata": '"ntpsd sources" tells that',
  "authdata": '"ntpsd sources" tells that',
  "peers": '"ntpsd sources" tells that',
  "associations": '"ntpsd sources" tells that',
  "waitsync": '"ntpsd status" ends with 0 once the clock is right',
  "clients": "which clients there are is not told",
  "makestep":
    "the clock is set at the start, or by step-threshold and step-limit in [synchronization]",
  "burst": "SIGUSR1 has all sources asked now",
  "online": "that there is a network again is seen; SIGUSR1 has all sources asked now",
  "offline": "that there is no network is seen",
  "reload": SIGNAL,
  "restart": SIGNAL,
  "start": "without a command ntpsd is the daemon",
  "daemon": "without a command ntpsd is the daemon",
  "stop": SIGNAL,
  "shutdown": SIGNAL,
  "rehash": SIGNAL,
  "validate": '"ntpsd check" does that',
  "test": '"ntpsd check" does that',
  "ntpdate": '"ntpsd query HOST" tells the offset, "ntpsd --once" sets the clock',
};

/** Returns what to do in place of an option of another daemon, `-g`; undefined if it is unknown. */
export function optionHint(option: string): string | undefined {
  return Object.hasOwn(OPTIONS, option) ? OPTIONS[option] : undefined;
}

/**
 * Returns what to do in place of a command of another daemon's tool; undefined if it is unknown.
 */
export function commandHint(command: string): string | undefined {
  return Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
}
