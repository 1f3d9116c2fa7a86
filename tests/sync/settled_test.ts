import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import type { LocalPath, SessionId } from "../../src/brands.ts";
import { lookAround } from "../../src/sync/overview.ts";
import { push } from "../../src/sync/push.ts";
import { fetchHub } from "../../src/sync/workspace.ts";
import { openWorkspace } from "../support/workspace.ts";
import { promptLine, type TestMachine, World } from "../support/world.ts";

const ID = "5aaaaaaa-0000-4000-8000-000000000001";
const OTHER = "5aaaaaaa-0000-4000-8000-000000000002";
const SLUG = "a-plan-for-tests";

/** Returns a machine that has pushed two sessions, one with a sidecar of each sort. */
async function machineWithTwo(world: World): Promise<TestMachine> {
  const desk = await world.joined("desk");
  for (const id of [ID, OTHER]) desk.write(id, said(desk, id, "hello"));
  desk.append(ID, JSON.stringify({ type: "plan", sessionId: ID, slug: SLUG }) + "\n");
  for (const path of SIDECARS) desk.writeFile(path, "before");
  await desk.ccsync("push");
  return desk;
}

const said = (machine: TestMachine, id: string, text: string) =>
  promptLine({ id, cwd: join(machine.projects, "app"), text });

const SIDECARS = [
  `file-history/${ID}/0123456789abcdef@v1`,
  `tasks/${ID}/1.json`,
  `plans/${SLUG}.md`,
] as const;

interface Seen {
  readonly settled: string[];
  readonly looked: string[];
}

async function look(
  machine: TestMachine,
  options: { readonly all?: boolean; readonly also?: string } = {},
  ...surroundings: Parameters<typeof openWorkspace> extends [unknown, ...infer Rest] ? Rest : never
): Promise<Seen> {
  await using workspace = openWorkspace(machine, ...surroundings);
  const also = options.also as SessionId | undefined;
  const scope = { all: options.all === true, ...(also === undefined ? {} : { also }) };
  const { sessions, settled } = await lookAround(workspace, scope);
  return { settled: [...settled].sort(), looked: sessions.map(({ id }) => id).sort() };
}

Deno.test("sessions are looked at once, and again after a change of their own", async () => {
  await using world = await World.create();
  const desk = await machineWithTwo(world);
  const inSession = join(dirname(desk.transcriptPath(ID)), ID, "tool-results/a.txt");
  const changes: Readonly<Record<string, () => void>> = {
    "a line": () => desk.append(ID, said(desk, ID, "more")),
    "a file of the session": () => {
      Deno.mkdirSync(dirname(inSession), { recursive: true });
      Deno.writeTextFileSync(inSession, "a");
    },
    "another content of it": () => Deno.writeTextFileSync(inSession, "ab"),
    "a file that is gone": () => Deno.removeSync(inSession),
    ...Object.fromEntries(SIDECARS.map((path) => [path, () => desk.writeFile(path, "and after")])),
    "another task": () => desk.writeFile(`tasks/${ID}/2.json`, "{}"),
  };
  assert.deepEqual(await look(desk), { settled: [], looked: [ID, OTHER] });
  for (const [what, change] of Object.entries(changes)) {
    assert.deepEqual(await look(desk), { settled: [ID, OTHER], looked: [] }, what);
    change();
    assert.deepEqual(await look(desk), { settled: [OTHER], looked: [ID] }, what);
    await desk.ccsync("pull");
    await desk.ccsync("push");
    await look(desk);
  }
  desk.write(ID, desk.read(ID), "elsewhere");
  assert.deepEqual(await look(desk), { settled: [OTHER], looked: [ID] }, "a copy");
});

Deno.test("a session that is open, torn, or meant is looked at each time", async () => {
  await using world = await World.create();
  const desk = await machineWithTwo(world);
  const claim = `sessions/${Deno.pid}.json`;
  await look(desk);
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await look(desk, { also: ID }), { settled: [OTHER], looked: [ID] });
  }
  const content = { pid: Deno.pid, sessionId: ID, updatedAt: Date.now() };
  desk.writeFile(claim, JSON.stringify(content));
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await look(desk), { settled: [OTHER], looked: [ID] });
  }
  Deno.removeSync(join(desk.claude, claim));
  desk.append(ID, '{"torn":');
  for (let i = 0; i < 3; i++) {
    await using workspace = openWorkspace(desk);
    const { waiting } = await push(workspace, { isDryRun: false, all: false });
    assert.deepEqual(waiting.map(({ id }) => id), [ID]);
  }
});

Deno.test("a session whose file was only touched is compared each time", async () => {
  await using world = await World.create();
  const desk = await machineWithTwo(world);
  await look(desk);
  const touched = new Date(Date.now() - 3_600_000);
  Deno.utimeSync(desk.transcriptPath(ID), touched, touched);
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await look(desk), { settled: [OTHER], looked: [ID] });
  }
});

Deno.test("a session that is gone from here, or not here yet, is looked at", async () => {
  await using world = await World.create();
  const desk = await machineWithTwo(world);
  await look(desk);
  Deno.removeSync(desk.transcriptPath(ID));
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await look(desk), { settled: [OTHER], looked: [ID] });
  }
  const laptop = await world.joined("laptop");
  await laptop.ccsync("pull");
  laptop.append(OTHER, said(laptop, OTHER, "from the laptop"));
  await laptop.ccsync("push");
  {
    await using workspace = openWorkspace(desk);
    await fetchHub(workspace);
  }
  assert.deepEqual(await look(desk), { settled: [], looked: [ID, OTHER] });
});

Deno.test("other settings unsettle all sessions", async () => {
  await using world = await World.create();
  const desk = await machineWithTwo(world);
  await look(desk);
  const elsewhere = join(desk.home, "elsewhere") as LocalPath;
  assert.deepEqual(await look(desk, {}, {}, { syncDirectories: [elsewhere] }), {
    settled: [],
    looked: [],
  });
  // They belong to no directory that is synced, and are looked at whenever all are meant.
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await look(desk, { all: true }, {}, { syncDirectories: [elsewhere] }), {
      settled: [],
      looked: [ID, OTHER],
    });
  }
  assert.deepEqual(await look(desk), { settled: [], looked: [ID, OTHER] });
  assert.deepEqual(await look(desk), { settled: [ID, OTHER], looked: [] });
  const placeholders = new Map([["OTHER", elsewhere]]) as never;
  assert.deepEqual((await look(desk, {}, {}, { placeholders })).settled, []);
});

Deno.test("lists say the same of sessions whether they are settled or not", async () => {
  await using world = await World.create();
  const desk = await machineWithTwo(world);
  const lists = [["list"], ["list", "--all"], ["list", "--remote"], ["list", "--format", "json"]];
  const shown = async () => {
    const texts: string[] = [];
    for (const args of [...lists, ["status", "--json"]]) {
      texts.push((await desk.ccsync(...args)).stdout);
    }
    return texts;
  };
  const before = await shown();
  assert.deepEqual((await look(desk)).settled, [ID, OTHER]);
  assert.deepEqual(await shown(), before);
  assert.match(before[3] ?? "", /"firstPrompt": "hello"/);
});
