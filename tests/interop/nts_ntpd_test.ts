/**
 * Network Time Security with NTPsec's ntpd, both ways: OpenSSL on either side, but another reading
 * of the RFC.
 *
 * @module
 */
import assert from "node:assert/strict";
import { makeCertificate } from "../support/test_certificates.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import { fromFileUrl } from "../support/command.ts";
import { findPeer } from "../support/debian_packages.ts";
import { canMakeNamespaces, networkPair } from "../support/network_namespace.ts";
import { ntsServerLines, startNtpd } from "../support/ntpd.ts";
import { temporaryFolder } from "../support/places.ts";
import { RunningProgram } from "../support/process.ts";

const ntpd = await findPeer("ntpd");
const namespaces = await canMakeNamespaces();
const partner = fromFileUrl(new URL("./nts_ntpd_partner.ts", import.meta.url));
const text = (bytes: Bytes) => new TextDecoder().decode(bytes);

function startPartner(namespace: string, args: readonly string[]): RunningProgram {
  const flags = ["run", "-q", "--no-prompt", "-P=tests"];
  return new RunningProgram(Deno.execPath(), { args: [...flags, partner, ...args], namespace });
}

Deno.test({
  name: "ntpd as server: keys, cookies and authentic answers with every AES-SIV",
  ignore: ntpd === undefined || !namespaces,
  sanitizeResources: false, // the library of the test certificates stays open
  async fn() {
    assert.ok(ntpd);
    await using network = await networkPair();
    const { namespace } = network.right;
    await using folder = await temporaryFolder();
    const own = makeCertificate({ commonName: "localhost", names: ["DNS:localhost"] });
    const certificate = await folder.write("certificate.pem", text(own.certificate));
    const key = await folder.write("key.pem", text(own.privateKey));
    await using server = await startNtpd(ntpd, {
      namespace,
      lines: ntsServerLines({ certificate, key, cookieKeys: `${folder.path}/nts-keys` }),
    });
    await server.process.waitFor(/NTSs: listen4 worked/);
    await using asking = startPartner(namespace, ["ask", certificate]);
    await asking.waitFor(/done/);
    const said = asking.stdout.trim().split("\n").slice(0, -1).map((line) => JSON.parse(line));
    const kinds = ["authentic", "authentic"];
    assert.deepEqual(
      said,
      [15, 16, 17].map((aeadId) => ({ aeadId, cookies: [8, 8], kinds })),
      server.process.stderr,
    );
  },
});

Deno.test({
  name: "ntpd as client: it takes our keys and follows our protected answers",
  ignore: ntpd === undefined || !namespaces,
  sanitizeResources: false, // the library of the test certificates stays open
  async fn() {
    assert.ok(ntpd);
    await using network = await networkPair();
    const { namespace } = network.right;
    await using folder = await temporaryFolder();
    const authority = `${folder.path}/authority.pem`;
    await using serving = startPartner(namespace, ["serve", authority]);
    await serving.waitFor(/keyExchangePort/);
    const port = Number(/"keyExchangePort":(\d+)/.exec(serving.stdout)?.[1]);
    await using client = await startNtpd(ntpd, {
      namespace,
      lines: [`server localhost:${port} nts ca ${authority} iburst minpoll 1 maxpoll 1`],
    });
    await serving.waitFor(/"protected":([3-9]|\d\d).*\n/).catch((error) => {
      throw new Error(`${serving.stdout} ${serving.stderr} ${client.process.stderr}`, {
        cause: error,
      });
    });
    // What follows the last end of a line may be half of one.
    const counts = JSON.parse(serving.stdout.split("\n").at(-2) ?? "{}");
    assert.deepEqual(Object.keys(counts), ["protected"]);
  },
});
