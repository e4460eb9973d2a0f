/**
 * Cookies as client and server agree on them: how many there are, and which can travel in a packet
 * (RFC 8915 sections 4.1.6 and 5.7).
 *
 * @module
 */

/** How many unused cookies a client keeps, and a server gives (RFC 8915 section 5.7). */
export const COOKIE_JAR_SIZE = 8;

/** The longest cookie that is kept, in octets; a request with it stays below 1280 octets. */
const COOKIE_LENGTH_MAX = 1024;

/**
 * The shortest cookie that is kept, in octets: the body of the shortest extension field (RFC 7822).
 */
const COOKIE_LENGTH_MIN = 12;

/**
 * Tells whether a cookie can travel in an extension field as it is: a multiple of four octets,
 * neither too short nor too long.
 */
export function isUsableCookie(cookie: Uint8Array): boolean {
  return cookie.length % 4 === 0 && cookie.length >= COOKIE_LENGTH_MIN &&
    cookie.length <= COOKIE_LENGTH_MAX;
}
