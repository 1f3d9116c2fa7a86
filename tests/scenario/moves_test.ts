/**
 * Sessions whose directory changes here: placeholders that move, and what is not in the hub at that moment.
 *
 * @module
 */
import assert from "node:assert/strict";
import { basename, dirname, join } from "node:path";
import { promptLine, type TestMachine, World } from "../support/world.ts";

interface Pair extends AsyncDisposable {
  readonly world: World;
  readonly laptop: TestMachine;
  readonly desk: TestMachine;
  readonly id: string;
  /** Where desk's projects are after they moved. */
  readonly moved: string;
}

/** Two machines that have one session of two prompts. */
async function pair(): Promise<Pair> {
  const world = await World.create();
  const [laptop, desk] = [
    await world.joined("laptop"),
    await world.joined("desk", { projects: "work" }),
  ];
  const id = crypto.randomUUID();
  laptop.write(id, prompt(laptop, id, "one") + prompt(laptop, id, "two"));
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  const moved = join(desk.home, "moved");
  return {
    world,
    laptop,
    desk,
    id,
    moved,
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

function prompt(machine: TestMachine, id: string, text: string): string {
  const cwd = machine.own(join(machine.projects, "app"));
  return promptLine({ id, cwd, text: `${text} in ${cwd}/src` });
}

/** Returns where the transcript lies once the projects moved. */
function movedPath(machine: TestMachine, id: string, projects: string, project = "app"): string {
  const name = join(projects, project).replace(/[^a-zA-Z0-9]/g, "-");
  return join(machine.claude, "projects", name, `${id}.jsonl`);
}

function loseState(machine: TestMachine): void {
  for (const name of ["state.db", "state.db-wal", "state.db-shm"]) {
    const path = join(machine.ccsyncHome, name);
    if ([...Deno.readDirSync(machine.ccsyncHome)].some((entry) => entry.name === name)) {
      Deno.removeSync(path);
    }
  }
}

Deno.test("state lost and then placeholders moved: nothing is doubled, all gets the new paths", async () => {
  await using pairOf = await pair();
  const { desk, id, laptop, moved, world } = pairOf;
  const before = await world.hubTranscript(id);
  desk.append(id, prompt(desk, id, "three"));
  loseState(desk);
  await desk.ccsync("config", "set-path", "PROJECTS", "desk", moved);
  const local = Deno.readTextFileSync(movedPath(desk, id, moved));
  assert.ok(local.includes(`three in ${moved}/app/src`));
  assert.ok(!local.includes(desk.projects));
  await desk.ccsync("push");
  const after = await world.hubTranscript(id);
  assert.ok(after.startsWith(before));
  assert.equal(after.split("\n").length, before.split("\n").length + 1);
  await laptop.ccsync("pull");
  assert.ok(laptop.read(id).includes(`three in ${laptop.projects}/app/src`));
});

Deno.test("state lost, a sidecar pushed, and then placeholders moved: all of the session moves", async () => {
  await using pairOf = await pair();
  const { desk, id, laptop, moved } = pairOf;
  const sidecar = join(id, "tool-results/x.txt");
  const old = join(dirname(desk.transcriptPath(id)), sidecar);
  Deno.mkdirSync(dirname(old), { recursive: true });
  Deno.writeTextFileSync(old, `in ${desk.projects}/app\n`);
  laptop.append(id, prompt(laptop, id, "three"));
  await laptop.ccsync("push");
  loseState(desk);
  await desk.ccsync("push");
  await desk.ccsync("config", "set-path", "PROJECTS", "desk", moved);
  assert.ok(!desk.has(id));
  const now = movedPath(desk, id, moved);
  assert.ok(Deno.readTextFileSync(now).includes(`three in ${moved}/app/src`));
  const content = Deno.readTextFileSync(join(dirname(now), sidecar));
  assert.equal(content, `in ${moved}/app\n`);
});

Deno.test("a file edited under placeholders that moved meanwhile is not taken for another one", async () => {
  await using pairOf = await pair();
  const { desk, id, laptop, moved, world } = pairOf;
  await laptop.ccsync("config", "set-path", "PROJECTS", "desk", moved);
  const before = await world.hubTranscript(id);
  const [first = ""] = desk.read(id).split(/(?<=\n)/);
  desk.write(id, first);
  await desk.ccsync("push");
  assert.equal(await world.hubTranscript(id), before);
});

Deno.test("a torn append of an earlier pull is completed where the session has to move, too", async () => {
  await using pairOf = await pair();
  const { desk, id, laptop, moved, world } = pairOf;
  laptop.append(id, prompt(laptop, id, "three"));
  await laptop.ccsync("push");
  desk.append(
    id,
    laptop.read(id).replaceAll(laptop.projects, desk.projects)
      .slice(desk.read(id).length, -30),
  );
  await desk.ccsync("config", "set-path", "PROJECTS", "desk", moved);
  const local = Deno.readTextFileSync(movedPath(desk, id, moved));
  assert.equal(local, laptop.read(id).replaceAll(laptop.projects, moved));
  const before = await world.hubTranscript(id);
  await desk.ccsync("push");
  assert.equal(await world.hubTranscript(id), before);
});

Deno.test("a sidecar that was never pushed goes along when the session moves, with the new paths", async () => {
  await using pairOf = await pair();
  const { desk, id, laptop, moved } = pairOf;
  const name = join(id, "tool-results/x.txt");
  const old = join(dirname(desk.transcriptPath(id)), name);
  Deno.mkdirSync(dirname(old), { recursive: true });
  Deno.writeTextFileSync(old, `in ${desk.projects}/app\n`);
  await desk.ccsync("config", "set-path", "PROJECTS", "desk", moved);
  assert.throws(() => Deno.lstatSync(old), Deno.errors.NotFound);
  const now = join(dirname(movedPath(desk, id, moved)), name);
  assert.equal(Deno.readTextFileSync(now), `in ${moved}/app\n`);
  await desk.ccsync("push");
  await laptop.ccsync("pull");
  const there = join(dirname(laptop.transcriptPath(id)), name);
  assert.equal(Deno.readTextFileSync(there), `in ${laptop.projects}/app\n`);
});

Deno.test("what a move that was cut short left behind is put away, unless it has lines of its own", async () => {
  await using pairOf = await pair();
  const { desk, id } = pairOf;
  const whole = desk.read(id);
  const [first = ""] = whole.split(/(?<=\n)/);
  const own = prompt(desk, id, "nowhere else");
  for (const [project, content] of [["left", first], ["own", first + own]] as const) {
    desk.write(id, content, project);
    Deno.utimeSync(desk.transcriptPath(id, project), 1, 1);
  }
  const { stderr } = await desk.try("pull");
  assert.match(stderr, /the same session lies in another project's directory, newer/);
  assert.equal(desk.read(id), whole);
  assert.ok(!desk.has(id, "left"));
  assert.equal(desk.read(id, "own"), first + own);
  const objects = join(desk.ccsyncHome, "backups/objects");
  const kept = [...Deno.readDirSync(objects)].map(({ name }) =>
    Deno.readTextFileSync(join(objects, basename(name)))
  );
  assert.ok(kept.includes(first));
});

Deno.test("a sidecar that a move which was cut short left elsewhere comes back to its session", async () => {
  await using pairOf = await pair();
  const { desk, id } = pairOf;
  const sidecar = (project?: string) =>
    join(desk.transcriptPath(id, project).replace(/\.jsonl$/, ""), "tool-results/x.txt");
  Deno.mkdirSync(dirname(sidecar()), { recursive: true });
  Deno.writeTextFileSync(sidecar(), "result\n");
  await desk.ccsync("push");
  const cwd = desk.own(join(desk.projects, "other"));
  const relocated = JSON.stringify({ type: "relocated", relocatedCwd: cwd, sessionId: id });
  desk.write(id, `${desk.read(id)}${relocated}\n`, "other");
  Deno.removeSync(desk.transcriptPath(id));
  await desk.ccsync("push");
  await desk.ccsync("pull");
  assert.equal(Deno.readTextFileSync(sidecar("other")), "result\n");
  assert.throws(() => Deno.lstatSync(sidecar()), Deno.errors.NotFound);
});
