/**
 * What a reload does to a running engine, key by key: for each key that the engine uses, a
 * configuration before and after, and what is then seen to be otherwise.
 *
 * @module
 */
import { deepEqual, equal, match, notDeepEqual, notEqual, ok } from "node:assert/strict";
import { sessionProtections } from "./nts_sessions.ts";
import { configOf, EngineWorld, THREE_SOURCES, type WorldOptions } from "./engine_world.ts";

/** Reloads a running engine, and fails unless the key has its effect. */
export type ReloadProbe = () => void;

const FIRST = "192.0.2.1";
const POOL = `[[source]]\nmode = "pool"\naddress = "pool.example"\n`;
const NTS = `[[source]]\nmode = "nts"\naddress = "192.0.2.1:4460"\n`;
const LOCAL = "[synchronization]\nlocal-stratum = 7\n";

/** The probes by section and key. */
export const ENGINE_RELOADS: Readonly<Record<string, ReloadProbe>> = {
  "source.mode"() {
    const world = running({ config: source("server") });
    reload(world, source("pool"));
    equal(world.source(FIRST).mode, "pool");
  },
  "source.address"() {
    const world = running({ config: source("server", { address: "192.0.2.9" }) });
    reload(world, source("server"));
    deepEqual(world.snapshot.sources.map(({ name }) => name), [FIRST]);
    ok(world.source(FIRST).received > 0);
  },
  "source.count"() {
    const world = running({ config: `${POOL}count = 1\n`, pool: [FIRST, "192.0.2.2"] });
    equal(world.snapshot.sources.length, 1);
    reload(world, `${POOL}count = 2\n`);
    equal(world.snapshot.sources.length, 2);
  },
  "source.ignore"() {
    const world = running({ config: `${POOL}count = 2\n`, pool: [FIRST, "192.0.2.2"] });
    equal(world.snapshot.sources.length, 2);
    reload(world, `${POOL}count = 2\nignore = ["192.0.2.2"]\n`);
    const addresses = world.snapshot.sources.flatMap(({ address }) => address ?? []);
    deepEqual(addresses, ["192.0.2.1:123"]);
  },
  "source.certificate-authority"() {
    const world = running({ config: NTS });
    reload(world, `${NTS}certificate-authority = "/etc/ntpsd/own.pem"\n`);
    equal(world.take("exchange-keys").at(-1)?.certificateAuthority, "/etc/ntpsd/own.pem");
  },
  "source.aead-algorithms"() {
    const world = running({ config: NTS });
    notDeepEqual(world.take("exchange-keys").at(-1)?.aeadAlgorithms, [17]);
    reload(world, `${NTS}aead-algorithms = [17]\n`);
    deepEqual(world.take("exchange-keys").at(-1)?.aeadAlgorithms, [17]);
  },
  "source.prefer"() {
    for (const preferred of [0, 1, 2]) {
      const world = running({});
      reload(world, sourcesWith(preferred, "prefer = true"));
      equal(world.source(`192.0.2.${preferred + 1}`).status, "selected");
    }
  },
  "source.trust"() {
    const setUp = (world: EngineWorld) => void (world.server("192.0.2.3").error = 0.5);
    const world = running({ setUp });
    equal(world.source("192.0.2.3").status, "falseticker");
    reload(world, sourcesWith(2, "trust = true"));
    notEqual(world.source("192.0.2.3").status, "falseticker");
  },
  "synchronization.max-distance"() {
    const world = running({});
    notEqual(world.source(FIRST).status, "distant");
    reload(world, `${THREE_SOURCES}[synchronization]\nmax-distance = "1us"\n`);
    equal(world.source(FIRST).status, "distant");
  },
  "source.require"() {
    const setUp = (world: EngineWorld) => void (world.server("192.0.2.3").isSilent = true);
    const world = running({ setUp });
    deepEqual(world.statuses([FIRST, "192.0.2.2"]).includes("selected"), true);
    reload(world, sourcesWith(2, "require = true"));
    equal(world.statuses([FIRST, "192.0.2.2"]).includes("selected"), false);
  },
  "source.no-select"() {
    const world = running({});
    reload(world, sourcesWith(0, "no-select = true"));
    equal(world.source(FIRST).status, "no-select");
  },
  "source.key"() {
    const world = running({ config: source("server") });
    reload(world, `${source("server")}key = 5\n[keys]\nfile = "/etc/ntpsd/ntp.keys"\n`);
    equal(world.source(FIRST).authentication, "mac");
  },
  "source.interleaved"() {
    const world = running({ config: source("server") });
    const origins = () =>
      world.journal.flatMap(({ action }) =>
        action.type === "send" ? [new DataView(action.packet.slice().buffer).getBigUint64(24)] : []
      );
    deepEqual(new Set(origins()), new Set([0n]));
    reload(world, `${source("server")}interleaved = true\n`);
    ok(origins().some((origin) => origin !== 0n));
  },
  "source.poll-interval-limits"() {
    const limits = (text: string) => `${source("server")}poll-interval-limits = ${text}\n`;
    const world = running({ config: limits("{ min = 4, max = 5 }") });
    reload(world, limits("{ min = 8, max = 9 }"));
    equal(world.source(FIRST).pollSeconds, 256);
  },
  "source-defaults.poll-interval-limits"() {
    const limits = (text: string) =>
      `[source-defaults]\npoll-interval-limits = ${text}\n${source("server")}`;
    const world = running({ config: limits("{ min = 4, max = 5 }") });
    reload(world, limits("{ min = 8, max = 9 }"));
    equal(world.source(FIRST).pollSeconds, 256);
  },
  "synchronization.minimum-agreeing-sources"() {
    const setUp = (world: EngineWorld) => void (world.server("192.0.2.3").isSilent = true);
    const world = running({ config: synchronization("minimum-agreeing-sources = 2"), setUp });
    ok(isInUse(world));
    reload(world, synchronization("minimum-agreeing-sources = 3"));
    ok(!isInUse(world));
  },
  "synchronization.authentication"() {
    const authentication = (word: string) =>
      `${NTS}${synchronization(`authentication = "${word}"`)}`.replace(FIRST, "192.0.2.9");
    const world = running({ config: authentication("ignore") });
    ok(isInUse(world));
    reload(world, authentication("require"));
    ok(!isInUse(world));
  },
  "synchronization.single-step-panic-threshold"() {
    const world = running({ config: synchronization('single-step-panic-threshold = "1000s"') });
    reload(world, synchronization('single-step-panic-threshold = "1s"'));
    for (const last of [1, 2, 3]) world.server(`192.0.2.${last}`).error = 30;
    world.run(8000);
    match(world.panic ?? "", /single-step-panic-threshold of 1 s/);
  },
  "synchronization.startup-step-panic-threshold"() {
    const world = begun({ offset: 30 }, synchronization('startup-step-panic-threshold = "inf"'));
    reload(world, synchronization('startup-step-panic-threshold = "1s"'));
    match(world.panic ?? "", /startup-step-panic-threshold of 1 s/);
  },
  "synchronization.accumulated-step-panic-threshold"() {
    const world = begun({ offset: 30 }, THREE_SOURCES);
    reload(world, synchronization('accumulated-step-panic-threshold = "10s"'));
    match(world.panic ?? "", /accumulated-step-panic-threshold of 10 s/);
  },
  "synchronization.step-threshold"() {
    const world = begun({ offset: 1 }, THREE_SOURCES);
    reload(world, synchronization('step-threshold = "10s"'));
    deepEqual([world.steps.length, world.commands.length > 0], [0, true]);
  },
  "synchronization.step-limit"() {
    const world = begun({ offset: 1 }, THREE_SOURCES);
    reload(world, synchronization("step-limit = 0"));
    deepEqual([world.steps.length, world.commands.length > 0], [0, true]);
  },
  "synchronization.local-stratum"() {
    const world = running({ config: LOCAL });
    equal(world.snapshot.stratum, 7);
    reload(world, LOCAL.replace("7", "9"));
    equal(world.snapshot.stratum, 9);
  },
  "synchronization.reference-id"() {
    const world = running({ config: LOCAL });
    reload(world, `${LOCAL}reference-id = "OWN"\n`);
    equal(world.snapshot.referenceId, "OWN");
  },
  "clock.max-frequency-ppm"() {
    const world = running({ world: { drift: 100e-6 } });
    reload(world, `${THREE_SOURCES}[clock]\nmax-frequency-ppm = 10\n`);
    ok(world.logs.some((line) => line.includes("max-frequency-ppm = 10")));
  },
  "clock.max-slew-ppm"() {
    const slow = (ppm: number) =>
      `${synchronization("step-limit = 0")}[clock]\nmax-slew-ppm = ${ppm}\n`;
    const world = begun({ offset: 0.5 }, slow(80_000));
    reload(world, slow(20));
    ok(world.commands.length > 0);
    ok(world.commands.every(({ frequency }) => Math.abs(frequency) < 25));
  },
  "clock.max-clock-error-ppm"() {
    const setting = (ppm: number) => `${THREE_SOURCES}[clock]\nmax-clock-error-ppm = ${ppm}\n`;
    const grown = (ppm: number) => {
      const world = running({ config: setting(1) });
      for (const last of [1, 2, 3]) world.server(`192.0.2.${last}`).isSilent = true;
      reload(world, setting(ppm));
      return world.snapshot.errorBoundSeconds ?? 0;
    };
    ok(grown(1000) > grown(1) + 0.1);
  },
};

