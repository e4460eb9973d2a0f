/**
 * What is shipped beside the program: the systemd unit, and the hooks that hand certificates over
 * and bring servers from DHCP.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parseConfig } from "../../src/config/parse.ts";
import { haveProgram, run, runAny } from "../support/command.ts";
import { launch, startDaemon } from "../support/ntpsd.ts";
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

/** What the hook for DHCP is run with. */
interface Lease {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What runs the hook, and what it is told when a lease comes and when it ends. */
const LEASES: readonly {
  readonly program: string;
  readonly come: (servers: string) => Lease;
  readonly end: Lease;
}[] = [
  {
    program: "NetworkManager",
    come: (servers) => ({ args: ["eth0", "up"], env: { DHCP4_NTP_SERVERS: servers } }),
    end: { args: ["eth0", "down"], env: {} },
  },
  {
    program: "dhclient",
    come: (servers) => ({
      args: [],
      env: { reason: "BOUND", interface: "eth0", new_ntp_servers: servers },
    }),
    end: { args: [], env: { reason: "EXPIRE", interface: "eth0" } },
  },
];

for (const { program, come, end } of LEASES) {
  Deno.test(`servers that DHCP names by way of ${program} become sources, and go with the lease`, async () => {
    await using folder = await temporaryFolder();
    const places = { NTPSD_DHCP: `${folder.path}/dhcp`, NTPSD_RELOAD: `touch ${folder.path}/told` };
    const names = () => [...Deno.readDirSync(folder.path)].map(({ name }) => name);
    const { program: checker, args } = await launch("bundle");
    const hook = async (lease: Lease) => {
      const env = { ...places, ...lease.env, NTPSD: [checker, ...args].join(" ") };
      await run("sh", { args: ["dist/dhcp-hook.sh", ...lease.args], env });
      const isTold = names().includes("told");
      if (isTold) await Deno.remove(`${folder.path}/told`);
      return isTold;
    };
    const hostile =
      '192.0.2.1 0.0.0.0 a"]x cafe.de 10.0.0.1:99 2001:db8::1 $(touch${IFS}x) fe80::1 1.2 ..';
    assert.equal(await hook(come(hostile)), true, "what is new is made known");
    const file = `${folder.path}/dhcp/eth0.toml`;
    const parsed = parseConfig(await Deno.readTextFile(file));
    assert.ok(parsed.ok);
    const hosts = parsed.value.config.sources.map(({ host }) => host);
    assert.deepEqual(hosts, ["192.0.2.1", "2001:db8::1"]);
    assert.equal(await hook(come(hostile)), false, "what is known is not");
    assert.equal(await hook(end), true);
    assert.equal(await hook(end), false);
    assert.deepEqual([...Deno.readDirSync(`${folder.path}/dhcp`)], [], "nothing is left");
  });
}
