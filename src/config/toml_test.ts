import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { formatConfigError } from "./config_error.ts";
import { readToml } from "./toml.ts";

/** Slips of a hand, and what is said of them. */
function bareReturn(place: string): string {
  return `t:${place}: A line ends with a carriage return alone, U+000D ` +
    "(save the file with the line endings of Unix, or of Windows)";
}

const SLIPS: readonly (readonly [string, readonly string[]])[] = [
  ['[[source]]\nmode = server\naddress = "a"\n', [
    't:2:8: Text stands in quotation marks, found server (write "server")',
  ]],
  ['[[source]]\nmode = "server"\naddress = ntp1.example.net\n', [
    't:3:11: Text stands in quotation marks, found ntp1.example.net (write "ntp1.example.net")',
  ]],
  ['[[source]]\nmode = "server"\naddress = 192.0.2.1\n', [
    't:3:11: Text stands in quotation marks, found 192.0.2.1 (write "192.0.2.1")',
  ]],
  ['[[source]]\nmode = "server"\naddress = 192.0.2.1:123\n', [
    't:3:11: Text stands in quotation marks, found 192.0.2.1:123 (write "192.0.2.1:123")',
  ]],
  ['[[source]]\nmode = "server"\naddress = 2001:db8::1\n', [
    't:3:11: Text stands in quotation marks, found 2001:db8::1 (write "2001:db8::1")',
  ]],
  ['[[source]]\nmode = "server"\naddress = time.example.net iburst\n', [
    't:3:11: Text stands in quotation marks, found time.example.net iburst (write "time.example.net iburst")',
  ]],
  ["[clock]\ndrift-file = /var/lib/ntpsd/drift\n", [
    't:2:14: Text stands in quotation marks, found /var/lib/ntpsd/drift (write "/var/lib/ntpsd/drift")',
  ]],
  ["[clock]\nadjust = True\n", ["t:2:10: Wanted a value of TOML, found True (write true)"]],
  ["[clock]\nadjust = yes\n", ["t:2:10: Wanted a value of TOML, found yes (write true)"]],
  ["[clock]\nadjust = no # never\n", ["t:2:10: Wanted a value of TOML, found no (write false)"]],
  ["[clock]\nadjust = trueish\n", [
    't:2:10: Text stands in quotation marks, found trueish (write "trueish")',
  ]],
  ["[clock]\nmax-slew-ppm = 0500\n", [
    "t:2:16: A number does not begin with 0, found 0500 (write 500)",
  ]],
  ["[clock]\nmax-slew-ppm = 5,000\n", [
    "t:2:16: A number is written without blanks and commas, found 5,000 (write 5000)",
  ]],
  ["[clock]\nmax-slew-ppm = 5 000\n", [
    "t:2:16: A number is written without blanks and commas, found 5 000 (write 5000)",
  ]],
  ["[clock]\nmax-slew-ppm = 500ppm\n", [
    't:2:16: Text stands in quotation marks, found 500ppm (write "500ppm")',
  ]],
  ["[synchronization]\nstep-threshold = 128ms\n", [
    't:2:18: Text stands in quotation marks, found 128ms (write "128ms")',
  ]],
  ["[synchronization]\nstep-threshold = 1_0_\n", [
    't:2:18: Text stands in quotation marks, found 1_0_ (write "1_0_")',
  ]],
  ['[clock]\ndrift-file = "/var/lib/a\nadjust = false\n', [
    't:2:14: The quotation mark " here has no counterpart (close the text with " on the same line)',
  ]],
  ["[clock]\ndrift-file = '/var/lib/a\nadjust = false\n", [
    "t:2:14: The quotation mark ' here has no counterpart (close the text with ' on the same line)",
  ]],
  ['[clock]\ndrift-file = "/var/lib/a', [
    't:2:14: The quotation mark " here has no counterpart (close the text with " on the same line)',
  ]],
  ['[clock]\ndrift-file = """/var/lib/a\n', [
    't:2:14: The quotation mark """ here has no counterpart (close the text with """)',
  ]],
  ['[clock]\ndrift-file = /var/lib/a"\n', [
    't:2:14: Text stands in quotation marks, found /var/lib/a" (write "/var/lib/a")',
  ]],
  ["[clock]\nadjust = true\nadjust = false\n", [
    't:3: The key "clock.adjust" stands twice, first on line 2 (remove one of the two)',
  ]],
  ['[clock]\nadjust = true\n[nts]\nstrict=true\n[clock]\ndrift-file = "x"\n', [
    't:5: The section "clock" stands twice, first on line 1 (put the keys of both under one heading)',
  ]],
  ['[server]\nlisten="0.0.0.0:1"\n[[server]]\nlisten="0.0.0.0:2"\n', [
    't:3: "server" is something else already: a section, a list of sections, or a value (write all its headings alike, in single or in double brackets)',
  ]],
  ["clock.adjust = true\n[clock]\nadjust = false\n", [
    't:2: The section "clock" stands twice, first on line 1 (put the keys of both under one heading)',
  ]],
  ['keys = 1\n[keys]\nfile="x"\n', [
    't:2: The section "keys" stands twice, first on line 1 (put the keys of both under one heading)',
  ]],
  ['[[source]]\nmode = "server"\nmode = "pool"\n', [
    't:3: The key "source[0].mode" stands twice, first on line 2 (remove one of the two)',
  ]],
  ["[[source]]\npoll-interval-limits = { min = 4, min = 5 }\n", [
    't:2: The key "source[0].poll-interval-limits.min" stands twice, first on line 2 (remove one of the two)',
  ]],
  ['[[server]]\nallowlist = { filter = ["192.0.2.0/24"\nlisten = "x"\n', [
    "t:2:24: The bracket [ here has no counterpart (close it with ])",
  ]],
  ['[[server]]\nallowlist = { filter = ["192.0.2.0/24"] \nlisten = "x"\n', [
    "t:2:13: The bracket { here has no counterpart (close it with })",
  ]],
  ["[[server]]\naccept-ntp-versions = [3, 4\n", [
    "t:2:23: The bracket [ here has no counterpart (close it with ])",
  ]],
  ["[[server]]\naccept-ntp-versions = [3 4]\n", ["t:2:26: Wanted a comma or ], found 4]"]],
  ["[[server]]\nallowlist = { filter = [192.0.2.0/24, 2001:db8::/32] }\n", [
    't:2:25: Text stands in quotation marks, found 192.0.2.0/24 (write "192.0.2.0/24")',
  ]],
  ["[[server]]\naccept-ntp-versions = 3, 4\n", [
    "t:2:23: Wanted one value, found 3, 4 (several values stand in brackets: [ ..., ... ])",
  ]],
  ["[[server]]\naccept-ntp-versions = [3, 4\n\n[clock]\nadjust = true\n", [
    "t:2:23: The bracket [ here has no counterpart (close it with ])",
  ]],
  ["[[server]]\naccept-ntp-versions = [3, 4]]\n", [
    "t:2:29: Wanted the end of the line after the value, found ] (write one key a line)",
  ]],
  ['[[source]]\nignore = ["192.0.2.1" "192.0.2.2"]\n', [
    't:2:23: Wanted a comma or ], found "192.0.2.2"]',
  ]],
  ['[[source]\nmode = "server"\n', [
    "t:1:1: Wanted a heading such as [[source]], found [[source] (it stands alone on its line, with as many brackets before as behind)",
  ]],
  ["[clock\nadjust = true\n", [
    "t:1:1: Wanted a heading such as [clock], found [clock (it stands alone on its line, with as many brackets before as behind)",
  ]],
  ["[]\n", [
    "t:1:1: Wanted a heading such as [clock] or [[source]], found [] (name the section in the brackets)",
  ]],
  ["[[]]\n", [
    "t:1:1: Wanted a heading such as [clock] or [[source]], found [[]] (name the section in the brackets)",
  ]],
  ["[clock] adjust = true\n", [
    "t:1:1: Wanted a heading such as [clock], found [clock] adjust = true (it stands alone on its line, with as many brackets before as behind)",
  ]],
  ["[my clock]\n", [
    "t:1:1: Wanted a heading such as [clock] or [[source]], found [my clock] (it stands alone on its line, with as many brackets before as behind)",
  ]],
  ["[clock]]\n", [
    "t:1:1: Wanted a heading such as [clock], found [clock]] (it stands alone on its line, with as many brackets before as behind)",
  ]],
  ["server ntp.example.net iburst\n", [
    't:1:1: This line is in the format of chrony or ntpd, not TOML: server ntp.example.net iburst (write [[source]], and below it mode = "server" and address = "ntp.example.net")',
  ]],
  ["pool 2.debian.pool.ntp.org iburst\n", [
    't:1:1: This line is in the format of chrony or ntpd, not TOML: pool 2.debian.pool.ntp.org iburst (write [[source]], and below it mode = "pool" and address = "2.debian.pool.ntp.org")',
  ]],
  ["driftfile /var/lib/chrony/drift\n", [
    "t:1:1: This line is in the format of chrony or ntpd, not TOML: driftfile /var/lib/chrony/drift (use drift-file in [clock])",
  ]],
  ["makestep 1 3\n", [
    "t:1:1: This line is in the format of chrony or ntpd, not TOML: makestep 1 3 (use step-threshold and step-limit in [synchronization])",
  ]],
  ["rtcsync", [
    "t:1:1: This line is in the format of chrony or ntpd, not TOML: rtcsync (leave it out: the kernel sets the hardware clock while the time is right)",
  ]],
  ["clock:\n  adjust: true\n", ["t:1:1: Wanted KEY = VALUE, found clock: (write = in place of :)"]],
  ["adjust: true\n", ["t:1:1: Wanted KEY = VALUE, found adjust: true (write = in place of :)"]],
  ["// comment\n", ["t:1:1: Wanted KEY = VALUE, found // comment (comments begin with #)"]],
  ["; comment\n", ["t:1:1: Wanted KEY = VALUE, found ; comment (comments begin with #)"]],
  ["= 5\n", ["t:1:1: There is no key before the ="]],
  ["adjust\n", ["t:1:1: Wanted KEY = VALUE, found adjust (write = and a value after the key)"]],
  ["adjust true\n", [
    "t:1:1: Wanted KEY = VALUE, found adjust true (write = between the key and its value)",
  ]],
  ["a b = 3\n", ["t:1:1: Wanted KEY = VALUE, found a b = 3"]],
  ["adjust ==  true\n", ["t:1:9: There are two = here (remove one)"]],
  ["a = \n", ["t:1:4: The key has no value (write one after the =)"]],
  ["a = # c\n", ["t:1:4: The key has no value (write one after the =)"]],
  ["a.b. = 3\n", ["t:1:1: Wanted KEY = VALUE, found a.b. = 3"]],
  ['[clock]\ndrift-file = "C:\\drift"\n', [
    "t:2:17: The backslash here does not begin an escape that TOML knows (write \\\\, or put the text in single quotes)",
  ]],
  ['[clock]\ndrift-file = "/a\\u00zz"\n', [
    "t:2:17: The backslash here does not begin an escape that TOML knows (write \\\\, or put the text in single quotes)",
  ]],
  ['{ "clock": 3 }', [
    't:1:1: Wanted KEY = VALUE, found { "clock": 3 } (this looks like JSON: write TOML)',
  ]],
  ["<xml/>", ["t:1:1: Wanted KEY = VALUE, found <xml/>"]],
  ["[clock]\ndrift-file = 'it's'\n", [
    "t:2:18: Wanted the end of the line after the value, found s' (a text with ' in it stands in double quotes)",
  ]],
  ['[clock]\ndrift-file = "a" "b"\n', [
    't:2:18: Wanted the end of the line after the value, found "b" (write one key a line)',
  ]],
  ['[clock]\nadjust = true drift-file = "x"\n', [
    't:2:15: Wanted the end of the line after the value, found drift-file = "x" (write one key a line)',
  ]],
  ["x = [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", ["t:1:21: Brackets are nested too deeply"]],
  ["[clock]\ndrift-file = 2026-13-45\n", [
    't:2:14: Text stands in quotation marks, found 2026-13-45 (write "2026-13-45")',
  ]],
  ["[clock]\nadjust = -\n", ['t:2:10: Text stands in quotation marks, found - (write "-")']],
  ["[clock]\nadjust = 0x\n", ['t:2:10: Text stands in quotation marks, found 0x (write "0x")']],
  ["[clock]\nadjust = 1e\n", ['t:2:10: Text stands in quotation marks, found 1e (write "1e")']],
  ["[clock]\n\u00a0adjust = true\n", [
    "t:2:1: The blank here is U+00A0, not a space (replace it by a space)",
  ]],
  ["[clock]\ndrift-file = \u201c/a\u201d\n", [
    't:2:14: The quotation mark \u201c is U+201C (write the straight one: ")',
    't:2:17: The quotation mark \u201d is U+201D (write the straight one: ")',
  ]],
  ['[[source]]\nmode = "server"\naddress = "ntp\u200b.example.net"\n', [
    "t:3:15: There is an invisible character here, U+200B (remove it, or write \\u200B in double quotes if it is meant)",
  ]],
  ["a\u2013b = 1\n", ["t:1:2: The dash \u2013 is U+2013 (write the hyphen: -)"]],
  ["\ufeff[clock]\n\ufeffadjust = true\n", [
    "t:2:1: There is an invisible character here, U+FEFF (remove it)",
  ]],
  ['[clock]\ndrift-file = "a\u0007"\n', [
    "t:2:16: There is a control character here, U+0007 (remove it)",
  ]],
  ["[\u0000c\u0000l\u0000o\u0000c\u0000k\u0000]\u0000", [
    't: The text is UTF-16, wanted UTF-8 (save it as UTF-8, or convert it by "iconv -f UTF-16 -t UTF-8")',
  ]],
  ["[clock]\radjust = true\r", [bareReturn("1:8")]],
  ["[clock]\r\nadjust = true # it\rx\r\n", [bareReturn("2:19")]],
  ['x = "\ufffd" # \ufffd\n', ["t:1:6: An octet here is not UTF-8 (save the file as UTF-8)"]],
];

