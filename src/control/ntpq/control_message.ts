/**
 * Messages of NTP's control protocol, mode 6: twelve octets of header and text, in fragments where
 * it is long (RFC 9327).
 *
 * @module
 */
import type { Bytes } from "../../base/bytes.ts";
import { MODE } from "../../protocol/header.ts";

/** What a client wants (RFC 9327 section 2). */
export const OPCODE = {
  readStatus: 1,
  readVariables: 2,
  readClock: 4,
  readMru: 10,
  requestNonce: 12,
} as const;

/** Why a request is refused (RFC 9327 section 2). */
export const CONTROL_ERROR = {
  notPermitted: 1,
  badFormat: 2,
  badOpcode: 3,
  unknownAssociation: 4,
  unknownVariable: 5,
} as const;

/** A request. */
export interface ControlRequestMessage {
  /** Repeated in the response. */
  readonly version: number;
  /** What is wanted. */
  readonly opcode: number;
  /** Chosen by the client. */
  readonly sequence: number;
  /** 0 is the system. */
  readonly association: number;
  /**
   * The text of the request, without the padding: read from its octets when it is asked for, since
   * most requests of a flood get no response.
   */
  readonly text: string;
}

/** What is said to a request. */
export interface ControlResponseMessage {
  /** The status word of the system or of an association. */
  readonly status: number;
  /** Octets, or text with a line break at its end. */
  readonly data: Uint8Array;
}

const HEADER_LENGTH = 12;
/** So many octets of data one message holds: clients have room for no more. */
const FRAGMENT_DATA = 468;
const RESPONSE = 0x80;
const ERROR = 0x40;
const MORE = 0x20;
const OPCODE_MASK = 0x1f;

/** Reads a request; undefined for what is none. Any octets are taken. */
export function readControlRequest(bytes: Uint8Array): ControlRequestMessage | undefined {
  if (bytes.length < HEADER_LENGTH) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const first = view.getUint8(0), second = view.getUint8(1);
  const version = (first >> 3) & 7, count = view.getUint16(10);
  if ((first & 7) !== MODE.control || version < 1 || version > 4) return undefined;
  if ((second & ~OPCODE_MASK) !== 0 || view.getUint16(8) !== 0) return undefined;
  if (HEADER_LENGTH + count > bytes.length) return undefined;
  const data = bytes.subarray(HEADER_LENGTH, HEADER_LENGTH + count);
  return {
    version,
    opcode: second & OPCODE_MASK,
    sequence: view.getUint16(2),
    association: view.getUint16(6),
    get text() {
      return String.fromCharCode(...data);
    },
  };
}

/**
 * Writes a response as messages, in order; `leap` are the two bits of the leap indicator. Text that
 * is no ASCII has been replaced by the caller.
 */
export function writeControlResponse(
  request: ControlRequestMessage,
  response: ControlResponseMessage & { readonly leap: number },
): readonly Bytes[] {
  const { data } = response;
  const messages: Bytes[] = [];
  let offset = 0;
  do {
    const part = data.subarray(offset, offset + FRAGMENT_DATA);
    const isLast = offset + part.length >= data.length;
    const bits = RESPONSE | (isLast ? 0 : MORE);
    messages.push(writeMessage(request, { ...response, data: part, bits, offset }));
    offset += part.length;
  } while (offset < data.length);
  return messages;
}

/** Writes a refusal: one message without data. */
export function writeControlError(
  request: ControlRequestMessage,
  { code, leap }: { readonly code: number; readonly leap: number },
): Bytes {
  const empty = { status: code << 8, data: new Uint8Array(), leap };
  return writeMessage(request, { ...empty, bits: RESPONSE | ERROR, offset: 0 });
}

interface Message extends ControlResponseMessage {
  readonly leap: number;
  /** Above the opcode. */
  readonly bits: number;
  readonly offset: number;
}

function writeMessage(request: ControlRequestMessage, message: Message): Bytes {
  const { data } = message;
  const padded = HEADER_LENGTH + 4 * Math.ceil(data.length / 4);
  const view = new DataView(new ArrayBuffer(padded));
  view.setUint8(0, (message.leap << 6) | (request.version << 3) | MODE.control);
  view.setUint8(1, message.bits | request.opcode);
  view.setUint16(2, request.sequence);
  view.setUint16(4, message.status);
  view.setUint16(6, request.association);
  view.setUint16(8, message.offset);
  view.setUint16(10, data.length);
  const bytes = new Uint8Array(view.buffer);
  bytes.set(data, HEADER_LENGTH);
  return bytes;
}
