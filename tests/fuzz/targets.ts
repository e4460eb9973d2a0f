/**
 * All that is fuzzed.
 *
 * @module
 */
import { COMMAND_TARGETS } from "./command_targets.ts";
import { FILE_TARGETS } from "./file_targets.ts";
import { ENGINE_TARGETS } from "./hostile_engine.ts";
import { NTS_TARGETS } from "./nts_targets.ts";
import { PACKET_TARGETS } from "./packet_targets.ts";
import { SERVER_TARGETS } from "./server_targets.ts";
import { SOURCE_TARGETS } from "./source_targets.ts";
import type { FuzzTarget } from "./target.ts";
import { TEXT_TARGETS } from "./text_targets.ts";

/** The targets that need no network; those that do are in `ports.ts`. */
export const TARGETS: readonly FuzzTarget[] = [
  ...PACKET_TARGETS,
  ...TEXT_TARGETS,
  ...FILE_TARGETS,
  ...NTS_TARGETS,
  ...SERVER_TARGETS,
  ...SOURCE_TARGETS,
  ...ENGINE_TARGETS,
  ...COMMAND_TARGETS,
];
