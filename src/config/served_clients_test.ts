import { deepEqual, equal } from "node:assert/strict";
import { costsAtMost } from "../../tests/support/wait_until.ts";
import { formatConfigError } from "./config_error.ts";
import { servedPlaces } from "./listen.ts";
import { parseConfig } from "./parse.ts";
import { type ClientLists, servesNobody } from "./served_clients.ts";

function isNobody(listen: string, lists: ClientLists): boolean {
  return servesNobody(lists, servedPlaces([listen]));
}

const HALVES = ["0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"];

Deno.test("nobody is served where all that can come are denied", () => {
  for (const denylist of [["0.0.0.0/0", "::/0"], HALVES, ["0.0.0.0/0", ...HALVES, "10.0.0.0/8"]]) {
    equal(isNobody("[::]:123", { denylist }), true, `${denylist}`);
    equal(isNobody("0.0.0.0:123", { denylist }), true);
  }
  equal(isNobody("[::]:123", { denylist: ["0.0.0.0/0"] }), false, "IPv6 is left");
  equal(isNobody("[::]:123", { denylist: ["::/0"] }), false, "IPv4 is left");
  equal(isNobody("192.0.2.1:123", { denylist: ["0.0.0.0/0"] }), true);
  equal(isNobody("0.0.0.0:123", { denylist: ["0.0.0.0/1", "128.0.0.0/2"] }), false);
  const denylist = ["0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3", "240.0.0.0/4"];
  equal(isNobody("0.0.0.0:123", { denylist }), true, "multicast is no client's address");
});

Deno.test("nobody is served where both lists are alike, or one covers the other in longer prefixes", () => {
  const both = (allowlist: readonly string[], denylist: readonly string[]) =>
    isNobody("[::]:123", { allowlist, denylist });
  equal(both(["192.0.2.0/24", "2001:db8::/32"], ["2001:db8::/32", "192.0.2.0/24"]), true);
  equal(both(["10.0.0.0/8"], ["10.0.0.0/9", "10.128.0.0/9"]), true);
  equal(both(["10.0.0.0/8"], ["10.0.0.0/9"]), false);
  equal(both(["10.1.0.0/16"], ["10.0.0.0/8"]), false, "the longer one decides");
  equal(both(["10.1.0.0/16"], ["10.0.0.0/8", "10.1.0.0/16"]), true);
  equal(both(["192.0.2.7/32"], ["192.0.2.7/32"]), true);
  equal(both(["::ffff:192.0.2.0/120"], ["192.0.2.0/24"]), true);
});

Deno.test("nobody is served where those of the allowlist cannot reach the listener", () => {
  const allow = (listen: string, ...allowlist: readonly string[]) =>
    isNobody(listen, { allowlist });
  equal(allow("127.0.0.1:123", "192.0.2.0/24", "10.0.0.0/8"), true);
  equal(allow("127.0.0.1:123", "127.0.0.0/8"), false);
  equal(allow("127.0.0.1:123", "0.0.0.0/0"), false);
  equal(allow("[::1]:123", "2001:db8::/32", "fe80::/10"), true);
  equal(allow("[::1]:123", "::/0"), false);
  equal(allow("192.0.2.1:123", "127.0.0.0/8"), true);
  equal(allow("0.0.0.0:123", "127.0.0.0/8"), false);
  equal(allow("[::]:123", "::1/128"), false);
  equal(allow("[::]:123", "224.0.0.0/4"), true);
  equal(isNobody("127.0.0.1:123", { denylist: ["127.0.0.0/8"] }), true);
});

Deno.test("ten thousands of networks of IPv6 are looked at in a moment", () => {
  const denylist = Array.from({ length: 40_000 }, (_, i) => `2001:db8:${i.toString(16)}::/48`);
  costsAtMost(2000, () => equal(isNobody("[::]:123", { denylist }), false));
});

