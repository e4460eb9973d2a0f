import { deepEqual, equal, match, ok } from "node:assert/strict";
import { sourceConfig } from "../../../tests/support/engine_world.ts";
import { askedFor, sharedServerWorld } from "../../../tests/support/shared_server_world.ts";
import { present } from "../../base/assert.ts";
import { socketAddress } from "../../base/socket_address.ts";
import { identitiesOf } from "./same_server.ts";

const [ONE, TWO, THREE] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"] as const;
const NTS = '[[source]]\nmode = "nts"\naddress = "nts.example"\n';
const POOL = '[[source]]\nmode = "pool"\naddress = "pool.example"\ncount = 2\n';
const ALONE = "[synchronization]\nminimum-agreeing-sources = 1\n";

Deno.test("a plain source that is first at a server does not keep the one out that proves itself", () => {
  for (const plain of [POOL, '[[source]]\nmode = "server"\naddress = "pool.example"\n']) {
    for (const found of [[ONE], [`::ffff:${ONE}`]]) {
      const world = sharedServerWorld(`${plain}${NTS}${ALONE}`, {
        names: { "pool.example": found },
        exchanges: { "nts.example": () => ({ address: ONE }) },
      }).start();
      world.run(300);
      deepEqual([world.snapshot.state, world.snapshot.why], ["synchronized", ""]);
      deepEqual(askedFor(world, "nts.example"), [ONE]);
      equal(world.source("nts.example").status, "selected");
      // one server is not asked twice, and who gave way is told why
      deepEqual(askedFor(world, "pool.example"), []);
      ok(
        world.logs.some((line) =>
          /pool.example no longer uses .*polled for nts.example/.test(line)
        ),
      );
    }
  }
});

Deno.test("a plain pool looks for another address where a source proves itself", () => {
  const world = sharedServerWorld(`${POOL}${NTS}${ALONE}`, {
    names: { "pool.example": [ONE, TWO] },
    exchanges: { "nts.example": () => ({ address: ONE, port: 4123 }) },
  }).start();
  world.run(10);
  world.resolve = () => [ONE, TWO, THREE];
  world.run(600);
  deepEqual(askedFor(world, "pool.example"), [TWO, THREE]);
});

Deno.test("a plain server steps in for one that proves itself no more, and out again", () => {
  for (const address of [ONE, "plain.example"]) {
    const plain = `[[source]]\nmode = "server"\naddress = "${address}"\n`;
    const world = sharedServerWorld(`${plain}${NTS}${ALONE}`, {
      names: { "plain.example": [ONE] },
      exchanges: { "nts.example": () => ({ address: ONE }) },
    }).start();
    world.run(600);
    deepEqual(askedFor(world, address), []);
    match(world.source(address).reason, /192\.0\.2\.1 is already polled for nts\.example/);
    world.server(ONE).isSilent = true;
    world.run(8000);
    deepEqual(askedFor(world, address), [ONE]);
    world.server(ONE).isSilent = false;
    world.run(8000);
    deepEqual(askedFor(world, address), []);
    deepEqual(askedFor(world, "nts.example"), [ONE]);
  }
});

Deno.test("a key exchange that names the server of another reserves nothing there", () => {
  const bad = '[[source]]\nmode = "nts-pool"\naddress = "bad.example"\ncount = 3\n';
  let isUp = false;
  const world = sharedServerWorld(`${bad}${NTS}${ALONE}`, {
    exchanges: {
      "bad.example": () => ({ address: ONE, isTrue: false }),
      "nts.example": () => isUp ? { address: ONE } : undefined,
    },
  }).start();
  world.run(100);
  deepEqual(askedFor(world, "bad.example"), [ONE]);
  isUp = true;
  world.run(600);
  deepEqual(askedFor(world, "nts.example"), [ONE]);
  equal(world.snapshot.state, "synchronized");
  deepEqual(askedFor(world, "bad.example"), []);
  match(
    world.source("bad.example").reason,
    /named 192\.0\.2\.1, which is already polled for nts\.example/,
  );
});

