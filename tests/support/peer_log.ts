/**
 * What chronyd and ntpd write of each measurement of a server, in one shape.
 *
 * @module
 */

/** One answered request, as the peer saw it. */
export interface PeerMeasurement {
  /** The server's address. */
  readonly address: string;
  /** The leap indicator, 0 to 3. */
  readonly leap: number;
  /** The server's stratum. */
  readonly stratum: number;
  /** The server's root delay in seconds. */
  readonly rootDelay: number;
  /** The server's root dispersion in seconds. */
  readonly rootDispersion: number;
  /** The server's reference identifier, as a number. */
  readonly referenceId: number;
  /** How far the server is ahead of the peer, in seconds. */
  readonly offset: number;
  /** The round trip in seconds. */
  readonly delay: number;
  /** Whether the mode was interleaved. */
  readonly isInterleaved: boolean;
  /** Whether the peer found nothing wrong with the answer itself. */
  readonly isGood: boolean;
}

/** Reads chronyd's measurements.log, written with `log rawmeasurements`. */
export function readChronyLog(text: string): readonly PeerMeasurement[] {
  return rows(text).filter((row) => row.length >= 18 && /^\d{4}-/.test(row[0] ?? "")).map((
    row,
  ) => ({
    address: row[2] ?? "",
    leap: "N+-?".indexOf(row[3] ?? "?"),
    stratum: Number(row[4]),
    // The packet tests 1 to 7, one digit each; what follows is about the peer's own state.
    isGood: /^1{6,7}/.test(`${row[5]}${row[6]}`),
    offset: Number(row[11]),
    delay: Number(row[12]),
    rootDelay: Number(row[14]),
    rootDispersion: Number(row[15]),
    referenceId: Number.parseInt(row[16] ?? "", 16),
    isInterleaved: (row[17] ?? "").startsWith("4I"),
  }));
}

/** Reads ntpd's file of `statistics rawstats`. */
export function readRawStatistics(text: string): readonly PeerMeasurement[] {
  return rows(text).filter((row) => row.length >= 17).map((row) => {
    const [t1 = 0, t2 = 0, t3 = 0, t4 = 0] = row.slice(4, 8).map(fractionOfHour);
    return {
      address: row[2] ?? "",
      leap: Number(row[8]),
      stratum: Number(row[11]),
      isGood: Number(row[10]) === 4,
      offset: ((t2 - t1) + (t3 - t4)) / 2,
      delay: (t4 - t1) - (t3 - t2),
      rootDelay: Number(row[14]),
      rootDispersion: Number(row[15]),
      referenceId: (row[16] ?? "").split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0),
      isInterleaved: false,
    };
  });
}

/**
 * Returns the median offset of the quicker half of the exchanges: other work of the machine makes
 * the slower ones lopsided.
 */
export function offsetOfQuickest(measurements: readonly PeerMeasurement[]): number {
  const quick = [...measurements].sort((a, b) => a.delay - b.delay)
    .slice(0, Math.ceil(measurements.length / 2))
    .map(({ offset }) => offset).sort((a, b) => a - b);
  return quick[quick.length >> 1] ?? NaN;
}

function rows(text: string): readonly string[][] {
  return text.split("\n").map((line) => line.trim().split(/\s+/));
}

/**
 * A double cannot hold today's date with nanoseconds, but the seconds of an hour; the hour's turn
 * is not minded.
 */
function fractionOfHour(text: string): number {
  const [seconds = "0", fraction = "0"] = text.split(".");
  return Number(seconds) % 3600 + Number(`0.${fraction}`);
}
