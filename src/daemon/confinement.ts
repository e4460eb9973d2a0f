/**
 * Gives up what the daemon does not need once it has started: the user root, capabilities, system calls.
 *
 * @module
 */
import { err, ok, type Result } from "../base/result.ts";
import type { Config } from "../config/config.ts";
import {
  becomeUser,
  type Capability,
  forbidNewPrivileges,
  keepCapabilities,
} from "../../ffi/privileges.ts";
import { userIds } from "../../ffi/process.ts";
import { installSystemCallFilter } from "../../ffi/seccomp.ts";
import { log } from "./log.ts";

/** What a running daemon may still need: the clock, and low ports after a reload. */
const KEPT: readonly Capability[] = ["CAP_SYS_TIME", "CAP_NET_BIND_SERVICE"];

/** Drops privileges as configured; the error is a sentence, and the daemon must not go on with it. */
export function dropPrivileges(config: Config): Result<void, string> {
  const { user, seccomp } = config.security;
  const isRoot = userIds().effectiveUid === 0;
  if (user !== undefined && isRoot) {
    const changed = becomeUser(user, KEPT);
    if (!changed.ok) return err(`${changed.error.message} ${changed.error.hint ?? ""}`.trim());
    log.info(`Runs as the user ${user} now`);
  } else if (isRoot) {
    const dropped = keepCapabilities([...KEPT, "CAP_DAC_OVERRIDE"]);
    if (!dropped.ok) log.warning(`${dropped.error.message}; capabilities are kept`);
  }
  if (!seccomp) return ok(undefined);
  forbidNewPrivileges();
  const installed = installSystemCallFilter();
  if (!installed.ok) log.warning(`${installed.error.message}; system calls are not filtered`);
  return ok(undefined);
}
