/**
 * Opens the C library when a test file is loaded: it is opened at its first use and never closed,
 * which the runtime would call a leak of the test that used it first. To be imported for that by
 * every test file whose tests reach it.
 *
 * @module
 */
import { writeWaiting } from "../../ffi/process/standard_streams.ts";
import { inBackground } from "../../ffi/background.ts";
import { libc } from "../../ffi/libc.ts";

libc();
await inBackground("serve", "usleep", [0]);
writeWaiting(2, new Uint8Array(0));
