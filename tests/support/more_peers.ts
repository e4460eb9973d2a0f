/**
 * Peers that are built from source, for whoever asks for them: ntpd-rs and a Go client.
 *
 * The problem: both take minutes to build and come from registries that not every machine reaches.
 * The idea: nothing is done unless the variable NTPSD_MORE_PEERS is set; then each is built once,
 * at a fixed version, into the scratch folder. Limits: needs cargo (with a C compiler) and go.
 * Where a build fails in CI the tests fail; elsewhere they are skipped with the reason.
 *
 * @module
 */
import { run } from "./command.ts";
import { SCRATCH } from "./debian_packages.ts";
import { temporaryFolder } from "./places.ts";
import { RunningProgram } from "./process.ts";

/** The programs of ntpd-rs. */
export interface NtpdRs {
  /** The path of the daemon. */
  readonly daemon: string;
  /** The path of the command that asks once. */
  readonly control: string;
  /**
   * The path of a library that lets the daemon read the clock alone, to be loaded before any other.
   */
  readonly stillClock: string;
}

/** A peer, or why there is none. */
export interface MorePeer<Found> {
  /** The peer; undefined where it was not asked for or cannot be had. */
  readonly found: Found | undefined;
  /**
   * What the names of its tests end with, so that the summary of a run tells why they are skipped;
   * empty if they are not.
   */
  readonly note: string;
}

/** What an ntpd-rs does. */
export interface NtpdRsOptions {
  /** The configuration. */
  readonly config: string;
  /** The network namespace it runs in. */
  readonly namespace: string;
}

/** A program of ntpd-rs that runs. */
export interface RunningNtpdRs extends AsyncDisposable {
  /** The program itself. */
  readonly process: RunningProgram;
}

/** The version of ntpd-rs that is built. */
const NTPD_RS_VERSION = "1.9.0";

/** The version of github.com/beevik/nts that is built. */
const GO_NTS_VERSION = "0.2.1";

const BUILD_TIMEOUT_MS = 8 * 60_000;

/**
 * Builds a peer if it was asked for; says why, also on standard error, where it was not or cannot
 * be had.
 */
export async function findMore<Found>(
  name: string,
  build: () => Promise<Found>,
): Promise<MorePeer<Found>> {
  if (Deno.env.get("NTPSD_MORE_PEERS") === undefined) {
    return without("skipped: set NTPSD_MORE_PEERS=1", name);
  }
  try {
    return { found: await build(), note: "" };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (Deno.env.get("CI") !== undefined) throw new Error(`${name} is needed in CI: ${reason}`);
    return without(`skipped: ${name} cannot be built here: ${reason.slice(-200).trim()}`, name);
  }
}

function without(
  reason: string,
  name: string,
): { readonly found: undefined; readonly note: string } {
  console.error(`!!! ${name}: ${reason}`);
  return { found: undefined, note: ` (${reason.replaceAll("\n", " ")})` };
}

/**
 * Builds ntpd-rs, without its optimisations, which take most of the time; about three minutes on
 * two processors.
 */
export async function buildNtpdRs(): Promise<NtpdRs> {
  const root = `${SCRATCH}/ntpd-rs`;
  const found = {
    daemon: `${root}/bin/ntp-daemon`,
    control: `${root}/bin/ntp-ctl`,
    stillClock: `${root}/still_clock.so`,
  };
  if (!(await isVersion(found.daemon))) {
    const version = ["--version", `=${NTPD_RS_VERSION}`, "--locked", "--force"];
    const programs = ["--bin", "ntp-daemon", "--bin", "ntp-ctl"];
    const features = ["--debug", "--no-default-features", "--features", "aws-lc,rustcrypto"];
    const args = ["install", "ntpd", ...version, "--root", root, ...programs, ...features];
    await patiently(["cargo", ...args]);
    if (!(await isVersion(found.daemon))) {
      throw new Error(`No version ${NTPD_RS_VERSION} was built`);
    }
  }
  await Deno.writeTextFile(`${root}/still_clock.c`, STILL_CLOCK);
  const source = ["-o", found.stillClock, `${root}/still_clock.c`];
  await run("cc", { args: ["-shared", "-fPIC", "-Wall", "-Werror", ...source] });
  return found;
}