function errors(text: string): string[] {
  const read = readToml(text);
  return read.ok ? [] : read.error.map((error) => formatConfigError(error, "t"));
}

for (const [text, expected] of SLIPS) {
  Deno.test(`a slip is explained: ${JSON.stringify(text)}`, () =>
    deepEqual(errors(text), expected));
}

Deno.test("comments may have any character, and text may have it as an escape", () => {
  ok(readToml('# it\u2019s a \u201cremark\u201d\u00a0\ufffd\na = "x\\u00A0" # \u2013\n').ok);
  ok(readToml("\ufeffa = 1\r\n[b]\r\nc = 'gr\u00fcn \u201c'\r\n").ok);
});

Deno.test("what is no text is told in one line", () => {
  const octets = Uint8Array.from({ length: 3000 }, (_, i) => (i * i * 37 + i * 11) & 0xff);
  // The heads of a program, a picture and an archive, with zeros that are none of UTF-16's.
  const program = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, ...Array(9).fill(0), 3, 0, 62, 0, 1, 0, 0, 0];
  const picture = [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0];
  const archive = [0x1f, 0x8b, 8, 8, 0x93, 0xc2, 0x68, 0x6a, 0, 3, 0x67, 0x6f, 0x6f, 0x64, 0x2e];
  for (const each of [octets, program, picture, archive]) {
    deepEqual(errors(new TextDecoder().decode(Uint8Array.from(each))), [
      "t: This is not a text, wanted TOML in UTF-8",
    ]);
  }
});

