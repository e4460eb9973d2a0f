/**
 * What is asked of the TLS exporter to get the keys of an association (RFC 8915 sections 4.3 and
 * 5.1).
 *
 * The idea: label and context fix each key. chrony before 4.6.1 used the number of AES-SIV-CMAC-256
 * in the context of AES-128-GCM-SIV; its record 1024 tells whether both sides know better, and the
 * other context is kept for when it does not.
 *
 * @module
 */
import type { Bytes } from "../../base/bytes.ts";
import { AEAD_ID, type NtsAeadId } from "../../crypto/aead.ts";

/** The label of the exporter (RFC 8915 section 4.3). */
export const EXPORTER_LABEL = "EXPORTER-network-time-security";

/** What a key protects: requests or responses. */
type KeyDirection = "client-to-server" | "server-to-client";

/** The two keys of an association, each as long as its algorithm demands. */
export interface SessionKeys {
  /** Protects requests. */
  readonly clientToServer: Bytes;
  /** Protects responses. */
  readonly serverToClient: Bytes;
}

/** The contexts from which the two keys are exported. */
export interface ExporterContexts {
  /** For the key that protects requests. */
  readonly clientToServer: Bytes;
  /** For the key that protects responses. */
  readonly serverToClient: Bytes;
}

/**
 * Returns the five octets of context for one key: protocol, algorithm, direction (RFC 8915 section
 * 5.1).
 */
function exporterContext(aeadId: number, direction: KeyDirection): Bytes {
  return new Uint8Array([
    0,
    0,
    aeadId >> 8,
    aeadId & 0xff,
    direction === "client-to-server" ? 0 : 1,
  ]);
}

/** Returns both contexts as RFC 8915 has them. */
export function exporterContexts(aeadId: NtsAeadId): ExporterContexts {
  return {
    clientToServer: exporterContext(aeadId, "client-to-server"),
    serverToClient: exporterContext(aeadId, "server-to-client"),
  };
}

/**
 * Returns both contexts as chrony before 4.6.1 has them for AES-128-GCM-SIV: with the number 15
 * instead of 30.
 */
export function oldGcmSivExporterContexts(): ExporterContexts {
  return exporterContexts(AEAD_ID.AES_SIV_CMAC_256);
}
