/**
 * A daemon that is killed at random moments while it writes its state, again and again over the
 * same files.
 *
 * The idea: a small program keeps all state files by the daemon's own code and says which writes it
 * has finished; it is killed, started again over what it left, and tells what it found. No start
 * may find anything wrong, nor less than was finished. 60 kills by default; `deno task faults:kill`
 * makes a thousand. Limits: SIGKILL keeps what the kernel has taken; a power cut is not made.
 *
 * @module
 */
import assert from "node:assert/strict";
import { fromFileUrl } from "../support/command.ts";
import { temporaryFolder } from "../support/places.ts";
import { RunningProgram } from "../support/process.ts";
import type { StateFound } from "../support/state_writer.ts";
import { pause, waitUntil } from "../support/wait_until.ts";

const KILLS = Number(Deno.env.get("NTPSD_KILLS") ?? 60);
/** Each in a folder of its own, side by side. */
const CHAINS = 2;
/** So long after the first write it is killed at the latest. */
const RUN_MILLISECONDS = 60;
/** One in so many is killed before it has told what it found. */
const EARLY_ONE_IN = 10;
const FILES = ["drift", "cookies", "cookies.time-bound", "keyset"];
const WRITER = fromFileUrl(new URL("../support/state_writer.ts", import.meta.url));
const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));

interface KilledRun {
  /** What it told of its start; undefined when it was killed before. */
  readonly found: StateFound | undefined;
  /** The last number of each file whose writing it said was finished. */
  readonly finished: Readonly<Record<string, number>>;
}

Deno.test(`${KILLS} kills while state is written: no start fails, at most the last write is lost`, async () => {
  const each = Math.ceil(KILLS / CHAINS);
  const writes = await Promise.all(Array.from({ length: CHAINS }, () => chain(each)));
  const total = writes.reduce((sum, count) => sum + count, 0);
  // how many there are is the machine's matter; without any nothing would be shown
  assert.ok(total > 0, "no write was finished");
  console.log(`    ${each * CHAINS} kills, ${total} finished writes, nothing lost`);
});

/** Starts and kills over one folder; returns how many writes were finished. */
async function chain(kills: number): Promise<number> {
  await using folder = await temporaryFolder();
  let known: Record<string, number> = {}, writes = 0;
  for (let i = 0; i <= kills; i++) {
    const { found, finished } = await live(folder.path, i === kills);
    if (found === undefined) {
      // Its start has perhaps emptied the file of cookies, lest any is sent twice.
      delete known.cookies;
      continue;
    }
    assert.deepEqual(found.lines, []);
    for (const [name, number] of Object.entries(known)) {
      const now = found.numbers[name];
      const isLast = now === number || now === number + 1;
      assert.ok(isLast, `${name}: ${number} was finished, ${now} was found`);
    }
    const { cookies: _, ...kept } = found.numbers;
    known = { ...kept, ...finished };
    for (const [name, number] of Object.entries(finished)) {
      writes += number - (found.numbers[name] ?? number);
    }
  }
  const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name);
  const others = names.filter((name) => !FILES.includes(name));
  // The last process may have left one of each.
  assert.ok(others.length <= FILES.length, `Left behind: ${others}`);
  assert.deepEqual(others.filter((name) => !/\.\d+\.new$/.test(name)), []);
  return writes;
}

/**
 * Lets one process live for a random while; one that is `patient` is killed late, so that it has
 * told all.
 */
async function live(folder: string, patient: boolean): Promise<KilledRun> {
  await using writer = new RunningProgram(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--no-check", "--allow-net", "--allow-ffi"],
      ...[`--config=${CONFIG}`, WRITER, folder],
    ],
  });
  if (!patient && Math.random() < 1 / EARLY_ONE_IN) await pause(Math.random() * 300);
  else {
    await waitUntil(() => writer.stdout.includes("\n") || writer.over, {
      timeoutMs: 60_000,
      everyMs: 3,
      what: () => `the first line:\n${writer.stderr}`,
    });
    await pause(Math.random() * RUN_MILLISECONDS);
  }
  await writer.stop("SIGKILL");
  assert.equal(writer.stderr, "");
  const [first, ...lines] = writer.stdout.split("\n").slice(0, -1);
  const finished: Record<string, number> = {};
  for (const line of lines) {
    const [name = "", number] = line.split(" ");
    finished[name] = Number(number);
  }
  return { found: first === undefined ? undefined : JSON.parse(first) as StateFound, finished };
}
