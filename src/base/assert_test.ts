import strict from "node:assert/strict";
import { assert, AssertionFailure, present, unreachable } from "./assert.ts";

const failure = (message: string) => (error: unknown) =>
  error instanceof AssertionFailure && error.name === "AssertionFailure" &&
  error.message === message;

Deno.test("an assertion throws what nobody else does, with its sentence", () => {
  assert(true, "Not thrown");
  strict.throws(() => assert(false, "A clock has a rate"), failure("A clock has a rate"));
});

Deno.test("a value that must be there is given back, though it be 0 or empty", () => {
  strict.equal(present(0, "missing"), 0);
  strict.equal(present("", "missing"), "");
  strict.equal(present(false, "missing"), false);
  strict.throws(() => present(undefined, "missing"), failure("missing"));
  strict.throws(() => present(null, "missing"), failure("missing"));
});

Deno.test("a case that types exclude is named", () => {
  strict.throws(() => unreachable("sideways" as never), failure("Unexpected value sideways"));
});
