import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { LocalPath, Oid, PortablePath, SessionId } from "../../src/brands.ts";
import { CcsyncError } from "../../src/errors.ts";
import { type Base, type CatalogueRow, type SettledLook, State } from "../../src/machine/state.ts";
import { Folder } from "../support/folder.ts";

const ID = "11111111-1111-4111-8111-111111111111" as SessionId;
const OTHER_ID = "22222222-2222-4222-8222-222222222222" as SessionId;
const oid = (digit: string) => digit.repeat(40) as Oid;

const BASE: Base = {
  id: ID,
  name: "",
  tree: oid("a"),
  segments: [oid("b"), oid("c")],
  project: '{{PROJECTS}}/it\'s "Übung" 会' as PortablePath,
  path: "/home/u/.claude/projects/-x/1.jsonl" as LocalPath,
  localBytes: 5_000_000_000,
  aligned: true,
  blocks: ["d".repeat(64), "e".repeat(64)],
  stamp: { size: 5_000_000_001, mtimeMs: 1_795_359_557_876.125, ino: 9_007_199_254_740_991 },
  profile: '["posix",[]]',
};

const ROW: CatalogueRow = {
  id: ID,
  transcript: { tree: oid("a"), segments: [oid("b")] },
  files: new Map([["plans/x.md", { tree: oid("c"), segments: [oid("d"), oid("e")] }]]),
  meta: '{"title": "会"}\n',
  project: "{{PROJECTS}}/会" as PortablePath,
  updatedAt: "2026-11-22T00:00:00.000Z",
  slug: "x",
};

const LOOK: SettledLook = [
  ID,
  BASE.path,
  5_000_000_001,
  1_795_359_557_876.125,
  7,
  "a\nb",
  "a-plan",
];
const OTHER_LOOK: SettledLook = [OTHER_ID, BASE.path, 0, 0, 0, "", ""];

/** Opens a state that must not need a rebuild. */
const open = (folder: Folder) => State.open(folder.path, (why) => assert.fail(why));

function damage(folder: Folder, change: (content: Uint8Array) => Uint8Array): void {
  const path = folder.at("state.db");
  Deno.writeFileSync(path, change(Deno.readFileSync(path)));
}

Deno.test("State remembers all of it until the next run", () => {
  using folder = new Folder();
  const sidecar = { ...BASE, name: "plans/x.md", aligned: false, blocks: [], segments: [] };
  const other = { ...BASE, id: OTHER_ID };
  {
    using state = open(folder);
    for (const base of [BASE, sidecar, other]) state.setBase(base);
    state.setCatalogueRow(ROW);
    state.setProject({ path: BASE.path, cwd: "/home/u/projects/会" as LocalPath });
    state.setFact("last_push", "2026-11-22T00:00:00.000Z");
  }
  using state = open(folder);
  assert.deepEqual(
    state.bases(),
    new Map([
      [ID, new Map([["", BASE], ["plans/x.md", sidecar]])],
      [OTHER_ID, new Map([["", other]])],
    ]),
  );
  assert.deepEqual(state.catalogue(), new Map([[ID, ROW]]));
  assert.deepEqual(state.catalogueIds(), [ID]);
  assert.deepEqual(state.projects(), new Map([[BASE.path, "/home/u/projects/会"]]));
  assert.equal(state.fact("last_push"), "2026-11-22T00:00:00.000Z");
  assert.equal(state.fact("last_pull"), undefined);
});

Deno.test("State is empty at first", () => {
  using folder = new Folder();
  using state = State.open(folder.at("new", "home"), (why) => assert.fail(why));
  assert.deepEqual([state.bases().size, state.catalogue().size, state.projects().size], [0, 0, 0]);
});

Deno.test("State keeps the last of what it is told", () => {
  using folder = new Folder();
  using state = open(folder);
  state.setBase(BASE);
  state.setBase({ ...BASE, localBytes: 7 });
  state.setCatalogueRow(ROW);
  state.setCatalogueRow({ ...ROW, meta: "{}" });
  state.setFact("turn", "1");
  state.setFact("turn", "2");
  assert.equal(state.bases().get(ID)?.get("")?.localBytes, 7);
  assert.equal(state.catalogue().get(ID)?.meta, "{}");
  assert.equal(state.fact("turn"), "2");
});

Deno.test("State reads what is known of some sessions only", () => {
  using folder = new Folder();
  using state = open(folder);
  for (const id of [ID, OTHER_ID]) {
    state.setBase({ ...BASE, id });
    state.setCatalogueRow({ ...ROW, id });
  }
  assert.deepEqual([...state.bases([OTHER_ID]).keys()], [OTHER_ID]);
  assert.deepEqual(state.catalogue([OTHER_ID]), new Map([[OTHER_ID, { ...ROW, id: OTHER_ID }]]));
  assert.deepEqual([state.bases([]).size, state.catalogue([]).size], [0, 0]);
  assert.deepEqual(state.catalogueIds().sort(), [ID, OTHER_ID].sort());
  assert.deepEqual(state.catalogueProjects(), [ROW.project]);
});

