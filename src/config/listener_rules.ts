/**
 * The rules between listeners of all sections: which of them cannot be open together.
 *
 * @module
 */
import type { ConfigPath } from "./config_path.ts";
import { collisionAt, collisionOf, type Listener, type Place, placeOf, takenBy } from "./listen.ts";
import type { ControlConfig } from "./sections/control.ts";
import type { NtsKeServerConfig } from "./sections/nts_ke_server.ts";
import type { ServerConfig } from "./sections/server.ts";

/** What a configuration listens for; of the lists, what has an error is undefined. */
export interface AllListeners {
  /** The `[[server]]` sections, in order. */
  readonly servers: readonly (ServerConfig | undefined)[];
  /** The `[[nts-ke-server]]` sections, in order. */
  readonly ntsKeServers: readonly (NtsKeServerConfig | undefined)[];
  /** Where the status is served; undefined if it is not. */
  readonly status: string | undefined;
  /** Where the monitoring protocols are served. */
  readonly control: Pick<ControlConfig, "chronyc" | "ntpq">;
}

/** Reports the listeners that cannot be open together with an earlier one. */
export function checkListeners(
  { servers, ntsKeServers, status, control }: AllListeners,
  root: ConfigPath,
): void {
  const udp = servers.map((entry) => entry && { ...entry, transport: "udp" as const });
  const tcp = ntsKeServers.map((entry) => entry && { ...entry, transport: "tcp" as const });
  checkSections(udp, root.key("server"));
  checkSections(tcp, root.key("nts-ke-server"));
  if (status !== undefined) checkStatus(status, { listeners: tcp, at: root.key("nts-ke-server") });
  checkControl(control, { servers: udp.flatMap((entry) => entry?.listen ?? []), root });
}

const ONE_BY_ONE = "remove one of the two, or name all addresses one by one";

interface SectionListener extends Listener {
  readonly reusePort?: boolean;
}

function checkSections(
  listeners: readonly (SectionListener | undefined)[],
  sections: ConfigPath,
): void {
  const places = listeners.map((listener) => listener && { ...listener, ...placeOf(listener) });
  const known = new Map<string, number[]>();
  for (const [i, listener] of places.entries()) {
    if (listener === undefined) continue;
    const at = sections.index(i).key("listen");
    for (const j of rivalsOf(listener, known)) {
      const earlier = places[j];
      if (earlier === undefined) continue;
      const collision = collisionAt(earlier, listener);
      const isShared = listener.reusePort === true && earlier.reusePort === true;
      if (collision === undefined || (collision === "covered" && isShared)) continue;
      const path = sections.index(j).described;
      if (collision === "same") {
        at.report(`The same address as in ${path}`, "remove one of the two");
      } else at.report(cannotBeOpen(path, earlier.listen), ONE_BY_ONE);
      break;
    }
    for (const name of [portOf(listener), nameOf(listener)]) {
      const there = known.get(name);
      if (there === undefined) known.set(name, [i]);
      else there.push(i);
    }
  }
}

const ALL_ADDRESSES = ["0.0.0.0", "::"];

/**
 * Returns which of the earlier listeners, known by port and by port and address, may be in the way
 * of one: few, however many there are.
 */
function rivalsOf(place: Place, known: ReadonlyMap<string, readonly number[]>): readonly number[] {
  const { host } = place;
  if (ALL_ADDRESSES.includes(host)) return known.get(portOf(place)) ?? [];
  return [host, ...ALL_ADDRESSES].flatMap((each) =>
    known.get(nameOf({ ...place, host: each })) ?? []
  )
    .sort((a, b) => a - b);
}

function portOf({ port }: Place): string {
  return `${port}`;
}

function nameOf({ host, port }: Place): string {
  return `${port} ${host}`;
}

/** Status and key exchange are both served over TCP. */
function checkStatus(
  status: string,
  { listeners, at }: {
    readonly listeners: readonly (Listener | undefined)[];
    readonly at: ConfigPath;
  },
): void {
  for (const [i, listener] of listeners.entries()) {
    const collision = listener &&
      collisionOf(listener, { transport: "tcp", listen: status });
    if (collision === undefined) continue;
    at.index(i).key("listen").report(
      collision === "same"
        ? "The same address as observability.listen"
        : cannotBeOpen("observability", status),
      "give one of the two another port",
    );
    return;
  }
}

/** Time and the monitoring protocols are all served over UDP. */
function checkControl(
  { chronyc, ntpq }: AllListeners["control"],
  { servers, root }: { readonly servers: readonly string[]; readonly root: ConfigPath },
): void {
  const at = root.key("control");
  if (chronyc !== undefined && isInTheWay(servers, chronyc)) {
    at.key("chronyc").report(
      "Cannot be open together with a [[server]] at this port",
      "give one of the two another port: that of chronyd is 323",
    );
  }
  if (ntpq === undefined || ntpq === "off") return;
  const others = chronyc === undefined ? [] : [chronyc];
  if (isInTheWay(others, ntpq)) {
    at.key("ntpq").report(
      "Cannot be open together with chronyc, which is at the same port",
      "give one of the two another port: that of ntpq is 123, that of chronyc 323",
    );
  } else if (!takenBy(servers, ntpq) && isInTheWay(servers, ntpq)) {
    at.key("ntpq").report(
      "Cannot be open together with a [[server]] at a single address with this port",
      "name that address here: the server answers ntpq too",
    );
  }
}

/** Tells whether one of the listeners and another place cannot both be open. */
function isInTheWay(listens: readonly string[], place: string): boolean {
  return takenBy(listens, place) || listens.some((listen) => takenBy([place], listen));
}

function cannotBeOpen(other: string, listen: string): string {
  return `Cannot be open together with ${other}, which listens on ${listen}`;
}
