/**
 * Servers that say whatever a header can carry, each in its own way.
 *
 * A server draws once what it is like, and then each of its answers from that: one that is nearly
 * right stays so long enough to be believed, one that changes its mood every few requests is good
 * again in between. All chance comes from a seed.
 *
 * @module
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { addSeconds, type NtpTimestamp, ntpTimestamp } from "../../src/base/ntp_timestamp.ts";
import { emptyHeader, encodeHeader } from "../../src/protocol/header.ts";
import type { Draw } from "./draw.ts";

/** What a server may do with all its answers for a while, and take back again. */
const MOODS = ["good", "silent", "kiss", "garbled", "unsynchronized", "distant", "false"] as const;
const KISSES = ["RATE", "DENY", "RSTR", "NTSN", "INIT", "STEP", "XXXX"] as const;
const JUMPS = [1e-6, 1e-3, 0.2, 10, 3600, 86_400 * 400, 2 ** 31, 2 ** 32, 2 ** 33] as const;
/** How long an answer of an honest server takes, there and back. */
const HONEST_DELAY = [0.0099, 0.0101] as const;
const LOSS = 0.02;

/** What one hostile server draws its answers from. */
interface Manners {
  readonly delay: readonly [number, number];
  readonly rootDelayMax: number;
  readonly rootDispersionMax: number;
  readonly precision: readonly [number, number];
  readonly jump: number;
  readonly jumpProbability: number;
  /** How often each field of a header is drawn from all that it can carry. */
  readonly oddity: number;
  readonly holdMax: number;
  /** What it is in turn, each for so many requests; nothing when it is as the rest says. */
  readonly moods: readonly (typeof MOODS[number])[];
  readonly moodRequests: number;
}

/** A request as a server sees it. */
interface Question {
  readonly origin: NtpTimestamp;
  /** The true time when it leaves. */
  readonly sentAt: NtpTimestamp;
}

/** An answer, and after how many seconds it comes. */
export interface ServerAnswer {
  /** The header. */
  readonly packet: Bytes;
  /** From the request to the answer. */
  readonly delay: number;
}

/** All servers of a world; one that has no manners is honest. */
export class HostileServers {
  readonly #draw: Draw;
  readonly #manners = new Map<string, Manners>();
  readonly #shift = new Map<string, number>();
  readonly #requests = new Map<string, number>();

  constructor(draw: Draw) {
    this.#draw = draw;
  }

