/**
 * What the house rules need to know of a source file, read from its syntax tree.
 *
 * The problem: a rule about parameters, switches or comments that reads text with regular
 * expressions is wrong in corner cases. The idea: the parser of `deno lint` is there anyway; one
 * visit collects the facts, the rules are plain functions over them. Limits: there are no types, so
 * a name stands for everything that is called so, and the parser is there in `deno test` only.
 *
 * @module
 */

/** Something at a line of a file. */
export interface Named {
  /** The name as it is written, without `#`. */
  readonly name: string;
  /** The line, from 1. */
  readonly line: number;
}

/** A comment, one line of it. */
export interface CommentLine {
  /** The text with its marks, without what stands before it in the line. */
  readonly text: string;
  /** Where the line ends, in columns from 1. */
  readonly columns: number;
  /** The line, from 1. */
  readonly line: number;
}

/** A function, method, constructor or the type of one. */
export interface FunctionFact extends Named {
  /** How many lines it has; 0 for a type, which has no body. */
  readonly lines: number;
  /** How many parameters come before the options object. */
  readonly positional: number;
  /** Whether it assigns to a member of its object or changes a collection in one. */
  readonly changesState: boolean;
  /** How many assertions it makes. */
  readonly assertions: number;
}

/** A switch. */
export interface SwitchFact {
  /** The line, from 1. */
  readonly line: number;
  /** What happens to a value that no case names. */
  readonly end: "unreachable" | "default" | "none";
  /** Whether all its cases are texts, as those of a union are. */
  readonly overTexts: boolean;
}

/** A name that a file exports. */
export interface ExportFact extends Named {
  /** Whether it is a type only. */
  readonly isType: boolean;
}

/** What a file takes from another. */
export interface ImportFact {
  /** Path of the other file from the root. */
  readonly from: string;
  /** The names; undefined when it takes all of them. */
  readonly names: readonly string[] | undefined;
}

/** A file and what the rules ask of it. */
export interface SourceFacts {
  /** Path from the root. */
  readonly path: string;
  /** All comments, line by line. */
  readonly comments: readonly CommentLine[];
  /** All functions, types of functions too. */
  readonly functions: readonly FunctionFact[];
  /** All switches. */
  readonly switches: readonly SwitchFact[];
  /** Everything that is exported, re-exports left out. */
  readonly exports: readonly ExportFact[];
  /** Everything that is imported or re-exported from files of the project. */
  readonly imports: readonly ImportFact[];
  /** Members that classes and interfaces declare. */
  readonly members: readonly Named[];
  /** Identifiers: how often each stands in the file, and where first. */
  readonly identifiers: ReadonlyMap<string, { readonly count: number; readonly line: number }>;
  /** Identifiers that are more than a key of an object, and where first. */
  readonly variables: ReadonlyMap<string, number>;
  /** Members that are read: `x.name`, `const { name } = x`, `x["name"]`. */
  readonly reads: ReadonlySet<string>;
  /** Texts and templates. */
  readonly texts: readonly string[];
}

type Node = Deno.lint.Node;
type Parameter = Deno.lint.Parameter | Deno.lint.TSParameterProperty;

/** Reads the facts of one file. */
export function factsOf(path: string, source: string): SourceFacts {
  const collector = new Collector(path, source);
  const plugin: Deno.lint.Plugin = {
    name: "facts",
    rules: { collect: { create: (context) => collector.handlers(context) } },
  };
  Deno.lint.runPlugin(plugin, `/${path}`, source);
  return collector.facts;
}

interface OpenFunction {
  readonly name: string;
  readonly node: Node;
  readonly positional: number;
  changesState: boolean;
  assertions: number;
}

const ASSERTIONS = ["assert", "present", "unreachable"];
const MUTATORS = ["set", "delete", "add", "clear", "push", "pop", "shift", "unshift", "splice"];

class Collector {
  readonly #path: string;
  readonly #lineStarts: readonly number[];
  readonly #comments: CommentLine[] = [];
  readonly #functions: FunctionFact[] = [];
  readonly #switches: SwitchFact[] = [];
  readonly #exports: ExportFact[] = [];
  readonly #imports: ImportFact[] = [];
  readonly #members: Named[] = [];
  readonly #identifiers = new Map<string, { readonly count: number; readonly line: number }>();
  readonly #variables = new Map<string, number>();
  readonly #reads = new Set<string>();
  readonly #texts: string[] = [];
  /** Functions that the visit is inside of, the innermost last. */
  readonly #open: OpenFunction[] = [];
  /** Local names of modules that are imported as a whole. */
  readonly #namespaces = new Map<string, string>();

  constructor(path: string, source: string) {
    this.#path = path;
    this.#lineStarts = [0, ...[...source.matchAll(/\n/g)].map(({ index }) => index + 1)];
  }

  get facts(): SourceFacts {
    return {
      path: this.#path,
      comments: this.#comments,
      functions: this.#functions,
      switches: this.#switches,
      exports: this.#exports,
      imports: this.#imports,
      members: this.#members,
      identifiers: this.#identifiers,
      variables: this.#variables,
      reads: this.#reads,
      texts: this.#texts,
    };
  }

