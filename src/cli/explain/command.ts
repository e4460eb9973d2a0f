/**
 * `ntpsd why`: in sentences, whether the clock is right, why, and what to do.
 *
 * @module
 */
import { unreachable } from "../../base/assert.ts";
import { isTimeKnown } from "../../engine/status/snapshot.ts";
import { type Command, hasOption, JSON_OPTION } from "../command.ts";
import { plain } from "../display/style.ts";
import { PAGE_WIDTH } from "../display/table.ts";
import { wrapText } from "../../base/wrap_text.ts";
import { EXIT } from "../exit_code.ts";
import { showStatus, STATUS_OPTIONS } from "../status/daemon_status.ts";
import { tallyMark } from "../status/sources.ts";
import { explain, type Explanation, type Finding } from "./explanation.ts";

/** The command `why`. */
export const explainCommand: Command = {
  name: "why",
  summary: "explain in sentences how right the clock is, and what to do",
  operands: "",
  operandsMin: 0,
  operandsMax: 0,
  options: { ...STATUS_OPTIONS, json: JSON_OPTION },
  more: `
The marks of the sources are those of "ntpsd sources".

Exit status: 0 the error of the clock is known; 1 it is not; 69 the daemon
cannot be reached.
`,
  run(args, context) {
    return showStatus({ args, context }, (document) => {
      const explanation = explain(document);
      return {
        text: hasOption(args, "json")
          ? `${JSON.stringify(explanation)}\n`
          : renderExplanation(explanation, context.columns),
        exitCode: isTimeKnown(document.state) ? EXIT.done : EXIT.no,
      };
    });
  },
};

/** Writes the sentences for a person, within `columns`. */
export function renderExplanation(
  { findings }: Explanation,
  columns: number | undefined = PAGE_WIDTH,
): string {
  const width = Math.max(40, Math.min(PAGE_WIDTH, columns));
  const lines = findings.flatMap((each, i) => [
    ...each.about === findings[i - 1]?.about || i === 0 ? [] : [""],
    ...wrapText(sentence(each), { width, indent: each.about === "clock" ? "" : "    " }),
    ...each.hint === null ? [] : hintLines(each.hint, width),
  ]);
  return `${lines.join("\n")}\n`;
}

function hintLines(hint: string, width: number): readonly string[] {
  const lines = wrapText(`To do: ${hint}.`, { width: width - 4, indent: "       " });
  return lines.map((line) => `    ${line}`);
}

function sentence({ about, name, status, text }: Finding): string {
  const said = /[.!?]$/.test(text) ? plain(text) : `${plain(text)}.`;
  switch (about) {
    case "source":
      return `${status === null ? "?" : tallyMark(status)} ${
        plain(name ?? "")
      } (${status}): ${said}`;
    case "function":
      return `Not working: ${plain(name ?? "")}: ${said}`;
    case "clock":
    case "ntpsd":
      return said;
    default:
      return unreachable(about);
  }
}
