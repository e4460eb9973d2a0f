import { deepEqual, equal, match } from "node:assert/strict";
import { addSeconds, fromUnixNanoseconds, type NtpTimestamp } from "../base/ntp_timestamp.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { SocketAddress } from "../base/socket_address.ts";
import type { HardwareTimestamping } from "../../ffi/socket/timestamping.ts";
import {
  type HardwareChoice,
  type HardwarePort,
  HardwareStamps,
  type InterfaceClock,
  isOffered,
} from "./hardware_timestamps.ts";

const SERVER: SocketAddress = { family: "ipv4", address: "192.0.2.1", port: 123 };
const OTHER: SocketAddress = { family: "ipv4", address: "192.0.2.2", port: 123 };
const LOCAL: SocketAddress = { family: "ipv4", address: "127.0.0.1", port: 123 };
const ON: HardwareTimestamping = {
  phcIndex: 3,
  canTransmit: true,
  canReceiveNtp: true,
  transmitOn: true,
  receiveOn: true,
};

/** A machine with one interface whose driver does as the test wants. */
class FakeMachine implements HardwarePort {
  setting: Result<HardwareTimestamping, string> = ok(ON);
  interfaceName: string | undefined = "eth0";
  clockError: string | undefined;
  isAlive = true;
  routes = 0;
  asked = 0;
  opened: number[] = [];
  closed = 0;
  resets = 0;

  interfaceTowards(server: SocketAddress): string | undefined {
    this.routes++;
    return server.address.startsWith("127.") ? undefined : this.interfaceName;
  }

  timestampingOf(): Result<HardwareTimestamping, string> {
    this.asked++;
    return this.setting;
  }

  openClock(index: number): Result<InterfaceClock, string> {
    if (this.clockError !== undefined) return err(this.clockError);
    this.opened.push(index);
    return ok({
      toRealtime: (nanoseconds) => nanoseconds,
      isAlive: () => this.isAlive,
      reset: () => void this.resets++,
      close: () => void this.closed++,
    });
  }
}

function setUp(change: Partial<FakeMachine> = {}) {
  const machine = Object.assign(new FakeMachine(), change);
  const lines: string[] = [];
  return { machine, lines, stamps: new HardwareStamps(machine, (line) => lines.push(line)) };
}

const T0 = fromUnixNanoseconds(1_800_000_000_000_000_000n);
const after = (seconds: number): NtpTimestamp => addSeconds(T0, seconds);

/** An exchange whose hardware stamps differ from the kernel's by so much. */
function exchange(apart: { readonly transmit?: number; readonly receive?: number }) {
  const { transmit, receive } = apart;
  return {
    transmit: { software: T0, hardware: transmit === undefined ? undefined : after(transmit) },
    receive: {
      software: after(0.05),
      hardware: receive === undefined ? undefined : after(0.05 + receive),
    },
  };
}

const GOOD = exchange({ transmit: 3e-6, receive: -20e-6 });

function chosen(stamps: HardwareStamps, now: number): HardwareChoice {
  const choice = stamps.choose(SERVER, now);
  if (choice === undefined) throw new Error("no hardware was chosen");
  return choice;
}

Deno.test("an interface that stamps is used, and asked once for all servers", () => {
  const { machine, lines, stamps } = setUp();
  equal(stamps.choose(SERVER, 0)?.device, "eth0");
  equal(stamps.choose(OTHER, 1)?.device, "eth0");
  equal(stamps.choose(SERVER, 2)?.device, "eth0");
  deepEqual([machine.routes, machine.asked, machine.opened], [2, 1, [3]]);
  deepEqual(lines, ["The time stamps of the network interface eth0 are used"]);
  equal(stamps.believes(chosen(stamps, 3), GOOD), true);
  deepEqual(stamps.fallbacks, {});
});

Deno.test("an interface that does not stamp costs one question in a quarter of an hour", () => {
  const { machine, lines, stamps } = setUp({ setting: ok({ ...ON, transmitOn: false }) });
  for (let now = 0; now < 900; now++) {
    equal(stamps.choose(SERVER, now), undefined);
    equal(stamps.choose(OTHER, now), undefined);
  }
  deepEqual([machine.routes, machine.asked, machine.opened], [2, 1, []]);
  deepEqual([lines, stamps.fallbacks], [[], { "not-offered": 1 }]);
  equal(stamps.choose(SERVER, 900), undefined);
  deepEqual([machine.routes, machine.asked], [3, 2]);
});

Deno.test("a loopback interface is never asked", () => {
  const { machine, stamps } = setUp();
  equal(stamps.choose(LOCAL, 0), undefined);
  equal(stamps.choose(LOCAL, 1), undefined);
  deepEqual([machine.routes, machine.asked], [1, 0]);
});

Deno.test("half an offer is none", () => {
  equal(isOffered(ON), true);
  equal(isOffered({ ...ON, transmitOn: false }), false);
  equal(isOffered({ ...ON, receiveOn: false }), false);
  equal(
    isOffered({ canTransmit: true, canReceiveNtp: true, transmitOn: true, receiveOn: true }),
    false,
  );
});

