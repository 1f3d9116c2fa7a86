/**
 * A hub that somebody else writes to: whatever it holds, nothing of it reaches a place that is not ccsync's,
 * and what cannot be used is told of and keeps nothing else from syncing.
 *
 * @module
 */
import "../support/in_process.ts";
import assert from "node:assert/strict";
import { join } from "node:path";
import { EXIT_CODES } from "../../src/errors.ts";
import { type Entry, HostileHub, type Tree } from "../support/hostile_tree.ts";
import { described } from "../support/process.ts";
import { promptLine, type TestMachine, World } from "../support/world.ts";
import { BASE, plantAll, pushedElsewhere } from "./scenes.ts";

const file = (content: string): Entry => ({ mode: "100644", content });
const link = (target: string): Entry => ({ mode: "120000", content: target });

/** Names that lead elsewhere, confuse a terminal, or are none on some system. */
const NAMES: readonly (readonly string[])[] = [
  ["..", "..", "..", "evil"],
  ["..", "evil"],
  [".", "evil"],
  ["../../../../evil"],
  ["/etc/evil"],
  ["a/../../../evil"],
  ["..\\..\\evil"],
  ["C:\\evil"],
  ["C:evil"],
  ["\\\\host\\share\\evil"],
  ["evil:stream"],
  ["CON"],
  ["nul.txt"],
  ["evil."],
  ["evil "],
  ["evil\u001b[31m"],
  ["evil\nline"],
  ["evil\rline"],
  [".git", "hooks", "evil"],
  ["git~1"],
  ["e".repeat(300)],
  [...Array.from({ length: 60 }, () => "e".repeat(100))],
];

/** Everything outside of what ccsync and Claude Code own, by path and content. */
function elsewhere(world: World, machine: TestMachine): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (directory: string) => {
    for (const { isDirectory, name } of Deno.readDirSync(directory)) {
      const path = join(directory, name);
      if ([machine.claude, machine.ccsyncHome, world.hub].includes(path)) continue;
      if (isDirectory) walk(path);
      else found.set(path, Deno.readTextFileSync(path));
    }
  };
  walk(world.folder);
  return found;
}

/** Asserts that no file on the machine bears a hostile name, and nothing but files is there. */
function assertClean(machine: TestMachine): void {
  for (const directory of [machine.claude, machine.ccsyncHome]) {
    const walk = (path: string) => {
      for (const { isDirectory, isSymlink, name } of Deno.readDirSync(path)) {
        assert.doesNotMatch(name, /evil|\.\./, path);
        assert.ok(!isSymlink, join(path, name));
        if (isDirectory) walk(join(path, name));
      }
    };
    walk(directory);
  }
}

/** Runs a command that has to cope, and looks at what it says. */
async function coping(machine: TestMachine, ...args: readonly string[]): Promise<string> {
  const result = await machine.try(...args);
  assert.ok([0, EXIT_CODES.partial].includes(result.code as 0), described(result));
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  assert.doesNotMatch(result.stdout + result.stderr, /[\u0000-\u0009\u000b-\u001f\u202e]/);
  return result.stderr;
}

