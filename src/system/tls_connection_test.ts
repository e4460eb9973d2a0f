import "../../tests/support/libc_opened.ts";
import assert from "node:assert/strict";
import { ownedPointerCounts } from "../../ffi/openssl/owned_pointer.ts";
import { clientHello, goodContext, openssl } from "../../tests/support/nts_ke_connections.ts";
import { TlsConnection } from "./tls_connection.ts";
import { connectionTurns } from "./turns.ts";

/** A socket whose one read is answered when the test wants. */
function socketOnHand() {
  const arrived = Promise.withResolvers<Uint8Array>();
  let isOpen = true;
  let isRead = false;
  const transport = {
    async read(buffer: Uint8Array): Promise<number> {
      if (!isOpen || isRead) throw new Deno.errors.BadResource("Bad resource ID");
      isRead = true;
      const octets = await arrived.promise;
      buffer.set(octets);
      return octets.length;
    },
    write: (octets: Uint8Array) =>
      isOpen ? Promise.resolve(octets.length) : Promise.reject(new Deno.errors.BadResource("Gone")),
    setNoDelay() {},
    close: () => isOpen = false,
  };
  return { transport: transport as unknown as Deno.TcpConn, arrive: arrived.resolve };
}

for (const word of ["abort", "close"] as const) {
  Deno.test(`${word} comes right in every turn between octets and the use of them`, async () => {
    const before = ownedPointerCounts();
    const hello = clientHello();
    for (const octets of [hello, hello.subarray(0, 1)]) {
      for (let turns = 0; turns < 25; turns++) {
        const { transport, arrive } = socketOnHand();
        const connection = new TlsConnection(transport, {
          session: () => openssl.accept(goodContext),
          receivedMax: 10_000,
        });
        const handshake = connection.handshake();
        arrive(octets);
        for (let i = 0; i < turns; i++) await Promise.resolve();
        connection[word]();
        const outcome = await handshake;
        assert.equal(outcome.ok ? "" : outcome.error.reason, "connection-lost");
        connection.close();
      }
    }
    assert.deepEqual(ownedPointerCounts(), before);
    await connectionTurns.rest();
  });
}

Deno.test("a session goes with its connection, used or not", async () => {
  const before = ownedPointerCounts();
  const { transport } = socketOnHand();
  const connection = new TlsConnection(transport, {
    session: openssl.accept(goodContext),
    receivedMax: 1,
  });
  connection.close();
  connection.close();
  assert.equal((await connection.handshake()).ok, false);
  assert.equal((await connection.read()).ok, false);
  assert.equal((await connection.write(Uint8Array.of(1))).ok, false);
  await connection.sayGoodBye();
  assert.deepEqual(ownedPointerCounts(), before);
});
