/**
 * Answers NTP's control protocol, mode 6, as far as it reads (RFC 9327): `ntpq`, `ntpmon` and what
 * parses them find a daemon that they know.
 *
 * What would change anything (writing variables, configuration, traps) is refused for good, and so
 * is what ntpd asks a key for. Names that ntpsd does not have are left out of an answer, which all
 * clients take; an answer without any of the names is refused as ntpd does. Limits: the list of
 * recent clients is empty, since ntpsd keeps no addresses of clients.
 *
 * @module
 */
import type { Bytes } from "../../base/bytes.ts";
import { fromUnixNanoseconds } from "../../base/ntp_timestamp.ts";
import type { RandomSource } from "../../base/random.ts";
import type { MonotonicSeconds } from "../../base/units.ts";
import type { PeerVariables } from "../../engine/status/peer_variables.ts";
import { isTimeKnown } from "../../engine/status/snapshot.ts";
import { LEAP } from "../../protocol/leap_indicator.ts";
import type { ControlView } from "../control_view.ts";
import {
  CONTROL_ERROR,
  type ControlRequestMessage,
  type ControlResponseMessage,
  OPCODE,
  readControlRequest,
  writeControlError,
  writeControlResponse,
} from "./control_message.ts";
import { Nonces } from "./nonce.ts";
import { associationNumber, peerList } from "./peer_list.ts";
import { peerStatus, systemStatus } from "./status_word.ts";
import { clockList, type SystemDetails, systemList } from "./system_list.ts";
import { readNames, timestampText, type Variables, writeVariables } from "./variable_list.ts";

/** What a daemon is made of, for this protocol. */
export interface NtpqParts {
  /** Makes the state of the moment; asked once for a request that is answered. */
  readonly view: () => ControlView;
  /** Asked once for each request, not for octets that are none; left out, all are answered. */
  readonly mayAnswer?: () => boolean;
  /** Keys the nonces. */
  readonly random: RandomSource;
  /** The precision of the clock, an exponent of two seconds. */
  readonly precision: number;
  /** The name of the operating system. */
  readonly system: string;
}

/** Who asks, and when. */
export interface NtpqClient {
  /** Address and port. */
  readonly client: string;
  /** The boot time. */
  readonly now: MonotonicSeconds;
}

type Outcome = ControlResponseMessage | number;

/** Answers for one daemon. */
export class NtpqResponder {
  readonly #parts: NtpqParts;
  readonly #nonces: Nonces;
  #requests = 0;

  /** Draws the key of the nonces. */
  constructor(parts: NtpqParts) {
    this.#parts = parts;
    this.#nonces = new Nonces(parts.random);
  }

  /** Returns the messages of a response, in order; none is silence. Any octets are taken. */
  respond(datagram: Uint8Array, from: NtpqClient): readonly Bytes[] {
    const request = readControlRequest(datagram);
    if (request === undefined || this.#parts.mayAnswer?.() === false) return [];
    this.#requests++;
    const view = this.#parts.view();
    const { state, leap: word } = view.status;
    const leap = isTimeKnown(state) ? LEAP[word] : LEAP.unknown;
    const outcome = this.#outcome(request, { view, ...from });
    return typeof outcome === "number"
      ? [writeControlError(request, { code: outcome, leap })]
      : writeControlResponse(request, { ...outcome, leap });
  }

  #outcome(
    request: ControlRequestMessage,
    context: NtpqClient & { readonly view: ControlView },
  ): Outcome {
    const { view } = context;
    switch (request.opcode) {
      case OPCODE.readStatus:
        return request.association === 0
          ? { status: systemStatus(view), data: statusList(view) }
          : this.#readVariables(request, view);
      case OPCODE.readVariables:
        return this.#readVariables(request, view);
      case OPCODE.readClock:
        return CONTROL_ERROR.unknownAssociation;
      case OPCODE.requestNonce:
        return {
          status: systemStatus(view),
          data: new TextEncoder().encode(
            `nonce=${this.#nonces.make(context.client, context.now)}\r\n`,
          ),
        };
      case OPCODE.readMru:
        return this.#readMru(request, context);
      default:
        return request.opcode <= OPCODE.requestNonce || request.opcode === LAST_OPCODE
          ? CONTROL_ERROR.notPermitted
          : CONTROL_ERROR.badOpcode;
    }
  }

  #readVariables({ association, text }: ControlRequestMessage, view: ControlView): Outcome {
    const names = readNames(text);
    if (association === 0) {
      const details: SystemDetails = { ...this.#parts, requests: this.#requests };
      const variables = names.length === 0 ? clockList(view, details) : systemList(view, details);
      return told(variables, { status: systemStatus(view), names });
    }
    const peer = view.peers.find((each) => associationNumber(each) === association);
    if (peer === undefined) return CONTROL_ERROR.unknownAssociation;
    return told(peerList(peer, view), { status: peerStatus(peer), names });
  }

  /** The list of recent clients is empty, and says at once that it is at its end. */
  #readMru({ text }: ControlRequestMessage, context: NtpqClient & { readonly view: ControlView }) {
    const nonce = /(?:^|,)\s*nonce=([0-9a-fA-F]+)/.exec(text)?.[1] ?? "";
    if (!this.#nonces.isGood(nonce, context)) return CONTROL_ERROR.notPermitted;
    const now = timestampText(fromUnixNanoseconds(context.view.now));
    const next = this.#nonces.make(context.client, context.now);
    const answer = `nonce=${next}, now=${now}, last.newest=${now}\r\n`;
    return { status: systemStatus(context.view), data: new TextEncoder().encode(answer) };
  }
}

/** Takes a trap away: the last number that there is. */
const LAST_OPCODE = 31;

function told(
  variables: Variables,
  { status, names }: { readonly status: number; readonly names: readonly string[] },
): Outcome {
  const isKnown = names.length === 0 || names.some((name) => variables.has(name));
  return isKnown
    ? { status, data: writeVariables(variables, names) }
    : CONTROL_ERROR.unknownVariable;
}

/** Numbers and status words of all associations, two octets each. */
function statusList({ peers }: ControlView): Uint8Array {
  const known = peers.flatMap((peer: PeerVariables) => {
    const number = associationNumber(peer);
    return number === undefined ? [] : [number, peerStatus(peer)];
  });
  const view = new DataView(new ArrayBuffer(2 * known.length));
  for (const [i, word] of known.entries()) view.setUint16(2 * i, word);
  return new Uint8Array(view.buffer);
}
