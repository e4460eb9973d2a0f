/**
 * The server's keys for cookies as they lie on disk and are at work: read or made at the start, rotated while the clock is
 * believed, saved after each change.
 *
 * The idea: those who answer hold on to this object, and the keys behind it may be exchanged any time, between two requests. A
 * file that was replaced (a cluster's keys, brought by the administrator) is taken over at the next reload. A damaged file is set
 * aside, and new keys cost every client one key exchange.
 *
 * Limits: keys are secret by the mode 0600 of their file alone; without a path they end with the process.
 *
 * @module
 */
import { readFile, setFileAside, writeFileAtomic } from "../../ffi/files.ts";
import type { Bytes } from "../base/bytes.ts";
import type { UnixNanoseconds } from "../base/ntp_timestamp.ts";
import type { KeysetConfig } from "../config/config.ts";
import type { AeadFactory, NtsAeadId } from "../crypto/aead.ts";
import { CookieCodec } from "../nts/cookie.ts";
import type { SessionKeys } from "../nts/exporter.ts";
import { Keyset, type KeysetOptions } from "../nts/keyset.ts";
import { RandomPool } from "../nts/random_pool.ts";
import { type ByteRange, NtsServerFields, type NtsVerdict } from "../nts/server_fields.ts";
import type { NtsResponder } from "../server/authentication.ts";
import { log } from "./log.ts";
import { cookiesFrom } from "./nts_ke_server.ts";
import { randomSource } from "./system_random.ts";

const FILE_MAX = 1 << 16;
const SECRET = 0o600;

interface KeysAtWork {
  readonly keyset: Keyset;
  readonly codec: CookieCodec;
  readonly fields: NtsServerFields;
  /** Whether the keys were made while nobody knew whether the clock was right. */
  isUndated: boolean;
}

/** The keys of a server, or of one of a cluster. */
export class KeysetKeeper implements NtsResponder {
  readonly #aead: AeadFactory;
  #config: KeysetConfig;
  #atWork: KeysAtWork;
  /** What the file was when we read or wrote it last. */
  #onDisk: Bytes | undefined;
  #isFutureTold = false;

  /** Reads the keys, or makes new ones. */
  constructor(config: KeysetConfig, options: { aead: AeadFactory; now: UnixNanoseconds }) {
    this.#aead = options.aead;
    this.#config = config;
    this.#atWork = this.#putToWork(this.#read(), options.now);
  }

  check(request: ByteRange): NtsVerdict {
    return this.#atWork.fields.check(request);
  }

  protect(answer: Bytes, offset: number): number {
    return this.#atWork.fields.protect(answer, offset);
  }

  nak(answer: Bytes, offset: number): number {
    return this.#atWork.fields.nak(answer, offset);
  }

  echo(answer: Bytes, offset: number): number {
    return this.#atWork.fields.echo(answer, offset);
  }

  /** Makes the eight cookies of a key exchange. */
  makeCookies(aeadId: NtsAeadId, keys: SessionKeys): readonly Bytes[] | undefined {
    return cookiesFrom(this.#atWork.codec)(aeadId, keys);
  }

  /** Rotates if it is time; called now and then, and only while the clock is believed. */
  advance(now: UnixNanoseconds): void {
    const { keyset, codec } = this.#atWork;
    const interval = BigInt(keyset.rotationInterval) * 1_000_000_000n;
    const isAhead = keyset.nextRotation() > now + 2n * interval;
    const wasUndated = this.#atWork.isUndated;
    this.#atWork.isUndated = false;
    if (isAhead && wasUndated) {
      return this.#makeAnew("The keys for cookies were made by a wrong clock", now);
    }
    if (isAhead) return this.#tellFuture();
    const advanced = keyset.advance(now);
    if (!advanced.ok) return this.#makeAnew("The keys for cookies are far too old", now);
    if (advanced.value === 0) return;
    codec.refresh();
    log.info(`The keys for cookies were rotated, number ${keyset.currentId} is in use`);
    this.#save();
  }

  /** Follows a changed configuration, and a file that somebody replaced. */
  reload(config: KeysetConfig, now: UnixNanoseconds): void {
    const isMoved = config.keyStoragePath !== this.#config.keyStoragePath;
    const isSame = JSON.stringify(config) === JSON.stringify(this.#config);
    this.#config = config;
    const found = this.#read();
    if (found !== undefined) return this.#replace(found, now);
    if (isMoved) return this.#save();
    if (!isSame) log.warning("Changes of [keyset] take effect when the keys are made anew");
  }

  /** Forgets all keys; the object is not used afterwards. */
  close(): void {
    this.#atWork.fields.close();
    this.#atWork.codec.close();
  }

  #replace(keyset: Keyset, now: UnixNanoseconds): void {
    const old = this.#atWork;
    this.#atWork = this.#putToWork(keyset, now);
    old.fields.close();
    old.codec.close();
    log.info(`The keys for cookies were read anew, number ${keyset.currentId} is in use`);
  }

  #makeAnew(why: string, now: UnixNanoseconds): void {
    const old = this.#atWork;
    log.warning(`${why}: new ones are made, and every client will exchange keys again`);
    this.#atWork = this.#putToWork(undefined, now);
    this.#atWork.isUndated = false;
    old.fields.close();
    old.codec.close();
  }

