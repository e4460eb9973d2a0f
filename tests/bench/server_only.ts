/**
 * The NTP server alone, for the benchmark while the clock is not disciplined: it claims stratum 3 like chronyd's `local`.
 * Arguments: ADDRESS:PORT, then words `limit` (rate limit far above the load) and `table` (client table).
 *
 * @module
 */
import { boottimeNow, readRealtimeNtp, realtimeNow } from "../../ffi/clock.ts";
import { ServerSocket } from "../../ffi/server_socket.ts";
import { fromUnixNanoseconds } from "../../src/base/ntp_timestamp.ts";
import { SeededRandom } from "../../src/base/random.ts";
import { parseSocketAddress } from "../../src/base/socket_address.ts";
import { ServerLoop } from "../../src/daemon/server_loop.ts";
import { referenceIdFromAscii } from "../../src/protocol/reference_id.ts";
import { ClientTable } from "../../src/server/client_table.ts";
import { HeaderTemplate, localReferenceClock } from "../../src/server/clock_state.ts";
import { InterleavedTable } from "../../src/server/interleaved.ts";
import { RateLimiter } from "../../src/server/rate_limit.ts";
import { Responder } from "../../src/server/respond.ts";

const local = parseSocketAddress(Deno.args[0] ?? "");
if (local === undefined) throw new Error("Wanted ADDRESS:PORT as the first argument");
const words = Deno.args.slice(1);
const random = new SeededRandom(1);
const socket = ServerSocket.open({ local });
if (!socket.ok) throw new Error(socket.error.message);
const template = new HeaderTemplate(
  localReferenceClock({
    stratum: 3,
    referenceId: referenceIdFromAscii("LOCL"),
    precision: -24,
    realtime: fromUnixNanoseconds(realtimeNow()),
    now: boottimeNow(),
  }),
);
const responder = new Responder({
  template,
  readClock: readRealtimeNtp,
  random,
  interleaved: new InterleavedTable({ random }),
  rateLimiter: words.includes("limit")
    ? new RateLimiter({ interval: -19, burst: 255, leak: 2, random })
    : undefined,
  clients: words.includes("table") ? new ClientTable(random) : undefined,
});
new ServerLoop({ socket: socket.value, responder }).start();
console.log("ready");
if (words.includes("statistics")) {
  setInterval(() => console.log(JSON.stringify(responder.counters.snapshot())), 1000);
}
