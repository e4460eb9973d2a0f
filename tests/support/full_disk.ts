/**
 * Keeps state files by the daemon's own code on a file system that is full, then has room again,
 * and tells what became of them.
 *
 *     deno run --allow-net --allow-ffi tests/support/full_disk.ts FOLDER
 *
 * FOLDER is on a small file system of its own, which this program fills. It prints one JSON
 * document.
 *
 * @module
 */
import { appendToFile, fileStatus, readFile, removeFile } from "../../ffi/file/files.ts";
import { portableAead } from "../../src/crypto/portable.ts";
import { DriftStore } from "../../src/daemon/files/drift_store.ts";
import { FunctionStates } from "../../src/daemon/observability/function_states.ts";
import { CookieKeys } from "../../src/daemon/nts/keyset_file.ts";
import { configureLog } from "../../src/system/log.ts";
import { SessionStore } from "../../src/daemon/nts/cookie_file.ts";

/** How things stand. */
export interface DiskReport {
  /** The state files that have changed since the last report. */
  readonly changed: readonly string[];
  /** What was logged since. */
  readonly lines: readonly string[];
  /** What does not work, with the reason. */
  readonly down: readonly string[];
}

/** The three reports. */
export interface DiskReports {
  /** After the first writing. */
  readonly first: DiskReport;
  /** After a writing on the full disk. */
  readonly full: DiskReport;
  /** After what the daemon does now and then, with room again. */
  readonly again: DiskReport;
  /**
   * The length of a file that was added to until the disk was full, in pieces of `PIECE` octets.
   */
  readonly ballastLength: number;
}

/** Octets that are added at a time: no divisor of a page, so that the last piece would be cut. */
export const PIECE = 1000;

const FILES = ["drift", "keyset", "cookies", "cookies.time-bound"];
const DAY = 86_400_000_000_000n;

async function fillAndFree(folder: string): Promise<DiskReports> {
  const state = new State(folder);
  await state.write(2);
  const first = state.report();
  const ballast = `${folder}/ballast`;
  while (appendToFile(ballast, { bytes: new Uint8Array(PIECE) }).ok);
  const size = fileStatus(ballast);
  const ballastLength = size.ok ? size.value?.size ?? -1 : -1;
  // What is left of the last page is taken too.
  while (appendToFile(ballast, { bytes: new Uint8Array(1) }).ok);
  await state.write(3);
  await state.write(4);
  const full = state.report();
  removeFile(ballast);
  await state.writeAgain(5);
  return { first, full, again: state.report(), ballastLength };
}

/** All state files of a folder, in the hands of those who keep them in the daemon. */
class State {
  readonly #folder: string;
  readonly #lines: string[] = [];
  readonly #functions = new FunctionStates();
  readonly #drift: DriftStore;
  readonly #sessions: SessionStore;
  readonly #keeper: CookieKeys;
  readonly #known = new Map<string, string>();

  constructor(folder: string) {
    this.#folder = folder;
    const write = (line: string) => void this.#lines.push(line.trim());
    configureLog({ level: "info", journal: false, write });
    this.#drift = new DriftStore({
      adjust: "auto",
      driftFile: `${folder}/drift`,
      maxFrequency: 500,
      maxSlew: 1000,
      maxClockError: 1,
      leapSecondsFile: undefined,
    }, this.#functions);
    this.#sessions = new SessionStore(`${folder}/cookies`);
    this.#keeper = new CookieKeys(
      { staleKeyCount: 7, keyRotationInterval: 86_400, keyStoragePath: `${folder}/keyset` },
      { aead: portableAead, now: DAY, functions: this.#functions },
    );
    this.#drift.read();
    this.#sessions.load();
    this.#sessions.readBound();
  }

  /** Has every file written with what is new. */
  async write(number: number): Promise<void> {
    this.#drift.write({ frequency: number, skew: 1 });
    this.#keeper.advance(BigInt(number) * DAY + 1n);
    await this.#saveSessions(number);
  }

  /**
   * Does what the daemon does by and by: tries again what failed, and saves cookies and the time
   * anew.
   */
  async writeAgain(number: number): Promise<void> {
    this.#drift.retry();
    this.#keeper.advance(BigInt(number - 1) * DAY + 2n);
    await this.#saveSessions(number);
  }

  /** Tells what has happened since the last time. */
  report(): DiskReport {
    const changed = FILES.filter((name) => {
      const read = readFile(`${this.#folder}/${name}`, 1 << 20);
      const text = read.ok ? [...read.value].join() : read.error.name;
      const isOther = this.#known.get(name) !== text;
      this.#known.set(name, text);
      return isOther;
    });
    const documents = this.#functions.documents().filter(({ up }) => !up);
    const down = documents.map(({ kind, reason }) => `${kind}: ${reason}`);
    return { changed, lines: this.#lines.splice(0), down };
  }

  async #saveSessions(number: number): Promise<void> {
    this.#sessions.saveBound(1_800_000_000 + number);
    const key = new Uint8Array(32);
    await this.#sessions.save(
      new Map([["a 1", {
        aeadId: 15,
        keys: { clientToServer: key, serverToClient: key },
        alternativeKeys: undefined,
        cookies: [],
        ntpServer: undefined,
        ntpPort: number,
        authenticBefore: false,
      }]]),
    );
    await this.#drift.settled();
    await this.#keeper.settled();
    await this.#sessions.settled();
  }
}

if (import.meta.main) {
  const reports = await fillAndFree(Deno.args[0] ?? "");
  console.log(JSON.stringify(reports));
}
