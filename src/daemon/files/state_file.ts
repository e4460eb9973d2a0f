/**
 * A file in which the daemon keeps something over a restart: read once, replaced as a whole.
 *
 * The problem: a file that cannot be read now (no permission, a failing disk, a directory in its
 * place) may hold what cannot be made again, and must not be lost because a new one is written. The
 * idea: only a file that is not there, was read, or was set aside may be written; of all others the
 * path is left alone, and said to be. What makes no sense and may not be renamed, in a folder of
 * others, is written anew where it lies. Limits: what is in the file is the owner's business; who
 * finds that it makes no sense sets it aside.
 *
 * @module
 */
import { isWritingForbidden } from "../../base/forbidden.ts";
import {
  fileStatus,
  mayWrite,
  readFile,
  removeFile,
  removeLeftovers,
  setFileAside,
  writeFileAtomic,
  writeFileAtomicInBackground,
} from "../../../ffi/file/files.ts";
import type { OsError } from "../../../ffi/errno.ts";
import { heldFile } from "../../../ffi/file/held_files.ts";
import { rootAdvice, writeAdvice } from "./file_advice.ts";
import type { Bytes } from "../../base/bytes.ts";
import { damagedPath } from "../../base/damaged_path.ts";
import { err, ok, type Result } from "../../base/result.ts";

/** Of a damaged file that cannot be renamed so much at the most is copied. */
const DAMAGED_MAX = 1 << 20;

/** What a look at a file found. */
export type StateReading =
  /**
   * There is none, or an empty one: made for us before a change of user, or by an administrator who
   * gave it its owner.
   */
  | { readonly kind: "absent" }
  | { readonly kind: "content"; readonly bytes: Bytes }
  /** Too long to be what is kept there; it was not set aside yet. */
  | { readonly kind: "too-long" }
  /** It is there, or may be, and cannot be read; the message is a sentence. */
  | { readonly kind: "unreadable"; readonly message: string };

/** What is known of a file before it is read. */
export interface StateFileOptions {
  /** More octets than any good file has. */
  readonly sizeMax: number;
  /** The permission bits of a new file; 0o644 when left out. */
  readonly mode?: number;
  /** The key of the configuration that names the file, for advice. */
  readonly key: string;
}

/** One file of state. */
export class StateFile {
  /** Where it lies. */
  readonly path: string;
  readonly #options: StateFileOptions;
  #state: "unknown" | "ours" | "foreign" = "unknown";

  /** Touches nothing yet. */
  constructor(path: string, options: StateFileOptions) {
    this.path = path;
    this.#options = options;
  }

  /**
   * Reads the whole file; the first time it also removes what killed processes left half written
   * beside it.
   */
  read(): StateReading {
    if (this.#state === "unknown") removeLeftovers(this.path);
    const read = readFile(this.path, this.#options.sizeMax);
    const isAbsent = !read.ok && read.error.name === "ENOENT";
    this.#state = read.ok || isAbsent ? "ours" : "foreign";
    if (read.ok && read.value.length > 0) return { kind: "content", bytes: read.value };
    if (read.ok || isAbsent) return { kind: "absent" };
    if (read.error.name === "EFBIG") return { kind: "too-long" };
    const advice = rootAdvice(read.error, this.#options);
    const more = advice === undefined ? "" : `; ${advice}`;
    return { kind: "unreadable", message: `${read.error.message}; it is left as it is${more}` };
  }

  /**
   * Sets a file aside that makes no sense; returns what became of it, to follow "cannot be used; ".
   */
  setAside(): string {
    const aside = setFileAside(this.path);
    const isOurs = aside.ok || this.#canOverwrite();
    this.#state = isOurs ? "ours" : "foreign";
    if (aside.ok) return `it is now ${aside.value}`;
    if (!isOurs) return aside.error.message;
    const to = damagedPath(this.path);
    const read = readFile(this.path, DAMAGED_MAX);
    const copied = read.ok && writeFileAtomic(to, this.#content(read.value)).ok;
    return `it is written anew where it lies${
      copied ? `, a copy is ${to}` : ""
    }: ${aside.error.message}`;
  }

  /**
   * Tries whether the file could be replaced, without touching it; the error is a sentence that
   * says what to do. It waits for the disk.
   */
  tryWriting(): Result<void, string> {
    const refused = this.#closedError();
    if (refused !== undefined) return err(refused);
    if (heldFile(this.path)?.purpose === "write") return ok(undefined);
    const probe = `${this.path}.probe`;
    // A full disk takes empty files.
    const written = writeFileAtomic(probe, { bytes: new Uint8Array(1) });
    if (written.ok) {
      const removed = removeFile(probe);
      return removed.ok ? removed : err(removed.error.message);
    }
    if (isWritingForbidden(written.error) && this.#canOverwrite()) return ok(undefined);
    const { message, ...error } = written.error;
    // The name of the probe says nothing to a reader of the log.
    return this.#told(err({ ...error, message: message.replace(probe, () => this.path) }));
  }

  /** Replaces the content and waits for the disk; the error is a sentence that says what to do. */
  write(bytes: Bytes): Result<void, string> {
    const refused = this.#closedError();
    if (refused !== undefined) return err(refused);
    return this.#told(writeFileAtomic(this.path, this.#content(bytes)));
  }

  /** Does what `write` does on the thread pool. One at a time. */
  async writeInBackground(bytes: Bytes): Promise<Result<void, string>> {
    const refused = this.#closedError();
    if (refused !== undefined) return err(refused);
    return this.#told(await writeFileAtomicInBackground(this.path, this.#content(bytes)));
  }

  /** Says why nothing may be written; looks again, because the file may be gone by now. */
  #closedError(): string | undefined {
    if (this.#state === "ours") return undefined;
    const found = this.read();
    if (found.kind === "absent") return undefined;
    this.#state = "foreign";
    return found.kind === "unreadable"
      ? found.message
      : `${this.path} holds something that was not read, and is left as it is; move it away`;
  }

  /**
   * Tells whether the file can be written where it lies, by its mode or because it was opened
   * before the change of user.
   */
  #canOverwrite(): boolean {
    if (heldFile(this.path)?.purpose === "write") return true;
    const found = fileStatus(this.path);
    return found.ok && found.value?.kind === "file" && mayWrite(this.path).ok;
  }

  #content(bytes: Bytes): { readonly bytes: Bytes; readonly mode?: number } {
    const { mode } = this.#options;
    return mode === undefined ? { bytes } : { bytes, mode };
  }

  #told(written: Result<void, OsError>): Result<void, string> {
    if (written.ok) return ok(undefined);
    return err(`${written.error.message}; ${writeAdvice(written.error, this.#options)}`);
  }
}
