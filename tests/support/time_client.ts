/**
 * One-shot clients of others that ask a server for the time, none of which can set the clock here.
 *
 * @module
 */
import { type CommandResult, run, runAny } from "./command.ts";
import type { Peer } from "./debian_packages.ts";
import type { TemporaryFolder } from "./places.ts";
import { withoutClock } from "./process.ts";

/** Where a client runs, and whom it asks on port 123. */
export interface Question {
  /** The client's network namespace. */
  readonly namespace: string;
  /** The server's numeric address. */
  readonly address: string;
}

/** What ntpdig prints. */
export interface DigResponse {
  /** How far the server is ahead. */
  readonly offset: number;
  /** What ntpdig itself believes its error to be. */
  readonly precision: number;
  /** The server's stratum. */
  readonly stratum: number;
  /** `no-leap` when all is well. */
  readonly leap: string;
}

/** Asks by NTPsec's ntpdig. */
export async function askByNtpdig(peer: Peer, question: Question): Promise<DigResponse> {
  const args = ["-j", "-t", "2", question.address];
  const { stdout } = await runInside(question, { program: peer.program, args, env: peer.env });
  return JSON.parse(stdout) as DigResponse;
}

/** Asks by OpenBSD's SNTP client in rdate; returns how far the server is ahead, in seconds. */
export async function askByRdate(peer: Peer, question: Question): Promise<number> {
  const family = question.address.includes(":") ? "-6" : "-4";
  const args = ["-n", "-p", "-v", family, question.address];
  const said = await runInside(question, { program: peer.program, args, env: peer.env });
  const offset = /adjust local clock by (-?[0-9.]+) seconds/.exec(said.stdout + said.stderr)?.[1];
  if (offset === undefined) throw new Error(`rdate says no offset: ${said.stdout}${said.stderr}`);
  return Number(offset);
}

/** Asks by `chronyd -Q`; returns how far the server is ahead, in seconds. */
export async function askByChronyd(
  peer: Peer,
  question: Question & { readonly folder: TemporaryFolder },
): Promise<number> {
  const lines = [
    "user root",
    // chronyd removes its pid file at the end, so that must be a file of its own
    `pidfile ${question.folder.path}/once.pid`,
    `server ${question.address} iburst`,
  ];
  const args = ["-Q", "-x", "-t", "8", ...lines];
  const said = await runInside(question, { program: peer.program, args, env: peer.env });
  const text = said.stdout + said.stderr;
  const offset = /System clock wrong by (-?[0-9.]+) seconds/.exec(text)?.[1];
  if (offset === undefined) throw new Error(`chronyd says no offset: ${text}`);
  return Number(offset);
}

/**
 * Lets systemd-timesyncd run for five seconds, as nobody and with folders of its own; returns what
 * it logged. Without the capability it cannot set the clock, and says so.
 */
export async function askByTimesyncd(
  peer: Peer,
  question: Question & { readonly folder: TemporaryFolder },
): Promise<string> {
  const { folder, address, namespace } = question;
  const config = await folder.write("timesyncd.conf", `[Time]\nNTP=${address}\nFallbackNTP=\n`);
  const script = [
    "set -e",
    "mount -t tmpfs none /run",
    "mkdir -p /run/systemd/timesync",
    "chmod -R 777 /run/systemd",
    "mount -t tmpfs none /etc/systemd",
    `cp ${config} /etc/systemd/timesyncd.conf`,
    "chmod -R 755 /etc/systemd",
    `exec ${
      withoutClock().join(" ")
    } setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \\`,
    "env SYSTEMD_LOG_LEVEL=debug SYSTEMD_LOG_TARGET=console \\",
    `timeout 5 ${peer.program}`,
  ].join("\n");
  const file = await folder.write("timesyncd.sh", script);
  const inside = ["netns", "exec", namespace, "unshare", "-m", "--propagation", "private"];
  const said = await runAny("ip", { args: [...inside, "sh", file], env: peer.env });
  return said.stdout + said.stderr;
}

function runInside(
  { namespace }: Question,
  command: {
    readonly program: string;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  },
): Promise<CommandResult> {
  const { program, args, env } = command;
  const all = ["netns", "exec", namespace, ...withoutClock(), program, ...args];
  return run("ip", { args: all, env });
}
