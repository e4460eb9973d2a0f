/**
 * How members of a source with Network Time Security come to be: by key exchanges (RFC 8915 section
 * 4).
 *
 * The problem: the key exchange says which server to ask, and may name it by a name that must be
 * looked up. The idea: a small pipeline, exchange then lookup then member, with few exchanges under
 * way at once and a growing interval between those that come to nothing. Limits: exchanges of
 * members that exist are begun by their sessions.
 *
 * @module
 */
import { assert } from "../base/assert.ts";
import type { RandomSource } from "../base/random.ts";
import { formatAddress, socketAddress } from "../base/socket_address.ts";
import { isLoopback } from "../base/unicast_address.ts";
import type { MonotonicSeconds } from "../base/units.ts";
import { KeyExchangeBackoff } from "../nts/client/backoff.ts";
import type { SourceGroupConfig } from "./config.ts";
import type {
  ExchangeKeysAction,
  KeysExchangedEvent,
  ResolvedEvent,
  SourceAction,
} from "./events.ts";
import type { KeyExchangeOutcome } from "../nts/key_exchange/outcome.ts";
import { type AddressList, ignoredAddresses, readAddresses } from "./address_list.ts";
import { exchangeKeys } from "./exchange_keys.ts";
import type { NewMember } from "./member.ts";
import type { HolderOf, MemberNeed, MemberSupply } from "./member_supply.ts";
import type { SourceGroupOptions } from "./source_group_options.ts";

/** Keys whose server is known by address. */
interface Ready {
  readonly id: number;
  readonly found: AddressList;
  readonly outcome: KeyExchangeOutcome;
  /** How many exchanges brought it about. */
  readonly tries: number;
}

/** Key exchanges for the places of one source that have no member yet. */
export class NtsStarter implements MemberSupply {
  readonly #config: SourceGroupConfig;
  readonly #random: RandomSource;
  readonly #allocateAssociation: () => number;
  readonly #allocateLookup: () => number;
  readonly #startSession: NonNullable<SourceGroupOptions["startSession"]>;
  readonly #exchanging = new Set<number>();
  readonly #resolving = new Map<number, Omit<Ready, "found">>();
  #ready: Ready[] = [];
  #ended: number[] = [];
  /** Whether one of the exchanges that were begun together has failed on this side. */
  #hasFailedLocally = false;
  readonly #backoff = new KeyExchangeBackoff();
  #exchangingSince: MonotonicSeconds = -Infinity;
  #error: string | undefined = undefined;

  /** Makes a starter that has begun nothing. */
  constructor(options: SourceGroupOptions) {
    assert(options.startSession !== undefined, "A secured source can make sessions");
    this.#config = options.config;
    this.#random = options.random;
    this.#allocateAssociation = options.allocateAssociation;
    this.#allocateLookup = options.allocateLookup;
    this.#startSession = options.startSession;
  }

  /** Why the last exchange came to nothing; undefined when it did not. */
  get error(): string | undefined {
    return this.#error;
  }

