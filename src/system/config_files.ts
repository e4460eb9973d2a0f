/**
 * Looks at the files that a configuration names, for `ntpsd check`: what is missing, does not fit
 * or is over is told before a daemon stumbles over it.
 *
 * The idea: what makes a part of ntpsd fail is a fault (of the kind `file`, unless ntpsd does not
 * start with it); what may be right when ntpsd runs (a folder that the service manager makes, a
 * file that only the daemon's user may read) is a note. Nothing is written. Limits: looks as the
 * user who asks, at this moment, on this machine.
 *
 * @module
 */
import type { OsError } from "../../ffi/errno.ts";
import { fileStatus, mayWrite, parentOf, readFile } from "../../ffi/file/files.ts";
import { OpenSsl } from "../../ffi/openssl/mod.ts";
import { findUser } from "../../ffi/process/privileges.ts";
import { hasAuthorities, NO_AUTHORITIES } from "../../ffi/openssl/trust_store.ts";
import type { Bytes } from "../base/bytes.ts";
import { SECONDS_PER_DAY } from "../base/units.ts";
import { UNIX_EPOCH_IN_NTP_SECONDS } from "../base/epoch.ts";
import type { Config, NtsKeServerConfig } from "../config/config.ts";
import type { ConfigError } from "../config/config_error.ts";
import { formatDay, parseLeapTable } from "../engine/leap/leap_table.ts";
import { openSecrets } from "./secret_files.ts";

/** What was found. */
export interface FileFindings {
  /** What will not work. */
  readonly faults: readonly ConfigError[];
  /** What may not. */
  readonly notes: readonly ConfigError[];
}

/** What is known beside the configuration. */
export interface FileContext {
  /** The time, in Unix seconds. */
  readonly now: number;
  /** Returns the line of a key. */
  readonly lineOf: (path: string) => number | undefined;
}

const FILE_MAX = 1 << 20;
/** Certificates that end sooner are told of; authorities renew theirs a month before. */
const NEAR_END = 14 * SECONDS_PER_DAY;
const FORBIDDEN = ["EACCES", "EPERM"];

/** Looks at all files of a configuration. */
export function lookAtFiles(config: Config, context: FileContext): FileFindings {
  const diagnostics = new FileDiagnostics(context);
  lookAtCertificates(config, diagnostics);
  lookAtLeapSeconds(config, diagnostics);
  lookAtStateFiles(config, diagnostics);
  for (const { key, message } of openSecrets(config)) diagnostics.note(key, message);
  const { user } = config.security;
  if (user !== undefined) {
    const found = findUser(user);
    if (found.ok && found.value === undefined) {
      diagnostics.startError(
        "security.user",
        `There is no user "${user}"`,
        `useradd --system ${user}`,
      );
    }
  }
  return { faults: diagnostics.faults, notes: diagnostics.notes };
}

/** Collects findings, each with the line of its key. */
class FileDiagnostics {
  readonly context: FileContext;
  readonly faults: ConfigError[] = [];
  readonly notes: ConfigError[] = [];

  constructor(context: FileContext) {
    this.context = context;
  }

