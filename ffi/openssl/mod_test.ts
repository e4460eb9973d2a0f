import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { type Bytes, concatBytes } from "../../src/base/bytes.ts";
import {
  type KeyKind,
  makeCertificate,
  protectedKey,
  type TestCertificate,
} from "../../tests/support/test_certificates.ts";
import { OpenSsl, type TlsClientContext, type TlsServerContext, type TlsSession } from "./mod.ts";
import { raiseSecurityLevel } from "./tls_context_setup.ts";
import { openLibraries, openSslLibrary } from "./library.ts";
import { ownedPointerCounts } from "./owned_pointer.ts";
import { isAnyThere, NO_AUTHORITIES } from "./trust_store.ts";
import { peerIdentity } from "./verification.ts";
import { SeededRandom } from "../../src/base/random.ts";
import type { Result } from "../../src/base/result.ts";

// Opened here, because the libraries stay open longer than any test.
const openssl = unwrap(OpenSsl.open());
const LABEL = "EXPORTER-network-time-security";
const NOW = 1_800_000_000;
const YEAR = 366 * 86_400;
const DATES = { notBefore: NOW - YEAR, notAfter: NOW + YEAR };
const authority = makeCertificate({ commonName: "Test Authority", authority: true, ...DATES });
const NAMES = ["DNS:time.example", "DNS:*.wild.example", "IP:192.0.2.7", "IP:2001:db8::7"];
const good = makeCertificate({ commonName: "ignored", names: NAMES, issuer: authority, ...DATES });
unwrap(openssl.serverContext({ certificateChain: good.certificate, privateKey: good.privateKey }))
  .close();

function unwrap<Value, Reason>(result: Result<Value, Reason>): Value {
  assert.ok(result.ok, result.ok ? "" : JSON.stringify(result.error));
  return result.value;
}

function serverContext(of = good, chain = of.certificate): TlsServerContext {
  return unwrap(openssl.serverContext({ certificateChain: chain, privateKey: of.privateKey }));
}

function clientContext(trusted = authority): TlsClientContext {
  return unwrap(openssl.clientContext({ system: false, authorities: trusted.certificate }));
}

/**
 * Carries octets both ways until nothing moves; returns the first failure of each side as its
 * reason.
 */
function shuttle(client: TlsSession, server: TlsSession, chunk = 100_000) {
  const failures: { client?: string; server?: string } = {};
  const step = (side: "client" | "server", session: TlsSession) => {
    if (failures[side] !== undefined || session.complete) return;
    const result = session.handshake();
    if (!result.ok) failures[side] = result.error.reason;
  };
  for (let round = 0; round < 10_000; round++) {
    step("client", client);
    step("server", server);
    let moved = false;
    for (
      const [from, to, name] of [[client, server, "server"], [server, client, "client"]] as const
    ) {
      const output = from.output();
      for (let at = 0; output !== undefined && at < output.length; at += chunk) {
        to.feed(output.slice(at, at + chunk));
        step(name, to);
        moved = true;
      }
    }
    if (!moved) break;
  }
  return failures;
}

interface Attempt {
  readonly host?: string;
  readonly time?: number | "unchecked";
  readonly client?: TlsClientContext;
  readonly server?: TlsServerContext;
}

function attempt(options: Attempt) {
  using clientSide = options.client ?? clientContext();
  using serverSide = options.server ?? serverContext();
  const target = { host: options.host ?? "time.example", time: options.time ?? NOW };
  using client = unwrap(openssl.connect(clientSide, target));
  using server = openssl.accept(serverSide);
  const failures = shuttle(client, server);
  return failures.client ?? (client.complete ? "complete" : "stuck");
}

