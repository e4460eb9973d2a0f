/**
 * The ports of NTP, of its key exchange, and of chrony's command protocol.
 *
 * @module
 */

/** The UDP port of NTP (RFC 5905 section 7.2). */
export const NTP_PORT = 123;

/** The TCP port of the key exchange of Network Time Security (RFC 8915 section 7.1). */
export const NTS_KE_PORT = 4460;

/** The UDP port of chrony's command protocol. */
export const CHRONY_COMMAND_PORT = 323;
