import { deepEqual, ok } from "node:assert/strict";
import { formatConfigError } from "./config_error.ts";
import { parseConfig } from "./parse.ts";

function notes(text: string): string[] {
  const parsed = parseConfig(text);
  return parsed.ok ? parsed.value.notes.map((note) => formatConfigError(note, "t")) : ["faulty"];
}

Deno.test("an allowlist without a client that can come is warned of", () => {
  const server = (listen: string, ...filter: string[]) =>
    notes(
      `[synchronization]\nlocal-stratum = 8\n[[server]]\nlisten = "${listen}"\n` +
        `allowlist = { filter = ${JSON.stringify(filter)} }\n`,
    ).map((note) => note.replace(/ \(.*/, ""));
  const empty = [
    "t:5: server[0].allowlist.filter: The list is empty, so the server serves no client",
  ];
  const foreign = (family: string, listen: string) => [
    `t:5: server[0].allowlist.filter: All prefixes are of ${family}, and no such client reaches ${listen}, so the server serves no client`,
  ];
  deepEqual(server("[::]:123"), empty);
  deepEqual(server("0.0.0.0:123"), empty);
  deepEqual(server("0.0.0.0:123", "::/0", "2001:db8::/32"), foreign("IPv6", "0.0.0.0:123"));
  deepEqual(server("[2001:db8::1]:123", "0.0.0.0/0"), foreign("IPv4", "[2001:db8::1]:123"));
  deepEqual(server("0.0.0.0:123", "::/0", "192.0.2.1"), []);
  deepEqual(server("0.0.0.0:123", "::ffff:192.0.2.0/120"), []);
  for (const any of ["0.0.0.0/0", "::/0"]) deepEqual(server("[::]:123", any), []);
});

Deno.test("an address that could be another one is refused or remarked on", () => {
  const source = (address: string) => `[[source]]\nmode = "server"\naddress = "${address}"\n`;
  const told = (address: string) =>
    notes(source(address)).filter((note) => note.includes("address: "));
  deepEqual(told("2001:db8::1:123"), [
    "t:3: source[0].address: :123 is the end of the IPv6 address here, not a port " +
    '(with a port write "[2001:db8::1]:123", without one "[2001:db8::1:123]")',
  ]);
  for (const sure of ["2001:db8::123", "[2001:db8::1:123]", "[2001:db8::1]:123", "a.example:123"]) {
    deepEqual(told(sure), [], sure);
  }
  for (const numbers of ["1.2.3", "0x7f.1", "0x7f000001", "2130706433", "1.2.3."]) {
    ok(!parseConfig(source(numbers)).ok, numbers);
  }
  for (const name of ["0x7f.example", "1.example", "4a.1", "dead.beef"]) {
    ok(parseConfig(source(name)).ok, name);
  }
});
