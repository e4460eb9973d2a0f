/**
 * Looks at the files that a configuration names, for `ntpsd check`: what is missing, does not fit
 * or is over is told before a daemon stumbles over it.
 *
 * The idea: what makes a part of ntpsd fail is an error (of the kind `file`, unless ntpsd does not
 * start with it); what may be right when ntpsd runs (a folder that the service manager makes, a
 * file that only the daemon's user may read) is a note. Nothing is written. Limits: looks as the
 * user who asks, at this moment, on this machine.
 *
 * @module
 */
import { isForbidden } from "../base/forbidden.ts";
import type { OsError } from "../../ffi/errno.ts";
import { fileStatus, folderOfFile, mayWrite, readFile } from "../../ffi/file/files.ts";
import { OpenSsl } from "../../ffi/openssl/mod.ts";
import type { CertificateDescription } from "../../ffi/openssl/certificate.ts";
import { findUser } from "../../ffi/process/privileges.ts";
import { hasAuthorities, NO_AUTHORITIES } from "../../ffi/openssl/trust_store.ts";
import type { Bytes } from "../base/bytes.ts";
import { unreachable } from "../base/assert.ts";
import { SECONDS_PER_DAY } from "../base/units.ts";
import { UNIX_EPOCH_IN_NTP_SECONDS } from "../base/epoch.ts";
import type { Config, NtsKeServerConfig } from "../config/config.ts";
import type { ConfigError } from "../config/config_error.ts";
import { formatDay, parseLeapTable } from "../engine/leap/leap_table.ts";
import type { Place } from "../config/merge.ts";
import { type NamedPath, namedPaths } from "../config/named_path.ts";
import { readDrift } from "./drift_text.ts";
import { openSecrets } from "./secret_files.ts";

/** What was found. */
export interface FileFindings {
  /** What will not work. */
  readonly errors: readonly ConfigError[];
  /** What may not. */
  readonly notes: readonly ConfigError[];
}

/** What is known beside the configuration. */
export interface FileContext {
  /** The time, in Unix seconds. */
  readonly now: number;
  /** Returns where a key stands. */
  readonly placeOf: (path: string) => Place;
  /** The paths to look at, if not those that the configuration names. */
  readonly paths?: readonly NamedPath[];
}

const FILE_MAX = 1 << 20;
/** Certificates that end sooner are told of; authorities renew theirs a month before. */
const NEAR_END = 14 * SECONDS_PER_DAY;
/** What the command reads by itself, with the symmetric keys in it. */
const READ_ELSEWHERE = "keys.file";

/** Looks at all files of a configuration. */
export function lookAtFiles(config: Config, context: FileContext): FileFindings {
  const findings = new Findings(context);
  const paths = context.paths ?? namedPaths(config);
  lookAtCertificates(config, findings);
  lookAtLeapSeconds(config, findings);
  for (const path of paths) lookAtPath(path, findings);
  lookAtDrift(config, findings);
  for (const { key, message } of openSecrets(paths, config.security.user)) {
    findings.at(key).note(message);
  }
  lookAtUser(config, findings);
  return findings;
}

/** Collects findings, each with the line of its key. */
class Findings implements FileFindings {
  readonly context: FileContext;
  readonly errors: ConfigError[] = [];
  readonly notes: ConfigError[] = [];
  readonly #keys = new Map<string, FindingsAt>();

  constructor(context: FileContext) {
    this.context = context;
  }

  /** Returns where to tell what is found at a key. */
  at(key: string): FindingsAt {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    const made = new FindingsAt(this, key);
    this.#keys.set(key, made);
    return made;
  }
}

/** Collects findings at one key. */
class FindingsAt {
  readonly #all: Findings;
  readonly #key: string;
  #wasRead = false;

  constructor(all: Findings, key: string) {
    this.#all = all;
    this.#key = key;
  }

  /** Whether the file of the key was read, or tried to. */
  get wasRead(): boolean {
    return this.#wasRead;
  }

  error(message: string, suggestion?: string): void {
    this.#all.errors.push({ ...this.#located(message, suggestion), kind: "file" });
  }

  /** Adds an error with which ntpsd does not start. */
  startError(message: string, suggestion?: string): void {
    this.#all.errors.push(this.#located(message, suggestion));
  }

  note(message: string, suggestion?: string): void {
    this.#all.notes.push(this.#located(message, suggestion));
  }

