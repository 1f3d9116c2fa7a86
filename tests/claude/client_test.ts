import assert from "node:assert/strict";
import type { LocalPath } from "../../src/brands.ts";
import { findClient } from "../../src/claude/client.ts";
import { Folder } from "../support/folder.ts";

function program(folder: Folder, path: string, mode = 0o755): string {
  const full = folder.write(path, "#!/bin/sh\n");
  Deno.chmodSync(full, mode);
  return full;
}

function find(folder: Folder, claudeProgram: string, searchPath: readonly string[]): string {
  const home = folder.at("home") as LocalPath;
  return findClient({ claudeProgram, home, os: "linux", searchPath });
}

Deno.test("findClient() takes the first program on the PATH, else one in a usual place", () => {
  using folder = new Folder();
  program(folder, "data/claude", 0o644);
  const first = program(folder, "one/claude");
  program(folder, "two/claude");
  const path = [folder.at("nothing"), folder.at("data"), folder.at("one"), folder.at("two")];
  assert.equal(find(folder, "claude", path), first);
  const usual = program(folder, "home/.local/bin/claude");
  assert.equal(find(folder, "claude", [folder.at("data")]), usual);
});

Deno.test("findClient() takes a path as it is, and says what to do where there is nothing", () => {
  using folder = new Folder();
  const beta = program(folder, "opt/claude beta");
  assert.equal(find(folder, beta, []), beta);
  for (const name of ["claude", folder.at("none"), folder.at("opt")]) {
    assert.throws(() => find(folder, name, []), /cannot start Claude Code: there is no program/);
  }
});

Deno.test("findClient() on Windows takes what Windows can run", () => {
  using folder = new Folder();
  program(folder, "npm/claude");
  const cmd = program(folder, "npm/claude.cmd");
  const home = folder.at("home") as LocalPath;
  const searchPath = [folder.at("npm")];
  assert.equal(findClient({ claudeProgram: "claude", home, os: "windows", searchPath }), cmd);
});
