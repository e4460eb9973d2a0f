/**
 * Keeps the client's keys and cookies over a restart, and a time that has certainly passed.
 *
 * The idea: the file of keys is emptied as soon as it is read, so that no cookie is sent by two runs, and written when the daemon
 * ends; whatever is damaged is set aside and costs a key exchange. The time lies in a file beside it and is replaced now and
 * then. Both are secret or at least nobody's business: mode 0600.
 *
 * @module
 */
import {
  readFile,
  setFileAside,
  writeFileAtomic,
  writeFileAtomicInBackground,
} from "../../ffi/files.ts";
import type { SourceConfig } from "../config/config.ts";
import { findSessions, type SavedSession } from "../engine/saved_sessions.ts";
import type { SessionState } from "../nts/client_session.ts";
import { decodeCookieStore, encodeCookieStore } from "../nts/cookie_store.ts";
import { decodeTimeBound, encodeTimeBound } from "../nts/time_bootstrap.ts";
import { log } from "./log.ts";

const STORE_MAX = 1 << 20;
const BOUND_MAX = 64;
const SECRET = 0o600;

/** The client's secrets on disk; without a path nothing is kept. */
export class SessionStore {
  readonly #path: string | undefined;
  #sessions = new Map<string, SessionState>();
  #writing: Promise<void> = Promise.resolve();
  #boundFailed = false;

  /** Uses the file of `nts.cookie-storage-path`; nothing is read yet. */
  constructor(path: string | undefined) {
    this.#path = path;
  }

  /** Reads keys and cookies and empties the file; what is wrong with it is logged. */
  load(): void {
    if (this.#path === undefined) return;
    const read = readFile(this.#path, STORE_MAX);
    if (!read.ok) {
      if (read.error.name !== "ENOENT") log.warning(read.error.message);
      return;
    }
    if (read.value.length === 0) return;
    const decoded = decodeCookieStore(read.value);
    if (!decoded.ok) {
      const aside = setFileAside(this.#path);
      const fate = aside.ok ? `it is now ${aside.value}` : aside.error.message;
      const what = decoded.error.replaceAll("-", " ");
      log.warning(`The saved keys in ${this.#path} cannot be used (${what}); ${fate}`);
      return;
    }
    const emptied = writeFileAtomic(this.#path, { bytes: new Uint8Array(0), mode: SECRET });
    if (!emptied.ok) {
      log.warning(
        `Saved cookies are not used, because they might be sent twice: ${emptied.error.message}`,
      );
      return;
    }
    this.#sessions = new Map(decoded.value);
  }

  /** Gives the sessions of a source away. */
  take(config: SourceConfig): readonly SavedSession[] {
    const found = findSessions(this.#sessions, config);
    for (const name of [...this.#sessions.keys()]) {
      if (name.startsWith(`${config.address} `)) this.#sessions.delete(name);
    }
    return found;
  }

  /** Writes keys and cookies for the next run, and waits for the disk. */
  save(sessions: ReadonlyMap<string, SessionState>): void {
    if (this.#path === undefined) return;
    const bytes = encodeCookieStore(sessions);
    const written = writeFileAtomic(this.#path, { bytes, mode: SECRET });
    if (!written.ok) {
      const hint = written.error.hint ??
        "make its directory and let the user of ntpsd write to it, or change nts.cookie-storage-path";
      log.warning(`Keys and cookies are lost: ${written.error.message}; ${hint}`);
    }
  }

  /** Reads the time that has certainly passed, in Unix seconds; undefined when none is known. */
  readBound(): number | undefined {
    if (this.#path === undefined) return undefined;
    const path = boundPath(this.#path);
    const read = readFile(path, BOUND_MAX);
    if (!read.ok) {
      if (read.error.name !== "ENOENT") log.warning(read.error.message);
      return undefined;
    }
    const bound = decodeTimeBound(read.value);
    if (bound.ok) return bound.value;
    const aside = setFileAside(path);
    const fate = aside.ok ? `it is now ${aside.value}` : aside.error.message;
    log.warning(`${path} does not hold a time; ${fate}`);
    return undefined;
  }

  /** Replaces the time that has certainly passed; a failure is logged once. */
  saveBound(bound: number): void {
    if (this.#path === undefined) return;
    const path = boundPath(this.#path);
    this.#writing = this.#writing.then(async () => {
      const bytes = encodeTimeBound(bound);
      const written = await writeFileAtomicInBackground(path, { bytes, mode: SECRET });
      if (!written.ok && !this.#boundFailed) log.warning(written.error.message);
      this.#boundFailed = !written.ok;
    });
  }

  /** Waits until all is written. */
  async settled(): Promise<void> {
    await this.#writing;
  }
}

function boundPath(path: string): string {
  return `${path}.time-bound`;
}
