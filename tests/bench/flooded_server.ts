/**
 * The server's loop beside a timer and a poller, as the engine has them: how late they come while
 * the server is flooded. For `bench:soak`. Argument: the UDP port. Prints `ready`, and on SIGTERM
 * one JSON document with the latenesses in milliseconds; "own" is that of the timer as far as this
 * process ran itself in the meantime, without the time in which others had the processor.
 *
 * @module
 */
import process from "node:process";
import { Poller } from "../../ffi/poller.ts";
import { realtimeNow } from "../../ffi/clock/clock.ts";
import { present } from "../../src/base/assert.ts";
import { fromUnixNanoseconds } from "../../src/base/ntp_timestamp.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { readInstant } from "../../src/system/local_clock.ts";
import { FunctionStates } from "../../src/daemon/observability/function_states.ts";
import { NtpListeners } from "../../src/daemon/ntp_listeners.ts";
import { referenceIdFromAscii } from "../../src/protocol/reference_id.ts";

const TIMER_MILLISECONDS = 10;
const POLL_SECONDS = 0.01;

const loaded = parseConfig(
  `[[server]]\nlisten = "127.0.0.1:${
    Deno.args[0]
  }"\nrate-limit = { interval = -19, burst = 255 }\n`,
);
const poller = Poller.open();
if (!loaded.ok || !poller.ok) throw new Error("The bench's own configuration is wrong");
const { servers, synchronization } = loaded.value.config;
/** Stands for the engine, which wants to run every ten milliseconds. */
const deadlines: number[] = [];
let deadline = Infinity;
function engine(): void {
  const now = performance.now();
  if (now < deadline) return;
  deadlines.push(now - deadline);
  deadline = now + TIMER_MILLISECONDS;
}

const running = new NtpListeners(-24, new FunctionStates());
await running.configure(servers, { synchronization, authentication: {}, onBusy: engine });
running.update({
  synchronized: true,
  leapIndicator: 0,
  stratum: 3,
  rootDelay: 0,
  rootDispersion: 0,
  dispersionRate: 15e-6,
  referenceId: referenceIdFromAscii("TEST"),
  referenceTimestamp: fromUnixNanoseconds(realtimeNow()),
  updatedAt: readInstant().monotonic,
}, readInstant());

/** Milliseconds that this process has run. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const timer: number[] = [], wait: number[] = [], own: number[] = [];
let stopping = false, due = performance.now() + TIMER_MILLISECONDS, ranAt = processorTime();
function tick(): void {
  const now = performance.now(), ran = processorTime();
  engine();
  timer.push(now - due);
  own.push(Math.max(0, ran - ranAt - TIMER_MILLISECONDS));
  due = now + TIMER_MILLISECONDS;
  ranAt = ran;
  if (!stopping) setTimeout(tick, TIMER_MILLISECONDS);
}
deadline = due;
setTimeout(tick, TIMER_MILLISECONDS);

async function watch(): Promise<void> {
  const { wait: pollFor } = present(poller.ok ? poller.value : undefined, "It is open");
  const sleep = pollFor.bind(poller.ok ? poller.value : undefined);
  while (!stopping) {
    const start = performance.now();
    await sleep(POLL_SECONDS);
    wait.push(performance.now() - start - 1000 * POLL_SECONDS);
  }
}
const watching = watch();

function summary(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { count: sorted.length, median: at(0.5), p99: at(0.99), max: sorted.at(-1) };
}

Deno.addSignalListener("SIGUSR1", () => {
  timer.length = 0;
  own.length = 0;
  deadlines.length = 0;
  wait.length = 0;
});
Deno.addSignalListener("SIGTERM", async () => {
  stopping = true;
  console.log(
    JSON.stringify({
      timer: summary(timer),
      poller: summary(wait),
      own: summary(own),
      engine: summary(deadlines),
    }),
  );
  await watching;
  await running.stop();
  Deno.exit(0);
});
console.log("ready");