Deno.test("hostile names, links and submodules in the hub are told of and lead nowhere", async () => {
  await using world = await World.create();
  const machine = await pushedElsewhere(world);
  const before = elsewhere(world, machine);
  const session = ["sessions", BASE.slice(0, 2), BASE];
  const hub = new HostileHub(world);
  const memory = (await world.hubFiles()).find((path) => path.startsWith("memory/"))?.split("/")[1];
  assert.ok(memory !== undefined);
  const submodule = { mode: "160000", oid: "12345678".repeat(5) };
  const places = [
    [],
    ["sessions"],
    ["machines"],
    session,
    [...session, "transcript"],
    [...session, "files"],
    [...session, "files", "session"],
    [...session, "files", "plans"],
    ["memory"],
    ["memory", memory],
    ["memory", memory, "files"],
    ["claude"],
  ];
  const links = places.flatMap((place): [string[], Entry][] => [
    [[...place, "evil-link"], link("/etc/passwd")],
    [[...place, "evil-link.md"], link(join(machine.home, ".bashrc"))],
    [[...place, "evil-module"], submodule],
  ]);
  const entries = places.flatMap((place) =>
    NAMES.flatMap((name): [string[], Entry][] => [
      [[...place, ...name], file("evil\n")],
      [[...place, ...name, "000000"], file("evil\n")],
    ])
  );
  const sidecars = [...session, "files", "session"];
  await hub.add([
    [[...sidecars, "Case.txt", "000000"], file("one\n")],
    [[...sidecars, "case.txt", "000000"], file("two\n")],
    [[...sidecars, "evil-gap.txt", "000001"], file("evil\n")],
    [[...sidecars, "tool-results", "evil.txt", "000000"], link("/etc/passwd")],
  ]);
  const sidecarsTold = await coping(machine, "pull");
  assert.match(sidecarsTold, /differs from another one only in case/);
  assert.match(sidecarsTold, /a segment is missing/);
  await hub.add(links);
  assert.match(await coping(machine, "pull"), /it is a link or a submodule/);
  await hub.add(entries);
  const told = await coping(machine, "pull");
  assert.match(told, /its name is none that ccsync writes/);
  assert.match(told, /more names of the hub are not used/);
  for (const args of [["push"], ["list"], ["list", "--remote"], ["status"]]) {
    await coping(machine, ...args);
  }
  assertClean(machine);
  assert.deepEqual(elsewhere(world, machine), before);
  assert.match(machine.read(BASE), /turn two/);
});

/** Projects that are none, or lead out of where projects are. */
const PROJECTS = [
  "",
  ".",
  "..",
  "relative/evil",
  "/",
  "//",
  "/../../evil",
  "{{PROJECTS}}/../../../evil",
  "{{PROJECTS}}\\..\\..\\evil",
  "{{CLAUDE}}/../evil",
  "{{HOME}}/../../evil",
  "{{EVIL}}/evil",
  "{{PROJECTS}}/\u0000evil",
  "{{PROJECTS}}/\u001b[31mevil",
  "{{PROJECTS}}/" + "e".repeat(90_000),
  "{{PROJECTS}}/" + "e/".repeat(40_000),
];

Deno.test("projects in the hub that lead elsewhere write nothing elsewhere", async () => {
  await using world = await World.create();
  const machine = await pushedElsewhere(world);
  const before = elsewhere(world, machine);
  const entries = PROJECTS.flatMap((project, i): [string[], Entry][] => {
    const id = `aaaaaaaa-0000-4000-8000-${String(i).padStart(12, "0")}`;
    const session = ["sessions", "aa", id];
    const meta = JSON.stringify({ project, title: `evil \u001b[31m ${i}`, slug: "../evil" });
    const at = new Date().toISOString();
    return [
      [[...session, "meta.json"], file(JSON.stringify({ ...JSON.parse(meta), updatedAt: at }))],
      [
        [...session, "transcript", "000000.jsonl"],
        file(promptLine({ id, cwd: project, text: "hi" })),
      ],
      [[...session, "files", "session", "tool-results", "x.txt", "000000"], file("x\n")],
    ];
  });
  await new HostileHub(world).add(entries);
  for (
    const args of [["pull", "--all"], ["pull", "--force"], ["push", "--all"], ["list"], ["status"]]
  ) {
    await coping(machine, ...args);
  }
  assert.deepEqual(elsewhere(world, machine), before);
  const projects = [...Deno.readDirSync(join(machine.claude, "projects"))].map(({ name }) => name);
  for (const name of projects) assert.match(name, /^[A-Za-z0-9-]{1,220}$/);
  assert.match(machine.read(BASE), /turn two/);
});

/** What is no JSON, or other JSON than is looked for. */
const JSONS = [
  "",
  "{",
  "null",
  "[]",
  '"text"',
  "1e999",
  "\u0000",
  "[".repeat(100_000),
  '{"__proto__": {"project": "/evil"}}',
  `{"project": 7, "sidecars": "x", "lines": -1}`,
  `{"project": "${"x".repeat(200_000)}"}`,
];

