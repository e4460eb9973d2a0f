/**
 * What one host says to a query, for the tests of what shows it.
 *
 * @module
 */
import type { QueryResult } from "../../src/cli/query/report.ts";

/** Makes the result of a host that is all right, with changes. */
export function exampleQueryResult(changes: Partial<QueryResult> = {}): QueryResult {
  return {
    name: "time.example.net",
    address: "192.0.2.1:123",
    ok: true,
    error: null,
    stratum: 3,
    referenceId: "198.51.100.7",
    leap: "none",
    offsetSeconds: 1.27e-3,
    delaySeconds: 9.84e-3,
    rootDelaySeconds: 274e-6,
    rootDispersionSeconds: 50e-6,
    errorBoundSeconds: 5.11e-3,
    authentication: "none",
    aead: null,
    timestamping: "kernel",
    samples: 1,
    nts: null,
    ...changes,
  };
}
