/**
 * Keeps the client's keys and cookies over a restart, and a time that has certainly passed.
 *
 * The idea: the file of keys is emptied as soon as it is read, so that no cookie is sent by two
 * runs, and written when the daemon ends. In between it is replaced now and then, for the run after
 * a crash, by cookies that this run has taken out of use and never sends, wherever it ends.
 * Whatever is damaged is set aside and costs a key exchange. The time lies in a file beside it and
 * is replaced now and then. Both are secret or at least private: mode 0600.
 *
 * @module
 */
import { err } from "../../base/result.ts";
import type { SourceConfig } from "../../config/config.ts";
import { findSessions, type SavedSession } from "../../engine/sources/saved_sessions.ts";
import type { SessionState } from "../../nts/client/session.ts";
import { decodeCookieStore, encodeCookieStore } from "../../nts/client/cookie_store.ts";
import {
  decodeTimeBound,
  encodeTimeBound,
  timeBoundPath,
} from "../../engine/authenticated_time/time_bound.ts";
import { log } from "../../system/log.ts";
import { StateFile } from "../files/state_file.ts";

const STORE_MAX = 1 << 20;
const BOUND_MAX = 64;
const SECRET = 0o600;

/** The client's secrets on disk; without a path nothing is kept. */
export class SessionStore {
  #path: string | undefined;
  #file: StateFile | undefined;
  #boundFile: StateFile | undefined;
  #sessions = new Map<string, SessionState>();
  #writing: Promise<void> = Promise.resolve();
  #boundFailed = false;
  #saveFailed = false;

  /** Uses the file of `nts.cookie-storage-path`; nothing is read yet. */
  constructor(path: string | undefined) {
    this.#use(path);
  }

  /**
   * Keeps everything at another path from now on; what lies there is read, and set aside if it is
   * damaged.
   */
  follow(path: string | undefined): void {
    if (path === this.#path) return;
    this.#use(path);
    this.load();
    this.readBound();
  }

  /** Reads keys and cookies and empties the file; what is wrong with it is logged. */
  load(): void {
    const file = this.#file;
    const found = file?.read();
    if (file === undefined || found === undefined || found.kind === "absent") return;
    if (found.kind === "unreadable") return log.warning(found.message);
    const decoded = found.kind === "content"
      ? decodeCookieStore(found.bytes)
      : err("too-long" as const);
    if (!decoded.ok) {
      const what = decoded.error.replaceAll("-", " ");
      log.warning(`The saved keys in ${file.path} cannot be used (${what}); ${file.setAside()}`);
      return;
    }
    const emptied = file.write(new Uint8Array(0));
    if (!emptied.ok) {
      log.warning(
        `Saved cookies are not used, because they might be sent twice: ${emptied.error}`,
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

  /** Whether there is a place for anything. */
  get keepsAnything(): boolean {
    return this.#file !== undefined;
  }

  /**
   * Replaces the keys and cookies for the next run, after all that is being written; a failure is
   * logged once, and so is its end.
   */
  save(sessions: ReadonlyMap<string, SessionState>): Promise<void> {
    const file = this.#file;
    this.#writing = this.#writing.then(async () => {
      const written = await file?.writeInBackground(encodeCookieStore(sessions));
      if (written?.ok === false && !this.#saveFailed) {
        log.warning(`Keys and cookies are not kept for the next start: ${written.error}`);
      }
      if (written?.ok === true && this.#saveFailed) {
        log.info("Keys and cookies are kept for the next start again");
      }
      this.#saveFailed = written?.ok === false;
    });
    return this.#writing;
  }

  /** Reads the time that has certainly passed, in Unix seconds; undefined when none is known. */
  readBound(): number | undefined {
    const file = this.#boundFile;
    const found = file?.read();
    if (file === undefined || found === undefined || found.kind === "absent") return undefined;
    if (found.kind === "unreadable") {
      log.warning(found.message);
      return undefined;
    }
    const bound = found.kind === "content" ? decodeTimeBound(found.bytes) : undefined;
    if (bound?.ok === true) return bound.value;
    log.warning(`${file.path} does not hold a time; ${file.setAside()}`);
    return undefined;
  }

  /** Replaces the time that has certainly passed; a failure is logged once. */
  saveBound(bound: number): void {
    const file = this.#boundFile;
    if (file === undefined) return;
    this.#writing = this.#writing.then(async () => {
      const written = await file.writeInBackground(encodeTimeBound(bound));
      if (!written.ok && !this.#boundFailed) log.warning(written.error);
      this.#boundFailed = !written.ok;
    });
  }

  /** Waits until all is written. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  #use(path: string | undefined): void {
    const key = "nts.cookie-storage-path", mode = SECRET;
    this.#path = path;
    this.#file = path === undefined
      ? undefined
      : new StateFile(path, { sizeMax: STORE_MAX, mode, key });
    const boundPath = timeBoundPath(path);
    this.#boundFile = boundPath === undefined
      ? undefined
      : new StateFile(boundPath, { sizeMax: BOUND_MAX, mode, key });
    this.#boundFailed = false;
  }
}
