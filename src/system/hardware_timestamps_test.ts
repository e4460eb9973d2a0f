import { deepEqual, equal, match } from "node:assert/strict";
import { addSeconds, fromUnixNanoseconds, type NtpTimestamp } from "../base/ntp_timestamp.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { SocketAddress } from "../base/socket_address.ts";
import type { HardwareTimestamping } from "../../ffi/socket/timestamping.ts";
import {
  type HardwareChoice,
  type HardwarePort,
  HardwareTimestamps,
  type InterfaceClock,
  isEnabled,
} from "./hardware_timestamps.ts";

const SERVER: SocketAddress = { family: "ipv4", address: "192.0.2.1", port: 123 };
const OTHER: SocketAddress = { family: "ipv4", address: "192.0.2.2", port: 123 };
const LOCAL: SocketAddress = { family: "ipv4", address: "127.0.0.1", port: 123 };
const ON: HardwareTimestamping = {
  isCapable: true,
  phcIndex: 3,
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
  return {
    machine,
    lines,
    timestamps: new HardwareTimestamps(machine, (line) => lines.push(line)),
  };
}

const T0 = fromUnixNanoseconds(1_800_000_000_000_000_000n);
const after = (seconds: number): NtpTimestamp => addSeconds(T0, seconds);

/** An exchange whose hardware timestamps differ from the kernel's by so much. */
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

function chosen(timestamps: HardwareTimestamps, now: number): HardwareChoice {
  const choice = timestamps.choose(SERVER, now);
  if (choice === undefined) throw new Error("no hardware was chosen");
  return choice;
}

Deno.test("an interface that timestamps is used, and asked once for all servers", () => {
  const { machine, lines, timestamps } = setUp();
  equal(timestamps.choose(SERVER, 0)?.device, "eth0");
  equal(timestamps.choose(OTHER, 1)?.device, "eth0");
  equal(timestamps.choose(SERVER, 2)?.device, "eth0");
  deepEqual([machine.routes, machine.asked, machine.opened], [2, 1, [3]]);
  deepEqual(lines, ["The timestamps of the network interface eth0 are used"]);
  equal(timestamps.believes(chosen(timestamps, 3), GOOD), true);
  deepEqual(timestamps.fallbacks, {});
});

Deno.test("an interface that does not timestamp costs one question in a quarter of an hour", () => {
  const { machine, lines, timestamps } = setUp({ setting: ok({ ...ON, transmitOn: false }) });
  for (let now = 0; now < 900; now++) {
    equal(timestamps.choose(SERVER, now), undefined);
    equal(timestamps.choose(OTHER, now), undefined);
  }
  deepEqual([machine.routes, machine.asked, machine.opened], [2, 1, []]);
  deepEqual([lines, timestamps.fallbacks], [[], { "not-enabled": 1 }]);
  equal(timestamps.choose(SERVER, 900), undefined);
  deepEqual([machine.routes, machine.asked], [3, 2]);
});

Deno.test("an interface that offers no timestamps is told from one on which they are not enabled", () => {
  const reasonOf = (setting: Result<HardwareTimestamping, string>) => {
    const { timestamps } = setUp({ setting });
    equal(timestamps.choose(SERVER, 0), undefined);
    return Object.keys(timestamps.fallbacks);
  };
  deepEqual(reasonOf(err("Operation not supported")), ["not-offered"]);
  deepEqual(reasonOf(ok({ isCapable: false, transmitOn: false, receiveOn: false })), [
    "not-offered",
  ]);
  deepEqual(reasonOf(ok({ ...ON, transmitOn: false, receiveOn: false })), ["not-enabled"]);
  deepEqual(reasonOf(ok({ ...ON, receiveOn: false })), ["not-enabled"]);
});

Deno.test("a loopback interface is never asked", () => {
  const { machine, timestamps } = setUp();
  equal(timestamps.choose(LOCAL, 0), undefined);
  equal(timestamps.choose(LOCAL, 1), undefined);
  deepEqual([machine.routes, machine.asked], [1, 0]);
});

Deno.test("half an offer is none", () => {
  equal(isEnabled(ON), true);
  equal(isEnabled({ ...ON, transmitOn: false }), false);
  equal(isEnabled({ ...ON, receiveOn: false }), false);
  equal(
    isEnabled({ isCapable: false, transmitOn: true, receiveOn: true }),
    false,
  );
});

Deno.test("what the administrator switches on or off is noticed at the next look", () => {
  const { machine, lines, timestamps } = setUp({ setting: err("no such request") });
  equal(timestamps.choose(SERVER, 0), undefined);
  machine.setting = ok(ON);
  equal(timestamps.choose(SERVER, 899), undefined);
  equal(timestamps.choose(SERVER, 900)?.device, "eth0");
  equal(timestamps.choose(SERVER, 1800)?.device, "eth0");
  deepEqual(machine.opened, [3], "the clock that is open is kept");
  machine.setting = ok({ ...ON, receiveOn: false });
  equal(timestamps.choose(SERVER, 2700), undefined);
  equal(machine.closed, 1);
  match(lines.at(-1) ?? "", /eth0 does not timestamp NTP packets any more/);
});

