/**
 * The configuration of an association, for tests that make one by itself.
 *
 * @module
 */
import type { AssociationConfig } from "../../src/association/config.ts";

/** A source that is asked every 64 s, in basic mode, without a burst. */
export const ASSOCIATION_CONFIG: AssociationConfig = {
  host: "time.example.org",
  port: 123,
  certificateAuthority: undefined,
  aeadAlgorithms: [],
  iburst: false,
  pollIntervalLimits: { min: 4, max: 10 },
  initialPollInterval: 6,
  interleaved: false,
};
