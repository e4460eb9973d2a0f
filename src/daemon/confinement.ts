/**
 * Gives up what the daemon does not need: the user root, capabilities, system calls.
 *
 * The problem: rights belong to threads, and the runtime has threads before we run. The idea: a
 * process that starts with more than is needed prepares files as root, narrows its main thread, and
 * starts the program again in its place, so that every thread of it has the least from its first
 * instruction. Where the new user cannot read the program itself (run from source, a home folder of
 * mode 0700) the program starts again as root with next to no capability, and changes the user when
 * it is loaded. What is still too much then is judged by the real state of the process, and there
 * is never a third start. Limits: system calls are filtered last, in the process
 * (`filterSystemCalls`).
 *
 * @module
 */
import { unreachable } from "../base/assert.ts";
import { err, ok, type Result } from "../base/result.ts";
import { parseSocketAddress } from "../base/socket_address.ts";
import type { Config } from "../config/config.ts";
import { namedPaths } from "../config/named_path.ts";
import { NTPQ_ADDRESS, NTPQ_ADDRESS_IPV6 } from "../config/sections/control.ts";
import { executeAgain, readCommandLine, startedAgain } from "../../ffi/process/exec_again.ts";
import {
  handOverFile,
  holdFolder,
  holdForReading,
  isLedByRoot,
  mayRead,
  mayUserRead,
  prepareFile,
  prepareFolder,
} from "../../ffi/file/file_owner.ts";
import {
  describeHeldFiles,
  heldPaths,
  releaseFiles,
  takeHeldFiles,
} from "../../ffi/file/held_files.ts";
import { executablePath, parentOf } from "../../ffi/file/files.ts";
import { setApart } from "../../ffi/process/landlock.ts";
import {
  becomeUser,
  type Capability,
  capabilityMask,
  capabilitySets,
  findUser,
  forbidNewPrivileges,
  hasCapability,
  hideMemory,
  keepCapabilities,
  narrowThread,
  userName,
  type UserRecord,
} from "../../ffi/process/privileges.ts";
import { unprivilegedPortStart, userIds } from "../../ffi/process/process.ts";
import { installSystemCallFilter } from "../../ffi/process/seccomp.ts";
import { ControlSocket } from "../../ffi/socket/control_socket.ts";
import { log } from "../system/log.ts";

/** What the confinement depends on. */
export interface ConfinementRequest {
  /** Checked already. */
  readonly config: Config;
  /** The files that the configuration was read from, which a reload reads again. */
  readonly configFiles: readonly string[];
  /** Whether the clock is left alone whatever the configuration says. */
  readonly noAdjust: boolean;
  /** Whether it sets the clock and ends, and listens nowhere. */
  readonly once: boolean;
  /** Awaited right before the program is started again. */
  readonly brink: () => Promise<void>;
}

/** A line for the log, which is not open yet when the daemon confines itself. */
export interface Notice {
  /** How bad it is. */
  readonly level: "info" | "warning";
  /** A sentence. */
  readonly text: string;
}

/** What the process is to keep. */
interface Wanted {
  /** The user to become; undefined to stay. */
  readonly user: UserRecord | undefined;
  /** Whether the configuration names the user, so that it is an error if it cannot be. */
  readonly isUserDemanded: boolean;
  readonly keep: readonly Capability[];
}

/** What the first start tells the second. */
interface Message {
  /** The files that it holds open. */
  readonly files: string;
  /** Whether it was set apart from other processes. */
  readonly apart: boolean;
  /** Why the user could not be changed. */
  readonly stays?: string;
}

/** Whom root becomes if the configuration does not say: the first that exists. */
const DEFAULT_USERS = ["ntpsd", "nobody"] as const;
const NOBODY: UserRecord = { name: "nobody", uid: 65534, gid: 65534 };
const USED: readonly Capability[] = ["CAP_SYS_TIME", "CAP_NET_BIND_SERVICE"];
const TO_CHANGE_USER: readonly Capability[] = ["CAP_SETUID", "CAP_SETGID"];
const STAYS_ROOT =
  "ntpsd stays root, for it may not change the user: grant it CAP_SETUID and CAP_SETGID at the start, " +
  'start it as another user, or say that it is meant (user = "root" in [security])';
const SECRET = 0o600;
const PUBLIC = 0o644;

/**
 * Takes over the files that the first start has opened, if this is the second; to be called before
 * any is read.
 */
export function takeOverFiles(): void {
  const message = startedAgain();
  if (message !== undefined) takeHeldFiles(readMessage(message).files);
}

/**
 * Does what is left to do when the program is loaded; the error is a sentence, and the daemon must
 * not go on with it.
 */
export type FinishConfinement = () => Result<readonly Notice[], string>;

/**
 * Brings the process down to what the configuration needs: if there is anything to give up, the
 * program is started again, and this call does not return in the first of the two. Returns what is
 * to be called when all modules are loaded. The error is a sentence, and the daemon must not go on
 * with it.
 */
