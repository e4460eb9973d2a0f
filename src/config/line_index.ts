/**
 * Finds the line on which a key of a TOML text stands, so that an error about a value can name it.
 *
 * The idea: the parser of the library keeps no positions, so a second walk over the text notes the
 * line of every key by its path. It judges nothing; of a text that the library has refused for a
 * repetition it tells which key is meant. Limits: best effort; where the walk does not understand
 * the text, it stops, and the error is told without a line.
 *
 * @module
 */

/** Maps the path of every key and every section, as in `source[0].address`, to its line, from 1. */
export function indexLines(text: string): ReadonlyMap<string, number> {
  return new Walk(text).run().lines;
}

/** A key or a heading that stands more than once. */
export interface Duplicate {
  /** Its path. */
  readonly path: string;
  /** The line on which it stands first. */
  readonly first: number;
  /** Whether the later one is a heading in brackets. */
  readonly isHeading: boolean;
}

/**
 * Returns what on a line of a text that the library refused as a repetition stands on an earlier
 * line, or earlier on that line.
 */
export function duplicateOn(line: number, text: string): Duplicate | undefined {
  return new Walk(text).run().duplicates.get(line);
}

/** Returns the line of a key, or of the nearest section around it. */
export function lineOf(path: string, lines: ReadonlyMap<string, number>): number | undefined {
  let rest = path;
  while (rest !== "") {
    const line = lines.get(rest);
    if (line !== undefined) return line;
    const shorter = rest.replace(/(^|\.)[^.[\]]*$|\[[0-9]+\]$/, "");
    // a key in quotation marks may hold anything, brackets too
    rest = shorter === rest ? rest.slice(0, Math.max(0, rest.lastIndexOf("."))) : shorter;
  }
  return undefined;
}

/** Joins a section and a key to a path. */
export function joinPath(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

class Walk {
  readonly #text: string;
  #at = 0;
  #line = 1;
  #section = "";
  readonly #lines = new Map<string, number>();
  readonly #duplicates = new Map<number, Duplicate>();
  /** How many `[[name]]` there were, by name. */
  readonly #counts = new Map<string, number>();

  constructor(text: string) {
    this.#text = text;
  }

  run(): {
    readonly lines: ReadonlyMap<string, number>;
    readonly duplicates: ReadonlyMap<number, Duplicate>;
  } {
    while (this.#at < this.#text.length) {
      const before = this.#at;
      this.#skipBlank(true);
      if (this.#peek() === "[") this.#header();
      else if (this.#at < this.#text.length) this.#assignment(this.#section);
      if (this.#at === before) break;
    }
    return { lines: this.#lines, duplicates: this.#duplicates };
  }

  #note(path: string, place: { readonly line: number; readonly isHeading: boolean }): void {
    const { line, isHeading } = place, first = this.#lines.get(path);
    if (first === undefined) this.#lines.set(path, line);
    else if (!this.#duplicates.has(line)) this.#duplicates.set(line, { path, first, isHeading });
  }

  #peek(): string {
    return this.#text[this.#at] ?? "";
  }

  #next(): string {
    const character = this.#text[this.#at++] ?? "";
    if (character === "\n") this.#line++;
    return character;
  }

  /** Skips white space and comments, over the ends of lines too if asked. */
  #skipBlank(overLines: boolean): void {
    for (;;) {
      const character = this.#peek();
      if (character === "#") { while (this.#peek() !== "\n" && this.#peek() !== "") this.#next(); }
      else if (character === "\n" ? !overLines : !/^[ \t\r\ufeff]$/.test(character)) return;
      else this.#next();
    }
  }

  #header(): void {
    this.#next();
    const isList = this.#peek() === "[";
    if (isList) this.#next();
    const line = this.#line;
    const keys = this.#keys();
    while (this.#peek() === "]") this.#next();
    const path = this.#resolve(keys.slice(0, -1));
    const name = joinPath(path, keys.at(-1) ?? "");
    this.#section = this.#resolve([name], isList);
    this.#note(this.#section, { line, isHeading: true });
    if (isList && !this.#lines.has(name)) this.#lines.set(name, line);
  }

  /**
   * Joins keys to a path, with the index of the last element wherever a list of sections is passed
   * through.
   */
  #resolve(keys: readonly string[], begins = false): string {
    let path = "";
    for (const [i, key] of keys.entries()) {
      path = joinPath(path, key);
      const isNew = begins && i === keys.length - 1;
      const count = (this.#counts.get(path) ?? 0) + (isNew ? 1 : 0);
      if (count === 0) continue;
      this.#counts.set(path, count);
      path = `${path}[${count - 1}]`;
    }
    return path;
  }

  #assignment(section: string): void {
    let path = section;
    const line = this.#line;
    const keys = this.#keys();
    for (const [i, key] of keys.entries()) {
      path = joinPath(path, key);
      if (i === keys.length - 1) this.#note(path, { line, isHeading: false });
      else if (!this.#lines.has(path)) this.#lines.set(path, line);
    }
    if (this.#peek() !== "=") return;
    this.#next();
    this.#skipBlank(false);
    this.#value(path);
  }

  /** Reads dotted and quoted keys up to what ends them. */
  #keys(): string[] {
    const keys: string[] = [];
    for (;;) {
      this.#skipBlank(false);
      const quote = this.#peek();
      if (quote === '"' || quote === "'") keys.push(this.#string());
      else keys.push(this.#bare(/^[A-Za-z0-9_-]$/));
      this.#skipBlank(false);
      if (this.#peek() !== ".") return keys;
      this.#next();
    }
  }

  #bare(allowed: RegExp): string {
    const start = this.#at;
    while (allowed.test(this.#peek())) this.#next();
    return this.#text.slice(start, this.#at);
  }

  #value(path: string): void {
    const first = this.#peek();
    if (first === '"' || first === "'") this.#string();
    else if (first === "[") this.#list(path);
    else if (first === "{") this.#inlineTable(path);
    else this.#bare(/^[^\s,\]}#]$/);
  }

  #list(path: string): void {
    this.#next();
    for (let i = 0; this.#at < this.#text.length; i++) {
      const before = this.#at;
      this.#skipBlank(true);
      if (this.#peek() === "]") break;
      this.#lines.set(`${path}[${i}]`, this.#line);
      this.#value(`${path}[${i}]`);
      this.#skipBlank(true);
      if (this.#peek() === ",") this.#next();
      if (this.#at === before) return;
    }
    this.#next();
  }

  #inlineTable(path: string): void {
    this.#next();
    while (this.#at < this.#text.length) {
      const before = this.#at;
      this.#skipBlank(true);
      if (this.#peek() === "}") break;
      this.#assignment(path);
      this.#skipBlank(true);
      if (this.#peek() === ",") this.#next();
      if (this.#at === before) return;
    }
    this.#next();
  }

  /**
   * Reads any of the four kinds of strings; escapes are kept as written, for keys hardly ever have
   * them.
   */
  #string(): string {
    const quote = this.#peek();
    const long = this.#text.startsWith(quote.repeat(3), this.#at);
    const end = long ? quote.repeat(3) : quote;
    for (let i = 0; i < end.length; i++) this.#next();
    const start = this.#at;
    while (this.#at < this.#text.length && !this.#text.startsWith(end, this.#at)) {
      if (this.#next() === "\\" && quote === '"') this.#next();
    }
    const content = this.#text.slice(start, this.#at);
    for (let i = 0; i < end.length; i++) this.#next();
    // Up to two quotes may stand directly before the closing three.
    while (long && this.#peek() === quote) this.#next();
    return content;
  }
}