/**
 * Builds the Go client; hands back its path. Its arguments: where keys are exchanged, a file of
 * authorities, how often.
 */
export async function buildGoClient(): Promise<string> {
  const folder = `${SCRATCH}/go-nts`;
  await Deno.mkdir(folder, { recursive: true });
  const source = `${folder}/main.go`;
  const program = `${folder}/client-${GO_NTS_VERSION}`;
  const isBuilt = (await Deno.stat(program).catch(() => undefined)) !== undefined;
  const isSame = await Deno.readTextFile(source).catch(() => "") === GO_CLIENT;
  if (isBuilt && isSame) return program;
  if (isBuilt) await Deno.remove(program);
  await Deno.writeTextFile(source, GO_CLIENT);
  await Deno.writeTextFile(`${folder}/go.mod`, "module ntsclient\n\ngo 1.22\n");
  const module = `github.com/beevik/nts@v${GO_NTS_VERSION}`;
  const env = { GOFLAGS: "-mod=mod" };
  await patiently(["go", "get", module], { cwd: folder, env });
  await patiently(["go", "build", "-o", program, "."], { cwd: folder, env });
  return program;
}

/** Starts the daemon of ntpd-rs; it can read the clock but not set it. */
export async function startNtpdRs(peer: NtpdRs, options: NtpdRsOptions): Promise<RunningNtpdRs> {
  const env = { LD_PRELOAD: peer.stillClock };
  return await startWith(options, (file) => [peer.daemon, ["-c", file], env]);
}

/**
 * Starts the command of ntpd-rs that asks every source once; on a terminal, without which it
 * refuses.
 */
export async function startNtpdRsOnce(
  peer: NtpdRs,
  options: NtpdRsOptions,
): Promise<RunningNtpdRs> {
  const command = (file: string) => `'${peer.control}' force-sync -c '${file}'`;
  const args = (file: string) => ["-q", "-e", "-c", command(file), "/dev/null"];
  return await startWith(options, (file) => ["script", args(file), {}]);
}

async function startWith(
  options: NtpdRsOptions,
  commandFor: (file: string) => [string, string[], Record<string, string>],
): Promise<RunningNtpdRs> {
  const folder = await temporaryFolder();
  const [program, args, env] = commandFor(await folder.write("ntp.toml", options.config));
  const process = new RunningProgram(program, {
    args,
    env,
    namespace: options.namespace,
    withoutClock: true,
  });
  return {
    process,
    async [Symbol.asyncDispose]() {
      await process[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function isVersion(program: string): Promise<boolean> {
  const said = await run(program, { args: ["--version"] }).catch(() => undefined);
  return said?.stderr.trim() === `ntp-daemon ${NTPD_RS_VERSION}`;
}

async function patiently(
  command: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  console.error(`    building: ${command.slice(0, 3).join(" ")}`);
  const args = ["-n", "15", ...command];
  await run("nice", { args, timeoutMs: BUILD_TIMEOUT_MS, ...options });
}

/**
 * The daemon will not ask a source unless it may set the clock. Here the calls that set it read it,
 * and succeed.
 */
const STILL_CLOCK = `#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

int clock_adjtime(clockid_t clock, struct timex *state) {
  state->modes = 0;
  return (int)syscall(SYS_clock_adjtime, clock, state);
}

int adjtimex(struct timex *state) { return clock_adjtime(CLOCK_REALTIME, state); }
int ntp_adjtime(struct timex *state) { return clock_adjtime(CLOCK_REALTIME, state); }
int clock_settime(clockid_t clock, const struct timespec *time) { return 0; }
`;

const GO_CLIENT = `package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"os"
	"strconv"

	"github.com/beevik/nts"
)

func main() {
	pem, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	options := nts.SessionOptions{TLSConfig: &tls.Config{RootCAs: roots}}
	session, err := nts.NewSessionWithOptions(os.Args[1], &options)
	if err != nil {
		log.Fatal(err)
	}
	count, _ := strconv.Atoi(os.Args[3])
	for i := 0; i < count; i++ {
		answer, err := session.Query()
		if err == nil {
			err = answer.Validate()
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(answer.Stratum, answer.ClockOffset.Seconds())
	}
}
`;