export async function confine(
  request: ConfinementRequest,
): Promise<Result<FinishConfinement, string>> {
  const message = startedAgain();
  const found = findWanted(request);
  if (!found.ok) return found;
  const wanted = found.value;
  if (!hasTooMuch(wanted)) return ok(() => ok(conclude(userKept(request.config))));
  if (message !== undefined) return ok(() => finishHere(wanted, []));
  if (wanted.user !== undefined) prepareFiles(request, wanted.user);
  holdNtpqListeners(request, wanted.keep);
  await request.brink();
  const failure = startAgain(wanted);
  const kept = wanted.user === undefined ? "their capabilities" : "their bounding set";
  const text = `${failure}; done in place instead, where threads of the runtime keep ${kept}`;
  return ok(() => finishHere(wanted, [{ level: "warning", text }]));
}

/** Tells which capabilities a configuration needs. */
export function neededCapabilities(
  { config, noAdjust }: Pick<ConfinementRequest, "config" | "noAdjust">,
): readonly Capability[] {
  const { servers, ntsKeServers, observability, control, clock } = config;
  const isLow = [observability.listen, control.chronyc, control.ntpq].some(isLowPort);
  const serves = servers.length > 0 || ntsKeServers.length > 0 || isLow;
  return [
    ...(noAdjust || clock.adjust === false ? [] : ["CAP_SYS_TIME"] as const),
    ...(serves ? ["CAP_NET_BIND_SERVICE"] as const : []),
  ];
}

function isLowPort(listen: string | undefined): boolean {
  const place = listen === undefined ? undefined : parseSocketAddress(listen);
  return place !== undefined && place.port < unprivilegedPortStart();
}

/** Gives up the system calls that are not needed after the start, if the configuration wants it. */
export function filterSystemCalls({ security }: Config): void {
  if (!security.seccomp) return;
  forbidNewPrivileges();
  const installed = installSystemCallFilter();
  if (!installed.ok) log.warning(`${installed.error.message}; system calls are not filtered`);
}

function readMessage(text: string): Message {
  try {
    const { files, apart, stays } = JSON.parse(text) as Partial<Record<keyof Message, unknown>>;
    return {
      files: typeof files === "string" ? files : "",
      apart: apart === true,
      ...(typeof stays === "string" ? { stays } : {}),
    };
  } catch {
    return { files: "", apart: false };
  }
}

function findWanted(request: Omit<ConfinementRequest, "brink">): Result<Wanted, string> {
  const keep = neededCapabilities(request);
  const name = request.config.security.user;
  const stays: Wanted = { user: undefined, isUserDemanded: false, keep };
  if (userIds().effectiveUid !== 0 || name === "root") return ok(stays);
  if (name === undefined) {
    if (!TO_CHANGE_USER.every(hasCapability)) return ok(stays);
    return ok({ ...stays, user: defaultUser() });
  }
  const user = findUser(name);
  if (!user.ok) return err(user.error.message);
  if (user.value !== undefined) return ok({ user: user.value, isUserDemanded: true, keep });
  const advice = `make it (useradd --system ${name}) or change security.user`;
  return err(`There is no user ${name}, whom security.user names: ${advice}`);
}

/** Remarks on a user that is not taken, though it is named, or root that was not asked for. */
function userKept({ security }: Config): readonly Notice[] {
  const { effectiveUid } = userIds();
  if (security.user === undefined) {
    const isStuck = effectiveUid === 0 && !TO_CHANGE_USER.every(hasCapability);
    return isStuck && readMessage(startedAgain() ?? "").stays === undefined
      ? [{ level: "warning", text: STAYS_ROOT }]
      : [];
  }
  const user = findUser(security.user);
  if (user.ok && user.value?.uid === effectiveUid) return [];
  const text =
    `security.user = "${security.user}" has no effect, for only root can change the user`;
  return [{ level: "warning", text }];
}

function defaultUser(): UserRecord {
  for (const name of DEFAULT_USERS) {
    const user = findUser(name);
    if (user.ok && user.value !== undefined) return user.value;
  }
  return NOBODY;
}

/** Looks at the real state of the process, whatever a variable says. */
function hasTooMuch({ user, keep }: Wanted): boolean {
  if (user !== undefined) return true;
  const sets = capabilitySets();
  return sets.ok && (sets.value.permitted & ~capabilityMask(keep)) !== 0n;
}