  error(path: string, message: string, suggestion?: string): void {
    this.faults.push({ ...this.#located(path, message, suggestion), kind: "file" });
  }

  /** Adds an error with which ntpsd does not start. */
  startError(path: string, message: string, suggestion?: string): void {
    this.faults.push(this.#located(path, message, suggestion));
  }

  note(path: string, message: string, suggestion?: string): void {
    this.notes.push(this.#located(path, message, suggestion));
  }

  /** Tells that a file cannot be read; that this user may not is no fault of the configuration. */
  unreadable(path: string, { name, message, hint }: OsError): undefined {
    if (!FORBIDDEN.includes(name)) this.error(path, message, hint);
    else this.note(path, message, "ask as the user that ntpsd runs as, or as root");
  }

  #located(path: string, message: string, suggestion: string | undefined): ConfigError {
    const line = this.context.lineOf(path);
    return {
      path,
      ...(line === undefined ? {} : { line }),
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    };
  }
}

function lookAtCertificates(config: Config, diagnostics: FileDiagnostics): void {
  const sources = config.sources.map((source, i) => ({ ...source, path: `source[${i}]` }))
    .filter(({ mode }) => mode === "nts" || mode === "nts-pool");
  const [first] = sources;
  if (first === undefined && config.ntsKeServers.length === 0) return;
  const opened = OpenSsl.open();
  if (!opened.ok) {
    const path = first === undefined ? "nts-ke-server[0]" : `${first.path}.mode`;
    return diagnostics.note(path, opened.error.message, opened.error.hint);
  }
  const openssl = opened.value;
  for (const { certificateAuthority, path } of sources) {
    if (certificateAuthority === undefined) continue;
    const key = `${path}.certificate-authority`;
    const authorities = read(certificateAuthority, key, diagnostics);
    if (authorities === undefined) continue;
    const trust = openssl.clientContext({ system: false, authorities });
    if (trust.ok) trust.value.close();
    else diagnostics.error(key, `${trust.error.message} (${certificateAuthority})`);
  }
  const bare = sources.find(({ certificateAuthority }) => certificateAuthority === undefined);
  if (bare !== undefined && !hasAuthorities()) {
    diagnostics.note(`${bare.path}.mode`, `Certificates cannot be checked: ${NO_AUTHORITIES}`);
  }
  for (const [i, server] of config.ntsKeServers.entries()) {
    lookAtPair(server, { path: `nts-ke-server[${i}]`, openssl, diagnostics });
  }
}

function lookAtPair(
  server: NtsKeServerConfig,
  { path, openssl, diagnostics }: { path: string; openssl: OpenSsl; diagnostics: FileDiagnostics },
): void {
  const chainKey = `${path}.certificate-chain-path`, keyKey = `${path}.private-key-path`;
  const certificateChain = read(server.certificateChainPath, chainKey, diagnostics);
  const privateKey = read(server.privateKeyPath, keyKey, diagnostics);
  if (certificateChain === undefined || privateKey === undefined) return;
  const made = openssl.serverContext({ certificateChain, privateKey });
  privateKey.fill(0);
  if (!made.ok) {
    const isKey = /private key/.test(made.error.message);
    const file = isKey ? server.privateKeyPath : server.certificateChainPath;
    return diagnostics.error(isKey ? keyKey : chainKey, `${made.error.message} (${file})`);
  }
  const { subject, issuer, notBefore, notAfter, alternativeNames } = made.value.certificate;
  made.value.close();
  const { now } = diagnostics.context;
  const name = `The certificate of ${subject}`;
  if (notAfter < now) {
    diagnostics.error(chainKey, `${name} has expired on ${day(notAfter)}`, "renew it");
  } else if (notAfter < now + NEAR_END) {
    diagnostics.note(chainKey, `${name} expires on ${day(notAfter)}`, "renew it soon");
  }
  if (notBefore > now) diagnostics.error(chainKey, `${name} is not valid before ${day(notBefore)}`);
  if (alternativeNames.length === 0) {
    diagnostics.error(
      chainKey,
      `${name} has no alternative names, and clients look at nothing else`,
    );
  }
  const count = new TextDecoder().decode(certificateChain).split("BEGIN CERTIFICATE").length - 1;
  if (count === 1 && subject !== issuer) {
    diagnostics.note(
      chainKey,
      `${name} stands alone in ${server.certificateChainPath}`,
      "clients need those that lead to its authority too: most authorities give a file fullchain.pem",
    );
  }
}

function lookAtLeapSeconds({ clock }: Config, diagnostics: FileDiagnostics): void {
  const { leapSecondsFile: file } = clock, key = "clock.leap-seconds-file";
  const octets = file === undefined ? undefined : read(file, key, diagnostics);
  if (octets === undefined) return;
  const table = parseLeapTable(new TextDecoder().decode(octets));
  if (!table.ok) {
    return diagnostics.error(key, `${file} is no list of leap seconds: ${table.error}`);
  }
  const { expiresAt } = table.value;
  if (expiresAt - UNIX_EPOCH_IN_NTP_SECONDS > diagnostics.context.now) return;
  diagnostics.note(
    key,
    `The list of leap seconds ${file} has expired on ${formatDay(expiresAt)}`,
    "update it, usually with the package tzdata",
  );
}

function lookAtStateFiles(
  { clock, keyset, nts, observability }: Config,
  diagnostics: FileDiagnostics,
): void {
  const files: readonly (readonly [key: string, path: string | undefined])[] = [
    ["clock.drift-file", clock.driftFile],
    ["keyset.key-storage-path", keyset.keyStoragePath],
    ["nts.cookie-storage-path", nts.cookieStoragePath],
  ];
  for (const [key, path] of files) {
    if (path === undefined) continue;
    const status = fileStatus(path);
    if (status.ok && status.value !== undefined && status.value.kind !== "file") {
      const found = status.value.kind === "directory" ? "a directory" : "a pipe or a device";
      diagnostics.error(key, `Wanted a file, found ${found}: ${path}`);
    } else lookAtFolder(key, parentOf(path), diagnostics);
  }
  const { statisticsPath } = observability;
  if (statisticsPath !== undefined) {
    lookAtFolder("observability.statistics-path", statisticsPath, diagnostics);
  }
}

function lookAtFolder(key: string, folder: string, diagnostics: FileDiagnostics): void {
  const status = fileStatus(folder);
  if (!status.ok) return diagnostics.unreadable(key, status.error);
  if (status.value === undefined) {
    return diagnostics.note(
      key,
      `The directory ${folder} is not there`,
      "make it, unless the service does",
    );
  }
  if (status.value.kind !== "directory") {
    return diagnostics.error(key, `Wanted a directory, found a file: ${folder}`);
  }
  const writable = mayWrite(folder);
  if (!writable.ok) {
    diagnostics.note(key, `${writable.error.message} as this user`, writable.error.hint);
  }
}

function read(file: string, key: string, diagnostics: FileDiagnostics): Bytes | undefined {
  const octets = readFile(file, FILE_MAX);
  return octets.ok ? octets.value : diagnostics.unreadable(key, octets.error);
}

function day(unix: number): string {
  return formatDay(unix + UNIX_EPOCH_IN_NTP_SECONDS);
}
