/**
 * Authenticated encryption behind one small interface, so that the server can use the system's
 * library, tests and small clients the portable implementation, and neither knows of the other.
 *
 * The idea: an `Aead` is one algorithm with a key that can be changed. The server keeps one per
 * algorithm and gives it the key of each request; cookies keep one per server key. All operations
 * work on ranges of buffers that the caller owns, named by a mutable `AeadOperation` that the
 * caller also owns and uses again, so that a request costs no allocation. Where
 * allocations do not matter, there are `sealBytes` and `openBytes`.
 *
 * Limits: at most 2^16 octets an operation; nothing is streamed.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { Bytes } from "../base/bytes.ts";

/**
 * Algorithms that may be negotiated for Network Time Security (RFC 8915 section 4.1.5), with their
 * numbers in the registry of RFC 5116 (RFC 5297 for AES-SIV, RFC 8452 for AES-GCM-SIV).
 */
export const AEAD_ID = {
  AES_SIV_CMAC_256: 15,
  AES_SIV_CMAC_384: 16,
  AES_SIV_CMAC_512: 17,
  AES_128_GCM_SIV: 30,
} as const;

/** The number of such an algorithm. */
export type NtsAeadId = typeof AEAD_ID[keyof typeof AEAD_ID];

/** What is fixed about an algorithm; lengths in octets. */
export interface AeadParameters {
  /** The number in the registry of RFC 5116. */
  readonly id: NtsAeadId;
  /** The name that people see. */
  readonly name: string;
  /** Length of a key. */
  readonly keyLength: number;
  /** Shortest nonce that is accepted. */
  readonly nonceLengthMin: number;
  /** Longest nonce that is accepted. */
  readonly nonceLengthMax: number;
  /** Length of the nonces that we make. */
  readonly nonceLength: number;
  /**
   * Octets of padded nonce that a request must at least provide for: N_REQ rounded up to four (RFC
   * 8915 section 5.6).
   */
  readonly nonceLengthRequired: number;
  /** By how much a ciphertext is longer than its plaintext. */
  readonly overhead: number;
}

/**
 * The ranges of one operation: where the nonce, the associated data and the input lie and where the
 * output goes. The output range overlaps no other range. Lengths and offsets in octets. Buffers
 * should be long-lived, since an implementation may remember where a buffer lies in memory.
 */
export interface AeadOperation {
  /** Buffer that holds the nonce. */
  nonce: Bytes;
  /** Where the nonce starts. */
  nonceOffset: number;
  /** Length of the nonce. */
  nonceLength: number;
  /** Buffer that holds the associated data: one component, present even when it is empty. */
  associatedData: Bytes;
  /** Where the associated data start. */
  associatedDataOffset: number;
  /** Length of the associated data. */
  associatedDataLength: number;
  /** Buffer that holds the plaintext (to seal) or the ciphertext (to open). */
  input: Bytes;
  /** Where the input starts. */
  inputOffset: number;
  /** Length of the input. */
  inputLength: number;
  /** Buffer that takes the result. */
  output: Bytes;
  /** Where the result starts. */
  outputOffset: number;
}

/** One algorithm with a key that can be changed. */
export interface Aead {
  /** What is fixed about the algorithm. */
  readonly parameters: AeadParameters;

  /**
   * Takes `keyLength` octets at `offset` as the key for what follows; the octets are copied or
   * expanded, not kept.
   */
  setKey(key: Bytes, offset: number): void;

  /**
   * Encrypts the input into the output and returns its length, `inputLength + overhead`. The nonce
   * length is one that the algorithm accepts (asserted). SIV puts the synthetic initialisation
   * vector first, the others their tag last. For SIV the components of S2V are the associated data,
   * the nonce, the plaintext, in this order.
   */
  seal(operation: AeadOperation): number;

  /**
   * Verifies and decrypts the input into the output and returns its length, or -1 when it is not
   * authentic, too short or its nonce length is not accepted; then the output range holds nothing
   * of meaning.
   */
  open(operation: AeadOperation): number;

  /**
   * Forgets the key and gives back what the implementation holds; the object is not used
   * afterwards.
   */
  close(): void;
}

