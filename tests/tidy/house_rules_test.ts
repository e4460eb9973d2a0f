/**
 * The code obeys the house rules, but for what `allowances.json` lists. `NTPSD_LOWER_ALLOWANCES=1`
 * takes allowances down to what is there.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Allowances, beyondAllowance, lowered } from "./allowances.ts";
import { houseOffences, projectFacts } from "./house_rules.ts";
import { ROOT } from "./project.ts";

const ALLOWANCES = "tests/tidy/allowances.json";

const found = await houseOffences(await projectFacts());
const allowed = JSON.parse(await Deno.readTextFile(`${ROOT}/${ALLOWANCES}`)) as Allowances;

if (Deno.env.get("NTPSD_LOWER_ALLOWANCES") !== undefined) {
  const rules = Object.entries(allowed).map(([rule, there]) =>
    [rule, lowered(found[rule] ?? [], there)] as const
  );
  const left = Object.fromEntries(rules.filter(([, there]) => Object.keys(there).length > 0));
  await Deno.writeTextFile(`${ROOT}/${ALLOWANCES}`, `${JSON.stringify(left, undefined, 2)}\n`);
}

for (const [rule, offences] of Object.entries(found)) {
  Deno.test(rule, () => {
    assert.deepEqual(beyondAllowance(offences, allowed[rule] ?? {}), []);
  });
}

Deno.test("there is no allowance for a rule that is not there", () => {
  assert.deepEqual(Object.keys(allowed).filter((rule) => !(rule in found)), []);
});