  #tellFuture(): void {
    if (this.#isFutureTold) return;
    this.#isFutureTold = true;
    log.warning(
      `The keys for cookies (${
        this.#config.keyStoragePath ?? "in memory"
      }) are of a time to come ` +
        "and are not rotated before it; remove the file to have new ones made",
    );
  }

  #putToWork(keyset: Keyset | undefined, now: UnixNanoseconds): KeysAtWork {
    const isUndated = keyset === undefined;
    const used = keyset ??
      Keyset.create(keysetOptions(this.#config), { now, random: randomSource });
    const random = new RandomPool(randomSource);
    const codec = new CookieCodec({ keyset: used, aead: this.#aead, random });
    const fields = new NtsServerFields({ cookies: codec, aead: this.#aead, random });
    const atWork = { keyset: used, codec, fields, isUndated };
    if (isUndated) this.#write(used);
    return atWork;
  }

  /** Reads the file if it is another than the one we know. */
  #read(): Keyset | undefined {
    const path = this.#config.keyStoragePath;
    if (path === undefined) return undefined;
    const bytes = readFile(path, FILE_MAX);
    if (!bytes.ok) {
      if (bytes.error.name !== "ENOENT") log.error(bytes.error.message);
      return undefined;
    }
    if (this.#onDisk !== undefined && equalBytes(this.#onDisk, bytes.value)) return undefined;
    const options = keysetOptions(this.#config);
    const keyset = Keyset.restore(bytes.value, options.staleKeyCount);
    if (keyset.ok) {
      this.#onDisk = bytes.value;
      tellInterval(keyset.value, options);
      return keyset.value;
    }
    const aside = setFileAside(path);
    const fate = aside.ok ? `it is now ${aside.value}` : aside.error.message;
    const what = keyset.error.replaceAll("-", " ");
    log.warning(`The keys for cookies in ${path} cannot be used (${what}); ${fate}`);
    return undefined;
  }

  #save(): void {
    this.#write(this.#atWork.keyset);
  }

  #write(keyset: Keyset): void {
    const path = this.#config.keyStoragePath;
    if (path === undefined) return;
    const bytes = keyset.serialise();
    const written = writeFileAtomic(path, { bytes, mode: SECRET });
    if (written.ok) {
      this.#onDisk = bytes;
      return;
    }
    const hint = written.error.hint ??
      "make its directory and let the user of ntpsd write to it, or change keyset.key-storage-path";
    log.error(`The keys for cookies are not saved: ${written.error.message}; ${hint}`);
  }
}

function keysetOptions({ staleKeyCount, keyRotationInterval }: KeysetConfig): KeysetOptions {
  return { rotationInterval: keyRotationInterval, staleKeyCount };
}

function tellInterval(keyset: Keyset, options: KeysetOptions): void {
  if (keyset.rotationInterval === options.rotationInterval) return;
  log.warning(
    `The keys for cookies are rotated every ${keyset.rotationInterval} s, as their file says: ` +
      "all servers of a cluster must do so alike; remove the file to change it",
  );
}

function equalBytes(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}
