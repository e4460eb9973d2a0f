/**
 * What is shipped beside the program: the systemd unit, and the hook that hands certificates over.
 *
 * @module
 */
import assert from "node:assert/strict";
import { haveProgram, run, runAny } from "../support/command.ts";
import { startDaemon } from "../support/ntpsd.ts";
import { NtsPlace } from "../support/nts_place.ts";
import { temporaryFolder } from "../support/places.ts";
import { needs } from "../support/needs.ts";

Deno.test({
  name: "systemd finds nothing wrong with the unit" +
    needs(!await haveProgram("systemd-analyze"), "systemd-analyze"),
  ignore: !await haveProgram("systemd-analyze"),
  async fn() {
    await using folder = await temporaryFolder();
    const unit = await Deno.readTextFile("dist/ntpsd.service");
    // The program need not be installed to be checked.
    const text = unit.replaceAll("/usr/local/bin/ntpsd", "/bin/true");
    const path = await folder.write("ntpsd.service", text);
    const verified = await runAny("systemd-analyze", { args: ["verify", path] });
    const complaints = verified.stderr.split("\n").filter((line) => line.includes("ntpsd.service"));
    assert.deepEqual(complaints, []);
    assert.equal(verified.code, 0, verified.stderr);
  },
});

Deno.test({
  name: "a certificate that is closed to all but root serves by way of the hook, renewal included" +
    needs(Deno.uid() !== 0, "root"),
  ignore: Deno.uid() !== 0,
  async fn() {
    await using place = await NtsPlace.make();
    await Deno.chmod(place.folder.path, 0o755);
    const lineage = `${place.folder.path}/live`;
    await Deno.mkdir(lineage, { mode: 0o700 });
    const folder = `${place.folder.path}/tls`;
    const files = { certificate: `${folder}/fullchain.pem`, key: `${folder}/privkey.pem` };
    const issue = async (name: string) => {
      const made = await place.certificate(name, { names: [`DNS:${name}.example`] });
      await Deno.rename(made.certificate, `${lineage}/fullchain.pem`);
      await Deno.rename(made.key, `${lineage}/privkey.pem`);
      await Deno.chmod(`${lineage}/privkey.pem`, 0o600);
      const env = { RENEWED_LINEAGE: lineage, NTPSD_TLS: folder, NTPSD_GROUP: "65534" };
      await run("sh", { args: ["dist/letsencrypt-hook.sh"], env });
    };
    await issue("first");
    const modes = [folder, files.certificate, files.key].map((path) => {
      const { mode, uid, gid } = Deno.statSync(path);
      return [((mode ?? 0) & 0o777).toString(8), uid, gid];
    });
    assert.deepEqual(modes, [["750", 0, 65534], ["640", 0, 65534], ["640", 0, 65534]]);
    await using server = await startDaemon({ kind: "bundle", config: place.server({ files }) });
    await server.waitForStatus((status) => status.ntsKe.length === 1);
    await issue("second");
    server.process.signal("SIGHUP");
    await server.process.waitFor(/uses the certificate of .*valid until/);
    assert.doesNotMatch(server.process.stderr, /EACCES/);
    assert.doesNotMatch(server.process.stderr, /Opened before[^\n]*\.pem/);
  },
});
