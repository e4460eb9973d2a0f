/**
 * The daemon with a list of leap seconds: read at the start and after SIGHUP, refused when damaged.
 *
 * @module
 */
import assert from "node:assert/strict";
import { clientConfig } from "../support/daemon_config.ts";
import { startFalseServer } from "../support/false_server.ts";
import { startDaemon } from "../support/ntpsd.ts";
import { temporaryFolder } from "../support/places.ts";

/**
 * The digest is what sha1sum makes of all the figures without anything between; the list ends on
 * 2026-06-28.
 */
const LIST = `#$ 3960835200
#@ 3991593600
3692217600 37
#h 318de5ae c4521849 2cef9f63 6fad8f36 943089af
`;

Deno.test("a damaged list of leap seconds is refused, a good one taken after SIGHUP, its end told", async () => {
  await using server = await startFalseServer({ offsetSeconds: 0, stratum: 1 });
  await using folder = await temporaryFolder();
  const path = await folder.write("leap-seconds.list", LIST.replace(" 37", " 38"));
  const config = `${clientConfig([server], 1)}[clock]\nleap-seconds-file = "${path}"\n`;
  await using daemon = await startDaemon({ config });
  await daemon.process.waitFor(/leap-seconds\.list is not used: it is damaged/);
  await daemon.waitForStatus((now) => (now.sources[0]?.received ?? 0) > 0);
  await Deno.writeTextFile(path, LIST);
  daemon.process.signal("SIGHUP");
  await daemon.process.waitFor(/TAI - UTC is 37 s from 2017-01-01 on, valid until 2026-06-28/);
  if (Date.now() < Date.UTC(2026, 5, 28)) return;
  await daemon.process.waitFor(/The table of leap seconds expired on 2026-06-28/);
  assert.equal(daemon.process.stderr.match(/The table of leap seconds expired/g)?.length, 1);
});
