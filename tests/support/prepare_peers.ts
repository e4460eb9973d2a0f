/**
 * Fetches and builds what the tests run against, so that no test waits for it; what is there
 * already stays.
 *
 * A fault is told and is not the end: the tests that need the peer fail, or are skipped, with the
 * same reason.
 *
 * @module
 */
import { findPeer, PEER_NAMES } from "./debian_packages.ts";
import { findMachineParts } from "./machine/parts.ts";
import { findEmulatedMachine } from "./emulated_machine.ts";
import { buildGoClient, buildNtpdRs, findMore } from "./more_peers.ts";
import { launch } from "./ntpsd.ts";

const wanted = [
  ...PEER_NAMES.map((name) => () => findPeer(name)),
  () => findMachineParts(),
  () => findMore("ntpd-rs", buildNtpdRs),
  () => findMore("the Go client", buildGoClient),
  () => findEmulatedMachine(),
  () => launch("bundle"),
  () => launch("executable"),
];

for (const prepare of wanted) {
  try {
    await prepare();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
  }
}