Deno.test("State takes a session for settled until what is known of it changes", () => {
  using folder = new Folder();
  const changes: Readonly<Record<string, (state: State) => void>> = {
    "another base": (state) => state.setBase({ ...BASE, localBytes: 7 }),
    "a base of a sidecar": (state) => state.setBase({ ...BASE, name: "plans/x.md" }),
    "no base": (state) => state.removeBase(BASE),
    "another row": (state) => state.setCatalogueRow({ ...ROW, meta: "{}" }),
    "no row": (state) => state.removeCatalogueRow(ID),
    "being told so": (state) => state.removeSettled([ID]),
  };
  const listed = { title: "a – title", size: 1 };
  const prompts = { lastPrompt: "说 \u0000\n\ud83d\ude00" };
  using state = open(folder);
  for (const [what, change] of Object.entries(changes)) {
    state.setBase(BASE);
    state.setCatalogueRow(ROW);
    state.setSettled(LOOK, listed, prompts);
    state.setSettled(OTHER_LOOK, listed, prompts);
    assert.deepEqual(state.settledLooks().toSorted(), [LOOK, OTHER_LOOK].toSorted());
    assert.deepEqual(state.settledListed(), [listed, listed]);
    assert.deepEqual(state.settledPrompts()(ID), prompts);
    assert.deepEqual(state.settledPrompt(ID), prompts);
    change(state);
    assert.deepEqual(state.settledLooks(), [OTHER_LOOK], what);
    assert.deepEqual([ID, OTHER_ID].map(state.settledPrompts()), [undefined, prompts], what);
  }
  state.clearSettled();
  assert.deepEqual(state.settledLooks(), []);
  state.setSettled(LOOK, listed, prompts);
  state.setCatalogueRow(ROW);
  state.setSettled(LOOK, listed, prompts);
  state.clearCatalogue();
  assert.deepEqual(state.settledListed(), []);
});

Deno.test("State tells which sessions of the hub are not settled", () => {
  using folder = new Folder();
  using state = open(folder);
  assert.deepEqual(state.unsettledIds(), []);
  state.setCatalogueRow(ROW);
  state.setCatalogueRow({ ...ROW, id: OTHER_ID });
  state.setSettled(LOOK, {}, {});
  assert.deepEqual(state.unsettledIds(), [OTHER_ID]);
  state.setCatalogueRow({ ...ROW, meta: "{}" });
  assert.deepEqual(state.unsettledIds().sort(), [ID, OTHER_ID].sort());
});

Deno.test("State forgets sessions of the catalogue", () => {
  using folder = new Folder();
  using state = open(folder);
  state.setCatalogueRow(ROW);
  state.setCatalogueRow({ ...ROW, id: OTHER_ID });
  state.removeCatalogueRow(ID);
  assert.deepEqual([...state.catalogue().keys()], [OTHER_ID]);
  state.clearCatalogue();
  assert.equal(state.catalogue().size, 0);
});

Deno.test("State.transaction() writes all or nothing", () => {
  using folder = new Folder();
  using state = open(folder);
  state.setFact("turn", "1");
  assert.throws(
    () =>
      state.transaction(() => {
        state.setFact("turn", "2");
        state.setBase(BASE);
        throw new RangeError("half way");
      }),
    RangeError,
  );
  assert.equal(state.fact("turn"), "1");
  assert.equal(state.bases().size, 0);
  const result = state.transaction(() => {
    state.setFact("turn", "3");
    return "done";
  });
  assert.equal(result, "done");
  assert.equal(state.fact("turn"), "3");
});

Deno.test("State.transaction() can stand in another one", () => {
  using folder = new Folder();
  using state = open(folder);
  state.transaction(() => {
    state.setFact("turn", "1");
    assert.throws(
      () =>
        state.transaction(() => {
          state.setFact("turn", "2");
          throw new RangeError("half way");
        }),
      RangeError,
    );
  });
  assert.equal(state.fact("turn"), "1");
});

Deno.test("State.pretend() keeps nothing of what follows", () => {
  using folder = new Folder();
  {
    using state = open(folder);
    state.setFact("turn", "1");
    state.pretend();
    state.setFact("turn", "2");
    state.transaction(() => state.setBase(BASE));
    assert.equal(state.fact("turn"), "2");
    assert.equal(state.bases().size, 1);
  }
  using state = open(folder);
  assert.equal(state.fact("turn"), "1");
  assert.equal(state.bases().size, 0);
});

