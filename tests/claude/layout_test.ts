import assert from "node:assert/strict";
import { join } from "node:path";
import type { LocalPath, SessionId } from "../../src/brands.ts";
import { liveDir, projectsDir, transcriptPath } from "../../src/claude/layout.ts";
import { ALICE } from "../support/fixtures.ts";

const ID = "11111111-1111-4111-8111-111111111111" as SessionId;
const CLAUDE = "/home/alice/.claude" as LocalPath;

const nameOf = (os: typeof Deno.build.os, cwd: string) => {
  const path = transcriptPath(CLAUDE, os, cwd as LocalPath, ID);
  const prefix = join(CLAUDE, "projects/");
  assert.ok(path.startsWith(prefix) && path.endsWith(`${ID}.jsonl`), path);
  return path.slice(prefix.length, -ID.length - ".jsonl".length - 1);
};

Deno.test("transcriptPath() names the directory as Claude Code did", () => {
  const d = "d".repeat(59);
  const cases: readonly [cwd: string, name: string][] = [
    ["/home/alice/projects/app", "-home-alice-projects-app"],
    ["/home/alice/projects/My App v1.2_x", "-home-alice-projects-My-App-v1-2-x"],
    ["/home/alice/projects/ünïcode-日本語-é", "-home-alice-projects--n-code------"],
    [
      `/home/alice/projects/${d}/${d}/${d}/${"e".repeat(59)}`,
      `-home-alice-projects-${d}-${d}-${d}-ejfybj`,
    ],
  ];
  const recorded = new Set([...Deno.readDirSync(join(ALICE, "projects"))].map(({ name }) => name));
  for (const [cwd, name] of cases) {
    assert.equal(nameOf("linux", cwd), name);
    assert.ok(recorded.has(name), name);
  }
});

Deno.test("transcriptPath() composes characters on macOS alone", () => {
  const [composed, decomposed] = ["/p/caf\u00e9", "/p/cafe\u0301"];
  assert.equal(nameOf("linux", composed), "-p-caf-");
  assert.equal(nameOf("linux", decomposed), "-p-cafe-");
  assert.equal(nameOf("darwin", decomposed), "-p-caf-");
  assert.equal(nameOf("windows", decomposed), "-p-cafe-");
});

Deno.test("projectsDir() and liveDir() are where the recorded machine has them", () => {
  const alice = ALICE as LocalPath;
  assert.ok(Deno.statSync(projectsDir(alice)).isDirectory);
  assert.deepEqual([...Deno.readDirSync(liveDir(alice))].map(({ name }) => name), ["22522.json"]);
});