/**
 * Makes an `Aead` of the algorithm `id`, without a key when none is given; undefined when the
 * implementation lacks it.
 */
export type AeadFactory = (id: NtsAeadId, key?: Bytes) => Aead | undefined;

const SIV = {
  nonceLengthMin: 1,
  nonceLengthMax: 0xffff,
  nonceLength: 16,
  nonceLengthRequired: 16,
  overhead: 16,
};
const GCM_SIV = {
  nonceLengthMin: 12,
  nonceLengthMax: 12,
  nonceLength: 12,
  nonceLengthRequired: 12,
  overhead: 16,
};
const PARAMETERS: Readonly<Record<NtsAeadId, AeadParameters>> = {
  [AEAD_ID.AES_SIV_CMAC_256]: {
    id: AEAD_ID.AES_SIV_CMAC_256,
    name: "AES-SIV-CMAC-256",
    keyLength: 32,
    ...SIV,
  },
  [AEAD_ID.AES_SIV_CMAC_384]: {
    id: AEAD_ID.AES_SIV_CMAC_384,
    name: "AES-SIV-CMAC-384",
    keyLength: 48,
    ...SIV,
  },
  [AEAD_ID.AES_SIV_CMAC_512]: {
    id: AEAD_ID.AES_SIV_CMAC_512,
    name: "AES-SIV-CMAC-512",
    keyLength: 64,
    ...SIV,
  },
  [AEAD_ID.AES_128_GCM_SIV]: {
    id: AEAD_ID.AES_128_GCM_SIV,
    name: "AES-128-GCM-SIV",
    keyLength: 16,
    ...GCM_SIV,
  },
};

/** The algorithms that Network Time Security may use here, in no order. */
export const NTS_AEAD_IDS: readonly NtsAeadId[] = Object.values(AEAD_ID);

/** Returns what is fixed about an algorithm. */
export function aeadParameters(id: NtsAeadId): AeadParameters {
  return PARAMETERS[id];
}

/**
 * Tells whether a number from outside names an algorithm that we know for Network Time Security.
 */
export function isNtsAeadId(id: number): id is NtsAeadId {
  return PARAMETERS[id as NtsAeadId] !== undefined;
}

/** Returns an operation whose ranges are all empty, to be filled in and used again and again. */
export function emptyOperation(): AeadOperation {
  const none = new Uint8Array(0);
  return {
    nonce: none,
    nonceOffset: 0,
    nonceLength: 0,
    associatedData: none,
    associatedDataOffset: 0,
    associatedDataLength: 0,
    input: none,
    inputOffset: 0,
    inputLength: 0,
    output: none,
    outputOffset: 0,
  };
}

/** Encrypts a plaintext into a new array. */
export function sealBytes(
  aead: Aead,
  message: { readonly nonce: Bytes; readonly associatedData: Bytes; readonly plaintext: Bytes },
): Bytes {
  const output = new Uint8Array(message.plaintext.length + aead.parameters.overhead);
  const length = aead.seal(wholeBuffers({ ...message, input: message.plaintext, output }));
  assert(
    length === output.length,
    "A sealed message has the length of its plaintext and the overhead",
  );
  return output;
}

/** Verifies and decrypts a ciphertext into a new array; undefined when it is not authentic. */
export function openBytes(
  aead: Aead,
  message: { readonly nonce: Bytes; readonly associatedData: Bytes; readonly ciphertext: Bytes },
): Bytes | undefined {
  const output = new Uint8Array(Math.max(0, message.ciphertext.length - aead.parameters.overhead));
  const length = aead.open(wholeBuffers({ ...message, input: message.ciphertext, output }));
  if (length < 0) return undefined;
  assert(
    length === output.length,
    "An opened message has the length of its ciphertext less the overhead",
  );
  return output;
}

function wholeBuffers(
  buffers: Pick<AeadOperation, "nonce" | "associatedData" | "input" | "output">,
): AeadOperation {
  return {
    ...emptyOperation(),
    nonce: buffers.nonce,
    nonceLength: buffers.nonce.length,
    associatedData: buffers.associatedData,
    associatedDataLength: buffers.associatedData.length,
    input: buffers.input,
    inputLength: buffers.input.length,
    output: buffers.output,
  };
}