  handlers(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
    return {
      Program: () => this.#addComments(context),
      ...this.#functionHandlers(),
      ...this.#moduleHandlers(),
      ...this.#memberHandlers(),
      SwitchStatement: (node) => this.#addSwitch(node),
      Identifier: (node) => {
        const { count, line } = this.#identifiers.get(node.name) ??
          { count: 0, line: this.#line(node) };
        this.#identifiers.set(node.name, { count: count + 1, line });
        if (!isKey(node) && !this.#variables.has(node.name)) {
          this.#variables.set(node.name, this.#line(node));
        }
      },
      Literal: (node) => {
        if ("value" in node && typeof node.value === "string") this.#texts.push(node.value);
      },
      TemplateElement: (node) => {
        this.#texts.push(node.cooked);
      },
    };
  }

  #functionHandlers(): Deno.lint.LintVisitor {
    const open = (
      node:
        | Deno.lint.FunctionDeclaration
        | Deno.lint.FunctionExpression
        | Deno.lint.ArrowFunctionExpression,
    ) => {
      this.#open.push({
        name: nameOf(node),
        node,
        positional: positional(node.params),
        changesState: false,
        assertions: 0,
      });
    };
    const close = () => this.#closeFunction();
    return {
      FunctionDeclaration: open,
      "FunctionDeclaration:exit": close,
      FunctionExpression: open,
      "FunctionExpression:exit": close,
      ArrowFunctionExpression: open,
      "ArrowFunctionExpression:exit": close,
      TSFunctionType: (node) => this.#addFunctionType(node),
      TSEmptyBodyFunctionExpression: (node) => this.#addFunctionType(node),
      AssignmentExpression: (node) => this.#noteChange(node.left),
      UpdateExpression: (node) => this.#noteChange(node.argument),
      CallExpression: (node) => this.#noteCall(node),
    };
  }

  #addFunctionType(node: Node & { readonly params: readonly Parameter[] }): void {
    this.#functions.push({
      name: nameOf(node),
      line: this.#line(node),
      lines: 0,
      positional: positional(node.params),
      changesState: false,
      assertions: 0,
    });
  }

  #closeFunction(): void {
    const closed = this.#open.pop();
    if (closed === undefined) return;
    const { name, node, positional, changesState, assertions } = closed;
    const line = this.#line(node);
    const lines = this.#lineAt(node.range[1]) - line + 1;
    this.#functions.push({ name, line, lines, positional, changesState, assertions });
    // What a callback does, the function around it does.
    const around = this.#open.at(-1);
    if (around === undefined) return;
    around.changesState ||= changesState;
    around.assertions += assertions;
  }

  #noteChange(target: Node): void {
    const innermost = this.#open.at(-1);
    if (innermost !== undefined && isOfThis(target)) innermost.changesState = true;
  }

  #noteCall(node: Deno.lint.CallExpression): void {
    const innermost = this.#open.at(-1);
    const { callee } = node;
    if (innermost === undefined) return;
    if (callee.type === "Identifier" && ASSERTIONS.includes(callee.name)) innermost.assertions += 1;
    if (callee.type !== "MemberExpression" || callee.property.type !== "Identifier") return;
    if (MUTATORS.includes(callee.property.name) && isOfThis(callee.object)) {
      innermost.changesState = true;
    }
  }

  #moduleHandlers(): Deno.lint.LintVisitor {
    return {
      ImportDeclaration: (node) => this.#addImport(node),
      ExportNamedDeclaration: (node) => this.#addExport(node),
      ExportAllDeclaration: (node) => this.#addUse(node.source.value, undefined),
      ImportExpression: (node) => {
        if (node.source.type === "Literal") this.#addUse(String(node.source.value), undefined);
      },
    };
  }

  #addImport(node: Deno.lint.ImportDeclaration): void {
    const names: string[] = [];
    for (const specifier of node.specifiers) {
      if (specifier.type === "ImportNamespaceSpecifier") {
        this.#namespaces.set(specifier.local.name, node.source.value);
      } else if (specifier.type === "ImportSpecifier") {
        names.push(textOf(specifier.imported));
      } else names.push("default");
    }
    this.#addUse(node.source.value, names);
  }

  #addUse(specifier: string, names: readonly string[] | undefined): void {
    if (!specifier.startsWith(".")) return;
    this.#imports.push({ from: resolve(this.#path, specifier), names });
  }

  #addExport(node: Deno.lint.ExportNamedDeclaration): void {
    if (node.source !== null) {
      this.#addUse(String(node.source.value), node.specifiers.map(({ local }) => textOf(local)));
      return;
    }
    const { declaration } = node;
    if (declaration === null) {
      for (const { local } of node.specifiers) this.#pushExport(textOf(local), node);
    } else if (declaration.type === "VariableDeclaration") {
      for (const { id } of declaration.declarations) {
        if (id.type === "Identifier") this.#pushExport(id.name, id);
      }
    } else if ("id" in declaration && declaration.id?.type === "Identifier") {
      this.#pushExport(declaration.id.name, declaration);
    }
  }

  #pushExport(name: string, node: Node): void {
    const isType = /^TS(Interface|TypeAlias)/.test(node.type);
    this.#exports.push({ name, line: this.#line(node), isType });
  }

  #memberHandlers(): Deno.lint.LintVisitor {
    const declare = (node: Node & { readonly key: Node; readonly computed?: boolean }) => {
      if (node.key.type !== "Identifier" || node.computed === true) return;
      this.#members.push({ name: node.key.name, line: this.#line(node) });
    };
    return {
      PropertyDefinition: declare,
      MethodDefinition: declare,
      TSPropertySignature: declare,
      TSMethodSignature: (node) => {
        declare(node);
        this.#addFunctionType(node);
      },
      MemberExpression: (node) => this.#noteRead(node),
      ObjectPattern: (node) => {
        for (const property of node.properties) {
          if (property.type === "Property") this.#reads.add(textOf(property.key));
        }
      },
    };
  }

  #noteRead(node: Deno.lint.MemberExpression): void {
    const { object, property, parent } = node;
    const isWritten = parent.type === "AssignmentExpression" && parent.left === node &&
      parent.operator === "=";
    if (!isWritten) this.#reads.add(textOf(property));
    if (object.type !== "Identifier") return;
    const specifier = this.#namespaces.get(object.name);
    if (specifier !== undefined) this.#addUse(specifier, [textOf(property)]);
  }

  #addSwitch(node: Deno.lint.SwitchStatement): void {
    const fallback = node.cases.find(({ test }) => test === null);
    this.#switches.push({
      line: this.#line(node),
      end: fallback === undefined ? "none" : endsUnreachable(fallback) ? "unreachable" : "default",
      overTexts: node.cases.every(({ test }) =>
        test === null || (test.type === "Literal" && typeof test.value === "string")
      ),
    });
  }

  #addComments(context: Deno.lint.RuleContext): void {
    for (const comment of context.sourceCode.getAllComments()) {
      const first = this.#lineAt(comment.range[0]);
      const text = context.sourceCode.text.slice(...comment.range);
      for (const [index, each] of text.split("\n").entries()) {
        const line = first + index;
        const before = index === 0 ? comment.range[0] - (this.#lineStarts[first - 1] ?? 0) : 0;
        this.#comments.push({ text: each, line, columns: before + each.length });
      }
    }
  }

  #line(node: Node): number {
    return this.#lineAt(node.range[0]);
  }

  #lineAt(offset: number): number {
    let [low, high] = [0, this.#lineStarts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  }
}

