/**
 * The server's keys for cookies as they lie on disk and are at work: read or made at the start,
 * rotated while the clock is believed, saved after each change.
 *
 * The idea: those who answer hold on to this object, and the keys behind it may be exchanged any
 * time, between two requests. A file that was replaced (a cluster's keys, brought by the
 * administrator) is taken over at the next reload. A damaged file is set aside, and new keys cost
 * every client one key exchange.
 *
 * Limits: keys are secret by the mode 0600 of their file alone; without a path they end with the
 * process.
 *
 * @module
 */
import type { ByteRange, Bytes } from "../../base/bytes.ts";
import type { UnixNanoseconds } from "../../base/ntp_timestamp.ts";
import { NANOSECONDS_PER_SECOND } from "../../base/units.ts";
import type { KeysetConfig } from "../../config/config.ts";
import type { AeadFactory, NtsAeadId } from "../../crypto/aead.ts";
import { CookieCodec } from "../../nts/server/cookie.ts";
import type { SessionKeys } from "../../nts/key_exchange/exporter.ts";
import { Keyset, type KeysetOptions } from "../../nts/server/keyset.ts";
import { RandomPool } from "../../nts/server/random_pool.ts";
import { type NtsRequestKind, NtsServerFields } from "../../nts/server/server_fields.ts";
import type { NtsResponder } from "../../server/authentication.ts";
import { FunctionStates } from "../observability/function_states.ts";
import { log } from "../../system/log.ts";
import { cookiesFrom } from "./ke_server.ts";
import { StateFile } from "../files/state_file.ts";
import { randomSource } from "../../system/random.ts";

const FILE_MAX = 1 << 16;
const SECRET = 0o600;

/** What the file could not be used for. */
type FileFault = "unread" | "unsaved";

interface ActiveKeys {
  readonly keyset: Keyset;
  readonly codec: CookieCodec;
  readonly fields: NtsServerFields;
  /** Whether the keys were made while it was not known whether the clock was right. */
  isUndated: boolean;
}

/** The keys of a server, or of one of a cluster. */
export class CookieKeys implements NtsResponder {
  readonly #aead: AeadFactory;
  #config: KeysetConfig;
  #file: StateFile | undefined;
  #active: ActiveKeys;
  /** What the file was when we read or wrote it last. */
  #onDisk: Bytes | undefined;
  #isFutureTold = false;
  readonly #functions: FunctionStates;
  #fileFault: FileFault | undefined;
  #saving: Promise<void> = Promise.resolve();

  /** Reads the keys, or makes new ones. */
  constructor(
    config: KeysetConfig,
    options: {
      readonly aead: AeadFactory;
      readonly now: UnixNanoseconds;
      /** Told whether the file can be read and written. */
      readonly functions?: FunctionStates;
    },
  ) {
    this.#functions = options.functions ?? new FunctionStates();
    this.#aead = options.aead;
    this.#config = config;
    this.#file = fileOf(config);
    this.#active = this.#activate(this.#read(), options.now);
  }

  check(request: ByteRange): NtsRequestKind {
    return this.#active.fields.check(request);
  }

  protect(answer: Bytes, offset: number): number {
    return this.#active.fields.protect(answer, offset);
  }

  nak(answer: Bytes, offset: number): number {
    return this.#active.fields.nak(answer, offset);
  }

  echo(answer: Bytes, offset: number): number {
    return this.#active.fields.echo(answer, offset);
  }

  /** Makes the eight cookies of a key exchange. */
  makeCookies(aeadId: NtsAeadId, keys: SessionKeys): readonly Bytes[] | undefined {
    return cookiesFrom(this.#active.codec)(aeadId, keys);
  }

  /** Rotates if it is time; called now and then, and only while the clock is believed. */
  advance(now: UnixNanoseconds): void {
    this.#retry(now);
    const { keyset, codec } = this.#active;
    const interval = BigInt(keyset.rotationInterval) * NANOSECONDS_PER_SECOND;
    const isAhead = keyset.nextRotation() > now + 2n * interval;
    const wasUndated = this.#active.isUndated;
    this.#active.isUndated = false;
    if (isAhead && wasUndated) {
      return this.#makeAnew("The keys for cookies were made by a wrong clock", now);
    }
    if (isAhead) return this.#tellFuture();
    const advanced = keyset.advance(now);
    if (!advanced.ok) return this.#makeAnew("The keys for cookies are far too old", now);
    if (advanced.value === 0) return;
    codec.refresh();
    log.info(`The keys for cookies were rotated; number ${keyset.currentId} is in use`);
    this.#save();
  }

  /** Reads or writes again what could not be read or written. */
  #retry(now: UnixNanoseconds): void {
    const fault = this.#fileFault;
    if (fault === undefined) return;
    this.#fileFault = undefined;
    if (fault === "unsaved") return this.#save();
    const found = this.#read();
    if (found !== undefined) return this.#replace(found, now);
    if (this.#fileFault === undefined) this.#save();
  }

  /** Follows a changed configuration, and a file that was replaced. */
  reload(config: KeysetConfig, now: UnixNanoseconds): void {
    const isMoved = config.keyStoragePath !== this.#config.keyStoragePath;
    const isCountOther = config.staleKeyCount !== this.#config.staleKeyCount;
    this.#config = config;
    if (isMoved) {
      this.#file = fileOf(config);
      this.#fileFault = undefined;
      this.#functions.keepOnly("keyset", []);
    }
    const found = this.#read() ?? (isCountOther ? this.#recounted() : undefined);
    if (found !== undefined) this.#replace(found, now);
    if (isMoved || isCountOther) this.#save();
  }

  /** Returns the keys at work with as many stale ones as are configured now. */
  #recounted(): Keyset | undefined {
    const bytes = this.#active.keyset.serialise();
    const keyset = Keyset.restore(bytes, this.#config.staleKeyCount);
    return keyset.ok ? keyset.value : undefined;
  }

  /** Waits until all is written. */
  async settled(): Promise<void> {
    await this.#saving;
  }

  /** Forgets all keys; the object is not used afterwards. */
  close(): void {
    this.#active.fields.close();
    this.#active.codec.close();
  }

  #replace(keyset: Keyset, now: UnixNanoseconds): void {
    const old = this.#active;
    this.#active = this.#activate(keyset, now);
    old.fields.close();
    old.codec.close();
    log.info(`The keys for cookies were read again; number ${keyset.currentId} is in use`);
  }

