/**
 * A kernel that refuses to have its clock adjusted, as in a container or after a capability was
 * taken away, and others who set it.
 *
 * Limits: no call of these tests reaches the real clock_adjtime.
 *
 * @module
 */
import "../support/libc_opened.ts";
import assert from "node:assert/strict";
import { setErrno } from "../support/failing_calls.ts";
import { ERRORS } from "../../ffi/errno.ts";
import { replaceCalls } from "../../ffi/libc.ts";
import { KernelClockPort, takeOverClock } from "../../src/system/kernel_clock.ts";
import type { SetClockAction } from "../../src/engine/events.ts";

const SET: SetClockAction = {
  type: "set-clock",
  frequency: 10,
  step: 0,
  status: {
    synchronized: true,
    leap: "none",
    maxError: 0.01,
    estimatedError: 0.001,
    taiOffset: 37,
  },
};
const SET_OFFSET = 0x100;

/** A kernel's clock of the test's own: keeps what is written to it, or refuses. */
class FakeKernel implements Disposable {
  refuses: ((modes: number) => number) | undefined;
  frequency = 0n;
  steps = 0;
  readonly #undo = replaceCalls({
    here: { clock_adjtime: (_clock, bytes) => this.#adjust(bytes as Uint8Array<ArrayBuffer>) },
  });

  [Symbol.dispose](): void {
    this.#undo();
  }

  #adjust(bytes: Uint8Array<ArrayBuffer>): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const modes = view.getUint32(0, true);
    const errno = modes === 0 ? 0 : this.refuses?.(modes) ?? 0;
    if (errno !== 0) {
      setErrno(errno);
      return -1;
    }
    if ((modes & 0x2) !== 0) this.frequency = view.getBigInt64(16, true);
    if ((modes & SET_OFFSET) !== 0) this.steps++;
    view.setBigInt64(16, this.frequency, true);
    view.setBigInt64(88, 10_000n, true);
    return 0;
  }
}

Deno.test("each refusal of clock_adjtime is a sentence, and the next command may succeed", () => {
  using kernel = new FakeKernel();
  const port = new KernelClockPort();
  for (const errno of [1, 4, 5, 14, 16, 22, 38, 95]) {
    kernel.refuses = () => errno;
    for (const step of [0, 0.5]) {
      const result = port.set({ ...SET, step }, assert.fail);
      assert.ok(!result.ok);
      assert.match(result.error, /^Cannot (adjust|step) the kernel clock: .*clock_adjtime/);
      assert.match(result.error, new RegExp(ERRORS.get(errno)?.[0] ?? "no name"));
    }
    assert.ok(!takeOverClock().ok);
    kernel.refuses = undefined;
    const result = port.set({ ...SET, step: 0.5 }, assert.fail);
    assert.deepEqual(result, { ok: true, value: { frequency: 10, step: 0.5 } });
  }
});

Deno.test("a step that was made counts although what follows it is refused", () => {
  using kernel = new FakeKernel();
  kernel.refuses = (modes) => (modes & SET_OFFSET) === 0 ? 1 : 0;
  const result = new KernelClockPort().set({ ...SET, step: 0.5 }, assert.fail);
  assert.equal(kernel.steps, 1);
  assert.ok(!result.ok, "the engine is told, and finds the step by the clock itself");
});

Deno.test("a frequency that was set from outside is told, and set anew", () => {
  using kernel = new FakeKernel();
  const port = new KernelClockPort(), told: string[] = [];
  const tell = (message: string) => void told.push(message);
  assert.ok(port.set(SET, tell).ok);
  assert.ok(port.set(SET, tell).ok);
  assert.deepEqual(told, []);
  kernel.frequency = -50n << 16n;
  assert.ok(port.set(SET, tell).ok);
  assert.match(
    told.join(),
    /The clock's frequency was set from outside, from 10.000 to -50.000 ppm/,
  );
  assert.equal(kernel.frequency, 10n << 16n);
});
