/**
 * Reads a scenario from TOML: docs/simulation.md describes the keys.
 *
 * The idea: the same small readers as for the configuration, so all errors are told at once, with
 * their lines; the `[ntpsd]` section is read by the reader of the configuration itself.
 *
 * @module
 */
import { stringify } from "smol-toml";
import { err, ok, type Result } from "../../base/result.ts";
import type { Config } from "../../config/config.ts";
import type { ConfigError } from "../../config/config_error.ts";
import { ConfigPath, Diagnostics } from "../../config/config_path.ts";
import { indexLines, lineOf } from "../../config/line_index.ts";
import { parseConfig } from "../../config/parse.ts";
import { readToml } from "../../config/toml.ts";
import { buildScenario } from "./build.ts";
import type { Scenario } from "./scenario.ts";
import { type RawScenario, SCENARIO_SCHEMA } from "./schema.ts";
import { serverRows } from "./server.ts";
import { defaultSources } from "./sources.ts";

/** What a scenario is read with. */
export interface ScenarioOptions {
  /** The text of the file that `configuration` names. */
  readonly configurationText?: string | undefined;
}

/**
 * Returns the path that the scenario's `configuration` key names; undefined when there is none or
 * the text is no TOML.
 */
export function configurationPath(text: string): string | undefined {
  const toml = readToml(text);
  const path = toml.ok ? toml.value["configuration"] : undefined;
  return typeof path === "string" ? path : undefined;
}

/**
 * Returns the scenario, or all that is wrong with the text, in the order of the lines. Never
 * throws.
 */
export function parseScenario(
  text: string,
  options: ScenarioOptions = {},
): Result<Scenario, readonly ConfigError[]> {
  const toml = readToml(text);
  if (!toml.ok) return toml;
  const diagnostics = new Diagnostics();
  const { errors } = diagnostics;
  const root = new ConfigPath(diagnostics);
  const raw = SCENARIO_SCHEMA.read(toml.value, root);
  if (raw === undefined) return err(withLines(errors, text));
  const config = readConfig(raw, options.configurationText);
  if (!config.ok) errors.push(...config.error);
  const scenario = buildScenario(raw, { root, config: config.ok ? config.value : undefined });
  if (scenario !== undefined && errors.length === 0) return ok(scenario);
  return err(withLines(errors, text));
}

/** Reads the configuration inside the scenario, or the text of that beside it. */
function readConfig(
  raw: RawScenario,
  textBeside: string | undefined,
): Result<Config, readonly ConfigError[]> {
  const beside = raw.configuration;
  if (beside !== undefined && textBeside === undefined) {
    return err([{ path: "configuration", message: `Cannot read the file ${beside}` }]);
  }
  const inside = raw.ntpsd ?? {};
  const table = "source" in inside
    ? inside
    : { ...inside, source: defaultSources(serverRows(raw.server ?? [])) };
  const parsed = parseConfig(textBeside ?? stringify(table));
  if (parsed.ok) return ok(parsed.value.config);
  return err(parsed.error.map((error): ConfigError => {
    // A line of the other file would mislead.
    const { line: _line, column: _column, ...rest } = error;
    return beside === undefined
      ? { ...rest, path: `ntpsd.${error.path}` }
      : { ...rest, path: "configuration", message: `${error.path}: ${error.message}` };
  }));
}

function withLines(errors: readonly ConfigError[], text: string): readonly ConfigError[] {
  const lines = indexLines(text);
  const located = errors.map((error): ConfigError => {
    const line = error.line ?? lineOf(error.path, lines);
    return line === undefined ? error : { ...error, line };
  });
  return located.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
}
