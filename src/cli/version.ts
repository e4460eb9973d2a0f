/**
 * `ntpsd version`: what this is, and what it runs on.
 *
 * @module
 */
import denoJson from "../../deno.json" with { type: "json" };
import { type Command, hasOption, JSON_OPTION } from "./command.ts";
import { EXIT } from "./exit_code.ts";

/** The version of ntpsd, as in deno.json. */
export const VERSION: string = denoJson.version;

/** The command `version`. */
export const versionCommand: Command = {
  name: "version",
  summary: "print the version",
  operands: "",
  operandsMin: 0,
  operandsMax: 0,
  options: { json: JSON_OPTION },
  more: "",
  run(args, { out }) {
    const { deno, v8 } = Deno.version;
    const platform = `${Deno.build.arch}-${Deno.build.os}`;
    if (hasOption(args, "json")) {
      out(`${JSON.stringify({ version: VERSION, deno, v8, platform })}\n`);
    } else {
      out(`ntpsd ${VERSION} (${platform}, Deno ${deno})\n`);
    }
    return Promise.resolve(EXIT.done);
  },
};
