import { deepEqual, equal } from "node:assert/strict";
import { configOf } from "../../../tests/support/engine_world.ts";
import { exchangeCertificate } from "../../../tests/support/nts_sessions.ts";
import {
  askedFor,
  type NamedServer,
  sharedServerWorld,
} from "../../../tests/support/shared_server_world.ts";
import { present } from "../../base/assert.ts";
import { socketAddress } from "../../base/socket_address.ts";
import { hostsThatProve, votesOf } from "./vouchers.ts";

const PANIC = '[synchronization]\nminimum-agreeing-sources = 2\nauthentication = "ignore"\n';

function section(host: string, mode = "nts", count = 0): string {
  const more = count === 0 ? "" : `count = ${count}\n`;
  return `[[source]]\nmode = "${mode}"\naddress = "${host}"\n${more}`;
}

Deno.test("members that share a host or a key are one voucher", () => {
  const votes = (...members: readonly (readonly [string, string, string?, "saved"?])[]) =>
    votesOf(members.map(([host, address, identity, saved]) => ({
      config: { mode: "nts", host },
      association: {
        address: present(socketAddress(address, 123), "numeric"),
        protection: {
          authentication: "nts",
          protect: () => ({ ok: false, error: "none" }),
          verify: () => ({ ok: false, error: "none" }),
          keyIdentity: identity,
          certificate: identity === undefined || saved
            ? undefined
            : exchangeCertificate({ identity, host }),
        },
      },
    })));
  equal(votes(), 0);
  equal(votes(["a", "192.0.2.1", "k"], ["b", "192.0.2.2", "l"]), 2);
  equal(votes(["a", "192.0.2.1", "k"], ["A", "192.0.2.2", "l"]), 1, "one host with many keys");
  equal(votes(["a", "192.0.2.1", "k"], ["b", "192.0.2.2", "k"]), 1, "one key for many hosts");
  equal(votes(["a", "192.0.2.1"], ["a", "192.0.2.2"], ["b", "192.0.2.3"]), 2, "keys unknown");
  equal(votes(["a", "192.0.2.1", "k", "saved"], ["b", "192.0.2.2", "k"]), 1, "one of them resumed");
});

Deno.test("as many vouchers are waited for as there can be", () => {
  const needed = (text: string) => hostsThatProve(configOf(text).sources);
  equal(needed(section("a.example", "nts-pool", 9) + section("b.example")), 2);
  equal(needed(section("a.example") + section("a.example:4461")), 1);
  equal(needed(section("plain.example", "server")), 0);
});

/**
 * Tells whether a far time of some servers is vouched for, by the step that is made over the panic
 * threshold.
 */
function isFollowed(config: string, exchanges: Readonly<Record<string, () => NamedServer>>) {
  const world = sharedServerWorld(config, { exchanges });
  for (let i = 1; i <= 9; i++) world.server(`192.0.2.${i}`).error = 1e6;
  world.start().run(250);
  return world;
}

Deno.test("one key exchange that names many addresses does not vouch for two", () => {
  let named = 0;
  const pool = () => ({ address: `192.0.2.${1 + named++ % 8}`, identity: `key ${named}` });
  const world = isFollowed(section("pool.example", "nts-pool", 8) + section("c.example") + PANIC, {
    "pool.example": pool,
    "c.example": () => ({ address: "198.51.100.1" }),
  });
  equal(askedFor(world, "pool.example").length, 8);
  deepEqual(world.commands.filter(({ step }) => step !== 0), []);

  const two = isFollowed(section("a.example") + section("b.example") + PANIC, {
    "a.example": () => ({ address: "192.0.2.1" }),
    "b.example": () => ({ address: "192.0.2.2" }),
  });
  equal(two.commands.filter(({ step }) => step !== 0).length, 1);

  const oneKey = isFollowed(section("a.example") + section("b.example") + PANIC, {
    "a.example": () => ({ address: "192.0.2.1", identity: "one" }),
    "b.example": () => ({ address: "192.0.2.2", identity: "one" }),
  });
  deepEqual(oneKey.commands.filter(({ step }) => step !== 0), []);
});
