import assert from "node:assert/strict";
import type { LocalPath, MachineId, PlaceholderName } from "../../src/brands.ts";
import { CcsyncError } from "../../src/errors.ts";
import { type MachineRecord, parseMachine, type SharedPlaceholders } from "../../src/hub/format.ts";
import { checkPlaceholders, type Config, DEFAULT_TIMES } from "../../src/machine/config.ts";
import {
  columnOf,
  machineRecord,
  reconcilePlaceholders,
  requireOwnId,
} from "../../src/sync/machines.ts";
import type { PathStyle } from "../../src/translate/profile.ts";
import { VERSION } from "../../src/version.ts";
import { environmentIn } from "../support/workspace.ts";

type Paths = Readonly<Record<string, string>>;

/** Reconciles this machine's paths with its column of the table, and returns both after it. */
function reconcile(
  own: Paths,
  column: Paths,
  base: Paths,
  style: PathStyle = "posix",
): [Paths, Paths] {
  const placeholders = new Map(
    Object.entries(own).map(([name, path]) => [name as PlaceholderName, path as LocalPath]),
  );
  const other = ["other", "/other"] as const;
  const table: SharedPlaceholders = new Map(
    Object.entries(column).map(([name, path]) => [name, new Map([["me", path], other])]),
  );
  const config = { machineId: "me" as MachineId, placeholders };
  const result = reconcilePlaceholders(config, table, new Map(Object.entries(base)), style);
  // What the configuration gets has to be readable again.
  checkPlaceholders(result.own, style);
  for (const name of table.keys()) assert.equal(result.shared.get(name)?.get("other"), "/other");
  return [Object.fromEntries(result.own), Object.fromEntries(columnOf(result.shared, "me"))];
}

Deno.test("reconcilePlaceholders() takes what changed since both sides agreed", () => {
  const cases: readonly [
    what: string,
    own: Paths,
    column: Paths,
    base: Paths,
    result: [Paths, Paths],
  ][] = [
    ["both empty", {}, {}, {}, [{}, {}]],
    ["in step", { A: "/a" }, { A: "/a" }, { A: "/a" }, [{ A: "/a" }, { A: "/a" }]],
    ["in step, never agreed", { A: "/a" }, { A: "/a" }, {}, [{ A: "/a" }, { A: "/a" }]],
    ["new here", { A: "/a" }, {}, {}, [{ A: "/a" }, { A: "/a" }]],
    ["new in the table", {}, { A: "/a" }, {}, [{ A: "/a" }, { A: "/a" }]],
    ["changed here", { A: "/new" }, { A: "/a" }, { A: "/a" }, [{ A: "/new" }, { A: "/new" }]],
    ["changed in the table", { A: "/a" }, { A: "/new" }, { A: "/a" }, [{ A: "/new" }, {
      A: "/new",
    }]],
    ["changed on both sides", { A: "/x" }, { A: "/y" }, { A: "/a" }, [{ A: "/x" }, { A: "/x" }]],
    ["different, never agreed", { A: "/x" }, { A: "/y" }, {}, [{ A: "/x" }, { A: "/x" }]],
    ["gone from the table", { A: "/a" }, {}, { A: "/a" }, [{ A: "/a" }, { A: "/a" }]],
    ["gone here", {}, { A: "/a" }, { A: "/a" }, [{ A: "/a" }, { A: "/a" }]],
    [
      "each of them by itself",
      { A: "/a", B: "/new" },
      { A: "/anew", B: "/b", C: "/c" },
      { A: "/a", B: "/b" },
      [{ A: "/anew", B: "/new", C: "/c" }, { A: "/anew", B: "/new", C: "/c" }],
    ],
  ];
  for (const [what, own, column, base, result] of cases) {
    assert.deepEqual(reconcile(own, column, base), result, what);
  }
});

Deno.test("reconcilePlaceholders() does not mind how a path is spelled", () => {
  assert.deepEqual(reconcile({ A: "/a" }, { A: "/a/" }, {}), [{ A: "/a" }, { A: "/a/" }]);
  assert.deepEqual(reconcile({}, { A: "//a/b/../c/" }, {}), [{ A: "/a/c" }, { A: "//a/b/../c/" }]);
  // The table's spelling was agreed on before.
  assert.deepEqual(reconcile({ A: "/a" }, { A: "/new" }, { A: "/a/" }), [{ A: "/new" }, {
    A: "/new",
  }]);
  const windows = reconcile({ A: "C:\\a" }, { A: "c:/a" }, {}, "windows");
  assert.deepEqual(windows, [{ A: "C:\\a" }, { A: "c:/a" }]);
});