Deno.test("a handshake, data both ways, the same exported keys, a proper close; nothing leaks", () => {
  const before = ownedPointerCounts();
  for (const chunk of [1, 100_000]) {
    using clientSide = clientContext();
    using serverSide = serverContext();
    using client = unwrap(openssl.connect(clientSide, { host: "time.example", time: NOW }));
    using server = openssl.accept(serverSide);
    // A closed context must not disturb the sessions made from it.
    clientSide.close();
    serverSide.close();
    assert.deepEqual(shuttle(client, server, chunk), {});
    assert.equal(client.version, "TLSv1.3");
    const context = Uint8Array.of(0, 0, 0, 15, 0);
    const keys = [client, server].map((session) =>
      session.exportKeyingMaterial({ label: LABEL, context, length: 32 })
    );
    assert.deepEqual(keys[0], keys[1]);
    const other = Uint8Array.of(0, 0, 0, 15, 1);
    assert.notDeepEqual(
      client.exportKeyingMaterial({ label: LABEL, context: other, length: 32 }),
      keys[0],
    );
    const question = Uint8Array.from({ length: 40_000 }, (_, i) => i);
    unwrap(client.write(question));
    server.feed(client.output() ?? new Uint8Array());
    const parts: Uint8Array[] = [];
    for (;;) {
      const part = unwrap(server.read());
      if (part === undefined || part === "closed") break;
      parts.push(part);
    }
    assert.deepEqual(concatBytes(...parts), question);
    assert.equal(unwrap(client.read()), undefined);
    server.shutdown();
    client.feed(server.output() ?? new Uint8Array());
    assert.equal(unwrap(client.read()), "closed");
  }
  assert.deepEqual(ownedPointerCounts(), before);
});

Deno.test("servers with keys of every kind are accepted", () => {
  for (const key of ["rsa-2048", "p-256", "p-384", "ed25519"] as KeyKind[]) {
    const own = makeCertificate({
      commonName: "x",
      names: NAMES,
      key,
      issuer: authority,
      ...DATES,
    });
    assert.equal(attempt({ server: serverContext(own) }), "complete", key);
  }
});

Deno.test("keys and signatures are worth 112 bits at least, or what the system asks for beyond", () => {
  const library = unwrap(openSslLibrary());
  const { SSL_CTX_get_security_level: level, SSL_CTX_set_security_level: setLevel } = library.ssl;
  using made = clientContext();
  const { pointer } = made;
  assert.ok(level(pointer) >= 2);
  for (const [before, after] of [[0, 2], [1, 2], [2, 2], [4, 4]] as const) {
    setLevel(pointer, before);
    raiseSecurityLevel(library, pointer);
    assert.equal(level(pointer), after);
  }
});

Deno.test("names and addresses are compared with the alternative names alone", () => {
  const outcomes: Record<string, string> = {
    "time.example": "complete",
    "time.example.": "complete",
    "TIME.Example": "complete",
    "a.wild.example": "complete",
    "a.b.wild.example": "certificate-wrong-name",
    "wild.example": "certificate-wrong-name",
    "ignored": "certificate-wrong-name",
    "example": "certificate-wrong-name",
    "192.0.2.7": "complete",
    "192.0.2.8": "certificate-wrong-name",
    "[2001:db8::7]": "complete",
    "2001:db8:0::7": "complete",
    "[2001:db8::7%eth0]": "complete",
    "2001:db8::8": "certificate-wrong-name",
  };
  for (const [host, outcome] of Object.entries(outcomes)) {
    assert.equal(attempt({ host }), outcome, host);
  }
  using context = clientContext();
  for (const host of ["", ".", "two words", "nul\0", "x".repeat(254)]) {
    const refused = openssl.connect(context, { host, time: NOW });
    assert.equal(refused.ok ? "" : refused.error.reason, "bad-host");
  }
  assert.deepEqual(peerIdentity("192.0.2.7"), {
    kind: "address",
    bytes: Uint8Array.of(192, 0, 2, 7),
  });
});

