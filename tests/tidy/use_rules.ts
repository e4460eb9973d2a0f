/**
 * House rules about use: what is exported or declared is used, and files do not import each other
 * in a circle.
 *
 * The problem: neither the compiler nor the linter sees that the last user of an exported function
 * is gone. The idea: the imports of all files, by name. Limits: a member counts as used when any
 * member of that name is read anywhere in the product.
 *
 * @module
 */
import type { Offence } from "./allowances.ts";
import type { Edge } from "./project.ts";
import type { SourceFacts } from "./syntax.ts";

/** Members that are read by who reads the JSON that the program prints. */
const PRINTED: readonly string[] = [
  "measuredOffsetSeconds",
  "durationSeconds",
  "median",
  "requestsByServer",
];

/** What only tests need of the product, by file and name, and the reason that it is there. */
export const FOR_TESTS: Readonly<Record<string, string>> = {
  "ffi/background.ts POOL_THREADS": "a fact of the runtime, which a test measures",
  "ffi/libc.ts replaceCalls": "tests refuse what the system could refuse",
  "ffi/openssl/owned_pointer.ts ownedPointerCounts": "memory of OpenSSL that leaks shows nowhere",
  "ffi/process/landlock.ts landlockVersion": "tests expect what the kernel at hand can do",
};

/** Tells whether a file is part of the product, not of its tests. */
export function isProduct(path: string): boolean {
  return /^((src|ffi|tools)\/|main\.ts$)/.test(path) && !path.endsWith("_test.ts");
}

/**
 * Finds exports that no file of the product needs.
 *
 * A type may be exported for the signature of something else. A value that only its own file uses
 * may be exported for a unit test.
 */
export function unusedExports(files: readonly SourceFacts[]): readonly Offence[] {
  const users = usersOf(files);
  return files.flatMap(({ path, exports, identifiers }) =>
    exports.flatMap(({ name, line, isType }) => {
      const importers = [...users.get(`${path} ${name}`) ?? [], ...users.get(`${path} *`) ?? []];
      const isUsedHere = (identifiers.get(name)?.count ?? 0) > 1;
      const isUsed = importers.some((user) => isProduct(user) || !isProduct(path)) ||
        (isUsedHere && (isType || importers.length > 0));
      const by = importers.length > 0
        ? "only tests use"
        : isUsedHere
        ? "no other file uses"
        : "nobody uses";
      const isExcepted = name === "main" || `${path} ${name}` in FOR_TESTS;
      return isUsed || isExcepted ? [] : [{ path, line, what: `${by} ${name}` }];
    })
  );
}

/** Finds members of the product's classes and interfaces that the product never reads. */
export function unusedMembers(files: readonly SourceFacts[]): readonly Offence[] {
  const product = files.filter(({ path }) => isProduct(path));
  const read = new Set(product.flatMap(({ reads }) => [...reads]));
  return product.flatMap(({ path, members }) =>
    members.filter(({ name }) =>
      name !== "constructor" && !read.has(name) && !PRINTED.includes(name)
    ).map((
      { name, line },
    ) => ({
      ...{ path, line },
      what: `${name} is never read`,
    }))
  );
}

/** Finds files that import each other in a circle; imports of types count too. */
export function circles(edges: readonly Edge[]): readonly Offence[] {
  const next = Map.groupBy(edges, ({ from }) => from);
  const reach = new Map<string, ReadonlySet<string>>();
  for (const path of next.keys()) reach.set(path, reachable(path, next));
  return [...reach].flatMap(([path, there]) => {
    if (!there.has(path)) return [];
    const others = [...there].filter((other) => reach.get(other)?.has(path) && other !== path);
    return [{ path, line: 1, what: `imports go in a circle with ${others.sort().join(", ")}` }];
  });
}

function reachable(
  start: string,
  next: ReadonlyMap<string, readonly Edge[]>,
): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [start];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    for (const { to } of next.get(path) ?? []) {
      if (found.has(to)) continue;
      found.add(to);
      open.push(to);
    }
  }
  return found;
}

/** Lists who imports each name, as `path name`; `path *` for those that take everything. */
function usersOf(files: readonly SourceFacts[]): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>();
  for (const { path, imports } of files) {
    for (const { from, names } of imports) {
      for (const name of names ?? ["*"]) {
        const key = `${from} ${name}`;
        users.set(key, [...users.get(key) ?? [], path]);
      }
    }
  }
  return users;
}
