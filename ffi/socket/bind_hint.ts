/**
 * Why a port was refused with EACCES or EPERM, and what an administrator can do.
 *
 * The problem: a low port without the capability for it is the common cause and not the only one.
 * The idea: look at what is so here: where low ports end on this machine, and what this process
 * has. Limits: which of the other causes it is only the audit log of the system knows.
 *
 * @module
 */
import { hasCapability } from "../process/privileges.ts";
import { unprivilegedPortStart } from "../process/process.ts";

/** What decides about a refusal. */
export interface BindCircumstances {
  /** The first port that needs no capability. */
  readonly portStart: number;
  /** Whether this process may bind those below. */
  readonly mayBindLow: boolean;
}

/** Returns advice, as a sentence without full stop. */
export function bindHint(
  port: number,
  { portStart, mayBindLow }: BindCircumstances = {
    portStart: unprivilegedPortStart(),
    mayBindLow: hasCapability("CAP_NET_BIND_SERVICE"),
  },
): string {
  if (port > 0 && port < portStart && !mayBindLow) {
    return `Ports below ${portStart} need CAP_NET_BIND_SERVICE, which ntpsd keeps only if the ` +
      "configuration opens such a port at the start, so restart it; if that does not help, grant it " +
      "(AmbientCapabilities= in the service unit)";
  }
  return `Port ${port} needs no further capability, so something else forbids it: ` +
    "SELinux or AppArmor (see the audit log), Landlock, or a filter of the service's control group";
}