Deno.test("State forgets facts", () => {
  using folder = new Folder();
  using state = open(folder);
  state.setFact("trouble", "{}");
  state.forgetFact("trouble");
  state.forgetFact("last_push");
  assert.equal(state.fact("trouble"), undefined);
});

Deno.test("State is for its owner alone", { ignore: Deno.build.os === "windows" }, () => {
  using folder = new Folder();
  using state = open(folder);
  state.setFact("turn", "1");
  const modes = folder.names().map((name) => (Deno.statSync(folder.at(name)).mode ?? 0) & 0o777);
  assert.ok(modes.length > 0);
  for (const mode of modes) assert.equal(mode, 0o600);
});

Deno.test("State.open() sets a damaged file aside, says so, and begins anew", () => {
  const cases: readonly [what: string, change: (content: Uint8Array) => Uint8Array][] = [
    ["no database", () => new TextEncoder().encode("no database\n".repeat(100))],
    ["a short text", () => new TextEncoder().encode("short text")],
    ["the first half", (content) => content.slice(0, content.length / 2)],
    ["a broken head", (content) => content.with(0, 0)],
    ["an unknown page size", (content) => content.with(16, 0xff)],
  ];
  for (const [what, change] of cases) {
    using folder = new Folder();
    {
      using state = open(folder);
      state.setBase(BASE);
    }
    damage(folder, change);
    const damaged = Deno.readFileSync(folder.at("state.db"));
    const told: string[] = [];
    {
      using state = State.open(folder.path, (why) => told.push(why));
      assert.equal(told.length, 1, what);
      assert.equal(state.bases().size, 0, what);
      state.setFact("turn", "1");
    }
    assert.deepEqual(Deno.readFileSync(folder.at("state.db.damaged")), damaged, what);
    using state = open(folder);
    assert.equal(state.fact("turn"), "1", what);
  }
});

Deno.test("State.open() sets aside what is no file", () => {
  using folder = new Folder();
  folder.write("state.db/in a directory", "x");
  const told: string[] = [];
  using state = State.open(folder.path, (why) => told.push(why));
  assert.equal(told.length, 1);
  assert.equal(state.bases().size, 0);
});

Deno.test("State takes an empty file for a new one", () => {
  using folder = new Folder();
  folder.write("state.db", "");
  using state = open(folder);
  assert.equal(state.bases().size, 0);
});

Deno.test("State says how to mend damage that shows when it is read", () => {
  const cases: readonly (readonly [damage: string, read: (state: State) => unknown])[] = [
    [`UPDATE base SET blocks = '["cut'`, (state) => state.bases()],
    [`UPDATE settled SET look = '["cut'`, (state) => state.settledLooks()],
    [`UPDATE settled SET prompts = '["cut'`, (state) => state.settledPrompt(ID)],
    [`UPDATE settled SET prompts = '["cut'`, (state) => state.settledPrompts()(ID)],
  ];
  for (const [damage, read] of cases) {
    using folder = new Folder();
    {
      using state = open(folder);
      state.setBase(BASE);
      state.setSettled(LOOK, {}, {});
    }
    {
      using db = new DatabaseSync(folder.at("state.db"));
      db.exec(damage);
    }
    using state = open(folder);
    assert.throws(() => read(state), (error) => {
      assert.ok(error instanceof CcsyncError);
      assert.equal(error.kind, "failed");
      assert.match(error.hints.join(), /^run the command again: the state is rebuilt/);
      return true;
    });
    assert.deepEqual(folder.names().filter((name) => /damaged$/.test(name)), ["state.db.damaged"]);
  }
});

Deno.test("State.open() begins anew where the state is of an older version", () => {
  using folder = new Folder();
  {
    using db = new DatabaseSync(folder.at("state.db"));
    db.exec("CREATE TABLE base (id TEXT PRIMARY KEY) STRICT; PRAGMA user_version = 1");
  }
  const told: string[] = [];
  using state = State.open(folder.path, (why) => told.push(why));
  assert.equal(told.length, 1);
  state.setBase(BASE);
  assert.equal(state.bases().size, 1);
});

Deno.test("State.open() refuses the state of a newer version, and leaves it as it is", () => {
  using folder = new Folder();
  {
    using state = open(folder);
    state.setBase(BASE);
  }
  {
    using db = new DatabaseSync(folder.at("state.db"));
    db.exec("PRAGMA user_version = 99");
  }
  const before = Deno.readFileSync(folder.at("state.db"));
  assert.throws(() => open(folder), (error) => {
    assert.ok(error instanceof CcsyncError);
    assert.equal(error.kind, "setup");
    assert.match(error.message, /version 99/);
    return true;
  });
  assert.deepEqual(Deno.readFileSync(folder.at("state.db")), before);
  assert.deepEqual(folder.names(), ["state.db"]);
});
