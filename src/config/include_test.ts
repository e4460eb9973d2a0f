import { deepEqual, equal, ok } from "node:assert/strict";
import { filesBeside } from "../../tests/support/files_beside.ts";
import { formatConfigError } from "./config_error.ts";
import { parseConfig } from "./parse.ts";

const FILE = "/etc/ntpsd/ntpsd.toml";
const PATTERN = 'include = ["conf.d/*.toml"]\n';

type Content = Readonly<Record<string, string>>;

/** Reads a configuration of several files, the first of which is at `FILE`. */
function parse(first: string, others: Content = {}) {
  return parseConfig(first, { file: FILE, beside: filesBeside({ ...others, [FILE]: first }) });
}

function config(first: string, others: Content = {}) {
  const parsed = parse(first, others);
  ok(parsed.ok, parsed.ok ? "" : JSON.stringify(parsed.error));
  return parsed.value;
}

function errors(first: string, others: Content = {}): readonly string[] {
  const parsed = parse(first, others);
  return parsed.ok ? [] : parsed.error.map((error) => formatConfigError(error, FILE));
}

function source(address: string, more = ""): string {
  return `[[source]]\nmode = "server"\naddress = "${address}"\n${more}`;
}

Deno.test("sections and keys of included files are added in the order of the names", () => {
  const { config: { sources, clock, synchronization }, included } = config(
    `${PATTERN}${source("a.example")}[clock]\nmax-slew-ppm = 500\n`,
    {
      "/etc/ntpsd/conf.d/20-c.toml": source("c.example"),
      "/etc/ntpsd/conf.d/10-b.toml": `${source("b.example")}[clock]\ndrift-file = "/var/d"\n`,
      "/etc/ntpsd/conf.d/30-d.toml": "[synchronization]\nstep-limit = 1\n",
      "/etc/ntpsd/conf.d/.40-hidden.toml": source("hidden.example"),
      "/etc/ntpsd/conf.d/10-b.toml.dpkg-old": source("old.example"),
    },
  );
  deepEqual(sources.map(({ host }) => host), ["a.example", "b.example", "c.example"]);
  deepEqual([clock.driftFile, clock.maxSlew, synchronization.stepLimit], ["/var/d", 500, 1]);
  deepEqual(included.map((path) => path.replace(/.*\//, "")), [
    "10-b.toml",
    "20-c.toml",
    "30-d.toml",
  ]);
});

Deno.test("paths are relative to the first file, absolute, and each file is read once", () => {
  const others = {
    "/etc/ntpsd/b.toml": source("b.example"),
    "/run/dhcp/c.toml": source("c.example"),
  };
  const { included } = config(
    'include = ["b.toml", "./b.toml", "/run/dhcp/*.toml", "*.toml"]\n' + source("a.example"),
    others,
  );
  deepEqual(included, ["/etc/ntpsd/b.toml", "/run/dhcp/c.toml"]);
});

Deno.test("a pattern may match nothing, and its folder need not be there", () => {
  equal(config(PATTERN + source("a.example")).included.length, 0);
});

Deno.test("an error names the file, the path in it and the line", () => {
  deepEqual(
    errors(`${PATTERN}${source("a.example", "polll = 3\n")}`, {
      "/etc/ntpsd/conf.d/1.toml": `# a remark\n\n${source("b.example")}\n${
        source("", "key = 0\n")
      }`,
      "/etc/ntpsd/conf.d/2.toml": "[clock]\nmax-slew-ppm = -1\n[nonsense]\n",
      "/etc/ntpsd/conf.d/3.toml": "[clock\n",
    }).map((line) => line.replace(/ \(.*/, "")),
    [
      `${FILE}:5: source[0].polll: Unknown key`,
      "/etc/ntpsd/conf.d/1.toml:9: source[1].address: Wanted a host name or an IP address, with a port if need be",
      "/etc/ntpsd/conf.d/1.toml:10: source[1].key: Wanted an integer from 1 to 4294967295, found 0",
      "/etc/ntpsd/conf.d/2.toml:2: clock.max-slew-ppm: Wanted a number from 1 to 100000, found -1",
      "/etc/ntpsd/conf.d/2.toml:3: nonsense: Unknown key",
      "/etc/ntpsd/conf.d/3.toml:1:1: Wanted a heading such as [clock], found [clock",
    ],
  );
});

Deno.test("a key in two files is an error that names both, whatever its values", () => {
  deepEqual(
    errors(`${PATTERN}[clock]\ndrift-file = "/var/d"\n`, {
      "/etc/ntpsd/conf.d/1.toml": '[clock]\n\ndrift-file = "/var/d"\n[nts]\nstrict = true\n',
      "/etc/ntpsd/conf.d/2.toml": "[nts]\nstrict = true\n",
    }),
    [
      `/etc/ntpsd/conf.d/1.toml:3: clock.drift-file: This is also in ${FILE}, line 3 (remove one of the two)`,
      "/etc/ntpsd/conf.d/2.toml:2: nts.strict: This is also in /etc/ntpsd/conf.d/1.toml, line 5 (remove one of the two)",
    ],
  );
});

Deno.test("a source that was named before is left out of an included file, with a note", () => {
  const { config: { sources }, notes, placeOf } = config(
    `${PATTERN}${source("a.example")}[synchronization]\nminimum-agreeing-sources = 1\n`,
    {
      "/etc/ntpsd/conf.d/dhcp.toml": source("A.example:123") + source("b.example") +
        source("b.example") + source("2001:db8::1") + source("2001:db8:0::1"),
    },
  );
  deepEqual(sources.map(({ host }) => host), ["a.example", "b.example", "2001:db8::1"]);
  deepEqual(notes.map((note) => formatConfigError(note, FILE)), [
    `/etc/ntpsd/conf.d/dhcp.toml:1: source[0]: Left out: it names the same as ${FILE}, line 2`,
    "/etc/ntpsd/conf.d/dhcp.toml:7: source[2]: Left out: it names the same as /etc/ntpsd/conf.d/dhcp.toml, line 4",
    "/etc/ntpsd/conf.d/dhcp.toml:13: source[4]: Left out: it names the same as /etc/ntpsd/conf.d/dhcp.toml, line 10",
  ]);
  deepEqual(placeOf("source[1].address"), {
    path: "source[1].address",
    line: 6,
    file: "/etc/ntpsd/conf.d/dhcp.toml",
  });
  const own = source("b.example") + source("b.example");
  equal(errors(PATTERN + own).length, 1);
});

Deno.test("a section that says more than who the server is gives way to none", () => {
  const keyed = source("a.example", "key = 1\n") + '[keys]\nfile = "/k"\n';
  const { config: { sources }, notes } = config(
    `${PATTERN}[synchronization]\nminimum-agreeing-sources = 1\n`,
    {
      "/etc/ntpsd/conf.d/1-dhcp.toml": source("a.example"),
      "/etc/ntpsd/conf.d/2-site.toml": keyed,
    },
  );
  deepEqual(sources.map(({ key }) => key), [1]);
  deepEqual(notes.map((note) => formatConfigError(note, FILE)), [
    "/etc/ntpsd/conf.d/1-dhcp.toml:1: source[0]: Left out: it names the same as /etc/ntpsd/conf.d/2-site.toml, line 1",
  ]);
  deepEqual(errors(PATTERN + source("a.example"), { "/etc/ntpsd/conf.d/2-site.toml": keyed }), [
    `/etc/ntpsd/conf.d/2-site.toml:3: source[0].address: The same address as in ${FILE}, line 2 (remove one of the two)`,
  ]);
});

Deno.test("messages about two files name the other one", () => {
  const server = '[[server]]\nlisten = "127.0.0.1:11123"\n';
  deepEqual(errors(`${PATTERN}${server}`, { "/etc/ntpsd/conf.d/1.toml": server }), [
    `/etc/ntpsd/conf.d/1.toml:2: server[0].listen: The same address as in ${FILE}, line 2 (remove one of the two)`,
  ]);
  deepEqual(
    errors(`${PATTERN}${source("a.example")}[clock]\n`, {
      "/etc/ntpsd/conf.d/1.toml": '[source]\nmode = "server"\n[[clock]]\n',
    }),
    [
      `/etc/ntpsd/conf.d/1.toml:1: source: Wanted [[source]] as in ${FILE}, line 2, found [source]`,
      `/etc/ntpsd/conf.d/1.toml:3: clock: Wanted [clock] as in ${FILE}, line 5, found [[clock]]`,
    ],
  );
});

Deno.test("what cannot be included is an error at its element", () => {
  deepEqual(errors('include = ["gone.toml"]\n'), [
    `${FILE}:1: include[0]: Cannot read /etc/ntpsd/gone.toml: no such file`,
  ]);
  deepEqual(errors('include = ["/etc/ntpsd/./ntpsd.toml"]\n'), [
    `${FILE}:1: include[0]: The file includes itself (remove it)`,
  ]);
  const found = errors('include = "conf.d/*.toml"\n');
  equal(found.length, 1);
  ok(found[0]?.includes("Wanted a list of paths"), found[0]);
  for (const pattern of ["", "conf.d/", "*/a.toml", "~/a.toml"]) {
    const [error = ""] = errors(`include = ["${pattern}"]\n`);
    ok(error.startsWith(`${FILE}:1: include[0]: Wanted the path of a file`), error);
  }
});

Deno.test("only the first file includes others, so that there are no circles", () => {
  deepEqual(errors(PATTERN, { "/etc/ntpsd/conf.d/1.toml": `\n${PATTERN}` }), [
    "/etc/ntpsd/conf.d/1.toml:2: include: A file that is included cannot include others (name all of them in the first file)",
  ]);
});

Deno.test("include in a section says where it belongs", () => {
  const [error = ""] = errors('[clock]\ninclude = ["conf.d/*.toml"]\n');
  ok(error.includes("before the first section"), error);
});

Deno.test("at most a hundred files are included", () => {
  const many = Object.fromEntries(
    Array.from({ length: 101 }, (_, i) => [`/etc/ntpsd/conf.d/${i}.toml`, source(`h${i}.example`)]),
  );
  deepEqual(errors(PATTERN, many), [
    `${FILE}:1: include[0]: Wanted at most 100 files, found more`,
  ]);
});

Deno.test("what is included is bounded as a whole, and nothing is read beyond that", () => {
  const text = "#".repeat(600_000);
  deepEqual(
    errors('include = ["a.toml", "b.toml", "c.toml"]\n', {
      "/etc/ntpsd/a.toml": text,
      "/etc/ntpsd/b.toml": text,
    }),
    [`${FILE}:1: include[1]: Wanted at most 1048576 characters in all, /etc/ntpsd/b.toml exceeds them`],
  );
});

Deno.test("nothing is written to a file that is included", () => {
  const [error = ""] = errors(`${PATTERN}[clock]\ndrift-file = "/etc/ntpsd/conf.d/1.toml"\n`, {
    "/etc/ntpsd/conf.d/1.toml": source("a.example"),
  });
  ok(error.includes("The same path as that of the configuration"), error);
});

Deno.test("words that are no keys elsewhere do no harm when files are put together", () => {
  const found = errors(`${PATTERN}[clock]\n__proto__ = 1\n`, {
    "/etc/ntpsd/conf.d/1.toml": "__proto__ = 1\n[clock]\nconstructor = 1\n",
  });
  deepEqual(found.map((line) => line.replace(/: Unknown key.*/, "")), [
    `${FILE}:3: clock.__proto__`,
    "/etc/ntpsd/conf.d/1.toml:1: __proto__",
    "/etc/ntpsd/conf.d/1.toml:3: clock.constructor",
  ]);
});
