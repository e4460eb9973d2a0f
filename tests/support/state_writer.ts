/**
 * Keeps all state files of the daemon in a folder, by the daemon's own code, and writes them
 * without a pause until it is killed, or once.
 *
 *     deno run --allow-net --allow-ffi tests/support/state_writer.ts FOLDER [once]
 *
 * The first line tells as JSON what was found at the start and what was wrong with it; then comes a
 * line with name and number for every write that was finished.
 *
 * @module
 */
import { readFile } from "../../ffi/file/files.ts";
import { portableAead } from "../../src/crypto/portable.ts";
import { DriftStore } from "../../src/daemon/files/drift_store.ts";
import { FunctionStates } from "../../src/daemon/observability/function_states.ts";
import { CookieKeys } from "../../src/daemon/nts/keyset_file.ts";
import { configureLog } from "../../src/system/log.ts";
import { SessionStore } from "../../src/daemon/nts/cookie_file.ts";
import { decodeCookieStore } from "../../src/nts/client/cookie_store.ts";
import type { SessionState } from "../../src/nts/client/session.ts";
import { Keyset } from "../../src/nts/server/keyset.ts";

/** What a start found: a number for each file that was there, and the lines of the log. */
export interface StateFound {
  /** By the name of the file; absent when the file was not there or is empty. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Warnings and errors. */
  readonly lines: readonly string[];
}

const INTERVAL_SECONDS = 86_400;
const NANOSECONDS = 1_000_000_000n;
const GENERATION_FIRST = 20_000;
/** The drift file keeps six digits after the point. */
const DRIFT_UNIT = 1e-6;

if (import.meta.main) await main(Deno.args[0] ?? "", Deno.args[1] === "once");

async function main(folder: string, isOnce: boolean): Promise<void> {
  const lines: string[] = [];
  configureLog({ level: "warning", journal: false, write: (line) => lines.push(line) });
  const functions = new FunctionStates();
  // The cookies are looked at before, because the store hides them and empties their file.
  const cookies = readFile(`${folder}/cookies`, 1 << 20);
  const saved = cookies.ok ? decodeCookieStore(cookies.value) : undefined;
  const drift = new DriftStore({
    adjust: "auto",
    driftFile: `${folder}/drift`,
    maxFrequency: 500,
    maxSlew: 1000,
    maxClockError: 1,
    leapSecondsFile: undefined,
  }, functions);
  const sessions = new SessionStore(`${folder}/cookies`);
  const frequency = drift.read()?.frequency;
  const bound = sessions.readBound();
  sessions.load();
  const keysetFile = readFile(`${folder}/keyset`, 1 << 16);
  const keys = keysetFile.ok ? Keyset.restore(keysetFile.value, 7) : undefined;
  const generation = keys?.ok === true ? keys.value.currentId : undefined;
  const config = {
    staleKeyCount: 7,
    keyRotationInterval: INTERVAL_SECONDS,
    keyStoragePath: `${folder}/keyset`,
  };
  const keeper = new CookieKeys(config, {
    aead: portableAead,
    now: timeOf(generation ?? GENERATION_FIRST),
    functions,
  });
  const numbers = {
    drift: frequency === undefined ? undefined : Math.round(frequency / DRIFT_UNIT),
    bound,
    cookies: saved?.ok === true ? [...saved.value.values()][0]?.ntpPort : undefined,
    keyset: generation,
  };
  await keeper.settled();
  for (const { kind, up, reason } of functions.documents()) {
    if (!up) lines.push(`${kind}: ${reason}`);
  }
  console.log(JSON.stringify({ numbers, lines } satisfies { numbers: object; lines: string[] }));
  const again = isOnce ? writeNext : writeOn;
  await Promise.all([
    again("drift", numbers.drift ?? 0, async (number) => {
      drift.write({ frequency: number * DRIFT_UNIT, skew: 0.1 });
      await drift.settled();
    }),
    again("keyset", numbers.keyset ?? GENERATION_FIRST, async (number) => {
      keeper.advance(timeOf(number));
      await keeper.settled();
    }),
    again("cookies", numbers.cookies ?? 0, (number) => sessions.save(session(number))),
    again("bound", bound ?? 1_800_000_000, async (number) => {
      sessions.saveBound(number);
      await sessions.settled();
    }),
  ]);
}

/** Writes the next number. */
async function writeNext(
  name: string,
  from: number,
  write: (number: number) => Promise<void>,
): Promise<void> {
  await write(from + 1);
  console.log(`${name} ${from + 1}`);
}

/** Writes ever higher numbers. */
async function writeOn(
  name: string,
  from: number,
  write: (number: number) => Promise<void>,
): Promise<void> {
  for (let number = from;; number++) await writeNext(name, number, write);
}

function timeOf(generation: number): bigint {
  return BigInt(generation) * BigInt(INTERVAL_SECONDS) * NANOSECONDS + 1n;
}

function session(number: number): ReadonlyMap<string, SessionState> {
  const key = new Uint8Array(32).fill(number & 0xff);
  return new Map([["server.test 4460", {
    aeadId: 15,
    keys: { clientToServer: key, serverToClient: key },
    alternativeKeys: undefined,
    cookies: [new Uint8Array(100).fill(number & 0xff)],
    ntpServer: undefined,
    ntpPort: number,
    authenticBefore: true,
  }]]);
}