  /** Tells that a file cannot be read; that this user may not is no error of the configuration. */
  unreadable(error: OsError): undefined {
    const { message, hint } = error;
    if (!isForbidden(error)) this.error(message, hint);
    else this.note(message, "run the command as the user of ntpsd, or as root");
  }

  /** Reads a file; undefined if that is not possible, which it tells. */
  read(file: string): Bytes | undefined {
    this.#wasRead = true;
    const octets = readFile(file, FILE_MAX);
    return octets.ok ? octets.value : this.unreadable(octets.error);
  }

  #located(message: string, suggestion: string | undefined): ConfigError {
    return {
      ...this.#all.context.placeOf(this.#key),
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    };
  }
}

function lookAtCertificates({ sources, ntsKeServers }: Config, findings: Findings): void {
  const authenticated = sources.map((source, i) => ({ ...source, name: `source[${i}]` }))
    .filter(({ mode }) => mode === "nts" || mode === "nts-pool");
  const [first] = authenticated;
  if (first === undefined && ntsKeServers.length === 0) return;
  const opened = OpenSsl.open();
  if (!opened.ok) {
    const key = first === undefined ? "nts-ke-server[0]" : `${first.name}.mode`;
    return findings.at(key).note(opened.error.message, opened.error.hint);
  }
  const openssl = opened.value;
  for (const { certificateAuthority: file, name } of authenticated) {
    const at = findings.at(`${name}.certificate-authority`);
    if (file !== undefined) lookAtAuthority(file, { openssl, at });
  }
  const bare = authenticated.find(({ certificateAuthority }) => certificateAuthority === undefined);
  if (bare !== undefined && !hasAuthorities()) {
    findings.at(`${bare.name}.mode`).note(`Certificates cannot be checked: ${NO_AUTHORITIES}`);
  }
  for (const [i, server] of ntsKeServers.entries()) {
    lookAtServer(server, { openssl, name: `nts-ke-server[${i}]`, findings });
  }
}

function lookAtAuthority(
  file: string,
  { openssl, at }: { readonly openssl: OpenSsl; readonly at: FindingsAt },
): void {
  const authorities = at.read(file);
  if (authorities === undefined) return;
  const trust = openssl.clientContext({ system: false, authorities });
  if (trust.ok) trust.value.close();
  else at.error(`${trust.error.message}: ${file}`);
}

function lookAtServer(
  { certificateChainPath, privateKeyPath }: NtsKeServerConfig,
  { openssl, name, findings }: {
    readonly openssl: OpenSsl;
    readonly name: string;
    readonly findings: Findings;
  },
): void {
  const chain = findings.at(`${name}.certificate-chain-path`);
  const key = findings.at(`${name}.private-key-path`);
  const certificateChain = chain.read(certificateChainPath);
  const privateKey = key.read(privateKeyPath);
  if (certificateChain === undefined || privateKey === undefined) return;
  const made = openssl.serverContext({ certificateChain, privateKey });
  privateKey.fill(0);
  if (!made.ok) {
    const { message, hint } = made.error;
    if (/private key/.test(message)) key.error(`${message}: ${privateKeyPath}`, hint);
    else chain.error(`${message}: ${certificateChainPath}`, hint);
    return;
  }
  const { certificate } = made.value;
  made.value.close();
  lookAtValidity(certificate, { at: chain, now: findings.context.now });
  const count = new TextDecoder().decode(certificateChain).split("BEGIN CERTIFICATE").length - 1;
  lookAtUse(certificate, { at: chain, file: certificateChainPath, count });
}

/** Looks at whether clients can use a certificate, one of `count` in its file. */
function lookAtUse(
  { subject, issuer, alternativeNames }: CertificateDescription,
  { at, file, count }: { readonly at: FindingsAt; readonly file: string; readonly count: number },
): void {
  const name = `The certificate of ${subject}`;
  if (alternativeNames.length === 0) {
    at.error(`${name} has no alternative names, and clients look at nothing else`);
  }
  if (count > 1 || subject === issuer) return;
  at.note(
    `${name} stands alone in ${file}`,
    "clients need those that lead to its authority too: most authorities give a file fullchain.pem",
  );
}

