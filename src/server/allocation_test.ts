import assert from "node:assert/strict";
import { SeededRandom } from "../base/random.ts";
import { ClientTable } from "./client_table.ts";
import { HeaderTemplate } from "./clock_state.ts";
import { InterleavedTable } from "./interleaved.ts";
import { RateLimiter } from "./rate_limit.ts";
import { MemoryBatch } from "../../tests/support/memory_batch.ts";
import { Responder } from "./respond.ts";
import { request, SYNCHRONIZED } from "../../tests/support/test_server.ts";

/** Counts answers instead of keeping them. */
class CountingBatch extends MemoryBatch {
  answers = 0;
  override queueResponse(): void {
    this.answers++;
  }
}

const BATCHES_PER_SLICE = 160;
const SLICES = 100;
const OCTETS_PER_PACKET_MAX = 2;

Deno.test("a million answers take no memory", () => {
  const random = new SeededRandom(1);
  const responder = new Responder({
    template: new HeaderTemplate(SYNCHRONIZED),
    random,
    readClock: (out, index) => {
      out[index] = 0xe5f66400;
      out[index + 1] = 0x80000001;
    },
    rateLimiter: new RateLimiter({ interval: -19, burst: 255, leak: 2, random }),
    interleaved: new InterleavedTable({ random }),
    clients: new ClientTable(random),
  });
  const batch = new CountingBatch();
  batch.fill(Array.from({ length: 64 }, (_, i) => ({
    octets: request({ origin: i % 8 === 0 ? 1n : 0n, receive: 5n }),
    client: [192, 0, 2, i],
    received: [0xe5f66400, 0x7000_0000 + i] as const,
  })));
  let now = 1000;
  const slice = () => {
    const before = Deno.memoryUsage().heapUsed;
    for (let i = 0; i < BATCHES_PER_SLICE; i++) {
      responder.respond(batch, { now: now++, sendSeconds: 2e-6 });
    }
    return Deno.memoryUsage().heapUsed - before;
  };
  // The compiler's own work is over after some slices; a collection makes a slice negative, so the
  // median tells.
  for (let i = 0; i < 20; i++) slice();
  const growth = Array.from({ length: SLICES }, slice).sort((a, b) => a - b);
  const median = growth[SLICES / 2] ?? Infinity;
  const perPacket = median / (BATCHES_PER_SLICE * 64);
  assert.ok(perPacket < OCTETS_PER_PACKET_MAX, `${perPacket.toFixed(2)} octets for each packet`);
  assert.equal(batch.answers, (SLICES + 20) * BATCHES_PER_SLICE * 64);
});
