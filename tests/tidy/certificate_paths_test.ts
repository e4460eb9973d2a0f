/** Configurations that are shown find the certificate where the hook for Let's Encrypt puts it. */
import assert from "node:assert/strict";
import { ROOT } from "./project.ts";

const SHOWN = ["dist/server.toml", "docs/configuration.md", "docs/nts.md", "README.md"];

Deno.test("examples name the files that the hook of certbot installs", async () => {
  const hook = await Deno.readTextFile(`${ROOT}/dist/letsencrypt-hook.sh`);
  const folder = /NTPSD_TLS:-([^}]+)\}/.exec(hook)?.[1];
  const [chain, key] = /^for name in (.*); do$/m.exec(hook)?.[1]?.split(" ") ?? [];
  assert.ok(folder !== undefined && chain !== undefined && key !== undefined);
  let count = 0;
  for (const document of SHOWN) {
    const text = await Deno.readTextFile(`${ROOT}/${document}`);
    for (
      const [, name, path] of text.matchAll(/^(certificate-chain-path|private-key-path) = "(.*)"/gm)
    ) {
      const wanted: string = `${folder}/${name === "private-key-path" ? key : chain}`;
      assert.equal(path, wanted, document);
      count++;
    }
  }
  assert.ok(count >= 8, `${count}`);
});
