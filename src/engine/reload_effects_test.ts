import { ENGINE_RELOADS } from "../../tests/support/engine_reloads.ts";

for (const [key, probe] of Object.entries(ENGINE_RELOADS)) {
  Deno.test(`a reload applies ${key}`, probe);
}