Deno.test("each fault of a certificate is refused with its reason", () => {
  const elsewhere = makeCertificate({ commonName: "Other", authority: true, ...DATES });
  const selfSigned = makeCertificate({ commonName: "self", names: NAMES, ...DATES });
  const foreign = makeCertificate({ commonName: "f", names: NAMES, issuer: elsewhere, ...DATES });
  const notAuthority = makeCertificate({ commonName: "leaf", issuer: authority, ...DATES });
  const byLeaf = makeCertificate({ commonName: "l", names: NAMES, issuer: notAuthority, ...DATES });
  assert.equal(attempt({ time: NOW + YEAR + 1 }), "certificate-expired");
  assert.equal(attempt({ time: NOW - YEAR - 1 }), "certificate-not-yet-valid");
  assert.equal(attempt({ server: serverContext(selfSigned) }), "certificate-self-signed");
  assert.equal(attempt({ server: serverContext(foreign) }), "certificate-unknown-issuer");
  assert.equal(
    attempt({
      server: serverContext(foreign, concatBytes(foreign.certificate, elsewhere.certificate)),
    }),
    "certificate-unknown-issuer",
  );
  assert.equal(
    attempt({
      server: serverContext(byLeaf, concatBytes(byLeaf.certificate, notAuthority.certificate)),
    }),
    "certificate-invalid",
  );
  // Who trusts a certificate itself accepts it, though nobody else signed it.
  assert.equal(
    attempt({ server: serverContext(selfSigned), client: clientContext(selfSigned) }),
    "complete",
  );
});

Deno.test("an intermediate authority, the server's own certificate or a self-signed one may be what is trusted", () => {
  const middle = makeCertificate({
    commonName: "Test Intermediate",
    authority: true,
    issuer: authority,
    ...DATES,
  });
  const leaf = makeCertificate({ commonName: "x", names: NAMES, issuer: middle, ...DATES });
  const alone = makeCertificate({ commonName: "y", names: NAMES, ...DATES });
  const chain = concatBytes(leaf.certificate, middle.certificate);
  const cases = [[leaf, chain, middle], [leaf, leaf.certificate, middle], [leaf, chain, leaf], [
    alone,
    alone.certificate,
    alone,
  ]] as const;
  for (const [of, shown, trusted] of cases) {
    const server = serverContext(of, shown), client = clientContext(trusted);
    assert.equal(attempt({ server, client }), "complete");
    using again = clientContext(trusted);
    using shownBy = serverContext(of, shown);
    using session = unwrap(openssl.connect(again, { host: "time.example", time: "unchecked" }));
    using peer = openssl.accept(shownBy);
    assert.deepEqual(shuttle(session, peer), {});
    const { chain: seen } = session.peerCertificates();
    assert.ok(again.verifyChain(seen, { host: "time.example", time: NOW }).ok);
    assert.ok(!again.verifyChain(seen, { host: "time.example", time: NOW + 2 * YEAR }).ok);
    assert.ok(!again.verifyChain(seen, { host: "other.example", time: NOW }).ok);
  }
  // What is not named is not trusted for being there.
  const stranger = makeCertificate({ commonName: "z", names: NAMES, ...DATES });
  assert.notEqual(
    attempt({ server: serverContext(stranger), client: clientContext(leaf) }),
    "complete",
  );
});

Deno.test("a public key is told from others, whatever certificates there are for it", () => {
  const keyShownBy = (of: TestCertificate) => {
    using clientSide = clientContext();
    using serverSide = serverContext(of);
    using client = unwrap(openssl.connect(clientSide, { host: "time.example", time: NOW }));
    using server = openssl.accept(serverSide);
    assert.deepEqual(shuttle(client, server), {});
    return client.peerCertificates().publicKey.toHex();
  };
  const wish = { commonName: "ignored", names: NAMES, issuer: authority, ...DATES };
  const renewed = makeCertificate({ ...wish, keyOf: good });
  const other = makeCertificate({ ...wish, key: "p-384" });
  assert.notDeepEqual(renewed.certificate, good.certificate);
  assert.equal(keyShownBy(renewed), keyShownBy(good));
  assert.notEqual(keyShownBy(other), keyShownBy(good));
  // SubjectPublicKeyInfo of P-256: a sequence of 89 octets that begins with id-ecPublicKey
  assert.match(keyShownBy(good), /^3059301306072a8648ce3d0201/);
});