Deno.test("what the administrator trusts or requires is not kept out by a pool", () => {
  for (const more of ["trust = true", "require = true"]) {
    const named = `[[source]]\nmode = "server"\naddress = "named.example"\n${more}\n`;
    const names: Record<string, readonly string[]> = { "pool.example": [ONE, TWO] };
    const world = sharedServerWorld(`${POOL}${named}${ALONE}`, { names }).start();
    world.run(60);
    names["named.example"] = [ONE];
    world.run(600);
    deepEqual(askedFor(world, "named.example"), [ONE]);
    equal(world.snapshot.state, "synchronized");
    deepEqual(askedFor(world, "pool.example"), [TWO]);
  }
});

Deno.test("a server that is asked twice has one vote, and status says for whom", () => {
  const trusted = `[[source]]\nmode = "server"\naddress = "${ONE}"\ntrust = true\n`;
  const two = '[synchronization]\nminimum-agreeing-sources = 2\nauthentication = "ignore"\n';
  const world = sharedServerWorld(`${trusted}${NTS}${two}`, {
    exchanges: { "nts.example": () => ({ address: ONE }) },
  }).start();
  world.run(300);
  deepEqual([askedFor(world, ONE), askedFor(world, "nts.example")], [[ONE], [ONE]]);
  equal(world.snapshot.state, "starting");
  const sentence =
    /Only 1 source agrees.*not used: 192\.0\.2\.1: Has the same address as nts\.example/;
  match(world.snapshot.why, sentence);
  equal(world.source(ONE).reason, "Has the same address as nts.example, which votes for both");
});

Deno.test("a server that is asked over IPv4 and through a translator has one vote, and either path will do", () => {
  const [plain, translated] = [ONE, "64:ff9b::c000:201"];
  const section = (address: string) => `[[source]]\nmode = "server"\naddress = "${address}"\n`;
  const two = "[synchronization]\nminimum-agreeing-sources = 2\n";
  const world = sharedServerWorld(section(plain) + section(translated) + two, {}).start();
  world.run(300);
  match(
    world.snapshot.why,
    /^Only 1 source agrees.*64:ff9b::c000:201: Has the same address as 192/,
  );
  const one = sharedServerWorld(section(plain) + section(translated) + ALONE, {});
  one.server(plain).isSilent = true;
  one.start().run(300);
  deepEqual([one.snapshot.state, one.source(translated).status], ["synchronized", "selected"]);
});

Deno.test("an address is one server, but for ports that the administrator wrote", () => {
  const shares = (a: readonly [string, string, number], b: readonly [string, string, number]) => {
    const [first, second] = [a, b].map(([source, address, port]) => {
      const mode = source.startsWith("nts") ? "nts" : "server";
      return identitiesOf({
        config: { ...sourceConfig(source), mode, port: sourceConfig(source).port },
        address: present(socketAddress(address, port), "numeric"),
      });
    });
    return first?.some((identity) => second?.includes(identity));
  };
  equal(shares(["a.example", ONE, 123], ["b.example", ONE, 123]), true);
  equal(shares(["a.example", ONE, 123], ["b.example", `::ffff:${ONE}`, 123]), true);
  equal(shares(["a.example", ONE, 123], ["b.example", TWO, 123]), false);
  equal(shares(["a.example", ONE, 123], ["b.example", `64:ff9b::${ONE}`, 123]), true);
  equal(shares(["a.example", ONE, 123], ["b.example", `64:ff9b::${TWO}`, 123]), false);
  equal(shares(["a.example", ONE, 123], ["b.example", `64:ff9b:1::${ONE}`, 123]), false);
  equal(shares(["a.example", "fe80::1%2", 123], ["b.example", "fe80::1%3", 123]), false);
  equal(shares(["a.example:1001", ONE, 1001], ["b.example:1002", ONE, 1002]), false);
  equal(shares(["a.example:1001", ONE, 1001], ["b.example", ONE, 123]), false);
  equal(shares(["nts.example:4460", ONE, 1001], ["nts2.example:4460", ONE, 1002]), true);
  equal(shares(["nts.example:4460", ONE, 1001], ["b.example", ONE, 123]), true);
  equal(shares(["nts.example:7001", ONE, 1001], ["nts.example:7001", ONE, 1002]), true);
  equal(shares(["nts.example:7001", ONE, 1001], ["nts.example:7002", ONE, 1002]), false);
  equal(shares(["nts.example:7001", ONE, 1001], ["b.example:1001", ONE, 1001]), true);
});