function lookAtValidity(
  { subject, notBefore, notAfter }: CertificateDescription,
  { at, now }: { readonly at: FindingsAt; readonly now: number },
): void {
  const name = `The certificate of ${subject}`;
  if (notAfter < now) at.error(`${name} expired on ${day(notAfter)}`, "renew it");
  else if (notAfter < now + NEAR_END) {
    at.note(`${name} expires on ${day(notAfter)}`, "renew it soon");
  }
  if (notBefore > now) at.error(`${name} is not valid before ${day(notBefore)}`);
}

function lookAtLeapSeconds({ clock }: Config, findings: Findings): void {
  const file = clock.leapSecondsFile, at = findings.at("clock.leap-seconds-file");
  const octets = file === undefined ? undefined : at.read(file);
  if (octets === undefined) return;
  const table = parseLeapTable(new TextDecoder().decode(octets));
  if (!table.ok) return at.error(`${file} is no list of leap seconds: ${table.error}`);
  const { expiresAt } = table.value;
  if (expiresAt - UNIX_EPOCH_IN_NTP_SECONDS > findings.context.now) return;
  at.note(
    `The list of leap seconds ${file} expired on ${formatDay(expiresAt)}`,
    "update it, usually with the package tzdata",
  );
}

/** Looks at what all paths of one use have in common. */
function lookAtPath({ key, path, use }: NamedPath, findings: Findings): void {
  const at = findings.at(key);
  switch (use.kind) {
    case "read":
      if (!at.wasRead && key !== READ_ELSEWHERE) at.read(path);
      return;
    case "state":
      return lookAtStateFile(path, at);
    case "folder":
      return lookAtFolder(path, at);
    default:
      return unreachable(use);
  }
}

/** Looks at a file as the daemon does, which leaves alone what it cannot read. */
function lookAtStateFile(path: string, at: FindingsAt): void {
  const status = fileStatus(path);
  // What is wrong with a folder above is told of the folder.
  if (!status.ok && status.error.name !== "ENOTDIR") return at.unreadable(status.error);
  const kind = status.ok ? status.value?.kind : undefined;
  if (kind !== undefined && kind !== "file") {
    const found = kind === "directory" ? "a directory" : "a pipe or a device";
    return at.error(`Wanted a file, found ${found}: ${path}`);
  }
  const octets = kind === undefined ? undefined : readFile(path, FILE_MAX);
  if (octets?.ok === false && isForbidden(octets.error)) {
    at.note(`${octets.error.message} as this user; the daemon must be able to`, octets.error.hint);
  } else if (octets?.ok === false && octets.error.name !== "EFBIG") {
    // one that is too long is set aside
    return at.unreadable(octets.error);
  }
  lookAtFolder(folderOfFile(path), at);
}

/** Looks at what is in the drift file; whether it can be read is told with its path. */
function lookAtDrift({ clock }: Config, findings: Findings): void {
  const { driftFile, maxFrequency } = clock;
  if (driftFile === undefined) return;
  const octets = readFile(driftFile, FILE_MAX);
  // an empty file is the same to the daemon as none
  if (octets.ok ? octets.value.length === 0 : octets.error.name !== "EFBIG") return;
  const drift = readDrift(octets.ok ? octets.value : undefined, maxFrequency);
  if (drift.ok) return;
  findings.at("clock.drift-file").note(
    `The drift file ${driftFile} cannot be used, ${drift.error}`,
    "ntpsd sets it aside and measures the frequency anew",
  );
}

function lookAtFolder(folder: string, at: FindingsAt): void {
  const status = fileStatus(folder);
  if (!status.ok) return at.unreadable(status.error);
  if (status.value === undefined) {
    return at.note(`The directory ${folder} is not there`, "make it, unless the service does");
  }
  if (status.value.kind !== "directory") {
    return at.error(`Wanted a directory, found a file: ${folder}`);
  }
  const writable = mayWrite(folder);
  if (!writable.ok) at.note(`${writable.error.message} as this user`, writable.error.hint);
}

function lookAtUser({ security: { user } }: Config, findings: Findings): void {
  const found = user === undefined ? undefined : findUser(user);
  if (found?.ok !== true || found.value !== undefined) return;
  findings.at("security.user").startError(
    `There is no user "${user}"`,
    `useradd --system ${user}`,
  );
}

function day(unix: number): string {
  return formatDay(unix + UNIX_EPOCH_IN_NTP_SECONDS);
}
