import { equal, match, ok } from "node:assert/strict";
import { foreignLineHint } from "./foreign_keys.ts";
import { parseConfig } from "./parse.ts";

/** What stands in configurations of chrony, ntpd and NTPsec. */
const LINES = [
  "server ntp.example.net iburst",
  "pool pool.ntp.org maxsources 4",
  "peer ntp.example.net",
  "driftfile /var/lib/chrony/drift",
  "makestep 1 3",
  "allow 192.0.2.0/24",
  "Allow all",
  "deny",
  "restrict default kod nomodify notrap nopeer noquery limited",
  "minsources 3",
  "local stratum 10 orphan",
  "leapsectz right/UTC",
  "leapfile /usr/share/zoneinfo/leap-seconds.list",
  "keyfile /etc/chrony/chrony.keys",
  "keys /etc/ntp.keys",
  "trustedkey 1 2",
  "ntsdumpdir /var/lib/chrony",
  "ntsservercert /etc/chain.pem",
  "ntsserverkey /etc/key.pem",
  "nts cert /etc/chain.pem",
  "maxslewrate 500",
  "minpoll 4",
  "authselectmode mix",
  "ratelimit interval 1 burst 16",
  "port 0",
  "user _chrony",
  "rtcsync",
  "logdir /var/log/chrony",
  "log tracking measurements",
  "logfile /var/log/ntp.log",
  "statsdir /var/log/ntpstats/",
  "statistics loopstats peerstats",
  "filegen loopstats file loopstats type day enable",
  "bindaddress 192.0.2.1",
  "interface ignore wildcard",
  "bindcmdaddress /run/chrony/chronyd.sock",
  "cmdport 0",
  "cmdallow 127.0.0.1",
  "hwtimestamp *",
  "refclock SHM 0 refid NMEA",
  "fudge 127.127.1.0 stratum 10",
  "maxdistance 1.5",
  "maxupdateskew 100.0",
  "tos minclock 3 minsane 2",
  "tinker panic 0",
  "disable ntp",
  "enable monitor",
  "leapsecmode slew",
  "smoothtime 400 0.001 leaponly",
  "lock_all",
  "sched_priority 1",
  "confdir /etc/chrony/conf.d",
  "include /etc/chrony/more.conf",
  "broadcastclient",
];

for (const line of LINES) {
  Deno.test(`a line of another program says what to write instead: ${line}`, () => {
    const read = parseConfig(`${line}\n`);
    ok(!read.ok && read.error.length === 1);
    match(read.error[0]?.message ?? "", /^This line is in the format of chrony or ntpd/);
    ok(read.error[0]?.suggestion !== undefined);
  });
}

Deno.test("the same words as keys say it too, in whatever section they stand", () => {
  const own = ["server", "keys", "user", "nts"];
  for (const line of LINES) {
    const [word = ""] = line.split(" ");
    if (own.includes(word)) continue;
    for (
      const section of ["", "[clock]\n", '[[source]]\nmode = "server"\naddress = "a.example"\n']
    ) {
      const read = parseConfig(`${section}${word} = 1\n`);
      ok(!read.ok, word);
      const hints = read.error.map(({ suggestion = "" }) => suggestion);
      // Of what differs in spelling alone the right spelling is told.
      const guess = word === "driftfile" ? /^known here/ : /^known here|^did you mean/;
      ok(hints.every((hint) => !guess.test(hint)), `${word}: ${hints}`);
      ok(hints.some((hint) => hint !== ""), word);
    }
  }
});

/** Words within lines of other programs, as they are carried over by hand. */
const WORDS =
  "minsane minclock maxclock panic step stepout orphan limited kod nomodify noquery notrap noserve notrust mssntp" +
  " maxsources maxdelay offline certset enable-srv-resolution source-address bindacqdevice query constraint" +
  " constraints sensor weight trusted rtable ntp FallbackNTP RootDistanceMaxSec PollIntervalMinSec" +
  " PollIntervalMaxSec ConnectionRetrySec SaveIntervalSec true";

Deno.test("words within lines of other programs are answered as keys", () => {
  for (const word of WORDS.split(" ")) {
    const read = parseConfig(`[clock]\n${word} = 1\n`);
    ok(!read.ok, word);
    const [hint = ""] = read.error.map(({ suggestion = "" }) => suggestion);
    ok(hint !== "" && !/^known here|^did you mean/.test(hint), `${word}: ${hint}`);
  }
});

Deno.test("a line of TOML and a word of nobody are no lines of another program", () => {
  for (
    const line of ["user = 1", "port=0", "frobnicate 3", "[server]", "", "# server a", '"server" a']
  ) {
    equal(foreignLineHint(line), undefined, line);
  }
});

Deno.test("a source of another program keeps what authenticates it, and a reference clock is no server", () => {
  const hintOf = (line: string) => foreignLineHint(line) ?? "";
  match(hintOf("server a.example iburst nts"), /mode = "nts" and address = "a\.example"$/);
  match(hintOf("pool a.example NTS"), /mode = "nts-pool" and address = "a\.example"$/);
  match(hintOf("server a.example"), /mode = "server" and address = "a\.example"$/);
  match(
    hintOf("server 192.0.2.1 key 10 iburst"),
    /mode = "server", address = "192\.0\.2\.1" and key = 10$/,
  );
  match(hintOf("server 127.127.1.0"), /local-stratum/);
  equal(hintOf("server 127.127.20.0").includes("127.127"), false);
});
