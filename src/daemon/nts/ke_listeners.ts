/**
 * The server's side of Network Time Security in the daemon: the keys for cookies, and a listener
 * for key exchange for each `[[nts-ke-server]]` section.
 *
 * Certificates are read again on a reload and when their files change; a pair that does not fit
 * leaves the old one in use, also where a reload names other files. Sections that stay the same
 * over a reload but for these files keep their listener and their connections. Limits: a section
 * whose certificate cannot be read at first, or whose address cannot be had, is logged and tried
 * again when the files change, or at the next reload.
 *
 * @module
 */
import { realtimeNow } from "../../../ffi/clock/clock.ts";
import type { OpenSsl } from "../../../ffi/openssl/mod.ts";
import { present, unreachable } from "../../base/assert.ts";
import { formatUtc } from "../../base/utc.ts";
import { formatSocketAddress, parseSocketAddress } from "../../base/socket_address.ts";
import { NTS_KE_PORT } from "../../base/ports.ts";
import { NANOSECONDS_PER_SECOND, SECONDS_PER_DAY } from "../../base/units.ts";
import type { Config, NtsKeServerConfig } from "../../config/config.ts";
import type { NtsKeDocument } from "../../engine/status/snapshot.ts";
import type { NtsResponder } from "../../server/authentication.ts";
import { availableAeadIds } from "../../nts/server/server_fields.ts";
import type { NtsAeadId } from "../../crypto/aead.ts";
import { certificateDateFault, certificateRemarks } from "./certificate_remarks.ts";
import { filesAnswer } from "../files/file_access.ts";
import { CookieKeys } from "./keyset_file.ts";
import { FunctionStates } from "../observability/function_states.ts";
import { log } from "../../system/log.ts";
import { type CredentialFailure, Credentials, type Reload } from "./certificate_files.ts";
import { type NtsKeListener, startNtsKeServer } from "./ke_server.ts";
import { affordable } from "../tcp/tcp_listener.ts";
import type { TlsContexts } from "./tls_contexts.ts";
import { openSslAeadFactory } from "../../system/openssl_aead.ts";

const LOOK_MILLISECONDS = 30_000;
/** What could not be started is tried again once in so many calls of `retry`. */
const TRY_EVERY = 5;

interface Section {
  config: NtsKeServerConfig;
  credentials: Credentials | undefined;
  server: NtsKeListener | undefined;
  /** Why there is no listener. */
  listenError: string | undefined;
  /** Why the files of the certificate in use could not be taken over again. */
  certificateError: string | undefined;
  /** When something about the certificate was last remarked, in Unix seconds. */
  remarkedAt: number | undefined;
}

interface Running {
  readonly openssl: OpenSsl;
  readonly keys: CookieKeys;
  readonly aeadIds: readonly NtsAeadId[];
}

/** Runs all listeners for key exchange. */
export class NtsKeListeners {
  readonly #contexts: TlsContexts;
  readonly #functions: FunctionStates;
  #running: Running | undefined;
  #sections: Section[] = [];
  #tries = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Nothing is opened before `configure`. */
  constructor(contexts: TlsContexts, functions: FunctionStates = new FunctionStates()) {
    this.#contexts = contexts;
    this.#functions = functions;
  }

  /** What answers requests with Network Time Security; undefined when none are to be answered. */
  get responder(): NtsResponder | undefined {
    return this.#running?.keys;
  }

