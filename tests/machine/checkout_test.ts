import assert from "node:assert/strict";
import { branchOf } from "../../src/machine/checkout.ts";
import { Folder } from "../support/folder.ts";

Deno.test("branchOf() reads the branch of a repository, of its directories, and of its worktrees", () => {
  using folder = new Folder();
  folder.write("app/.git/HEAD", "ref: refs/heads/topic/x\n");
  folder.write("app/src/a.ts", "");
  folder.write("app/.git/worktrees/w/HEAD", "ref: refs/heads/other\n");
  folder.write("w/.git", `gitdir: ${folder.at("app/.git/worktrees/w")}\n`);
  folder.write("relative/.git", "gitdir: ../app/.git/worktrees/w\n");
  assert.equal(branchOf(folder.at("app")), "topic/x");
  assert.equal(branchOf(folder.at("app/src")), "topic/x");
  assert.equal(branchOf(folder.at("w")), "other");
  assert.equal(branchOf(folder.at("relative")), "other");
});

Deno.test("branchOf() says nothing where there is no branch to tell", () => {
  using folder = new Folder();
  folder.write("detached/.git/HEAD", "0123456789012345678901234567890123456789\n");
  folder.write("reftable/.git/HEAD", "ref: refs/heads/.invalid\n");
  folder.write("broken/.git", "what is this\n");
  for (const name of ["detached", "reftable"]) assert.equal(branchOf(folder.at(name)), undefined);
});
