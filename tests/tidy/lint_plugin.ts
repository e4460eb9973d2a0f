/**
 * House rules that the compiler and the stock linter cannot see, as a `deno lint` plugin.
 *
 * The problem: the core is a deterministic function of its inputs only as long as nobody reads a
 * clock or draws a random number in it, and one careless line is enough. The idea: judge the names
 * in the syntax tree, per folder. Limits: a rule looks at one file at a time and at names only, so
 * it also refuses a harmless local variable called `process`; rename it.
 *
 * @module
 */

/**
 * The folders whose code must be a function of its inputs; test files beside the code are exempt.
 */
export const PURE_FOLDERS: readonly string[] = [
  "base",
  "crypto",
  "protocol",
  "nts",
  "association",
  "selection",
  "discipline",
  "server",
  "engine",
  "config",
  "convert",
  "simulation",
];

/** Global names through which a clock, randomness, the system or the event loop would come in. */
export const IMPURE_GLOBALS: readonly string[] = [
  "Deno",
  "Date",
  "Temporal",
  "performance",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "requestAnimationFrame",
  "fetch",
  "Worker",
  "WebSocket",
  "BroadcastChannel",
  "crypto",
  "console",
  "process",
  "globalThis",
  "localStorage",
];

/** The longest file, in lines. */
export const FILE_LINES_MAX = 500;

/** The longest function, in lines from its first to its last. */
export const FUNCTION_LINES_MAX = 70;

const FORBIDDEN_NAMES = ["utils.ts", "util.ts", "helpers.ts", "helper.ts", "common.ts", "misc.ts"];

const plugin: Deno.lint.Plugin = {
  name: "ntpsd",
  rules: {
    "pure": { create: (context) => isPure(context.filename) ? purity(context) : {} },
    "dlopen-in-ffi": { create: (context) => inFfi(context.filename) ? {} : dlopen(context) },
    "background-in-one-place": {
      create: (context) =>
        /\/ffi\/background(_test)?\.ts$/.test(context.filename) ? {} : background(context),
    },
    "file-size": { create: fileSize },
    "function-size": { create: functionSize },
    "file-name": { create: fileName },
  },
};

export default plugin;

type Context = Deno.lint.RuleContext;
type Named = Deno.lint.Identifier;

function isPure(filename: string): boolean {
  const folder = filename.match(/(?:^|\/)src\/([^/]+)\/.*$/)?.[1];
  return folder !== undefined && PURE_FOLDERS.includes(folder) && !filename.endsWith("_test.ts");
}

function inFfi(filename: string): boolean {
  return /(?:^|\/)ffi\/|\/tests\/support\/test_(files|certificates)\.ts$/.test(filename);
}

function purity(context: Context): Deno.lint.LintVisitor {
  const forbid = (node: Deno.lint.Node, what: string) =>
    context.report({
      node,
      message: `${what} makes this folder depend on more than its inputs`,
      hint: "Take time, bytes and randomness as arguments; waiting belongs to src/daemon",
    });
  const importFrom = (node: { source: Deno.lint.Literal | null } & Deno.lint.Node) => {
    const from = node.source !== null && "value" in node.source ? String(node.source.value) : "";
    if (from.startsWith("node:")) forbid(node, `Importing ${from}`);
  };
  return {
    Identifier(node) {
      if (IMPURE_GLOBALS.includes(node.name) && !isMemberName(node)) forbid(node, node.name);
    },
    MemberExpression(node) {
      if (isMember(node, "Math", "random")) forbid(node, "Math.random");
    },
    AwaitExpression: (node) => forbid(node, "await"),
    ImportExpression: (node) => forbid(node, "import()"),
    ForOfStatement: (node) => node.await ? forbid(node, "for await") : undefined,
    FunctionDeclaration: (node) => node.async ? forbid(node, "async") : undefined,
    FunctionExpression: (node) => node.async ? forbid(node, "async") : undefined,
    ArrowFunctionExpression: (node) => node.async ? forbid(node, "async") : undefined,
    ImportDeclaration: importFrom,
    ExportAllDeclaration: importFrom,
  };
}

function dlopen(context: Context): Deno.lint.LintVisitor {
  return {
    MemberExpression(node) {
      if (!isMember(node, "Deno", "dlopen")) return;
      context.report({ node, message: "Only ffi/ calls Deno.dlopen" });
    },
  };
}

/**
 * Buffers of a call on the thread pool are to be held and its threads counted, which one file does
 * for all.
 */
function background(context: Context): Deno.lint.LintVisitor {
  return {
    Property(node) {
      const { key } = node;
      const name = key.type === "Identifier" ? key.name : key.type === "Literal" ? key.value : "";
      if (name !== "nonblocking" || node.parent.type !== "ObjectExpression") return;
      context.report({
        node,
        message: "Only ffi/background.ts declares calls on the thread pool",
        hint: "Add the call there: it counts threads and keeps the buffers alive",
      });
    },
  };
}

function fileSize(context: Context): Deno.lint.LintVisitor {
  return {
    Program(node) {
      const lines = context.sourceCode.text.trimEnd().split("\n").length;
      if (lines <= FILE_LINES_MAX) return;
      context.report({
        range: [node.range[0], node.range[0] + 1],
        message: `The file has ${lines} lines, at most ${FILE_LINES_MAX} are wanted`,
      });
    },
  };
}

function functionSize(context: Context): Deno.lint.LintVisitor {
  const measure = (node: Deno.lint.Node) => {
    const lines = context.sourceCode.text.slice(...node.range).split("\n").length;
    if (lines <= FUNCTION_LINES_MAX) return;
    context.report({
      range: [node.range[0], node.range[0] + 1],
      message: `The function has ${lines} lines, at most ${FUNCTION_LINES_MAX} are wanted`,
    });
  };
  return {
    FunctionDeclaration: measure,
    FunctionExpression: measure,
    ArrowFunctionExpression: measure,
  };
}

function fileName(context: Context): Deno.lint.LintVisitor {
  return {
    Program(node) {
      const name = context.filename.split("/").at(-1) ?? "";
      const range: [number, number] = [node.range[0], node.range[0] + 1];
      if (FORBIDDEN_NAMES.includes(name)) {
        context.report({ range, message: `${name} says nothing about what is in the file` });
      }
      if (!/^[a-z0-9]+(_[a-z0-9]+)*\.(ts|js)$/.test(name)) {
        context.report({ range, message: `A snake_case file name is wanted, found ${name}` });
      }
    },
  };
}

/**
 * Tells whether the name only labels a member or key (`x.performance`, `{ process: 1 }`), not a
 * value in scope.
 */
function isMemberName(node: Named): boolean {
  const parent = node.parent as Deno.lint.Node | undefined;
  switch (parent?.type) {
    case "MemberExpression":
      return !parent.computed && parent.property === node;
    case "Property":
      return !parent.computed && parent.key === node;
    case "MethodDefinition":
    case "PropertyDefinition":
    case "TSPropertySignature":
    case "TSMethodSignature":
      return parent.key === node;
    case "ImportSpecifier":
      return parent.imported === node;
    default:
      return false;
  }
}

function isMember(node: Deno.lint.MemberExpression, object: string, property: string): boolean {
  if (node.object.type !== "Identifier" || node.object.name !== object) return false;
  if (node.property.type === "Identifier" && !node.computed) return node.property.name === property;
  return node.property.type === "Literal" && node.property.value === property;
}
