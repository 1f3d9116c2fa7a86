import assert from "node:assert/strict";
import { join } from "node:path";
import {
  describeFile,
  nameFault,
  OTHER_KINDS,
  SIDECAR_KINDS,
  sidecarKind,
  sidecarName,
} from "../../src/claude/kinds.ts";
import { FIXTURES } from "../support/world.ts";

const SID = "b9a316af-110f-4ec1-9a0e-575002e0dbaa";

function filesUnder(root: string, path = ""): string[] {
  return [...Deno.readDirSync(join(root, path))].flatMap(({ isDirectory, name }) => {
    const inner = path === "" ? name : `${path}/${name}`;
    return isDirectory ? filesUnder(root, inner) : [inner];
  });
}

Deno.test("every file that Claude Code wrote is claimed by a row of the kinds", () => {
  const files = filesUnder(join(FIXTURES, "alice/.claude"));
  assert.ok(files.length > 20);
  for (const path of files) assert.ok(describeFile(path) !== undefined, `${path} is no known kind`);
});

Deno.test("no credential, setting or file of a live process is synced", () => {
  const rows = [
    ".credentials.json",
    ".claude.json",
    "settings.json",
    "settings.local.json",
    "history.jsonl",
    "sessions/22522.json",
    "projects/-home-alice-app/.session-aliases",
    `tasks/${SID}/.lock`,
    "shell-snapshots/snapshot-bash-1.sh",
    "plugins/x/y.json",
  ];
  for (const path of rows) {
    const kind = describeFile(path);
    assert.ok(kind !== undefined && "scope" in kind && kind.scope === "machine", path);
  }
});

Deno.test("sidecarKind() tells how each kind travels", () => {
  const rows: [string, string, string][] = [
    ["session/subagents/agent-1.jsonl", "jsonl", "append"],
    ["session/subagents/deep/agent-1.jsonl", "jsonl", "append"],
    ["session/subagents/agent-1.meta.json", "json", "replace"],
    ["session/tool-results/b1.txt", "text", "replace"],
    ["session/tool-results/b1.json", "json", "replace"],
    ["session/workflows/w.json", "json", "replace"],
    ["session/anything/else.bin", "binary", "replace"],
    ["file-history/0ebd7b0af8097656@v2", "binary", "replace"],
    ["tasks/12.json", "json", "replace"],
    ["plans/pure-discovering-lark.md", "text", "replace"],
    ["image-cache/1.png", "binary", "replace"],
  ];
  for (const [name, codec, merge] of rows) {
    const kind = sidecarKind(name);
    assert.deepEqual([kind?.codec, kind?.merge], [codec, merge], name);
  }
  for (const name of ["tasks/.lock", "tasks/a/1.json", "nowhere/x", "session/", "x"]) {
    assert.equal(sidecarKind(name), undefined, name);
  }
});

Deno.test("sidecarName() finds the session's files wherever they are", () => {
  assert.equal(sidecarName(`projects/-p/${SID}/subagents/a.jsonl`), "session/subagents/a.jsonl");
  assert.equal(
    sidecarName(`file-history/${SID}/7a33d80b61a37061@v2`),
    "file-history/7a33d80b61a37061@v2",
  );
  assert.equal(sidecarName(`tasks/${SID}/1.json`), "tasks/1.json");
  assert.equal(sidecarName("plans/x.md"), "plans/x.md");
  assert.equal(sidecarName(`projects/-p/${SID}.jsonl`), undefined);
  assert.equal(sidecarName("projects/-p/memory/MEMORY.md"), undefined);
});

Deno.test("nameFault() refuses what not every system can hold", () => {
  const bad = [
    "a/../b",
    "../a",
    "a//b",
    "./a",
    "a/.",
    "a\\b",
    "c:d",
    "a\u0000",
    "a\nb",
    "con",
    "x/NUL.txt",
    "a.",
    "a ",
    `${"x".repeat(256)}`,
    'a"b',
    "a?b",
    "a*b",
    "a/.GIT/x",
    "git~1",
    "a|b",
    "a/123456",
  ];
  for (const name of bad) assert.ok(nameFault(name) !== undefined, JSON.stringify(name));
  for (const name of ["a", "a/b.txt", "ü/日本.md", ".hidden", "a..b"]) {
    assert.equal(nameFault(name), undefined);
  }
});

Deno.test("the rows of both tables have names of their own", () => {
  const names = [...SIDECAR_KINDS, ...OTHER_KINDS].map(({ what }) => what);
  assert.equal(new Set(names).size, names.length);
});
