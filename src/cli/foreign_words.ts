/**
 * Commands and options of other time daemons and their tools, and what to do here instead.
 *
 * @module
 */

const FOREGROUND = "ntpsd always stays in the foreground and logs to standard error";
const PANIC =
  "the largest step at the start is startup-step-panic-threshold in [synchronization] of the configuration";

/** Options of the daemons, with their dashes. */
const OPTIONS: Readonly<Record<string, string>> = {
  "-n": FOREGROUND,
  "-d": `${FOREGROUND}; use --log-level debug for more messages`,
  "-D": `${FOREGROUND}; use --log-level debug for more messages`,
  "-f": "use -c for the configuration, drift-file in [clock] for the drift file",
  "-F": "system calls are always filtered, unless seccomp = false in [security]",
  "-g": PANIC,
  "-G": PANIC,
  "-4": "the addresses of the sources decide between IPv4 and IPv6",
  "-6": "the addresses of the sources decide between IPv4 and IPv6",
  "-k": "use file in [keys] of the configuration",
  "-l": "the log goes to standard error, which the service manager sends to the journal",
  "-p": "there is no file with the process ID: the service manager knows it",
  "-P": "the service manager sets the priority (CPUSchedulingPolicy=)",
  "-u": "use user in [security] of the configuration",
  "--foreground": FOREGROUND,
  "--nofork": FOREGROUND,
  "--no-daemon": FOREGROUND,
  "--daemon": FOREGROUND,
  "--debug": `${FOREGROUND}; use --log-level debug for more messages`,
  "--verbose": "use --log-level debug for more messages",
  "--panicgate": PANIC,
  "--configfile": "use --config",
  "--quit": "use --once",
  "--user": "use user in [security] of the configuration",
};

const SIGNAL =
  "use the service manager (systemctl) or a signal: SIGHUP rereads the configuration, SIGTERM ends the daemon";

/** Commands of chronyc, ntpq, ntpctl and of service scripts. */
const COMMANDS: Readonly<Record<string, string>> = {
  "tracking": 'use "ntpsd status"',
  "rv": 'use "ntpsd status"',
  "activity": 'use "ntpsd status"',
  "serverstats": 'use "ntpsd status"',
  "ntpdata": 'use "ntpsd sources"',
  "sourcestats": 'use "ntpsd sources"',
  "selectdata": 'use "ntpsd sources"',
  "authdata": 'use "ntpsd sources"',
  "peers": 'use "ntpsd sources"',
  "associations": 'use "ntpsd sources"',
  "ntpmon": 'use "ntpsd watch"',
  "waitsync": 'use "ntpsd wait"',
  "ntpwait": 'use "ntpsd wait"',
  "ntpkeygen": 'use "ntpsd keygen"',
  "makestep":
    "the clock is stepped at the start, or as step-threshold and step-limit in [synchronization] allow",
  "burst": "send SIGUSR1 to poll all sources now",
  "online":
    "ntpsd notices by itself when the network is back; send SIGUSR1 to poll all sources now",
  "offline": "ntpsd notices by itself when there is no network",
  "reload": SIGNAL,
  "restart": SIGNAL,
  "start": "run ntpsd without a command: it is the daemon",
  "daemon": "run ntpsd without a command: it is the daemon",
  "stop": SIGNAL,
  "shutdown": SIGNAL,
  "rehash": SIGNAL,
  "validate": 'use "ntpsd check"',
  "test": 'use "ntpsd check"',
  "ntptrace": 'use "ntpsd trace HOST"',
  "ntpdate": '"ntpsd query HOST" shows the offset, "ntpsd --once" sets the clock',
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