/**
 * Counts the parameters before an options object: one that is taken apart, or that is called so.
 */
function positional(params: readonly Parameter[]): number {
  const last = params.at(-1);
  return last !== undefined && isOptions(last) ? params.length - 1 : params.length;
}

function isOptions(parameter: Parameter): boolean {
  if (parameter.type === "AssignmentPattern") return isOptions(parameter.left as Parameter);
  if (parameter.type === "ObjectPattern") return true;
  return parameter.type === "Identifier" && /^(options|[a-z]\w*Options)$/.test(parameter.name);
}

/** Whether a name stands for a member: `x.name`, `{ name: value }`, `{ name: Type }`. */
function isKey(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  if (parent.type === "MemberExpression") return parent.property === node && !parent.computed;
  if (parent.type === "Property") return parent.key === node && !parent.shorthand;
  return parent.type === "TSPropertySignature" && parent.key === node;
}

/** The name of a function, or of what it is assigned to. */
function nameOf(node: Node): string {
  // Every node of the parser answers to every key, with undefined where it has none.
  const { id, key, parent } = node as Partial<Record<"id" | "key" | "parent", Node | null>>;
  const name = textOf(id ?? key ?? undefined);
  if (name !== "" || parent === undefined || parent === null) return name;
  if (parent.type === "VariableDeclarator") return textOf(parent.id);
  return "key" in parent ? textOf(parent.key as Node | undefined) : "";
}

function textOf(node: Node | undefined): string {
  if (node === undefined) return "";
  if (node.type === "Identifier" || node.type === "PrivateIdentifier") return node.name;
  return node.type === "Literal" && "value" in node ? String(node.value) : "";
}

function isOfThis(node: Node): boolean {
  if (node.type === "ThisExpression") return true;
  if (node.type === "MemberExpression") return isOfThis(node.object);
  return node.type === "TSNonNullExpression" ? isOfThis(node.expression) : false;
}

function endsUnreachable(fallback: Deno.lint.SwitchCase): boolean {
  const last = fallback.consequent.at(-1);
  const statement = last?.type === "BlockStatement" ? last.body.at(-1) : last;
  const call = statement?.type === "ReturnStatement"
    ? statement.argument
    : statement?.type === "ExpressionStatement"
    ? statement.expression
    : undefined;
  return call?.type === "CallExpression" && call.callee.type === "Identifier" &&
    call.callee.name === "unreachable";
}

function resolve(path: string, specifier: string): string {
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}
