/**
 * What the configuration asks of a selection.
 *
 * @module
 */
import type { Config, SynchronizationConfig } from "../../config/config.ts";
import { vouchersNeeded } from "../authenticated_time/vouched_selection.ts";

/** What the configuration asks of a selection. */
export interface SelectionRules {
  /** The limits in force. */
  readonly synchronization: SynchronizationConfig;
  /** How many authenticated parties vouch for a time. */
  readonly vouchersNeeded: number;
  /** Sources that are required count before they have keys or an address, too. */
  readonly required: readonly string[];
  /** Whether some of them are required by their own key. */
  readonly isRequireWritten: boolean;
  /** Whether any source is configured. */
  readonly hasSources: boolean;
}

/** Reads the rules out of a configuration. */
export function selectionRules(config: Config): SelectionRules {
  const { synchronization, sources } = config;
  const required = sources.filter(({ require, noSelect }) => require && !noSelect);
  return {
    synchronization,
    vouchersNeeded: vouchersNeeded(config),
    required: required.map(({ address }) => address),
    isRequireWritten: required.some(({ isRequiredByMode }) => isRequiredByMode !== true),
    hasSources: sources.length > 0,
  };
}
