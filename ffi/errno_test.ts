import "../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { ERRNO, failed, osError } from "./errno.ts";
import { lastErrno, libc } from "./libc.ts";

Deno.test("errno of a failed call is read in the next statement, every time", () => {
  let wrong = 0;
  for (let i = 0; i < 20_000; i++) {
    libc().fsync(-1);
    if (lastErrno() !== 9) wrong++;
    libc().close(-1);
    if (lastErrno() !== 9) wrong++;
    libc().bind(-1, new Uint8Array(16), 16);
    if (lastErrno() !== 9) wrong++;
  }
  assert.equal(wrong, 0);
});

Deno.test("an error says what was tried, why not, and what to do", () => {
  assert.deepEqual(osError({ call: "bind", what: "bind 192.0.2.1:123", code: 98 }), {
    call: "bind",
    code: 98,
    name: "EADDRINUSE",
    message: "Cannot bind 192.0.2.1:123: address already in use (bind: EADDRINUSE)",
    hint: "Stop the other program that uses this port, or choose another address or port",
  });
  const own = osError({ call: "open", what: "read x", code: ERRNO.EACCES, hint: "Do that" });
  assert.equal(own.hint, "Do that");
  assert.equal(osError({ call: "x", what: "do", code: 4242 }).name, "E4242");
  assert.equal("hint" in osError({ call: "x", what: "do", code: ERRNO.EIO }), false);
});

Deno.test("a failure without a number takes errno", () => {
  libc().close(-1);
  const failure = failed({ call: "close", what: "close" });
  assert.equal(failure.error.name, "EBADF");
});
