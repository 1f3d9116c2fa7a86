/**
 * Many machines at once against one hub. In this process, for the time that starting the program takes would
 * keep them apart.
 *
 * @module
 */
import "../support/hermetic_git.ts";
import assert from "node:assert/strict";
import { type Clock, Machine } from "../model/machine.ts";
import { promptLine, World } from "../support/world.ts";

const MACHINES = 8;
const OWN = 20;
const COMMON = 5;

Deno.test("eight machines push at once: all arrives, nobody sees an error", async (t) => {
  await using world = await World.create();
  const clock: Clock = { now: Date.now() };
  const machines = Array.from(
    { length: MACHINES },
    (_, i) => new Machine(world.folder, `machine-${i}`, clock),
  );
  for (const machine of machines) await machine.setUp(world.hub, { PROJECTS: "projects" });
  const common = crypto.randomUUID();
  const write = (machine: Machine, id: string, text: string) => {
    const cwd = machine.project(["PROJECTS", "app"]);
    machine.append(machine.transcriptPath(id, cwd), promptLine({ id, cwd, text }));
  };
  const [first, ...others] = machines;
  assert.ok(first !== undefined);
  write(first, common, "begin");
  await first.push();
  for (const machine of others) await machine.pull(false);

  const texts: string[] = [];
  let retries = 0;
  const pushed = await Promise.all(machines.map(async (machine) => {
    for (let i = 0; i < OWN + COMMON; i++) {
      // Every fifth push is to the session that all have.
      const isCommon = i % 5 === 4;
      const text = `${machine.id} push ${i}`;
      texts.push(text);
      write(machine, isCommon ? common : crypto.randomUUID(), text);
      const report = await machine.push();
      assert.deepEqual(report.failed, []);
      retries += report.retries;
    }
    return OWN + COMMON;
  }));
  const pushes = pushed.reduce((sum, count) => sum + count, 0);
  await t.step(`${pushes} pushes, ${retries} retries`, () => {});

  const names = (await world.hubFiles()).filter((name) => name.endsWith(".jsonl"));
  assert.equal(names.length, MACHINES * OWN + 1);
  const transcripts = ":(glob)sessions/*/*/transcript/*";
  const pattern = "machine-[0-9] push [0-9]*";
  const { stdout: all } = await world.git("grep", "-h", "-o", pattern, "main", "--", transcripts);
  assert.deepEqual(all.trim().split("\n").sort(), texts.sort());
});