  /**
   * Opens, keeps and closes listeners, so that they are those of a configuration; reads keys and
   * certificates again.
   */
  async configure(config: Config): Promise<void> {
    const now = realtimeNow();
    const isWanted = config.ntsKeServers.length > 0 || config.keyset.keyStoragePath !== undefined;
    const isReadable = await filesAnswer([config.keyset.keyStoragePath]);
    if (this.#running === undefined) {
      if (isWanted && isReadable) this.#running = this.#start(config, now);
    } else if (isReadable) this.#running.keys.reload(config.keyset, now);
    await this.#follow(config.ntsKeServers);
    const listens = this.#sections.map(({ config }) => config.listen);
    for (const kind of ["nts-ke-server", "certificate"] as const) {
      this.#functions.keepOnly(kind, listens);
    }
    if (this.#running !== undefined) tellWithoutTime(config);
    else if (!isReadable) this.#tellUnanswered(config);
    await this.#look((credentials) => credentials.reload());
    this.#timer ??= this.#sections.length === 0
      ? undefined
      : setInterval(() => void this.#look((pair) => pair.reloadIfChanged()), LOOK_MILLISECONDS);
  }

  /** Makes the sections those that are wanted; an address that stays keeps its certificate. */
  async #follow(wanted: readonly NtsKeServerConfig[]): Promise<void> {
    const old = this.#sections;
    const next = wanted.map((config) => {
      const before = old.find(({ config: { listen } }) => listen === config.listen);
      before?.credentials?.follow(config);
      if (before === undefined || !differInFilesAlone(before.config, config)) {
        return newSection(config, before?.credentials);
      }
      before.config = config;
      return before;
    });
    const closing = old.filter((section) => !next.includes(section));
    await Promise.all(closing.map((section) => closeSection(section, next)));
    this.#sections = next;
  }

  /** Tries again what could not be started; to be called about once a second. */
  retry(): void {
    if (this.#sections.every(({ server }) => server !== undefined)) return;
    if (++this.#tries % TRY_EVERY === 0) void this.#look((pair) => pair.reloadIfChanged());
  }

  /**
   * Rotates keys when it is time; called while the clock is believed. `offsetSeconds`: how far it
   * is behind.
   */
  clockIsBelieved(offsetSeconds: number): void {
    if (this.#running === undefined) return;
    const offset = BigInt(Math.round(offsetSeconds)) * NANOSECONDS_PER_SECOND;
    this.#running.keys.advance(realtimeNow() + offset);
  }

  /** Describes all listeners for status. */
  documents(): readonly NtsKeDocument[] {
    return this.#sections.flatMap(({ server }) => {
      if (server === undefined) return [];
      const { listen, accepted, completed, failed } = server.status();
      return [{ listen: formatSocketAddress(listen), accepted, completed, failed }];
    });
  }

  /**
   * Closes all listeners and forgets the keys; to be called when the listeners for NTP are closed.
   */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#sections.map((section) => closeSection(section)));
    this.#sections = [];
    await this.#running?.keys.settled();
    this.#running?.keys.close();
    this.#running = undefined;
  }

  /**
   * Tells of a file of keys that hangs: whether others have its keys is not known, so none are
   * made.
   */
  #tellUnanswered({ keyset, ntsKeServers }: Config): void {
    const reason =
      `${keyset.keyStoragePath} does not respond; it is tried again at the next reload`;
    for (const { listen } of ntsKeServers) {
      this.#functions.down({ kind: "nts-ke-server", name: listen }, reason);
    }
  }

  #start(config: Config, now: bigint): Running | undefined {
    const openssl = this.#contexts.open();
    if (!openssl.ok) {
      for (const { listen } of config.ntsKeServers) {
        this.#functions.down({ kind: "nts-ke-server", name: listen }, openssl.error.message);
      }
      if (config.ntsKeServers.length > 0) return undefined;
      log.error(`Network Time Security is not served: ${openssl.error.message}`);
      return undefined;
    }
    const aead = openSslAeadFactory(openssl.value);
    return {
      openssl: openssl.value,
      keys: new CookieKeys(config.keyset, { aead, now, functions: this.#functions }),
      aeadIds: availableAeadIds(aead),
    };
  }

  /** Reads certificates again as `reload` does, and starts what could not be started before. */
  async #look(reload: (credentials: Credentials) => Reload): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    for (const section of this.#sections) {
      const { certificateChainPath, privateKeyPath } = section.config;
      const isReadable = await filesAnswer([certificateChainPath, privateKeyPath]);
      // Much may have happened meanwhile.
      if (this.#running !== running || !this.#sections.includes(section)) continue;
      const hangs = `${certificateChainPath} or ${privateKeyPath} does not respond`;
      const { credentials } = section;
      if (credentials === undefined) {
        if (isReadable) loadCredentials(section, running.openssl);
        else section.listenError = hangs;
      } else if (!isReadable) section.certificateError = hangs;
      else {tellReload(
          section,
          section.certificateError === hangs ? credentials.reload() : reload(credentials),
        );}
      if (section.credentials !== undefined && section.server === undefined) {
        startServer(section, running);
      }
      this.#tell(section);
      remark(section);
    }
  }

