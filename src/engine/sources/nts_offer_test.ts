import assert from "node:assert/strict";
import { EngineWorld } from "../../../tests/support/engine_world.ts";
import { exchangeOutcome, sessionProtections } from "../../../tests/support/nts_sessions.ts";
import { err, ok } from "../../base/result.ts";
import type { ExchangeKeysAction } from "../events.ts";

type Outcome = ReturnType<NonNullable<EngineWorld["exchange"]>>;

/** A world with one source with Network Time Security whose time servers are silent. */
function worldOf(
  exchange: (action: ExchangeKeysAction, count: number) => Outcome,
  more = "",
): { readonly world: EngineWorld; readonly exchanges: { at: number; offer: readonly number[] }[] } {
  const config = `[[source]]\nmode = "nts"\naddress = "nts.example.org"\n${more}`;
  const world = new EngineWorld({ config, more: { protections: sessionProtections() } });
  const exchanges: { at: number; offer: readonly number[] }[] = [];
  for (let i = 1; i < 30; i++) world.server(`192.0.2.${i}`).isSilent = true;
  world.resolve = () => ["192.0.2.20"];
  world.exchange = (action) => {
    exchanges.push({ at: world.time, offer: action.aeadAlgorithms });
    return exchange(action, exchanges.length);
  };
  world.start();
  return { world, exchanges };
}

type Changes = Parameters<typeof exchangeOutcome>[0];

const SILENT: readonly (readonly [string, (count: number) => Changes])[] = [
  ["one server", () => ({})],
  ["two servers in turn", (count) => ({ peerAddress: `192.0.2.${1 + count % 2}` })],
  ["ever another server", (count) => ({ peerAddress: `192.0.2.${1 + count % 20}` })],
  ["a named server", () => ({ ntpServer: "ntp.example.org" })],
  ["two ports in turn", (count) => ({ ntpPort: 123 + count % 2 })],
  ["one cookie", () => ({ cookies: exchangeOutcome().cookies.slice(0, 1) })],
];

for (const [name, outcome] of SILENT) {
  Deno.test(`exchanges for silent time servers keep their growing distance: ${name}`, () => {
    const { world, exchanges } = worldOf((_, count) => ({
      result: ok(exchangeOutcome(outcome(count))),
    }));
    for (let hour = 0; hour < 8; hour++) world.run(3600);
    const wanted = world.actions.filter((action) => action.type === "exchange-keys");
    // of a server that is silent, another address of its host is tried
    assert.ok(wanted.slice(1).some(({ isSilent }) => isSilent === true));
    assert.notEqual(wanted[0]?.isSilent, true);
    assert.ok(exchanges.length >= 8, `${exchanges.length} exchanges`);
    for (const [i, { at }] of exchanges.slice(1).entries()) {
      const gap = at - (exchanges[i]?.at ?? 0);
      // RFC 8915 section 4.2
      assert.ok(gap >= 10 * 1.5 ** i, `${gap} s after exchange ${i + 1}`);
    }
  });
}

Deno.test("a server that closes at an offer that it does not know gets another", () => {
  for (const reason of ["closed-early", "connection-lost", "server-error-bad-request"]) {
    const { world, exchanges } = worldOf(({ aeadAlgorithms }) =>
      aeadAlgorithms.join() === "15"
        ? { result: ok(exchangeOutcome()) }
        : { result: err("The server closed"), reason }
    );
    world.run(30);
    assert.deepEqual(exchanges.map(({ offer }) => offer), [[], [15]]);
    assert.ok(world.source("nts.example.org").sent > 0);
  }
});

Deno.test("a time server that does not answer under one algorithm is asked under another", () => {
  const { world, exchanges } = worldOf(({ aeadAlgorithms }) => {
    const aeadId = aeadAlgorithms[0] === 30 ? 30 : 15;
    const key = new Uint8Array(aeadId === 30 ? 16 : 32);
    return {
      result: ok(exchangeOutcome({ aeadId, keys: { clientToServer: key, serverToClient: key } })),
    };
  });
  while (exchanges.length < 2) world.run(1);
  world.run(1);
  assert.deepEqual(exchanges.slice(0, 2).map(({ offer }) => offer), [[], [30]]);
  assert.ok((exchanges[1]?.at ?? Infinity) <= 130, `${exchanges[1]?.at} s`);
  assert.equal(world.source("nts.example.org").nts?.aead, 30);
});

Deno.test("a failure that has nothing to do with the offer changes nothing in it", () => {
  const { world, exchanges } = worldOf(() => ({
    result: err("Expired"),
    reason: "certificate-expired",
  }));
  world.run(300);
  assert.ok(exchanges.length > 3 && exchanges.every(({ offer }) => offer.length === 0));
});

Deno.test("a configured list is not widened", () => {
  for (const [configured, offers] of [["[17]", "17"], ["[30, 17]", "30,17 30"]] as const) {
    const { world, exchanges } = worldOf(
      () => ({ result: err("The server closed"), reason: "closed-early" }),
      `aead-algorithms = ${configured}`,
    );
    world.run(300);
    const seen = new Set(exchanges.map(({ offer }) => offer.join()));
    assert.equal([...seen].join(" "), offers);
  }
});
