/**
 * Where what commands say goes to: full disks, pipes in every state, terminals of every kind.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runAny } from "../support/command.ts";
import { launch, ntpsd } from "../support/ntpsd.ts";

/** Runs a line of shell in which `"$@"` is the program. */
async function shell(line: string, env: Readonly<Record<string, string>> = {}) {
  const { program, args } = await launch("bundle");
  return await runAny("bash", { args: ["-c", line, "bash", program, ...args], env });
}

Deno.test("a full disk is told in a sentence, status 74", async () => {
  for (const command of ["version", "help configuration", "query --json 127.0.0.1:1"]) {
    const said = await shell(`"$@" ${command} >/dev/full`);
    assert.equal(said.code, 74, command);
    assert.match(said.stderr, /^ntpsd: Cannot write the output: no space left on device/);
  }
});

Deno.test("a reader who has seen enough ends a command in silence", async () => {
  const said = await shell('"$@" help configuration | head -n 1; echo "${PIPESTATUS[0]}"');
  assert.match(said.stdout, /^.*\n0\n$/);
  assert.equal(said.stderr, "");
});

Deno.test("through a pipe that somebody made non-blocking all octets come, once", async () => {
  const whole = (await ntpsd(["help", "configuration"], { kind: "bundle" })).stdout;
  // The flag belongs to the pipe's end, which is shared; what reads is slow to begin, or slow.
  const script = `import fcntl, os, subprocess, sys, time
def run(begin, pause):
    r, w = os.pipe()
    fcntl.fcntl(w, fcntl.F_SETFL, os.O_NONBLOCK)
    fcntl.fcntl(w, 1031, 4096)
    child = subprocess.Popen(sys.argv[1:], stdout=w)
    os.close(w)
    time.sleep(begin)
    octets = b""
    while part := os.read(r, 1000):
        octets += part
        time.sleep(pause)
    os.close(r)
    return child.wait(), octets
outcomes = [run(0.3, 0)] + [run(0, 0.002) for _ in range(5)]
sys.stdout.buffer.write(next((octets for code, octets in outcomes if octets != outcomes[0][1]), outcomes[0][1]))
sys.exit(max(code for code, octets in outcomes))`;
  const { program, args } = await launch("bundle");
  const said = await runAny("python3", {
    args: ["-c", script, program, ...args, "help", "configuration"],
  }).catch(() => undefined);
  if (said === undefined) return console.error("!!! Without python3 this test is SKIPPED");
  assert.deepEqual([said.code, said.stderr], [0, ""]);
  assert.equal(said.stdout, whole);
});

Deno.test("a locale without UTF-8 gets ASCII", async () => {
  const line = '"$@" query --help';
  assert.match((await shell(line, { LC_ALL: "C.UTF-8" })).stdout, /follows ± is/);
  const plain = (await shell(line, { LC_ALL: "C" })).stdout;
  assert.match(plain, /follows \+- is/);
  assert.doesNotMatch(plain, /[^\n -~]/);
});

Deno.test("a service that cannot start ends, though nothing reads what it says of it", async () => {
  const script = `import fcntl, os, subprocess, sys
r, w = os.pipe()
fcntl.fcntl(w, 1031, 4096)
os.write(w, b"x" * 4096)
child = subprocess.Popen(sys.argv[1:], stderr=w)
try:
    print(child.wait(60))
finally:
    child.kill()`;
  const { program, args } = await launch("bundle");
  const line = ["-c", script, program, ...args, "run", "-x", "-c", "/nonexistent/ntpsd.toml"];
  const said = await runAny("python3", { args: line }).catch(() => undefined);
  if (said === undefined) return console.error("!!! Without python3 this test is SKIPPED");
  assert.equal(said.stdout, "74\n", said.stderr);
});
