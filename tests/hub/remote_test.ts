import assert from "node:assert/strict";
import { resolve } from "node:path";
import { CcsyncError } from "../../src/errors.ts";
import { isLocal, parseRemote, pathState } from "../../src/hub/remote.ts";
import { Folder } from "../support/folder.ts";

Deno.test("parseRemote() takes URLs as they are", () => {
  const urls = [
    "https://github.com/me/sessions.git",
    "http://host:8080/hub",
    "ssh://git@host:22/srv/hub.git",
    "ssh://host/~me/hub",
    "git://host/hub.git",
    "file:///srv/hub.git",
    "HTTPS://Host/Hub",
    "git@github.com:me/sessions.git",
    "host:hub.git",
    "me@host:~/hub",
  ];
  for (const address of urls) assert.deepEqual(parseRemote(address), { kind: "url", address });
});

Deno.test("isLocal() tells hubs of this machine from those that are elsewhere", () => {
  const here = ["/srv/hub.git", "C:\\hubs\\mine", "\\\\server\\share\\hub", "file:///srv/hub.git"];
  const elsewhere = ["https://host/hub.git", "ssh://host/hub", "git@host:hub.git", "host:hub.git"];
  for (const address of here) assert.ok(isLocal(address), address);
  for (const address of elsewhere) assert.ok(!isLocal(address), address);
});

Deno.test("parseRemote() makes paths absolute", () => {
  const paths = [
    "/srv/hub.git",
    "hub.git",
    "./hub",
    "../hub",
    "dir/a:b",
    "with space",
    "~/hub",
    ".",
  ];
  for (const path of paths) {
    assert.deepEqual(parseRemote(path), { kind: "path", address: resolve(path) });
  }
});

Deno.test("parseRemote() does not take a Windows drive for a host", () => {
  for (const path of ["C:\\hub.git", "C:/hub.git", "c:hub.git"]) {
    assert.equal(parseRemote(path).kind, "path", path);
  }
});

Deno.test("parseRemote() refuses exotic protocols, credentials and what is no address", () => {
  const cases: readonly [address: string, why: RegExp][] = [
    ["", /it is no address/],
    ["  ", /it is no address/],
    ["--upload-pack=evil", /it is no address/],
    ["-x", /it is no address/],
    ["/srv/hub\n", /control characters/],
    ["/srv/\u001b[2J", /control characters/],
    ["ext::sh -c evil", /can run programs/],
    ["EXT::sh", /can run programs/],
    ["fd::7", /can run programs/],
    ["testgit::/x", /can run programs/],
    ["ftp://host/hub", /the protocol ftp is not used/],
    ["javascript://x", /the protocol javascript is not used/],
    ["https://me@host/hub", /credentials/],
    ["https://me:secret@host/hub", /credentials/],
    ["https://me:se@cret@host/hub", /credentials/],
    ["http://token@host/hub", /credentials/],
    ["ssh://me:secret@host/hub", /credentials/],
    ["file://me@host/hub", /credentials/],
  ];
  for (const [address, why] of cases) {
    assert.throws(() => parseRemote(address), (error) => {
      assert.ok(error instanceof CcsyncError);
      assert.equal(error.kind, "usage");
      assert.match(error.message, why);
      assert.equal(error.hints.length, 1);
      assert.doesNotMatch(error.message + error.hints.join(), /secret|cret@|token/);
      return true;
    }, address);
  }
});

Deno.test("pathState() tells what is at a path", () => {
  using folder = new Folder();
  folder.write("bare/HEAD", "ref: refs/heads/main\n");
  folder.write("bare/objects/x", "");
  folder.write("clone/.git/HEAD", "");
  folder.write("worktree/.git", "gitdir: elsewhere\n");
  folder.write("project/README.md", "");
  folder.write("half/HEAD", "");
  folder.write("file", "");
  Deno.mkdirSync(folder.at("empty"));
  const cases: readonly [path: string, state: string][] = [
    ["missing", "nothing"],
    ["missing/below", "nothing"],
    ["empty", "nothing"],
    ["bare", "repository"],
    ["clone", "repository"],
    ["worktree", "repository"],
    ["project", "other"],
    ["half", "other"],
    ["file", "other"],
  ];
  for (const [path, state] of cases) assert.equal(pathState(folder.at(path)), state, path);
});

Deno.test("pathState() looks behind a link", { ignore: Deno.build.os === "windows" }, () => {
  using folder = new Folder();
  folder.write("project/README.md", "");
  Deno.symlinkSync(folder.at("project"), folder.at("link"));
  assert.equal(pathState(folder.at("link")), "other");
});
