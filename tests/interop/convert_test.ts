/**
 * `ntpsd convert` with the configurations that Debian ships.
 *
 * @module
 */
import assert from "node:assert/strict";
import { findPeer, type PeerName, SCRATCH } from "../support/debian_packages.ts";
import { needs } from "../support/needs.ts";
import { ntpsd } from "../support/ntpsd.ts";
import { temporaryFolder } from "../support/places.ts";

/** Where the package of a peer has its configuration, and the first source of it. */
const SHIPPED: readonly (readonly [PeerName, path: string, source: RegExp | undefined])[] = [
  ["chronyd", "usr/share/chrony/chrony.conf", /^address = "2\.debian\.pool\.ntp\.org"$/m],
  ["chronyd", "usr/share/doc/chrony/examples/chrony.conf.example1", /^mode = "pool"$/m],
  ["chronyd", "usr/share/doc/chrony/examples/chrony.conf.example2", /^mode = "pool"$/m],
  ["chronyd", "usr/share/doc/chrony/examples/chrony.conf.example3", undefined],
  ["ntpd", "etc/ntpsec/ntp.conf", /^address = "0\.debian\.pool\.ntp\.org"$/m],
  ["timesyncd", "etc/systemd/timesyncd.conf", undefined],
];

for (const [name, path, source] of SHIPPED) {
  const ignore = await findPeer(name) === undefined;
  Deno.test({
    name: `${path} of ${name} is converted, and the result accepted` +
      needs(ignore, name),
    ignore,
    async fn() {
      await using folder = await temporaryFolder();
      const made = await ntpsd(["convert", `${SCRATCH}/debian/${name}/${path}`]);
      assert.equal(made.code, 0, made.stderr);
      if (source !== undefined) assert.match(made.stdout, source);
      const file = await folder.write("ntpsd.toml", made.stdout);
      const checked = await ntpsd(["check", "--json", file]);
      const { errors } = JSON.parse(checked.stdout) as { errors: { kind: string }[] };
      assert.deepEqual(errors, [], made.stdout);
    },
  });
}