/** Starts the program again with less; returns, with a sentence, only if that fails. */
function startAgain({ user, isUserDemanded, keep }: Wanted): string {
  const words = readCommandLine();
  if (!words.ok) return words.error.message;
  const isLate = user !== undefined && !canStartAs(user);
  let narrowed = narrowThread({
    user: isLate ? undefined : user,
    keep: isLate ? [...keep, ...TO_CHANGE_USER] : keep,
  });
  let stays: string | undefined;
  if (!narrowed.ok && !isUserDemanded) {
    // A user namespace may know no other user: then root without its privileges.
    stays = narrowed.error.message;
    narrowed = narrowThread({ user: undefined, keep });
  }
  if (!narrowed.ok) return narrowed.error.message;
  const apart = setApart();
  const message: Message = {
    files: describeHeldFiles(),
    apart: apart.ok && apart.value,
    ...(stays === undefined ? {} : { stays }),
  };
  const failure = executeAgain(words.value, JSON.stringify(message));
  return failure.hint === undefined ? failure.message : `${failure.message}; ${failure.hint}`;
}

/**
 * Tells whether a user could load this program: a bundle or an executable that is open to all;
 * sources have a cache besides.
 */
function canStartAs(user: UserRecord): boolean {
  if (Deno.build.standalone) {
    const path = executablePath();
    return path.ok && isOpenTo(user, path.value);
  }
  const { protocol, pathname } = new URL(import.meta.url);
  if (protocol !== "file:" || pathname.endsWith(".ts")) return false;
  return isOpenTo(user, decodeURIComponent(pathname));
}

/** Tells whether a user could read a file, if it were in no group of others. */
function isOpenTo({ uid, gid }: UserRecord, path: string): boolean {
  return mayUserRead(path, { uid, groups: [gid] });
}

/** Drops what can be dropped without another start. */
function finishHere(
  { user, isUserDemanded, keep }: Wanted,
  notices: readonly Notice[],
): Result<readonly Notice[], string> {
  const isRoot = userIds().effectiveUid === 0;
  const narrowed = user !== undefined && isRoot ? becomeUser(user, keep) : keepCapabilities(keep);
  if (narrowed.ok) return ok(conclude(notices));
  const { message } = narrowed.error;
  if (isUserDemanded) return err(message);
  const text = `${message}; ntpsd goes on as it was started`;
  return ok(conclude([...notices, { level: "warning", text }]));
}

/**
 * Opens the listeners for `ntpq` that are there without being asked for, if the right to their port
 * is about to be given up; without that right there are none.
 */
function holdNtpqListeners(
  { config, once }: ConfinementRequest,
  keep: readonly Capability[],
): void {
  const adjusts = keep.includes("CAP_SYS_TIME") && !once;
  const mayOpenLater = keep.includes("CAP_NET_BIND_SERVICE");
  if (!adjusts || mayOpenLater || config.control.ntpq !== undefined) return;
  for (const listen of [NTPQ_ADDRESS, NTPQ_ADDRESS_IPV6]) {
    const local = parseSocketAddress(listen);
    if (local !== undefined) ControlSocket.hold(local);
  }
}

/** As root: makes and hands over what the user is to write, opens what root alone may read. */
function prepareFiles({ config, configFiles }: ConfinementRequest, user: UserRecord): void {
  for (const { path, use } of namedPaths(config)) {
    switch (use.kind) {
      case "state": {
        const mode = use.isSecret ? SECRET : PUBLIC;
        for (const end of ["", ...use.suffixes]) prepareStateFile(path + end, { user, mode });
        break;
      }
      case "folder":
        if (isLedByRoot(path) && prepareFolder(path, user).ok) holdFolder(path);
        break;
      case "read":
        holdForReading(path);
        break;
      default:
        unreachable(use);
    }
  }
  for (const file of configFiles) holdForReading(file);
}

function prepareStateFile(
  path: string,
  { user, mode }: { readonly user: UserRecord; readonly mode: number },
): void {
  const folder = parentOf(path);
  if (!isLedByRoot(folder)) return;
  const prepared = prepareFolder(folder, user);
  if (!prepared.ok) return;
  if (prepared.value) {
    handOverFile(path, user);
    holdFolder(folder);
  } else prepareFile(path, { user, mode });
}

function conclude(notices: readonly Notice[]): readonly Notice[] {
  const hidden = hideMemory(); // it holds keys
  releaseFiles(({ path, purpose }) =>
    purpose === "write" || purpose === "socket" || !mayRead(path)
  );
  const barred = heldPaths().filter((path) => !mayRead(path));
  const has = USED.filter(hasCapability);
  const rights = has.length === 0 ? "without any privilege" : `with ${has.join(" and ")}`;
  const { apart, stays } = readMessage(startedAgain() ?? "");
  const place = apart ? ", apart from other processes (Landlock)" : "";
  const name = userName(userIds().effectiveUid);
  const lines: Notice[] = [
    { level: "info", text: `Runs as the user ${name}, ${rights}${place}` },
    ...(stays === undefined ? [] : [{ level: "warning", text: stays } as const]),
    ...(hidden.ok ? [] : [{ level: "warning", text: hidden.error.message } as const]),
    ...notices,
  ];
  if (barred.length === 0) return lines;
  const text = `Opened before, because closed to the user ${name}: ${barred.join(", ")}; ` +
    "one that replaces such a file is read if that user may, else at the next start";
  return [...lines, { level: "info", text }];
}