Deno.test("check says where nobody is served, and of which list that comes", () => {
  const told = (text: string) => {
    const parsed = parseConfig(`[synchronization]\nlocal-stratum = 8\n${text}`);
    return parsed.ok ? parsed.value.notes.map((note) => formatConfigError(note, "t")) : ["faulty"];
  };
  const server = (listen: string, lines: string) => `[[server]]\nlisten = "${listen}"\n${lines}\n`;
  const list = (...filter: readonly string[]) => `{ filter = ${JSON.stringify(filter)} }`;
  deepEqual(told(server("[::]:123", `denylist = ${list("0.0.0.0/0", "::/0")}`)), [
    "t:5: server[0].denylist.filter: The list holds every address that can reach [::]:123, so the " +
    "server serves no client (leave out [[server]] if none is to be served)",
  ]);
  const same = list("192.0.2.0/24");
  deepEqual(told(server("[::]:123", `allowlist = ${same}\ndenylist = ${same}`)), [
    "t:6: server[0].denylist.filter: The list holds every address of allowlist that can reach " +
    "[::]:123, so the server serves no client " +
    "(of two prefixes the longer one decides, of equal ones that of denylist)",
  ]);
  deepEqual(told(server("127.0.0.1:123", `allowlist = ${same}`)), [
    "t:5: server[0].allowlist.filter: No address of the list can reach 127.0.0.1:123, so the " +
    "server serves no client (add prefixes of clients that can, or listen on another address)",
  ]);
  const apart = server("[::]:123", `allowlist = ${same}`) + server("0.0.0.0:123", "");
  equal(told(apart).length, 1, "the second section takes IPv4 from the first");
  const all = list("0.0.0.0/0", "::/0");
  deepEqual(told(server("[::]:123", `allowlist = ${same}\ndenylist = ${all}`)), [], "longer");
  equal(told(server("[::]:123", `allowlist = ${all}\ndenylist = ${all}`)).length, 1);
  deepEqual(told('[control]\nchronyc = "192.0.2.1"\n[[server]]\nlisten = "192.0.2.1"\n'), [
    "t:3: control.allowlist: No address of the list can reach 192.0.2.1:323, so no chronyc has a " +
    "response (add the prefixes of those who may ask)",
  ]);
  deepEqual(told('[control]\nchronyc = "127.0.0.1"\n[[server]]\nlisten = "192.0.2.1"\n'), []);
  deepEqual(told(server("[::]:123", `denylist = ${list("10.0.0.0/8")}\nallowlist = ${same}`)), []);
});

Deno.test("check says where a long response to ntpq goes to addresses that strangers forge", () => {
  const told = (text: string) => {
    const parsed = parseConfig(`[synchronization]\nlocal-stratum = 8\n${text}`);
    return parsed.ok ? parsed.value.notes.map((note) => formatConfigError(note, "t")) : ["faulty"];
  };
  const server = (listen: string) => `[[server]]\nlisten = "${listen}"\n`;
  const allow = (...prefixes: readonly string[]) =>
    `[control]\nallowlist = ${JSON.stringify(prefixes)}\n`;
  deepEqual(told(`${allow("10.0.0.0/8", "0.0.0.0/0", "::/0")}${server("[::]:123")}`), [
    "t:4: control.allowlist: Strangers can forge addresses of 0.0.0.0/0, and a response to ntpq is " +
    "longer than its request (allow only loopback and private networks, or leave the protocol " +
    'out with ntpq = "off")',
  ]);
  const isTold = (text: string) => told(text).some((line) => line.includes("forge"));
  for (const wide of ["::/0", "8.0.0.0/7", "2001:db8::/32", "192.0.2.0/24", "10.0.0.0/7", "::/1"]) {
    equal(isTold(allow(wide) + server("[::]:123")), true, wide);
  }
  equal(isTold(allow("::ffff:0.0.0.0/96") + server("0.0.0.0:123")), true);
  equal(isTold(`${allow("0.0.0.0/0")}ntpq = "0.0.0.0:123"\n`), true, "without a server");
  equal(isTold(`${allow("0.0.0.0/0")}ntpq = "127.0.0.1:123"\n${server("[::]:123")}`), true);
  const own = ["127.0.0.0/8", "10.1.0.0/16", "172.16.0.0/12", "192.168.7.0/24", "fd00::/8", "::1"];
  equal(isTold(allow(...own, "fe80::/10", "100.64.0.0/10") + server("[::]:123")), false);
  const single = ["192.0.2.1", "192.0.2.7/32", "2001:db8::1/128", "::ffff:192.0.2.1"];
  equal(isTold(allow(...single) + server("[::]:123")), false, "a single address is meant");
  equal(isTold(allow("192.0.2.0/31") + server("[::]:123")), true);
  equal(isTold(server("[::]:123")), false, "the default is this machine");
  equal(isTold(allow("0.0.0.0/0", "::/0") + server("127.0.0.1:123")), false, "cannot be reached");
  equal(isTold(allow("::/0") + server("0.0.0.0:123")), false, "not of that family");
  equal(isTold(`${allow("0.0.0.0/0")}ntpq = "off"\n${server("[::]:123")}`), false);
  equal(isTold(`${allow("0.0.0.0/0")}chronyc = "0.0.0.0"\n`), false, "is not longer");
});

Deno.test("ten thousand prefixes are looked at in a moment", () => {
  const denylist = Array.from({ length: 10_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
  equal(isNobody("[::]:123", { allowlist: denylist, denylist }), true);
});