  /** When an exchange may be begun; Infinity while some are under way. */
  get #nextExchangeAt(): MonotonicSeconds {
    return this.#underWay() > 0 ? Infinity : this.#backoff.notBefore;
  }

  /** Since when an exchange, or the lookup after it, has been under way; undefined when none is. */
  get preparingSince(): MonotonicSeconds | undefined {
    return this.#underWay() > 0 ? this.#exchangingSince : undefined;
  }

  /** When an exchange for a place without member may be begun; Infinity for never. */
  dueAt(isWaiting: boolean): MonotonicSeconds {
    return isWaiting ? this.#nextExchangeAt : Infinity;
  }

  /**
   * The network is another one: the next exchange is due at once, or soon after one that a server
   * was asked for.
   */
  networkChanged(now: MonotonicSeconds): void {
    this.#backoff.restart(now);
  }

  /** All places have members that answer: the next need begins with short waits again. */
  resetBackoff(): void {
    this.#backoff.succeeded();
  }

  /** Begins an exchange for each open place, if it is time and none is under way. */
  begin({ open }: MemberNeed, now: MonotonicSeconds): readonly SourceAction[] {
    if (open === 0 || now < this.#nextExchangeAt) return [];
    this.#backoff.started(now, this.#random);
    this.#exchangingSince = now;
    this.#hasFailedLocally = false;
    return Array.from({ length: open }, () => this.#exchange());
  }

  /** Takes the outcome of an exchange; undefined when it is not one of these. */
  handleKeysExchanged(event: KeysExchangedEvent): readonly SourceAction[] | undefined {
    const { association: id, result } = event;
    if (!this.#exchanging.delete(id)) return undefined;
    if (event.isLocal === true && !this.#hasFailedLocally) {
      this.#hasFailedLocally = true;
      this.#backoff.failedLocally();
    }
    if (!result.ok) {
      this.#error = result.error;
      this.#ended.push(id);
      return [];
    }
    return this.#locate({ id, outcome: result.value, tries: this.#backoff.tries });
  }

  /**
   * Makes a new member of an exchange that a member had begun, because it names another server than
   * the member asks; `tries` is how many exchanges that member has begun in vain.
   */
  move(
    outcome: KeyExchangeOutcome,
    from: { readonly tries: number; readonly now: MonotonicSeconds },
  ): readonly SourceAction[] {
    const { tries } = from;
    this.#backoff.continueFrom(tries, from.now);
    return this.#locate({ id: this.#allocateAssociation(), outcome, tries });
  }

  /** Takes the outcome of a lookup; false when it is not one of these. */
  handleResolved(event: ResolvedEvent): boolean {
    const waiting = this.#resolving.get(event.lookup);
    if (waiting === undefined) return false;
    this.#resolving.delete(event.lookup);
    if (!event.result.ok) {
      this.#error = event.result.error;
      this.#ended.push(waiting.id);
      return true;
    }
    this.#noteLocated(waiting, event.result.value);
    return true;
  }

  /** Gives a member that is ready; those whose server is asked already are let go. */
  take(now: MonotonicSeconds, holderOf: HolderOf): NewMember | undefined {
    for (let next = this.#ready.shift(); next !== undefined; next = this.#ready.shift()) {
      const { addresses } = next.found;
      const address = addresses.find((each) => holderOf(each) === undefined);
      if (address === undefined) {
        this.#error = errorOf(next.found, holderOf);
        this.#ended.push(next.id);
        continue;
      }
      this.#error = undefined;
      const protection = this.#startSession(next.outcome, { now, tries: next.tries });
      return { id: next.id, address, protection };
    }
    return undefined;
  }

  /** Gives the numbers of the exchanges that have come to nothing since the last call. */
  takeEnded(): readonly number[] {
    const ended = this.#ended;
    this.#ended = [];
    return ended;
  }

  #locate(found: Omit<Ready, "found">): readonly SourceAction[] {
    const { outcome } = found;
    const host = outcome.ntpServer ?? outcome.peerAddress;
    if (socketAddress(host, outcome.ntpPort) !== undefined) {
      this.#noteLocated(found, [host]);
      return [];
    }
    const lookup = this.#allocateLookup();
    assert(!this.#resolving.has(lookup), "A lookup has a number of its own");
    this.#resolving.set(lookup, found);
    return [{ type: "resolve", lookup, host }];
  }

  /**
   * A key exchange names hosts as untrustworthily as a name server does; this host is only named by
   * a server on it.
   */
  #noteLocated(exchange: Omit<Ready, "found">, texts: readonly string[]): void {
    const { ntpPort, peerAddress } = exchange.outcome;
    const found = readAddresses(texts, {
      port: ntpPort,
      ignored: ignoredAddresses(this.#config.ignore),
      mayBeLoopback: isLoopback(peerAddress),
    });
    this.#ready.push({ ...exchange, found });
  }

  #underWay(): number {
    return this.#exchanging.size + this.#resolving.size + this.#ready.length;
  }

  #exchange(): ExchangeKeysAction {
    const association = this.#allocateAssociation();
    assert(!this.#exchanging.has(association), "An exchange has a number of its own");
    this.#exchanging.add(association);
    return exchangeKeys(association, this.#config);
  }
}

/** Says why none of the addresses that a key exchange led to can be asked. */
function errorOf({ addresses, reason }: AddressList, holderOf: HolderOf): string {
  const [first] = addresses;
  if (first === undefined) {
    return reason ?? "The server that the key exchange named has no address";
  }
  return `The key exchange named ${formatAddress(first)}, which is already polled for ${
    holderOf(first)
  }`;
}