  #makeAnew(reason: string, now: UnixNanoseconds): void {
    const old = this.#active;
    log.warning(`${reason}: new ones are made, and every client must exchange keys again`);
    this.#active = this.#activate(undefined, now);
    this.#active.isUndated = false;
    old.fields.close();
    old.codec.close();
  }

  #tellFuture(): void {
    if (this.#isFutureTold) return;
    this.#isFutureTold = true;
    log.warning(
      `The keys for cookies (${
        this.#config.keyStoragePath ?? "in memory"
      }) are dated in the future ` +
        "and are not rotated before it; remove the file to have new ones made",
    );
  }

  #activate(keyset: Keyset | undefined, now: UnixNanoseconds): ActiveKeys {
    const isUndated = keyset === undefined;
    const used = keyset ??
      Keyset.create(keysetOptions(this.#config), { now, random: randomSource });
    const random = new RandomPool(randomSource);
    const codec = new CookieCodec({ keyset: used, aead: this.#aead, random });
    const fields = new NtsServerFields({ cookies: codec, aead: this.#aead, random });
    const active = { keyset: used, codec, fields, isUndated };
    if (isUndated) this.#write(used);
    return active;
  }

  /** Reads the file if it is another than the one we know. */
  #read(): Keyset | undefined {
    const file = this.#file;
    const found = file?.read();
    if (file === undefined || found === undefined || found.kind === "absent") return undefined;
    if (found.kind === "unreadable") {
      const reason = `They cannot be read, and others are kept in memory: ${found.message}`;
      this.#tell(file, { kind: "unread", reason });
      return undefined;
    }
    if (found.kind === "too-long") return this.#setAside(file, "too long");
    const { bytes } = found;
    if (this.#onDisk !== undefined && equalBytes(this.#onDisk, bytes)) return undefined;
    const options = keysetOptions(this.#config);
    const keyset = Keyset.restore(bytes, options.staleKeyCount);
    if (!keyset.ok) return this.#setAside(file, keyset.error.replaceAll("-", " "));
    this.#onDisk = bytes;
    this.#tell(file);
    tellInterval(keyset.value, options);
    return keyset.value;
  }

  #setAside(file: StateFile, what: string): undefined {
    log.warning(
      `The keys for cookies in ${file.path} cannot be used (${what}); ${file.setAside()}`,
    );
  }

  #save(): void {
    this.#write(this.#active.keyset);
  }

  #write(keyset: Keyset): void {
    if (this.#file === undefined || this.#fileFault === "unread") return;
    const file = this.#file, bytes = keyset.serialise();
    this.#saving = this.#saving.then(async () => {
      const written = await file.writeInBackground(bytes);
      if (file !== this.#file) return;
      if (!written.ok) {
        return this.#tell(file, {
          kind: "unsaved",
          reason: `They are not saved: ${written.error}`,
        });
      }
      this.#onDisk = bytes;
      this.#tell(file);
    });
  }

  /** Notes whether the file can be used, and why not. */
  #tell({ path }: StateFile, fault?: { readonly kind: FileFault; readonly reason: string }): void {
    this.#fileFault = fault?.kind;
    const id = { kind: "keyset", name: path } as const;
    if (fault === undefined) this.#functions.up(id);
    else this.#functions.down(id, fault.reason);
  }
}

function fileOf({ keyStoragePath }: KeysetConfig): StateFile | undefined {
  return keyStoragePath === undefined ? undefined : new StateFile(keyStoragePath, {
    sizeMax: FILE_MAX,
    mode: SECRET,
    key: "keyset.key-storage-path",
  });
}

function keysetOptions({ staleKeyCount, keyRotationInterval }: KeysetConfig): KeysetOptions {
  return { rotationInterval: keyRotationInterval, staleKeyCount };
}

function tellInterval(keyset: Keyset, options: KeysetOptions): void {
  if (keyset.rotationInterval === options.rotationInterval) return;
  log.warning(
    `The keys for cookies are rotated every ${keyset.rotationInterval} s, as their file says: ` +
      "all servers of a cluster must use one interval; remove the file to change it",
  );
}

function equalBytes(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}
