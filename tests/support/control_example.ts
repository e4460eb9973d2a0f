/**
 * The state of a daemon for the tests of monitoring protocols.
 *
 * @module
 */
import { ntpTimestamp } from "../../src/base/ntp_timestamp.ts";
import { parseSocketAddress } from "../../src/base/socket_address.ts";
import { parseConfig } from "../../src/config/parse.ts";
import type { ControlView } from "../../src/control/control_view.ts";
import type { PeerVariables } from "../../src/engine/status/peer_variables.ts";
import type { SourceDocument } from "../../src/engine/status/snapshot.ts";
import { EXAMPLE_SOURCES, exampleStatus } from "./status_example.ts";

/** Where the example stands. */
const NOW = 1_795_749_551_000_000_000n;

/** Makes the state of a daemon with sources in many states. */
export function exampleControlView(): ControlView {
  return {
    status: exampleStatus(),
    served: {
      synchronized: true,
      leapIndicator: 0,
      stratum: 3,
      rootDelay: 8.41e-3,
      rootDispersion: 1.2e-3,
      dispersionRate: 1e-6,
      referenceId: 0xc000_0201,
      referenceTimestamp: ntpTimestamp(0xee00_0000_0000_0000n),
      updatedAt: 1000,
    },
    peers: EXAMPLE_SOURCES.map(examplePeer),
    updates: { last: 3.2e-6, rms: 5.1e-6 },
    now: NOW,
    kernel: {
      frequencyPpm: -12.345,
      maxErrorSeconds: 4.2e-3,
      estimatedErrorSeconds: 1e-5,
      synchronized: true,
      taiOffsetSeconds: 37,
    },
    keyKind: (id) => id === 7 ? { algorithm: "sha256", bits: 256 } : undefined,
  };
}

function examplePeer(document: SourceDocument, i: number): PeerVariables {
  const text = `[[source]]\nmode = "${document.mode}"\naddress = "${document.name}"\n`;
  const parsed = parseConfig(text);
  if (!parsed.ok) throw new Error(parsed.error.map(({ message }) => message).join("; "));
  const [config] = parsed.value.config.sources;
  if (config === undefined) throw new Error("There is a source");
  const isAnswered = document.stratum !== null;
  return {
    document,
    config,
    id: document.address === null ? undefined : i + 1,
    address: document.address === null ? undefined : parseSocketAddress(document.address),
    server: isAnswered
      ? {
        stratum: document.stratum ?? 0,
        leapIndicator: "none",
        referenceId: 0xc633_6407,
        precision: -23,
        rootDelay: 0.004,
        rootDispersion: 0.001,
        isSynchronized: true,
        referenceTimestamp: ntpTimestamp(0xee00_0000_0000_0000n),
      }
      : undefined,
    measurement: undefined,
    unanswered: document.reach === 0 ? 8 : 0,
    recent: isAnswered ? [{ at: 990, offset: 1e-5, delay: 3.5e-3 }] : [],
    samples: isAnswered ? 12 : 0,
  };
}