Deno.test("dates can be left unchecked and verified later, and only they", () => {
  using clientSide = clientContext();
  using serverSide = serverContext();
  using client = unwrap(openssl.connect(clientSide, { host: "time.example", time: "unchecked" }));
  using server = openssl.accept(serverSide);
  assert.deepEqual(shuttle(client, server), {});
  const peer = client.peerCertificates();
  assert.deepEqual(peer.leaf, {
    subject: "CN=ignored",
    issuer: "CN=Test Authority",
    notBefore: NOW - YEAR,
    notAfter: NOW + YEAR,
    alternativeNames: [
      "DNS:time.example",
      "DNS:*.wild.example",
      "IP Address:192.0.2.7",
      "IP Address:2001:DB8:0:0:0:0:0:7",
    ],
  });
  assert.equal(peer.notBefore, NOW - YEAR);
  assert.equal(peer.notAfter, NOW + YEAR);
  const verify = (host: string, time: number | "unchecked") => {
    const verified = clientSide.verifyChain(peer.chain, { host, time });
    return verified.ok ? "valid" : verified.error.reason;
  };
  const before = ownedPointerCounts();
  assert.equal(verify("time.example", NOW), "valid");
  assert.equal(verify("time.example", "unchecked"), "valid");
  assert.equal(verify("time.example", NOW + 2 * YEAR), "certificate-expired");
  assert.equal(verify("time.example", NOW - 2 * YEAR), "certificate-not-yet-valid");
  assert.equal(verify("other.example", "unchecked"), "certificate-wrong-name");
  using stranger = clientContext(makeCertificate({ commonName: "s", authority: true }));
  const unknown = stranger.verifyChain(peer.chain, { host: "time.example", time: NOW });
  assert.equal(unknown.ok ? "" : unknown.error.reason, "certificate-unknown-issuer");
  for (const chain of [[], [new Uint8Array(0)], [Uint8Array.of(1, 2, 3)]]) {
    const refused = clientSide.verifyChain(chain, { host: "time.example", time: NOW });
    assert.equal(refused.ok ? "" : refused.error.reason, "certificate-invalid");
  }
  stranger.close();
  assert.deepEqual(ownedPointerCounts(), before);
});

Deno.test("the dates of a peer are those of its whole chain", () => {
  const middle = makeCertificate({
    commonName: "Middle",
    authority: true,
    issuer: authority,
    notBefore: NOW - 1000,
    notAfter: NOW + 1000,
  });
  const own = makeCertificate({ commonName: "x", names: NAMES, issuer: middle, ...DATES });
  using clientSide = clientContext();
  using serverSide = serverContext(own, concatBytes(own.certificate, middle.certificate));
  using client = unwrap(openssl.connect(clientSide, { host: "time.example", time: NOW }));
  using server = openssl.accept(serverSide);
  assert.deepEqual(shuttle(client, server), {});
  const peer = client.peerCertificates();
  assert.deepEqual([peer.notBefore, peer.notAfter, peer.chain.length], [NOW - 1000, NOW + 1000, 2]);
});

Deno.test("credentials that do not fit are refused with OpenSSL's reason", () => {
  const before = ownedPointerCounts();
  const text = new TextEncoder();
  const otherKind = makeCertificate({ commonName: "r", key: "rsa-2048" });
  const otherKey = makeCertificate({ commonName: "o" });
  const noise = new Uint8Array(5000);
  new SeededRandom(1).fill(noise);
  const half = good.certificate.slice(0, good.certificate.length / 2);
  const whole = new TextDecoder().decode(good.certificate);
  const emptyLine = text.encode(whole + whole.replace("\n-----END", "\n\n-----END"));
  const undated = withoutEnd(good.certificate);
  const undatedIssuer = text.encode(whole + new TextDecoder().decode(undated));
  // Encrypted or not, what follows is no key.
  const oldProtectedKey = text.encode(
    "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC," +
      `${"0F".repeat(16)}\n\n${"QUJD".repeat(16)}\n-----END EC PRIVATE KEY-----\n`,
  );
  const cases: [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>, RegExp][] = [
    [
      good.certificate,
      otherKey.privateKey,
      /private key of the first certificate, found another one/,
    ],
    [good.certificate, otherKind.privateKey, /private key of the first certificate/],
    [text.encode("not a certificate"), good.privateKey, /certificate in PEM, found none/],
    [new Uint8Array(0), good.privateKey, /certificate in PEM, found none/],
    [good.privateKey, good.privateKey, /certificate in PEM, found none/],
    [half, good.privateKey, /certificate 1 of the PEM text: bad end line/],
    [emptyLine, good.privateKey, /certificate 2 of the PEM text: an empty or damaged line in it/],
    [undated, good.privateKey, /Certificate 1 of the PEM text has dates that cannot be read/],
    [undatedIssuer, good.privateKey, /Certificate 2 of the PEM text has dates that cannot be read/],
    [good.certificate, text.encode("no key"), /private key in PEM, found none/],
    [good.certificate, good.certificate, /private key in PEM, found none/],
    [good.certificate, protectedKey(good, "secret"), /private key is protected by a pass phrase/],
    [good.certificate, oldProtectedKey, /private key is protected by a pass phrase/],
    [noise, good.privateKey, /certificate in PEM, found none/],
  ];
  for (const [certificateChain, privateKey, message] of cases) {
    const refused = openssl.serverContext({ certificateChain, privateKey });
    assert.ok(!refused.ok);
    assert.match(refused.error.message, message);
  }
  const authorities = text.encode("nonsense");
  const refused = openssl.clientContext({ system: false, authorities });
  assert.match(refused.ok ? "" : refused.error.message, /certificate in PEM, found none/);
  assert.deepEqual(ownedPointerCounts(), before);
});

