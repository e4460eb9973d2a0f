/**
 * Answers chrony's command protocol, version 6, as far as it reads: `chronyc` and the exporters and
 * plugins that speak it find a clock that they know.
 *
 * What would change anything is refused, whoever asks and by whatever way. The order of the checks
 * is chronyd's: version, command, authority, length. Limits: one datagram in, at most one out, and
 * that never longer.
 *
 * @module
 */
import type { Bytes } from "../../base/bytes.ts";
import type { ControlView } from "../control_view.ts";
import { STATUS, statusResponse } from "./response.ts";
import type { PeerVariables } from "../../engine/status/peer_variables.ts";
import { type ChronyRequest, readRequest, type SourceAddress } from "./request.ts";
import {
  authenticationData,
  ntpData,
  selectionData,
  sourceData,
  sourceName,
  type SourceQuestion,
  sourceStatistics,
} from "./source_reports.ts";
import {
  activity,
  clients,
  manualList,
  serverStatistics,
  sourceCount,
  tracking,
} from "./system_reports.ts";

/** What a command is answered with: a response, or the number of what became of it. */
type Outcome = Bytes | number;

interface Command {
  /** The shortest request, with the padding that the response needs. */
  readonly length: number;
  answer(request: ChronyRequest, view: ControlView): Outcome;
}

/** Commands that change something, or that only chronyd has: 1 to this number but those below. */
const LAST_REFUSED = 75;
/** Numbers in between that chronyd does not know. */
const UNKNOWN: ReadonlySet<number> = new Set([
  0,
  10,
  12,
  27,
  28,
  32,
  38,
  39,
  40,
  55,
  58,
  59,
  60,
  61,
]);

/** Answers for one daemon; it counts what it answers. */
export class ChronyResponder {
  readonly #view: () => ControlView;
  readonly #mayAnswer: () => boolean;
  readonly #commands: ReadonlyMap<number, Command>;
  #answered = 0;

  /**
   * `view` makes the state of the moment; it is asked once for a request that is answered.
   * `mayAnswer` is asked once for each request, and not for octets that are none.
   */
  constructor(view: () => ControlView, mayAnswer: () => boolean = () => true) {
    this.#view = view;
    this.#mayAnswer = mayAnswer;
    this.#commands = new Map<number, Command>([
      [14, { length: 32, answer: sourceCount }],
      [15, { length: 76, answer: byIndex(sourceData) }],
      [33, { length: 104, answer: tracking }],
      [34, { length: 84, answer: byIndex(sourceStatistics) }],
      [35, { length: 56, answer: () => STATUS.noRtc }],
      [41, { length: 416, answer: manualList }],
      [44, { length: 48, answer: activity }],
      [51, { length: 52, answer: () => STATUS.notEnabled }],
      [54, {
        length: 48,
        answer: (request, view) => serverStatistics({ request, view, commands: this.#answered }),
      }],
      [57, { length: 152, answer: byAddress(ntpData, true) }],
      [65, { length: 284, answer: byAddress(sourceName) }],
      [67, { length: 52, answer: byAddress(authenticationData) }],
      [68, { length: 520, answer: (request, view) => clients(request, view) ?? STATUS.inactive }],
      [69, { length: 76, answer: byIndex(selectionData) }],
    ]);
  }

  /** Returns the response to a datagram, or none for silence. Any octets are taken. */
  respond(datagram: Uint8Array): readonly Bytes[] {
    const read = readRequest(datagram);
    if (read.kind === "none" || !this.#mayAnswer()) return [];
    this.#answered++;
    if (read.kind === "other-version") return [statusResponse(read.request, STATUS.badVersion)];
    const outcome = this.#outcome(read.request);
    return [typeof outcome === "number" ? statusResponse(read.request, outcome) : outcome];
  }

  #outcome(request: ChronyRequest): Outcome {
    const command = this.#commands.get(request.command);
    if (command === undefined) {
      const isKnown = request.command <= LAST_REFUSED && !UNKNOWN.has(request.command);
      return isKnown ? STATUS.unauthorised : STATUS.invalid;
    }
    if (request.length < command.length) return STATUS.badLength;
    return command.answer(request, this.#view());
  }
}

type Report = (question: SourceQuestion) => Bytes;

/** A report of the source at a place in the list. */
function byIndex(report: Report): Command["answer"] {
  return (request, view) => {
    const index = request.u32(0);
    const peer = view.peers[index];
    return peer === undefined ? STATUS.noSuchSource : report({ request, peer, index, view });
  };
}

/** A report of the source with an address, or of the one with a number that has none yet. */
function byAddress(report: Report, mustBeResolved = false): Command["answer"] {
  return (request, view) => {
    const wanted = request.address(0);
    const isWanted = wanted !== undefined && (wanted.kind === "address" || !mustBeResolved);
    const index = isWanted ? indexOf(wanted, view.peers) : -1;
    const peer = view.peers[index];
    return peer === undefined ? STATUS.noSuchSource : report({ request, peer, index, view });
  };
}

function indexOf(wanted: SourceAddress, peers: readonly PeerVariables[]): number {
  if (wanted.kind === "address") {
    return peers.findIndex((peer) => peer.address?.address === wanted.address);
  }
  const index = wanted.number - 1;
  return peers[index]?.address === undefined ? index : -1;
}
