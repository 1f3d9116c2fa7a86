/**
 * Where shared texts are in the hub: format 1, read by other machines' ccsync.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { PortablePath } from "../../src/brands.ts";
import {
  entryOf,
  formatMemoryProject,
  type HubEntry,
  memoryKey,
  memoryProjectPath,
  parseMemoryProject,
  sharedTextPath,
} from "../../src/hub/format.ts";

const keyOf = (project: string) => memoryKey(project as PortablePath);

Deno.test("memoryKey() never changes", () => {
  const keys = {
    "{{PROJECTS}}/app": "PROJECTS-app-5afcb9120a56907e",
    "{{PROJECTS}}/my.app": "PROJECTS-my-app-c1b48b62bc06d20a",
    "{{PROJECTS}}/my-app": "PROJECTS-my-app-919389108330173a",
    "/笔记": "4df2a9f78c702e8c",
  };
  assert.deepEqual(Object.fromEntries(Object.keys(keys).map((path) => [path, keyOf(path)])), keys);
  assert.equal(new Set(Object.values(keys)).size, 4);
});

Deno.test("memoryKey() is a name that every system allows, whatever the project", () => {
  for (const project of ["CON", "..", "a".repeat(1000), "ü/ß", "{{HOME}}/a b/c:d?", "con.x"]) {
    assert.match(keyOf(project), /^(?:[A-Za-z0-9][A-Za-z0-9-]{0,59}-)?[0-9a-f]{16}$/, project);
    const path = memoryProjectPath(keyOf(project));
    assert.equal(entryOf(path).kind, "memory-project");
  }
});

Deno.test("parseMemoryProject() takes no project for another one's", () => {
  const project = "{{PROJECTS}}/app" as PortablePath;
  const json = formatMemoryProject(project);
  assert.equal(parseMemoryProject(keyOf(project), json), project);
  assert.equal(parseMemoryProject(keyOf("{{PROJECTS}}/b"), json), undefined);
  for (const broken of ["", "{}", '{"project":""}', '{"project":1}']) {
    assert.equal(parseMemoryProject(keyOf(""), broken), undefined);
  }
});

Deno.test("entryOf() knows shared texts by their paths, and what is none of ccsync's", () => {
  const key = keyOf("{{PROJECTS}}/app");
  const entries: Readonly<Record<string, HubEntry>> = {
    "memory": { kind: "directory" },
    [`memory/${key}`]: { kind: "directory" },
    [`memory/${key}/files`]: { kind: "directory" },
    [`memory/${key}/project.json`]: { kind: "memory-project", key },
    [sharedTextPath(key, "deep/a.md")]: { kind: "text", key, path: "deep/a.md" },
    "claude": { kind: "directory" },
    "claude/CLAUDE.md": { kind: "text", key: "claude", path: "CLAUDE.md" },
    "claude/settings.json": { kind: "foreign" },
    "memory/claude/files/CLAUDE.md": { kind: "foreign" },
    [`memory/${key}/other`]: { kind: "foreign" },
    "memory/x": { kind: "foreign" },
  };
  for (const [path, entry] of Object.entries(entries)) assert.deepEqual(entryOf(path), entry, path);
});