Deno.test("invalid JSON everywhere is told of, or replaced, and keeps nothing else from syncing", async () => {
  await using world = await World.create();
  const machine = await pushedElsewhere(world);
  const hub = new HostileHub(world);
  for (const [i, json] of JSONS.entries()) {
    const id = `aaaaaaaa-0000-4000-8000-${String(i).padStart(12, "0")}`;
    const set = `evil-${String(i).padStart(16, "0")}`;
    await hub.add([
      [["sessions", "aa", id, "meta.json"], file(json)],
      [["sessions", "aa", id, "transcript", "000000.jsonl"], file(json)],
      [["memory", set, "project.json"], file(json)],
      [["memory", set, "files", "evil.md"], file(json)],
      [["machines", `evil${i}.json`], file(json)],
    ]);
  }
  const told = await coping(machine, "pull");
  assert.match(told, /its meta.json is missing or broken/);
  for (const args of [["push"], ["list", "--remote", "--all"], ["status"]]) {
    await coping(machine, ...args);
  }
  assertClean(machine);
  assert.match(machine.read(BASE), /turn two/);
});

Deno.test("a broken table or format stops every command with a word, and changes nothing", async () => {
  for (const path of ["shared_placeholders.json", "ccsync.json"]) {
    await using world = await World.create();
    const machine = await pushedElsewhere(world);
    const config = Deno.readTextFileSync(join(machine.ccsyncHome, "config.json"));
    const hub = new HostileHub(world);
    for (const json of JSONS.slice(0, 8)) {
      await hub.add([[[path], file(json)]]);
      const result = await machine.try("pull");
      assert.equal(result.code, EXIT_CODES.setup, `${json.slice(0, 20)}: ${described(result)}`);
      assert.match(result.stderr, /^error: cannot (?:read|use) .*\nhint: /m);
    }
    assert.equal(Deno.readTextFileSync(join(machine.ccsyncHome, "config.json")), config);
    assert.ok(!machine.has(BASE));
  }
});

/** Paths for this machine's placeholder that are none, or are everything. */
const ROOTS = ["", "..", "../..", "relative", "/", "/..", "\u0000", "/evil\u001b[31m", "C:\\evil"];

Deno.test("paths in the shared table that are none are not taken over", async () => {
  await using world = await World.create();
  const machine = await pushedElsewhere(world);
  await machine.ccsync("pull");
  const before = elsewhere(world, machine);
  const path = join(machine.ccsyncHome, "config.json");
  const config = Deno.readTextFileSync(path);
  const hub = new HostileHub(world);
  for (const root of ROOTS) {
    const names = { PROJECTS: { desk: root, "../evil": "/evil" }, "../EVIL": { desk: "/evil" } };
    const more = {
      HOME: { desk: "/evil" },
      CLAUDE: { desk: "/evil" },
      __proto__: { desk: "/evil" },
    };
    const table = JSON.stringify({ ...names, ...more });
    await hub.add([[["shared_placeholders.json"], file(table)]]);
    const result = await machine.try("pull");
    assert.notEqual(result.code, EXIT_CODES.internal, described(result));
    assert.equal(Deno.readTextFileSync(path), config, JSON.stringify(root));
  }
  assert.deepEqual(elsewhere(world, machine), before);
});

