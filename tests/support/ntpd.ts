/**
 * NTPsec's real ntpd for the tests: always with `disable ntp` and without the capability to set the
 * clock, so that it never touches it. The first alone is not enough: at its start ntpd resets the
 * kernel's status all the same.
 *
 * Limits: ntpd listens on port 123 and on no other, so it runs in a network namespace of its own.
 *
 * @module
 */
import type { Peer } from "./debian_packages.ts";
import { temporaryFolder } from "./places.ts";
import { RunningProgram } from "./process.ts";

/** What an ntpd is to do. */
export interface NtpdOptions {
  /** The network namespace it runs in, where port 123 is free. */
  readonly namespace: string;
  /** The stratum it claims; 3 unless given. */
  readonly stratum?: number;
  /** Further configuration lines. */
  readonly lines?: readonly string[];
}

/** An ntpd that runs; it answers on port 123 of every address in its namespace. */
export interface Ntpd extends AsyncDisposable {
  /** The program itself. */
  readonly process: RunningProgram;
}

/**
 * Configuration lines for serving Network Time Security with a certificate, and a file for the keys
 * of cookies.
 */
export function ntsServerLines(
  files: { readonly certificate: string; readonly key: string; readonly cookieKeys: string },
): readonly string[] {
  return [
    "nts enable",
    `nts cert ${files.certificate}`,
    `nts key ${files.key}`,
    `nts cookie ${files.cookieKeys}`,
  ];
}

/** Starts an ntpd; it answers as synchronised about two seconds later. */
export async function startNtpd(peer: Peer, options: NtpdOptions): Promise<Ntpd> {
  const folder = await temporaryFolder();
  const lines = [
    "disable ntp",
    "disable kernel",
    // With `disable ntp` no source ever makes it synchronised; orphan mode does, after a second.
    `tos orphan ${options.stratum ?? 3} orphanwait 1`,
    "restrict default nomodify",
    ...(options.lines ?? []),
  ];
  const file = await folder.write("ntp.conf", `${lines.join("\n")}\n`);
  const process = new RunningProgram(peer.program, {
    args: ["-n", "-c", file, "-p", `${folder.path}/ntpd.pid`],
    env: peer.env,
    namespace: options.namespace,
    withoutClock: true,
  });
  const dispose = async () => {
    await process[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  };
  return { process, [Symbol.asyncDispose]: dispose };
}