Deno.test("a text of wider characters is told by its width, with accents and in either order", () => {
  const text = '[[source]]\n# caf\u00e9, \u0434\u0430\nmode = "server"\naddress = "192.0.2.1"\n';
  for (const width of [16, 32] as const) {
    for (const isLittle of [true, false]) {
      const view = new DataView(new ArrayBuffer(text.length * width / 8));
      for (let i = 0; i < text.length; i++) {
        if (width === 16) view.setUint16(2 * i, text.charCodeAt(i), isLittle);
        else view.setUint32(4 * i, text.charCodeAt(i), isLittle);
      }
      deepEqual(errors(new TextDecoder().decode(view)), [
        `t: The text is UTF-${width}, wanted UTF-8 ` +
        `(save it as UTF-8, or convert it by "iconv -f UTF-${width} -t UTF-8")`,
      ]);
    }
  }
  deepEqual(errors("a\u0000b"), ["t:1:2: There is a control character here, U+0000 (remove it)"]);
});

Deno.test("two headings of one name are lists for which each has its own", () => {
  deepEqual(errors("[source]\na = 1\n[source]\na = 2\n"), [
    't:3: The section "source" stands twice, first on line 1 (write [[source]] for each of them)',
  ]);
});

Deno.test("of a file in the format of another program all lines are told, as far as somebody reads them", () => {
  const told = "This line is in the format of chrony or ntpd, not TOML:";
  deepEqual(errors("# mine\nmakestep 1 3\n\nmaxslewrate 500 # slow\nadjust = true\nport 0\n"), [
    `t:2:1: ${told} makestep 1 3 (use step-threshold and step-limit in [synchronization])`,
    `t:4:1: ${told} maxslewrate 500 # slow (use max-slew-ppm in [clock])`,
    `t:6:1: ${told} port 0 (write it after the address, in address of [[source]] or listen of [[server]]; without [[server]] no client is served)`,
  ]);
  const many = errors("allow\n".repeat(30));
  equal(many.length, 21);
  equal(many[20], "t: There are 10 more lines of this kind");
});

Deno.test("many odd characters are counted, not listed", () => {
  const found = errors("a\u00a0= 1\n".repeat(30));
  equal(found.length, 11);
  equal(found[10], "t: There are 20 more characters of this kind");
});

Deno.test("property: an explanation never throws, and names a line that is there", () => {
  const pieces = fc.constantFrom(
    "[",
    "]",
    "{",
    "}",
    '"',
    "'",
    '"""',
    "=",
    ",",
    "\n",
    "#",
    ".",
    "a",
    "b c",
    "1",
    "\\",
    "\r\n",
    " ",
    "true",
    ":",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
      const text = parts.join("");
      const read = readToml(text);
      if (read.ok) return;
      for (const { line, column, message } of read.error) {
        ok(message !== "" && (line ?? 1) >= 1 && (line ?? 1) <= text.split("\n").length);
        ok((column ?? 1) >= 1);
      }
    }),
    { numRuns: 5000 },
  );
});
