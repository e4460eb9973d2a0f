/**
 * Disks that are full or read-only, and folders that go away.
 *
 * @module
 */
import assert from "node:assert/strict";
import { fromFileUrl, run } from "../support/command.ts";
import { clientConfig } from "../support/daemon_config.ts";
import { startFalseServer } from "../support/false_server.ts";
import { type DiskReports, PIECE } from "../support/full_disk.ts";
import { probe } from "../support/ntp_probe.ts";
import { launch, type Status } from "../support/ntpsd.ts";
import { freePort, temporaryFolder } from "../support/places.ts";
import { RunningProgram } from "../support/process.ts";
import { PATIENCE_MS, waitUntil } from "../support/wait_until.ts";
import { needs } from "../support/needs.ts";

const ignore = Deno.uid() !== 0 && Deno.env.get("CI") === undefined;
const STATE = ["cookies", "cookies.time-bound", "drift", "keyset"];

Deno.test({
  name:
    "on a full disk every state file stays as it was and is told; with room again all are written" +
    needs(ignore, "root"),
  ignore,
  async fn() {
    await using folder = await temporaryFolder();
    const program = fromFileUrl(new URL("../support/full_disk.ts", import.meta.url));
    const config = fromFileUrl(new URL("../../deno.json", import.meta.url));
    const script = 'mount -t tmpfs -o size=96k tmpfs "$1" && shift && exec "$@"';
    const deno = ["run", "--quiet", "--no-prompt", "--no-check", "--allow-net", "--allow-ffi"];
    const { stdout } = await run("unshare", {
      args: [
        ...["--mount", "sh", "-c", script, "sh", folder.path],
        ...[Deno.execPath(), ...deno, `--config=${config}`, program, folder.path],
      ],
    });
    const { first, full, again, ballastLength } = JSON.parse(stdout) as DiskReports;
    assert.deepEqual(first.changed.toSorted(), STATE);
    assert.deepEqual(first.down, []);
    assert.ok(ballastLength > 0 && ballastLength % PIECE === 0, `${ballastLength}: a piece is cut`);
    assert.deepEqual(full.changed, []);
    for (const name of ["drift", "keyset", "cookies", "cookies.time-bound"]) {
      const told = full.lines.filter((line) => line.includes(`/${name}: no space left on device`));
      assert.equal(told.length, 1, `${name} is told once:\n${full.lines.join("\n")}`);
      assert.match(told.join(), /Free some space/);
    }
    assert.equal(full.down.length, 2, full.down.join("\n"));
    assert.deepEqual(again.changed.toSorted(), STATE);
    assert.deepEqual(again.down, []);
    assert.equal(again.lines.filter((line) => /drift|keyset/.test(line)).length, 2);
  },
});

/** What stands where the daemon keeps its files, made in a mount namespace of its own. */
const PLACES: Readonly<Record<string, { readonly make: string; readonly says: RegExp }>> = {
  "is full": {
    make: 'mount -t tmpfs -o size=64k tmpfs "$1"; cat /dev/zero >"$1/ballast" 2>/dev/null',
    says: /no space left on device/,
  },
  "is read-only": {
    make: 'mount -t tmpfs -o ro tmpfs "$1"',
    says: /read-only file system/,
  },
  "is a file": {
    make: ':>"$1/state"',
    says: /not a directory/,
  },
};

for (const [what, { make, says }] of Object.entries(PLACES)) {
  Deno.test({
    name:
      `the place for state ${what}: it is told, and the daemon measures, serves and ends in order` +
      needs(ignore, "root"),
    ignore,
    async fn() {
      await using server = await startFalseServer({ stratum: 1 });
      await using folder = await temporaryFolder();
      const place = `${folder.path}/place`;
      await Deno.mkdir(place);
      for (const path of [folder.path, place]) await Deno.chmod(path, 0o755);
      const script = `${make}; shift; exec "$@"`;
      await using daemon = await startIn({ folder: folder.path, script, server, place });
      const status = await daemon.waitForStatus((now) =>
        (now.sources[0]?.received ?? 0) > 0 && down(now).length === 2
      );
      assert.deepEqual(down(status), ["drift-file", "statistics"]);
      await daemon.process.waitFor(says);
      assert.ok(await probe("127.0.0.1", { port: daemon.ntp, timeoutMs: PATIENCE_MS }));
      const ended = await daemon.process.stop();
      assert.equal(ended.code, 0, daemon.process.stderr);
      assert.doesNotMatch(daemon.process.stderr, /bug|internal/i);
    },
  });
}

Deno.test("a folder that goes away while the daemon runs is told, and the daemon goes on and ends in order", async () => {
  await using server = await startFalseServer({ stratum: 1 });
  await using folder = await temporaryFolder();
  await Deno.chmod(folder.path, 0o755);
  const place = `${folder.path}/place`;
  await Deno.mkdir(`${place}/state`, { recursive: true });
  for (const path of [place, `${place}/state`]) await Deno.chmod(path, 0o777);
  await using daemon = await startIn({
    folder: folder.path,
    script: 'shift; exec "$@"',
    server,
    place,
  });
  const files = () => [...Deno.readDirSync(`${place}/state/statistics`)].length === 2;
  await daemon.waitForStatus((now) => {
    try {
      return down(now).length === 0 && files();
    } catch {
      return false;
    }
  });
  await Deno.remove(`${place}/state`, { recursive: true });
  await daemon.waitForStatus((now) => down(now).includes("statistics"));
  await daemon.process.waitFor(/statistics.*no such file/);
  const seen = server.requests;
  await waitUntil(() => server.requests > seen, {
    timeoutMs: 60_000,
    what: () => daemon.process.stderr,
  });
  const ended = await daemon.process.stop();
  assert.equal(ended.code, 0, daemon.process.stderr);
});

function down(status: Status): readonly string[] {
  return status.functions.filter(({ up }) => !up).map(({ kind }) => kind).toSorted();
}

/** Starts a daemon that keeps everything in `place/state`, after a script has made the place. */
async function startIn(options: {
  readonly folder: string;
  readonly script: string;
  readonly server: { readonly address: string; readonly port: number };
  readonly place: string;
}) {
  const { folder, place, server } = options;
  const http = await freePort(), ntp = await freePort();
  const config = `${folder}/ntpsd.toml`;
  await Deno.writeTextFile(
    config,
    `${clientConfig([server], 1)}
[[server]]
listen = "127.0.0.1:${ntp}"
[clock]
drift-file = "${place}/state/drift"
[nts]
cookie-storage-path = "${place}/state/cookies"
[observability]
listen = "127.0.0.1:${http}"
statistics-path = "${place}/state/statistics"
`,
  );
  const start = await launch("source");
  const process = new RunningProgram("unshare", {
    args: [
      ...["--mount", "sh", "-c", options.script, "sh", place],
      ...[start.program, ...start.args, "run", "-x", "-c", config],
    ],
  });
  const status = async (): Promise<Status | undefined> => {
    try {
      return await (await fetch(`http://127.0.0.1:${http}/status`)).json() as Status;
    } catch {
      return undefined;
    }
  };
  return {
    process,
    ntp,
    async waitForStatus(wanted: (status: Status) => boolean): Promise<Status> {
      let last: Status | undefined;
      return await waitUntil(async () => {
        last = await status();
        return last !== undefined && wanted(last) ? last : undefined;
      }, {
        timeoutMs: 60_000,
        everyMs: 100,
        what: () => `${JSON.stringify(last?.functions)}\n${process.stderr}`,
      });
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