/** Returns a certificate in PEM with letters in place of its last day. */
function withoutEnd(pem: Bytes): Bytes {
  const [head = "", base64 = ""] = new TextDecoder().decode(pem).split(/-----\n/);
  const octets = atob(base64.replaceAll("\n", "").replace(/-----END.*$/, ""));
  // each of the two dates is thirteen characters after this, the end last
  const mark = "\x17\x0d";
  const at = octets.indexOf(mark, octets.indexOf(mark) + mark.length) + mark.length;
  assert.match(octets.slice(at, at + 13), /^\d{12}Z$/);
  const damaged = `${octets.slice(0, at)}xx${octets.slice(at + 2)}`;
  const lines = btoa(damaged).match(/.{1,64}/g) ?? [];
  const end = "-----END CERTIFICATE-----\n";
  return new TextEncoder().encode(`${head}-----\n${lines.join("\n")}\n${end}`);
}

Deno.test("a machine without a list of authorities is known by it", () => {
  assert.equal(isAnyThere(["/nonexistent/bundle.pem", "/dev/null"]), false);
  assert.equal(isAnyThere(["/nonexistent/bundle.pem", "/proc/self/exe"]), true);
  assert.match(NO_AUTHORITIES, /ca-certificates/);
});

Deno.test("the system's trust store is read", () => {
  using context = unwrap(openssl.clientContext({ system: true }));
  assert.equal(attempt({ client: context }), "certificate-unknown-issuer");
});

Deno.test("a peer that is not TLS or closes is a failure of the connection alone", () => {
  const hello = (octets: Uint8Array<ArrayBuffer>) => {
    using serverSide = serverContext();
    using server = openssl.accept(serverSide);
    server.feed(octets);
    const result = server.handshake();
    return result.ok ? "waiting" : result.error.reason;
  };
  assert.equal(hello(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n")), "not-tls");
  assert.equal(hello(new Uint8Array(100)), "not-tls");
  assert.equal(hello(Uint8Array.of(22, 3, 1, 0, 100)), "waiting");
  assert.equal(hello(Uint8Array.of(21, 3, 3, 0, 2, 2, 80)), "protocol-error");
});

Deno.test("a library of another kind or age, without the functions that are needed, is refused in a sentence", () => {
  for (
    const names of [
      { crypto: "libc.so.6", ssl: "libssl.so.3" },
      { crypto: "libcrypto.so.3", ssl: "libc.so.6" },
    ]
  ) {
    const wrong = openLibraries(names);
    assert.ok(!wrong.ok);
    assert.match(wrong.error.message, /^libc\.so\.6 of OpenSSL 3 is needed for/);
  }
});

Deno.test("without the library there is a sentence that says what to install", () => {
  const missing = openLibraries({ crypto: "libcrypto.so.3", ssl: "libssl-is-not-here.so.3" });
  assert.ok(!missing.ok);
  assert.match(missing.error.message, /^libssl-is-not-here\.so\.3 of OpenSSL 3 is needed for/);
  assert.equal(missing.error.call, "dlopen");
  assert.equal(
    missing.error.message.match(/open/g)?.length,
    2,
    "said once by us, once by the system",
  );
});
