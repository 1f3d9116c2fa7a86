/**
 * Claude Code's clean-up, which deletes by time of modification: nothing of it reaches the hub, and what it took
 * can be had again.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { promptLine, type TestMachine, World } from "../support/world.ts";

const DAY_MS = 86_400_000;

/** Puts a session with a sidecar on a machine whose only event is so many days old, and returns its id. */
function plantOld(machine: TestMachine, days: number): string {
  const id = crypto.randomUUID();
  const at = new Date(Date.now() - days * DAY_MS).toISOString();
  const cwd = machine.own(join(machine.projects, "app"));
  machine.write(id, promptLine({ id, cwd, text: `${days} days ago`, at }));
  machine.writeFile(`tasks/${id}/1.json`, '{"id":"1"}');
  return id;
}

/** Does what the clean-up does: the transcript goes, and what lies beside it. */
function cleanUp(machine: TestMachine, id: string): void {
  Deno.removeSync(machine.transcriptPath(id));
  Deno.removeSync(join(machine.claude, "tasks", id), { recursive: true });
}

function ageInDays(path: string): number {
  return (Date.now() - (Deno.statSync(path).mtime?.getTime() ?? 0)) / DAY_MS;
}

async function stateOf(machine: TestMachine, id: string, ...args: string[]): Promise<unknown> {
  const { stdout } = await machine.ccsync("list", ...args, "--json");
  const sessions = JSON.parse(stdout) as { id: string; isHere: boolean; isInHub: boolean }[];
  const session = sessions.find((one) => one.id === id);
  return session === undefined ? undefined : [session.isHere, session.isInHub];
}

Deno.test("what the clean-up took stays in the hub, is listed as only there, and comes back when asked for", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  const id = plantOld(laptop, 60);
  const before = laptop.read(id);
  await laptop.ccsync("push");
  const files = await world.hubFiles();
  const head = (await world.git("rev-parse", "main")).stdout;
  cleanUp(laptop, id);
  assert.match((await laptop.ccsync("push")).stdout, /nothing to push/);
  assert.match((await laptop.ccsync("list")).stdout, /60 days ago .* only in the hub/);
  assert.deepEqual(await stateOf(laptop, id), [false, true]);
  assert.deepEqual(await stateOf(laptop, id, "--remote"), [false, true]);
  const { stdout } = await laptop.ccsync("status");
  assert.match(stdout, /sessions +0 here, 1 in the hub/);
  assert.match(stdout, /waiting +0 to push, 0 to pull/);
  assert.match((await laptop.ccsync("pull")).stderr, /more than 30 days old.*pull --force/);
  assert.ok(!laptop.has(id));
  await laptop.ccsync("pull", "--force");
  assert.equal(laptop.read(id), before);
  assert.equal(laptop.readFile(`tasks/${id}/1.json`), '{"id":"1"}');
  assert.ok(ageInDays(laptop.transcriptPath(id)) < 1);
  assert.deepEqual(await stateOf(laptop, id), [true, true]);
  assert.match((await laptop.ccsync("push")).stdout, /nothing to push/);
  assert.deepEqual(await world.hubFiles(), files);
  assert.equal((await world.git("rev-parse", "main")).stdout, head);
  await laptop.ccsync("undo");
  assert.ok(!laptop.has(id));
  assert.match((await laptop.ccsync("push")).stdout, /nothing to push/);
});

Deno.test("a session that never was here is not listed as this machine's", async () => {
  await using world = await World.create();
  const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
  const id = plantOld(laptop, 60);
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  assert.equal(await stateOf(desk, id), undefined);
  assert.deepEqual(await stateOf(desk, id, "--remote"), [false, true]);
});

Deno.test("the clean-up's period is the one in Claude Code's settings", async () => {
  await using world = await World.create();
  const [laptop, short, long] = [
    await world.joined("laptop"),
    await world.joined("short"),
    await world.joined("long"),
  ];
  const [younger, older] = [plantOld(laptop, 12), plantOld(laptop, 100)];
  await laptop.ccsync("push");
  short.writeFile("settings.json", '{"cleanupPeriodDays": 10}');
  const { stderr } = await short.ccsync("pull");
  assert.match(stderr, /more than 10 days old/);
  assert.ok(!short.has(younger) && !short.has(older));
  await short.ccsync("pull", "--force");
  assert.ok(ageInDays(short.transcriptPath(younger)) < 1, "12 days would be too old again");
  long.writeFile("settings.json", '{"cleanupPeriodDays": 365}');
  await long.ccsync("pull");
  assert.ok(Math.abs(ageInDays(long.transcriptPath(older)) - 100) < 1);
  assert.ok(Math.abs(ageInDays(join(long.claude, "tasks", older, "1.json")) - 100) < 1);
  assert.ok(ageInDays(dirname(long.transcriptPath(older))) < 1);
});
