/**
 * All commands, in the order of the help. A new command is one more line here.
 *
 * @module
 */
import { checkCommand } from "./check.ts";
import type { Command } from "./command.ts";
import { completionCommand } from "./completion/completion.ts";
import { convertCommand } from "./convert.ts";
import { doctorCommand } from "./doctor/command.ts";
import { leapCommand } from "./leap/command.ts";
import { queryCommand } from "./query/command.ts";
import { runCommand } from "./run/command.ts";
import { simulateCommand } from "./simulate/command.ts";
import { clientsCommand } from "./status/clients.ts";
import { sourcesCommand } from "./status/sources.ts";
import { statusCommand } from "./status/status.ts";
import { waitCommand } from "./status/wait.ts";
import { keygenCommand } from "./keygen.ts";
import { traceCommand } from "./trace/command.ts";
import { watchCommand } from "./watch/command.ts";
import { versionCommand } from "./version.ts";
import { explainCommand } from "./explain/command.ts";

/** The commands of the program. */
export const COMMANDS: readonly Command[] = [
  runCommand,
  checkCommand,
  convertCommand,
  doctorCommand,
  queryCommand,
  traceCommand,
  statusCommand,
  sourcesCommand,
  explainCommand,
  clientsCommand,
  watchCommand,
  waitCommand,
  leapCommand,
  simulateCommand,
  keygenCommand,
  completionCommand(() => COMMANDS),
  versionCommand,
];
