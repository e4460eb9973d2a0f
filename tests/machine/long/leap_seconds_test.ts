/**
 * Leap seconds on a real kernel: inserted and deleted, announced by a table or by the servers.
 *
 * @module
 */
import { findMachineParts } from "../../support/machine/parts.ts";
import { World } from "../../support/machine/world.ts";
import { needs } from "../../support/needs.ts";
import { INSERTION_TABLE, passLeapSecond } from "../leap_case.ts";

const parts = await findMachineParts();

/** As the other table, but a second is deleted at the end of 2034. */
const DELETION_TABLE = `#$ 4244918400
#@ 4275590400
3692217600 37
4260211200 36
#h b44cf69f ba172b26 302cdb6a 1ce57d9e fc0cc138
`;

Deno.test({
  name: `leap seconds of both kinds are made by the kernel, once and on time${
    needs(parts === undefined, "a virtual machine")
  }`,
  ignore: parts === undefined,
  async fn(t) {
    if (parts === undefined) return;
    await using world = await World.start(parts);
    const inserted = {
      day: "2034-12-31",
      kind: "insert",
      table: INSERTION_TABLE,
      tai: 37,
    } as const;
    await t.step(
      "inserted, as the table says and no server",
      () => passLeapSecond(world, inserted),
    );
    // Without a table the kernel goes on with what it has of TAI.
    const deleted = { day: "2033-06-30", kind: "delete", tai: 38 } as const;
    await t.step("deleted, as the servers announce", () => passLeapSecond(world, deleted));
    await t.step("deleted, as the table says and no server", async () => {
      await passLeapSecond(world, {
        ...deleted,
        day: "2034-12-31",
        table: DELETION_TABLE,
        tai: 37,
      });
    });
    await t.step("inserted, as the servers announce", async () => {
      await passLeapSecond(world, { day: "2033-06-30", kind: "insert", tai: 36 });
    });
  },
});