Deno.test("hostile locks: names, contents and sizes are not taken for locks, or can be replaced", async () => {
  await using world = await World.create();
  const machine = await pushedElsewhere(world);
  const hub = new HostileHub(world);
  const empty = await hub.tree(new Map());
  const lock = (message: string) => {
    const who = "x <x@x> 1 +0000";
    return hub.object("commit", `tree ${empty}\nauthor ${who}\ncommitter ${who}\n\n${message}`);
  };
  const good = {
    session: BASE,
    machine: "evil",
    host: "evil\u001b[31m",
    pid: 1,
    token: "t",
    acquiredAt: "9999-12-31T23:59:59Z",
    heartbeatAt: "9999-12-31T23:59:59Z",
    ttl: 86_400,
  };
  const contents = [
    ...JSONS,
    JSON.stringify({ ...good, machine: "../evil" }),
    JSON.stringify({ ...good, pid: -1 }),
    JSON.stringify({ ...good, pid: 1e300 }),
    JSON.stringify({ ...good, ttl: 1e300 }),
    JSON.stringify({ ...good, heartbeatAt: "+275760-09-13T00:00:00.000Z" }),
    JSON.stringify({ ...good, session: crypto.randomUUID() }),
    JSON.stringify({ ...good, host: "x".repeat(1000) }),
    JSON.stringify(good),
  ];
  const blob = await hub.object("blob", "evil");
  for (const name of ["evil", "a/b/c", "CON", `${BASE}x`, BASE.toUpperCase()]) {
    await hub.ref(`refs/ccsync/locks/${name}`, blob);
  }
  for (const [i, content] of contents.entries()) {
    const id = `bbbbbbbb-0000-4000-8000-${String(i).padStart(12, "0")}`;
    await hub.ref(`refs/ccsync/locks/${id}`, await lock(content.replaceAll(BASE, id)));
  }
  await hub.ref(`refs/ccsync/locks/cccccccc-0000-4000-8000-000000000000`, blob);
  for (const args of [["lock", "show"], ["lock", "cleanup"], ["pull"], ["push"], ["status"]]) {
    await coping(machine, ...args);
  }
  for (const content of [contents.at(-3) ?? "", contents.at(-1) ?? "", "{"]) {
    await hub.ref(`refs/ccsync/locks/${BASE}`, await lock(content));
    machine.scriptClaude("true");
    Deno.mkdirSync(join(machine.projects, "app"), { recursive: true });
    const result = await machine.try("resume", BASE, "--takeover");
    assert.equal(result.code, 0, described(result));
    assert.equal(await world.hubLock(BASE), undefined);
  }
});

Deno.test("a hub that claims ten million files is refused, in bounded time and memory", async () => {
  await using world = await World.create();
  const machine = await pushedElsewhere(world);
  const hub = new HostileHub(world);
  const blob = await hub.object("blob", "x");
  const names = Array.from({ length: 10 }, (_, i) => `evil-${i}`);
  let tree: Tree = new Map(names.map((name) => [name, { mode: "100644", oid: blob }]));
  for (let level = 1; level < 7; level++) {
    const oid = await hub.tree(tree);
    tree = new Map(names.map((name) => [name, { mode: "40000", oid }]));
  }
  const session = ["sessions", BASE.slice(0, 2), BASE, "files", "session"];
  await hub.add([[[...session, "evil"], { mode: "40000", oid: await hub.tree(tree) }]]);
  const result = await machine.try("pull");
  assert.equal(result.code, EXIT_CODES.failed, described(result));
  assert.match(result.stderr, /^error: cannot .*more than ccsync ever writes\nhint: /m);
  assert.ok(!machine.has(BASE));
});

Deno.test("a blob above every bound is refused, and the other sessions go on", async () => {
  await using world = await World.create();
  const machine = await pushedElsewhere(world);
  const laptop = world.machine("laptop");
  const id = crypto.randomUUID();
  plantAll(laptop);
  laptop.write(id, promptLine({ id, cwd: join(laptop.projects, "app"), text: "victim" }));
  await laptop.ccsync("push");
  const hub = new HostileHub(world);
  const huge = new Uint8Array(65 * 1024 * 1024);
  const oid = await hub.object("blob", huge);
  const session = ["sessions", id.slice(0, 2), id];
  await hub.add([[[...session, "transcript", "000000.jsonl"], { mode: "100644", oid }]]);
  const told = await coping(machine, "pull");
  assert.match(told, /more than ccsync ever writes/);
  assert.match(machine.read(BASE), /turn two/);
  assert.ok(!machine.has(id));
  await hub.add([[[...session, "meta.json"], { mode: "100644", oid }]]);
  assert.match(await coping(machine, "pull"), /its meta.json is missing or broken/);
});
