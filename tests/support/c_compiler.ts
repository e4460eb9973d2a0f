/**
 * Asks the C compiler of this machine what it knows.
 *
 * Limits: where there is no gcc the answer is undefined, after a loud word.
 *
 * @module
 */
import { run, runAny } from "./command.ts";
import { temporaryFolder } from "./places.ts";

/** A C expression of an integer type that fits into 64 bits, by name. */
export interface Expression {
  /** The name under which its value is returned. */
  readonly name: string;
  /** The expression. */
  readonly expression: string;
  /** What must hold for the preprocessor; otherwise the expression is left out. */
  readonly guard?: string | undefined;
}

/** Returns the values of expressions after including headers; undefined without a compiler. */
export async function printC(
  expressions: readonly Expression[],
  headers: readonly string[],
): Promise<ReadonlyMap<string, bigint> | undefined> {
  const lines = expressions.flatMap(({ name, expression, guard }) => {
    const print = `printf("%s\\t%lld\\n", ${JSON.stringify(name)}, (long long)(${expression}));`;
    return guard === undefined ? [print] : [`#if ${guard}`, print, "#endif"];
  });
  const body = ["int main(void) {", ...lines, "return 0; }"];
  await using folder = await temporaryFolder();
  const program = `${folder.path}/program`;
  const source = await folder.write(
    "program.c",
    withHeaders(body, ["linux/version.h", ...headers]),
  );
  const complaints = await compile(["-o", program, source]);
  if (complaints === undefined) return undefined;
  if (complaints !== "") throw new Error(complaints);
  const { stdout } = await run(program, { args: [] });
  const rows = stdout.trim().split("\n").map((line) => line.split("\t"));
  return new Map(rows.map(([name = "", value = "0"]) => [name, BigInt(value)]));
}

/**
 * Returns what the compiler says against declarations after including headers; undefined without a
 * compiler.
 */
export async function complaintsAbout(
  declarations: readonly string[],
  headers: readonly string[],
): Promise<string | undefined> {
  await using folder = await temporaryFolder();
  const source = await folder.write("declarations.c", withHeaders(declarations, headers));
  return await compile(["-fsyntax-only", "-Wno-deprecated-declarations", source]);
}

function withHeaders(lines: readonly string[], headers: readonly string[]): string {
  const includes = [...new Set(headers)].map((header) => `#include <${header}>`);
  // Not stdio.h, whose headers of the C library clash with those of the kernel.
  const print = "int printf(const char *, ...);";
  return ["#define _GNU_SOURCE", ...includes, print, ...lines, ""].join("\n");
}

async function compile(args: readonly string[]): Promise<string | undefined> {
  try {
    const { stderr } = await runAny("gcc", { args });
    return stderr;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.warn("SKIPPED: there is no gcc on this machine, so nothing is compared with C");
    return undefined;
  }
}