Deno.test("reconcilePlaceholders() leaves alone what this machine could not have", () => {
  const cases: readonly [what: string, column: Paths, style: PathStyle][] = [
    ["a path of another system", { A: "C:\\projects" }, "posix"],
    ["a path of another system", { A: "/projects" }, "windows"],
    ["a relative path", { A: "projects" }, "posix"],
    ["the root", { A: "/" }, "posix"],
    ["control characters", { A: "/a\nb" }, "posix"],
    ["a built-in name", { HOME: "/evil", CLAUDE: "/evil", CLAUDE_TMP: "/evil" }, "posix"],
    ["a name against the rule", { lower: "/a" }, "posix"],
  ];
  for (const [what, column, style] of cases) {
    assert.deepEqual(reconcile({}, column, {}, style), [{}, column], what);
  }
});

Deno.test("reconcilePlaceholders() replaces a path in the table that cannot be used by its own", () => {
  assert.deepEqual(reconcile({ A: "/a" }, { A: "relative" }, {}), [{ A: "/a" }, { A: "/a" }]);
});

Deno.test("reconcilePlaceholders() gives no directory to two placeholders", () => {
  assert.deepEqual(reconcile({ A: "/a" }, { A: "/a", B: "/a" }, { A: "/a" }), [
    { A: "/a" },
    { A: "/a", B: "/a" },
  ]);
  assert.deepEqual(reconcile({}, { A: "/a", B: "/a/" }, {}), [{ A: "/a" }, { A: "/a", B: "/a/" }]);
});

Deno.test("reconcilePlaceholders() leaves what it was given as it is", () => {
  const placeholders = new Map([["A" as PlaceholderName, "/a" as LocalPath]]);
  const table = new Map([["B", new Map([["me", "/b"]])]]);
  reconcilePlaceholders({ machineId: "me" as MachineId, placeholders }, table, new Map(), "posix");
  assert.deepEqual([placeholders.size, table.size, table.get("B")?.size], [1, 1, 1]);
});

Deno.test("columnOf() returns a machine's paths alone", () => {
  const table = new Map([
    ["A", new Map([["me", "/a"], ["other", "/x"]])],
    ["B", new Map([["other", "/x"]])],
    ["C", new Map([["me", "/c"]])],
  ]);
  assert.deepEqual([...columnOf(table, "me")], [["A", "/a"], ["C", "/c"]]);
});

const CONFIG: Config = {
  machineId: "laptop" as MachineId,
  installation: "0123",
  remote: "/hub",
  syncDirectories: [],
  placeholders: new Map(),
  ...DEFAULT_TIMES,
};

function recordOf(fields: Paths): MachineRecord {
  const record = parseMachine(JSON.stringify(fields));
  assert.ok(record !== undefined);
  return record;
}

Deno.test("requireOwnId() refuses the id of another installation", () => {
  requireOwnId(CONFIG, undefined);
  requireOwnId(CONFIG, recordOf({ installation: "0123" }));
  const other = recordOf({ installation: "4567", hostname: "desk", registeredAt: "2026-01-01" });
  assert.throws(() => requireOwnId(CONFIG, other), (error) => {
    assert.ok(error instanceof CcsyncError);
    assert.equal(error.kind, "setup");
    assert.match(error.message, /cannot sync as "laptop": .*host "desk", registered 2026-01-01/);
    assert.match(error.hints.join(), /--machine-id/);
    return true;
  });
});

Deno.test("machineRecord() keeps when the machine was registered, and keys of later versions", () => {
  const now = Date.UTC(2026, 5, 1);
  const env = environmentIn("/home/u", { os: "linux", hostname: "host", now: () => now });
  const fresh = machineRecord(env, CONFIG, undefined);
  assert.deepEqual(fresh, {
    os: "linux",
    hostname: "host",
    home: "/home/u",
    installation: "0123",
    registeredAt: "2026-06-01T00:00:00.000Z",
    version: VERSION,
    lastPush: "2026-06-01T00:00:00.000Z",
  });
  const earlier = recordOf({ registeredAt: "2020-01-01", hostname: "old", color: "red" });
  const again = machineRecord(env, CONFIG, earlier);
  assert.equal(again.registeredAt, "2020-01-01");
  assert.equal(again.hostname, "host");
  assert.equal(again["color"], "red");
  assert.equal(machineRecord(env, CONFIG, recordOf({})).registeredAt, fresh.registeredAt);
});