function source(mode: "server" | "pool", { address = FIRST } = {}): string {
  return `[[source]]\nmode = "${mode}"\naddress = "${address}"\n`;
}

/** Three sources, one of them with a line more. */
function sourcesWith(index: number, line: string): string {
  return [1, 2, 3].map((last, i) =>
    `${source("server", { address: `192.0.2.${last}` })}${i === index ? `${line}\n` : ""}`
  ).join("");
}

function synchronization(line: string): string {
  return `${THREE_SOURCES}[synchronization]\n${line}\n`;
}

function isInUse(world: EngineWorld): boolean {
  return world.snapshot.sources.some(({ status }) => status === "selected");
}

/** An engine that has started and has had no response yet. */
function begun(options: WorldOptions, config: string): EngineWorld {
  return new EngineWorld({ ...options, config }).start();
}

/** An engine that has run for a while. */
function running(options: {
  readonly config?: string;
  readonly world?: WorldOptions;
  readonly pool?: readonly string[];
  readonly setUp?: (world: EngineWorld) => void;
}): EngineWorld {
  const world = new EngineWorld({
    config: options.config ?? THREE_SOURCES,
    more: { protections: sessionProtections() },
    ...options.world,
  });
  const { pool } = options;
  if (pool !== undefined) world.resolve = () => pool;
  options.setUp?.(world);
  world.start().run(600);
  return world;
}

function reload(world: EngineWorld, config: string): void {
  world.handle({ type: "reconfigure", config: configOf(config) });
  world.run(600);
}