  /** The addresses of those that are not honest. */
  get addresses(): readonly string[] {
    return [...this.#manners.keys()];
  }

  /** Whether one of them changes its mood. */
  get areMoody(): boolean {
    return [...this.#manners.values()].some(({ moods }) => moods.length > 0);
  }

  /** Adds a server that is not honest, with manners of its own. */
  add(address: string): void {
    this.#manners.set(address, this.#drawManners());
  }

  /** Answers a request; undefined when there is no answer. */
  answer(address: string, { origin, sentAt }: Question): ServerAnswer | undefined {
    const manners = this.#manners.get(address);
    const [least, most] = manners?.delay ?? HONEST_DELAY;
    const delay = least * (most / least) ** this.#draw.uniform();
    if (manners === undefined) {
      return { delay, packet: moodyResponse("good", origin, sentAt, delay) };
    }
    if (this.#draw.chance(LOSS)) return undefined;
    const mood = this.#moodOf(address, manners);
    if (mood === "silent") return undefined;
    if (manners.moods.length === 0) {
      return { delay, packet: this.#hostileResponse(address, { origin, sentAt, delay, manners }) };
    }
    const code = mood === "kiss" ? wordOf(this.#draw.pick(KISSES)) : undefined;
    return { delay, packet: moodyResponse(mood, origin, sentAt, delay, code) };
  }

  /** Which of its moods a server is in at this request. */
  #moodOf(address: string, { moods, moodRequests }: Manners): typeof MOODS[number] {
    const requests = this.#requests.get(address) ?? 0;
    this.#requests.set(address, requests + 1);
    return moods[Math.floor(requests / moodRequests) % moods.length] ?? "good";
  }

  #hostileResponse(
    address: string,
    about: Question & { readonly delay: number; readonly manners: Manners },
  ): Bytes {
    const { origin, sentAt, delay, manners } = about;
    if (this.#draw.chance(manners.jumpProbability)) {
      this.#shift.set(address, this.#draw.signed(1e-6, manners.jump));
    }
    const shift = this.#shift.get(address) ?? 0;
    const odd = () => this.#draw.chance(manners.oddity);
    const held = this.#draw.uniform() * (odd() ? 1.2 * delay : manners.holdMax * delay);
    const at = addSeconds(sentAt, (delay - held) / 2 + shift);
    const kiss = odd() && this.#draw.chance(0.3);
    return encodeHeader({
      ...emptyHeader(
        odd() ? this.#draw.integer(8) : 4,
        odd() && this.#draw.chance(0.3) ? this.#draw.integer(8) : 4,
      ),
      leapIndicator: odd() ? this.#draw.integer(4) : 0,
      stratum: kiss ? 0 : odd() ? this.#draw.integer(256) : 1 + this.#draw.integer(15),
      poll: this.#draw.integer(256) - 128,
      precision: odd() ? this.#draw.integer(256) - 128 : manners.precision[0] +
        this.#draw.integer(manners.precision[1] - manners.precision[0] + 1),
      rootDelay: this.#draw.uniform() * (odd() ? 65_535 : manners.rootDelayMax),
      rootDispersion: this.#draw.uniform() * (odd() ? 65_535 : manners.rootDispersionMax),
      referenceId: kiss ? wordOf(this.#draw.pick(KISSES)) : this.#draw.integer(odd() ? 2 ** 32 : 3),
      referenceTimestamp: odd()
        ? ntpTimestamp(0n)
        : addSeconds(at, this.#draw.signed(1e-3, odd() ? 2 ** 31 : 1) - 1),
      originTimestamp: odd() && this.#draw.chance(0.1) ? at : origin,
      receiveTimestamp: odd() && this.#draw.chance(0.1) ? ntpTimestamp(0n) : at,
      transmitTimestamp: addSeconds(at, odd() && this.#draw.chance(0.3) ? -held : held),
    });
  }

  #drawManners(): Manners {
    const least = this.#draw.between(1e-6, 1), most = least * this.#draw.between(1.0001, 1000);
    const coarse = -this.#draw.integer(33);
    return {
      delay: [least, Math.min(2, most)],
      rootDelayMax: this.#draw.chance(0.5) ? this.#draw.between(1e-6, 16) : 0,
      rootDispersionMax: this.#draw.chance(0.7) ? this.#draw.between(1e-5, 16) : 0,
      precision: this.#draw.chance(0.5) ? [-32, 0] : [coarse, coarse],
      jump: this.#draw.pick(JUMPS),
      jumpProbability: this.#draw.chance(0.5) ? this.#draw.between(1e-3, 1) : 0,
      oddity: this.#draw.chance(0.5) ? this.#draw.between(1e-3, 0.5) : 0,
      holdMax: this.#draw.uniform(),
      moods: this.#draw.chance(0.3)
        ? Array.from({ length: 2 + this.#draw.integer(2) }, () => this.#draw.pick(MOODS))
        : [],
      moodRequests: 1 + this.#draw.integer(12),
    };
  }
}

/** Answers honestly, apart from a mood. */
function moodyResponse(
  mood: typeof MOODS[number],
  origin: NtpTimestamp,
  sentAt: NtpTimestamp,
  delay: number,
  code = 0,
): Bytes {
  const at = addSeconds(sentAt, delay / 2 + (mood === "false" ? 3 : 0));
  return encodeHeader({
    ...emptyHeader(4, mood === "garbled" ? 5 : 4),
    leapIndicator: mood === "unsynchronized" ? 3 : 0,
    stratum: mood === "kiss" ? 0 : 2,
    precision: -24,
    rootDelay: 0.001,
    rootDispersion: mood === "distant" ? 15 : 0.001,
    referenceId: mood === "kiss" ? code : 0x0a00_0001,
    referenceTimestamp: addSeconds(at, -16),
    originTimestamp: origin,
    receiveTimestamp: at,
    transmitTimestamp: at,
  });
}

function wordOf(text: string): number {
  return [...text].reduce((word, letter) => word * 256 + letter.charCodeAt(0), 0);
}