Deno.test("what the administrator switches on or off is noticed at the next look", () => {
  const { machine, lines, stamps } = setUp({ setting: err("no such request") });
  equal(stamps.choose(SERVER, 0), undefined);
  machine.setting = ok(ON);
  equal(stamps.choose(SERVER, 899), undefined);
  equal(stamps.choose(SERVER, 900)?.device, "eth0");
  equal(stamps.choose(SERVER, 1800)?.device, "eth0");
  deepEqual(machine.opened, [3], "the clock that is open is kept");
  machine.setting = ok({ ...ON, receiveOn: false });
  equal(stamps.choose(SERVER, 2700), undefined);
  equal(machine.closed, 1);
  match(lines.at(-1) ?? "", /eth0 does not stamp NTP packets any more/);
});

Deno.test("a clock that may not be opened is told once", () => {
  const { lines, stamps } = setUp({ clockError: "Cannot open the hardware clock /dev/ptp3" });
  for (let now = 0; now < 5000; now += 500) equal(stamps.choose(SERVER, now), undefined);
  deepEqual(lines, [
    "eth0 stamps NTP packets, but its stamps cannot be used: Cannot open the hardware clock /dev/ptp3",
  ]);
  equal(stamps.fallbacks["clock-closed"], 5);
});

Deno.test("an exchange without both stamps is measured with the kernel's", () => {
  const { stamps } = setUp();
  const choice = chosen(stamps, 0);
  equal(stamps.believes(choice, exchange({ receive: 0 })), false);
  equal(stamps.believes(choice, exchange({ transmit: 0 })), false);
  equal(stamps.believes(choice, GOOD), true);
  deepEqual(stamps.fallbacks, { "no-transmit-stamp": 1, "no-receive-stamp": 1 });
});

Deno.test("stamps far from the kernel's are not believed, and three times in a row end it", () => {
  const { machine, lines, stamps } = setUp();
  const choice = chosen(stamps, 0);
  const wrong = [
    exchange({ transmit: 0.0101, receive: 0 }),
    exchange({ transmit: 0, receive: -0.0101 }),
    exchange({ transmit: -37, receive: -37 }),
  ];
  equal(stamps.believes(choice, wrong[0] ?? GOOD), false);
  equal(stamps.believes(choice, wrong[1] ?? GOOD), false);
  equal(stamps.believes(choice, exchange({ transmit: 0.0099, receive: -0.0099 })), true);
  for (const each of wrong) equal(stamps.believes(choice, each), false);
  deepEqual(stamps.fallbacks, { disagrees: 5 });
  match(lines.at(-1) ?? "", /eth0 are not used for now: its stamps and the kernel's disagree/);
  equal(machine.closed, 1);
  equal(stamps.choose(SERVER, 899), undefined);
  equal(stamps.choose(SERVER, 900)?.device, "eth0", "it is tried again");
});

Deno.test("a clock that goes away ends it until the next look", () => {
  const { machine, lines, stamps } = setUp();
  const choice = chosen(stamps, 0);
  machine.isAlive = false;
  equal(stamps.believes(choice, exchange({})), false);
  deepEqual(stamps.fallbacks, { "clock-gone": 1 });
  match(lines.at(-1) ?? "", /its clock cannot be read any more/);
  equal(stamps.choose(SERVER, 1), undefined);
  equal(stamps.believes(choice, exchange({})), false, "a request that was under way");
  machine.setting = err("no such device");
  equal(stamps.choose(SERVER, 900), undefined);
  machine.setting = ok(ON);
  machine.isAlive = true;
  equal(stamps.choose(SERVER, 1800)?.device, "eth0");
  deepEqual(machine.opened, [3, 3]);
});

Deno.test("a server that does not answer by the interface is asked in the plain way", () => {
  const { stamps } = setUp();
  chosen(stamps, 0);
  chosen(stamps, 0);
  stamps.choose(OTHER, 0);
  stamps.ended(SERVER, false);
  stamps.ended(SERVER, true);
  stamps.ended(SERVER, false);
  equal(stamps.choose(SERVER, 1)?.device, "eth0");
  stamps.ended(SERVER, false);
  equal(stamps.choose(SERVER, 2), undefined);
  equal(stamps.choose(OTHER, 2)?.device, "eth0", "others are not concerned");
  equal(stamps.choose(SERVER, 900)?.device, "eth0");
  stamps.refused(SERVER);
  equal(stamps.choose(SERVER, 901), undefined);
  deepEqual(stamps.fallbacks, { unanswered: 1, "socket-refused": 1 });
});

Deno.test("a step of the clock reaches the interfaces' clocks, and the end closes them", () => {
  const { machine, stamps } = setUp();
  chosen(stamps, 0);
  stamps.clockWasSet();
  equal(machine.resets, 1);
  stamps.close();
  equal(machine.closed, 1);
});

Deno.test("servers without number do not make it grow", () => {
  const { machine, stamps } = setUp();
  for (let i = 0; i < 5000; i++) {
    const address = `198.51.${i >> 8}.${i & 255}`;
    stamps.choose({ family: "ipv4", address, port: 123 }, 0);
  }
  deepEqual([machine.routes, machine.asked], [5000, 1]);
  stamps.choose({ family: "ipv4", address: "198.51.0.0", port: 123 }, 0);
  equal(machine.routes, 5001, "the first of them was forgotten");
});
