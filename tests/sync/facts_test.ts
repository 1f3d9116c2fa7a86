/**
 * What is known of sessions where this machine cannot be looked at.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { pull } from "../../src/sync/pull.ts";
import type { SyncReport } from "../../src/sync/report.ts";
import { openWorkspace } from "../support/workspace.ts";
import { promptLine, type TestMachine, World } from "../support/world.ts";

const ID = "5aaaaaaa-0000-4000-8000-000000000001";

/** Pulls on a machine whose system does not let one directory be listed. */
async function pulledWithout(machine: TestMachine, directory: string): Promise<SyncReport> {
  await using workspace = openWorkspace(machine);
  const list = Deno.readDirSync;
  Deno.readDirSync = (path) => {
    if (String(path) === directory) throw new Deno.errors.PermissionDenied("not now");
    return list(path);
  };
  try {
    return await pull(workspace, { isDryRun: false, all: false, isForced: true });
  } finally {
    Deno.readDirSync = list;
  }
}

/** Returns a machine with news of a session that another one has moved to another project meanwhile. */
async function machineWithNews(world: World): Promise<TestMachine> {
  const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
  const said = (machine: TestMachine, text: string) =>
    promptLine({ id: ID, cwd: join(machine.projects, "app"), text });
  laptop.write(ID, said(laptop, "first"));
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  desk.append(ID, said(desk, "said on desk"));
  const relocatedCwd = join(laptop.projects, "other");
  const moved = JSON.stringify({ type: "relocated", relocatedCwd, sessionId: ID });
  const content = laptop.read(ID);
  Deno.removeSync(laptop.transcriptPath(ID));
  laptop.write(ID, `${content}${moved}\n`, "other");
  await laptop.ccsync("push");
  return desk;
}

Deno.test("what cannot be seen is neither taken for gone nor brought a second time", async () => {
  await using world = await World.create();
  const desk = await machineWithNews(world);
  for (const directory of [dirname(desk.transcriptPath(ID)), join(desk.claude, "projects")]) {
    const before = desk.files("projects");
    const outcome = await pulledWithout(desk, directory).catch((error: unknown) => error);
    // Memory is looked for there, too: that may fail, but nothing may be brought.
    if (outcome instanceof Error) assert.ok(outcome instanceof Deno.errors.PermissionDenied);
    else assert.match(JSON.stringify(outcome), /it cannot be read: permission denied/);
    assert.deepEqual(desk.files("projects"), before);
  }
  await desk.ccsync("pull");
  assert.ok(!desk.has(ID), "not in two places");
  assert.match(desk.read(ID, "other"), /said on desk/);
});
