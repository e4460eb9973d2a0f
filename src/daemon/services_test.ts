import "../../tests/support/libc_opened.ts";
import { deepEqual, equal } from "node:assert/strict";
import type { Config } from "../config/config.ts";
import { parseConfig } from "../config/parse.ts";
import { SymmetricKeys } from "../server/authentication.ts";
import { FunctionStates } from "./observability/function_states.ts";
import { type ServiceParts, Services } from "./services.ts";

const SILENT = { info: () => {}, error: () => {} };

function config(listen: string): Config {
  const parsed = parseConfig(
    `[observability]\nlisten = "${listen}"\n[synchronization]\nlocal-stratum = 8\n`,
  );
  if (!parsed.ok) throw new Error("The configuration of the test has errors");
  return parsed.value.config;
}

/** Services whose parts only write down what they are told. */
class Scene {
  readonly calls: string[] = [];
  readonly functions = new FunctionStates(SILENT);
  /** What the status waits for before it listens. */
  gate: Promise<void> = Promise.resolve();
  isServing = false;
  readonly services: Services;

  constructor() {
    const note = (what: string) => {
      this.calls.push(what);
    };
    const noteLater = (what: string) => Promise.resolve(note(what));
    const isServing = () => this.isServing;
    const parts: ServiceParts = {
      control: { configure: () => {}, answer: () => [], retry: () => {}, stop: () => {} },
      ntp: {
        configure: () => noteLater("ntp configure"),
        retry: () => note("ntp retry"),
        update: () => note("ntp update"),
        clockStepped: () => note("ntp clockStepped"),
        documents: () => [],
        stop: () => noteLater("ntp stop"),
        get isServing() {
          return isServing();
        },
        closed: [],
        neverOpens: undefined,
      },
      nts: {
        configure: () => noteLater("nts configure"),
        stop: () => noteLater("nts stop"),
        listeners: { documents: () => [], responder: undefined },
      },
      http: {
        configure: async (listen) => {
          note(`http ${listen}`);
          await this.gate;
        },
        retry: () => note("http retry"),
        document: () => null,
        stop: () => noteLater("http stop"),
      },
      functions: this.functions,
      keys: new SymmetricKeys(new Map()),
      servedTime: () => {
        note("servedTime");
        return { synchronized: false };
      },
      onBusy: () => {},
    };
    this.services = new Services(parts);
  }
}

const CONFIGURED = ["nts configure", "ntp configure"];

Deno.test("configurations are applied one after the other, keys before what answers with them", async () => {
  const scene = new Scene();
  const gate = Promise.withResolvers<void>();
  scene.gate = gate.promise;
  const first = scene.services.configure(config("127.0.0.1:1001"));
  const second = scene.services.configure(config("127.0.0.1:1002"));
  await Promise.resolve();
  deepEqual(scene.calls, ["http 127.0.0.1:1001"]);
  gate.resolve();
  await Promise.all([first, second]);
  deepEqual(scene.calls, [
    "http 127.0.0.1:1001",
    ...CONFIGURED,
    "http 127.0.0.1:1002",
    ...CONFIGURED,
  ]);
});

Deno.test("a configuration that cannot be applied keeps no later one from being applied", async () => {
  const scene = new Scene();
  scene.gate = Promise.reject(new Error("The system refuses"));
  await scene.services.configure(config("127.0.0.1:1001"));
  scene.gate = Promise.resolve();
  await scene.services.configure(config("127.0.0.1:1002"));
  deepEqual(scene.calls, ["http 127.0.0.1:1001", "http 127.0.0.1:1002", ...CONFIGURED]);
});

Deno.test("the time is looked at only while it is served", async () => {
  const scene = new Scene();
  scene.services.retry();
  deepEqual(scene.calls, ["http retry", "ntp retry"]);
  scene.isServing = true;
  scene.services.retry();
  deepEqual(scene.calls.slice(2), ["http retry", "ntp retry", "servedTime", "ntp update"]);
  await scene.services.configure(config("127.0.0.1:1001"));
  deepEqual(scene.calls.slice(-3), ["ntp configure", "servedTime", "ntp update"]);
});

Deno.test("an open port for time or keys is serving, one that is closed or serves the status is not", () => {
  const { services, functions } = new Scene();
  equal(services.isServing, false);
  functions.up({ kind: "http", name: "127.0.0.1:1001" });
  functions.down({ kind: "server", name: "127.0.0.1:1002" }, "The port is in use");
  equal(services.isServing, false);
  functions.up({ kind: "nts-ke-server", name: "127.0.0.1:1003" });
  equal(services.isServing, true);
  functions.keepOnly("nts-ke-server", []);
  functions.up({ kind: "server", name: "127.0.0.1:1002" });
  equal(services.isServing, true);
  deepEqual(services.documents(), {
    servers: [],
    ntsKe: [],
    http: null,
    functions: functions.documents(),
  });
});

Deno.test("the end waits for a configuration under way, and closes the keys last", async () => {
  const scene = new Scene();
  const gate = Promise.withResolvers<void>();
  scene.gate = gate.promise;
  void scene.services.configure(config("127.0.0.1:1001"));
  const stopped = scene.services.stop();
  await Promise.resolve();
  equal(scene.calls.includes("ntp stop"), false);
  gate.resolve();
  await stopped;
  deepEqual(scene.calls, [
    "http stop",
    "http 127.0.0.1:1001",
    ...CONFIGURED,
    "ntp stop",
    "nts stop",
  ]);
});