  #tell(
    { config: { listen: name }, server, credentials, listenError, certificateError }: Section,
  ): void {
    const listener = { kind: "nts-ke-server", name } as const;
    if (server !== undefined) this.#functions.up(listener);
    else if (listenError !== undefined) this.#functions.down(listener, listenError);
    // Without any the listener is closed, and says why.
    if (credentials === undefined) return;
    const certificate = { kind: "certificate", name } as const;
    const now = Number(realtimeNow() / NANOSECONDS_PER_SECOND);
    const reason = certificateError === undefined
      ? certificateDateFault(credentials.context.chain, now)
      : `${certificateError}; the old certificate stays in use`;
    if (reason === undefined) this.#functions.up(certificate);
    else this.#functions.down(certificate, reason);
  }
}

function newSection(config: NtsKeServerConfig, credentials: Credentials | undefined): Section {
  return {
    config,
    credentials,
    server: undefined,
    listenError: undefined,
    certificateError: undefined,
    remarkedAt: undefined,
  };
}

/** Tells whether two sections have the same values but for the files of the certificate. */
function differInFilesAlone(one: NtsKeServerConfig, other: NtsKeServerConfig): boolean {
  const { certificateChainPath, privateKeyPath } = one;
  return JSON.stringify(one) === JSON.stringify({ ...other, certificateChainPath, privateKeyPath });
}

function tellWithoutTime({ sources, synchronization }: Config): void {
  if (sources.length > 0 || synchronization.localStratum !== undefined) return;
  log.warning(
    "Keys for cookies are rotated only while the clock is known to be right, but there is no [[source]]",
  );
}

function loadCredentials(section: Section, openssl: OpenSsl): void {
  const loaded = Credentials.load(openssl, section.config);
  if (loaded.ok) {
    section.credentials = loaded.value;
    section.listenError = undefined;
    section.remarkedAt = undefined;
    return;
  }
  section.listenError = failureText(loaded.error);
}

function failureText({ message, hint }: CredentialFailure): string {
  return hint === undefined ? message : `${message}; ${hint}`;
}

function tellReload(section: Section, reload: Reload): void {
  switch (reload.kind) {
    case "unchanged":
      return;
    case "changed": {
      const { subject, notAfter } = reload.certificate;
      const end = formatUtc(BigInt(notAfter) * NANOSECONDS_PER_SECOND);
      section.certificateError = undefined;
      section.remarkedAt = undefined;
      log.info(
        `Key exchange on ${section.config.listen} uses the certificate of ${subject}, valid until ${end}`,
      );
      return;
    }
    case "failed":
      section.certificateError = failureText(reload.failure);
      return;
    default:
      return unreachable(reload);
  }
}

/** Says what is amiss with the certificate, when it was read and every day after that. */
function remark(section: Section): void {
  const { credentials, config, remarkedAt } = section;
  const now = Number(realtimeNow() / NANOSECONDS_PER_SECOND);
  if (credentials === undefined) return;
  if (remarkedAt !== undefined && Math.abs(now - remarkedAt) < SECONDS_PER_DAY) return;
  section.remarkedAt = now;
  for (const text of certificateRemarks(credentials.context.chain, now)) {
    log.warning(`Key exchange on ${config.listen}: ${text}`);
  }
}

function startServer(section: Section, running: Running): void {
  const { config } = section;
  const { openssl, keys, aeadIds } = running;
  const started = startNtsKeServer({
    openssl,
    context: () => present(section.credentials, "A listener has its certificate").context,
    listen: present(
      parseSocketAddress(config.listen, NTS_KE_PORT),
      "The configuration was checked",
    ),
    offer: { aeadIds, ntpServer: config.ntpServer, ntpPort: config.ntpPort },
    makeCookies: (aeadId, sessionKeys) => keys.makeCookies(aeadId, sessionKeys),
    timeoutMs: config.keyExchangeTimeout * 1000,
    concurrentConnections: config.concurrentConnections,
  });
  section.listenError = started.ok ? undefined : started.error;
  if (!started.ok) return;
  section.server = started.value;
  log.info(`Serves key exchange on ${config.listen}`);
  const most = affordable(config.concurrentConnections);
  if (most < config.concurrentConnections) {
    log.warning(
      `Key exchange on ${config.listen} accepts at most ${most} connections instead of ${config.concurrentConnections}, ` +
        "because the limit on open files is low (LimitNOFILE in a unit, ulimit -n)",
    );
  }
}

/** Closes a listener, and its certificate unless one of `others` has it. */
async function closeSection(section: Section, others: readonly Section[] = []): Promise<void> {
  await section.server?.stop();
  const { credentials } = section;
  if (!others.some((other) => other.credentials === credentials)) credentials?.close();
  section.server = undefined;
  section.credentials = undefined;
}
