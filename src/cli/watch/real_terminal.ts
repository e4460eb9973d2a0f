/**
 * The terminal of this process: raw input, and the alternate screen of xterm and its like.
 *
 * @module
 */
import { type Key, keyOf, type Terminal } from "./terminal.ts";

/** Another screen, no cursor, and lines that are cut where the screen ends. */
const ENTER_SCREEN = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE_SCREEN = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const TO_TOP = "\x1b[H";
const CLEAR_REST_OF_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/** What a shell tells of a program that SIGTERM has ended. */
const ENDED_BY_SIGNAL = 143;

/** The least size that is drawn on. */
const COLUMNS_MIN = 40;
const ROWS_MIN = 5;

const SIGNALS = ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"] as const;

/** How text is written, and what the terminal knows. */
export interface TerminalOutput {
  /** Writes octets as they are. */
  readonly write: (text: string) => void;
  /** Makes text of ours fit to be shown: nothing in it steers but its colours. */
  readonly visible: (text: string) => string;
  /** Whether the locale has signs beyond ASCII. */
  readonly isUnicode: boolean;
}

/** The terminal at standard input and output. */
export class RealTerminal implements Terminal {
  readonly #output: TerminalOutput;
  readonly #buffer = new Uint8Array(64);
  #reading: Promise<Key> | undefined;
  #isOpen = false;
  /** A signal that ends the program must not leave the screen behind. */
  readonly #end = () => {
    this.close();
    Deno.exit(ENDED_BY_SIGNAL);
  };

  /** Draws nothing yet. */
  constructor(output: TerminalOutput) {
    this.#output = output;
  }

  get isUnicode(): boolean {
    return this.#output.isUnicode;
  }

  size(): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = Deno.consoleSize();
    return { columns: Math.max(COLUMNS_MIN, columns), rows: Math.max(ROWS_MIN, rows) };
  }

  open(): void {
    Deno.stdin.setRaw(true);
    this.#isOpen = true;
    for (const signal of SIGNALS) Deno.addSignalListener(signal, this.#end);
    this.#output.write(ENTER_SCREEN);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, this.#end);
    this.#output.write(LEAVE_SCREEN);
    try {
      Deno.stdin.setRaw(false);
    } catch {
      // the terminal is gone
    }
  }

  draw(lines: readonly string[]): void {
    const shown = lines.map((line) => this.#output.visible(line) + CLEAR_REST_OF_LINE);
    this.#output.write(TO_TOP + shown.join("\r\n") + CLEAR_BELOW);
  }

  async key(milliseconds: number): Promise<Key | undefined> {
    this.#reading ??= this.#read();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<undefined>((resolve) =>
      timer = setTimeout(() => resolve(undefined), milliseconds)
    );
    const key = await Promise.race([this.#reading, late]);
    clearTimeout(timer);
    if (key !== undefined) this.#reading = undefined;
    return key;
  }

  /** Reads a key; the end of the input ends the program as a key does. */
  async #read(): Promise<Key> {
    try {
      const count = await Deno.stdin.read(this.#buffer);
      return count === null ? "quit" : keyOf(this.#buffer.subarray(0, count));
    } catch {
      return "quit";
    }
  }
}