Deno.test("a clock that may not be opened is told once", () => {
  const { lines, timestamps } = setUp({ clockError: "Cannot open the hardware clock /dev/ptp3" });
  for (let now = 0; now < 5000; now += 500) equal(timestamps.choose(SERVER, now), undefined);
  deepEqual(lines, [
    "eth0 timestamps NTP packets, but its timestamps cannot be used: Cannot open the hardware clock /dev/ptp3",
  ]);
  equal(timestamps.fallbacks["clock-closed"], 5);
});

Deno.test("an exchange without both timestamps is measured with the kernel's", () => {
  const { timestamps } = setUp();
  const choice = chosen(timestamps, 0);
  equal(timestamps.believes(choice, exchange({ receive: 0 })), false);
  equal(timestamps.believes(choice, exchange({ transmit: 0 })), false);
  equal(timestamps.believes(choice, GOOD), true);
  deepEqual(timestamps.fallbacks, { "no-transmit-timestamp": 1, "no-receive-timestamp": 1 });
});

Deno.test("timestamps far from the kernel's are not believed, and three times in a row end it", () => {
  const { machine, lines, timestamps } = setUp();
  const choice = chosen(timestamps, 0);
  const wrong = [
    exchange({ transmit: 0.0101, receive: 0 }),
    exchange({ transmit: 0, receive: -0.0101 }),
    exchange({ transmit: -37, receive: -37 }),
  ];
  equal(timestamps.believes(choice, wrong[0] ?? GOOD), false);
  equal(timestamps.believes(choice, wrong[1] ?? GOOD), false);
  equal(timestamps.believes(choice, exchange({ transmit: 0.0099, receive: -0.0099 })), true);
  for (const each of wrong) equal(timestamps.believes(choice, each), false);
  deepEqual(timestamps.fallbacks, { disagrees: 5 });
  match(lines.at(-1) ?? "", /eth0 are not used for now: its timestamps and the kernel's disagree/);
  equal(machine.closed, 1);
  equal(timestamps.choose(SERVER, 899), undefined);
  equal(timestamps.choose(SERVER, 900)?.device, "eth0", "it is tried again");
});

Deno.test("a clock that goes away ends it until the next look", () => {
  const { machine, lines, timestamps } = setUp();
  const choice = chosen(timestamps, 0);
  machine.isAlive = false;
  equal(timestamps.believes(choice, exchange({})), false);
  deepEqual(timestamps.fallbacks, { "clock-gone": 1 });
  match(lines.at(-1) ?? "", /its clock cannot be read any more/);
  equal(timestamps.choose(SERVER, 1), undefined);
  equal(timestamps.believes(choice, exchange({})), false, "a request that was under way");
  machine.setting = err("no such device");
  equal(timestamps.choose(SERVER, 900), undefined);
  machine.setting = ok(ON);
  machine.isAlive = true;
  equal(timestamps.choose(SERVER, 1800)?.device, "eth0");
  deepEqual(machine.opened, [3, 3]);
});

Deno.test("a server that does not answer by the interface is asked in the plain way", () => {
  const { timestamps } = setUp();
  chosen(timestamps, 0);
  chosen(timestamps, 0);
  timestamps.choose(OTHER, 0);
  timestamps.ended(SERVER, false);
  timestamps.ended(SERVER, true);
  timestamps.ended(SERVER, false);
  equal(timestamps.choose(SERVER, 1)?.device, "eth0");
  timestamps.ended(SERVER, false);
  equal(timestamps.choose(SERVER, 2), undefined);
  equal(timestamps.choose(OTHER, 2)?.device, "eth0", "others are not concerned");
  equal(timestamps.choose(SERVER, 900)?.device, "eth0");
  timestamps.refused(SERVER);
  equal(timestamps.choose(SERVER, 901), undefined);
  deepEqual(timestamps.fallbacks, { unanswered: 1, "socket-refused": 1 });
});

Deno.test("a step of the clock reaches the interfaces' clocks, and the end closes them", () => {
  const { machine, timestamps } = setUp();
  chosen(timestamps, 0);
  timestamps.clockStepped();
  equal(machine.resets, 1);
  timestamps.close();
  equal(machine.closed, 1);
});

Deno.test("servers without number do not make it grow", () => {
  const { machine, timestamps } = setUp();
  for (let i = 0; i < 5000; i++) {
    const address = `198.51.${i >> 8}.${i & 255}`;
    timestamps.choose({ family: "ipv4", address, port: 123 }, 0);
  }
  deepEqual([machine.routes, machine.asked], [5000, 1]);
  timestamps.choose({ family: "ipv4", address: "198.51.0.0", port: 123 }, 0);
  equal(machine.routes, 5001, "the first of them was forgotten");
});
