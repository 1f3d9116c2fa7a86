import assert from "node:assert/strict";
import {
  packageManagerOf,
  removeReplaced,
  replaceExecutable,
  unpack,
} from "../../src/machine/installation.ts";
import { compareVersions } from "../../src/version.ts";
import { Folder } from "../support/folder.ts";
import { runToEnd } from "../support/process.ts";

Deno.test("packageManagerOf() knows who installed an executable, by its path", () => {
  const cases: Readonly<Record<string, string | undefined>> = {
    "/opt/homebrew/Cellar/ccsync/0.1.0/bin/ccsync": "brew upgrade ccsync",
    "/usr/local/Cellar/ccsync/0.1.0/bin/ccsync": "brew upgrade ccsync",
    "/home/linuxbrew/.linuxbrew/Cellar/ccsync/0.1.0/bin/ccsync": "brew upgrade ccsync",
    "C:\\Users\\you\\scoop\\apps\\ccsync\\current\\ccsync.exe": "scoop update ccsync",
    "C:\\Users\\you\\AppData\\Local\\Microsoft\\WinGet\\Packages\\ccsync_x\\ccsync.exe":
      "winget upgrade ccsync",
    "/nix/store/abc-ccsync-0.1.0/bin/ccsync": "nix profile upgrade ccsync",
    "/home/you/.local/bin/ccsync": undefined,
    "/home/brewster/scoops/ccsync": undefined,
    "C:\\Users\\you\\AppData\\Local\\Programs\\ccsync\\ccsync.exe": undefined,
  };
  for (const [path, command] of Object.entries(cases)) {
    assert.equal(packageManagerOf(path)?.command, command, path);
  }
});

Deno.test("replaceExecutable() keeps all old files on Windows, until removeReplaced()", () => {
  using folder = new Folder();
  const executable = folder.write("ccsync.exe", "older");
  folder.write("ccsync.exe.old", "of the install script");
  for (const text of ["old", "new"]) {
    replaceExecutable("windows", executable, folder.write("next", text));
    assert.equal(Deno.readTextFileSync(executable), text);
  }
  const others = folder.names().filter((name) => name !== "ccsync.exe");
  assert.deepEqual(
    others.map((name) => Deno.readTextFileSync(folder.at(name))).sort(),
    ["of the install script", "old", "older"],
  );
  removeReplaced({ executable, os: "windows" });
  removeReplaced({ executable, os: "windows" });
  assert.deepEqual(folder.names(), ["ccsync.exe"]);
});

Deno.test("replaceExecutable() puts the old file back on Windows where the new one cannot come", () => {
  using folder = new Folder();
  const executable = folder.write("ccsync.exe", "old");
  assert.throws(() => replaceExecutable("windows", executable, folder.at("missing")));
  assert.equal(Deno.readTextFileSync(executable), "old");
  assert.deepEqual(folder.names(), ["ccsync.exe"]);
});

Deno.test("removeReplaced() leaves what still runs, and removes the others", () => {
  using folder = new Folder();
  const executable = folder.write("ccsync.exe", "it");
  // A directory with something in it refuses to be removed, as a running program does.
  folder.write("ccsync.exe.a.old/running", "");
  folder.write("ccsync.exe.b.old", "older");
  removeReplaced({ executable, os: "windows" });
  assert.deepEqual(folder.names(), ["ccsync.exe", "ccsync.exe.a.old"]);
});

Deno.test("removeReplaced() touches nothing elsewhere, and from source", () => {
  using folder = new Folder();
  const executable = folder.write("ccsync", "it");
  folder.write("ccsync.old", "somebody's");
  removeReplaced({ executable, os: "linux" });
  removeReplaced({ executable: undefined, os: "windows" });
  assert.deepEqual(folder.names(), ["ccsync", "ccsync.old"]);
});

Deno.test("compareVersions() orders versions and those that prepare them", () => {
  const ascending = [
    "0.1.0",
    "0.2.0-alpha",
    "0.2.0-alpha.1",
    "0.2.0-alpha.beta",
    "0.2.0-beta.2",
    "0.2.0-beta.11",
    "0.2.0-rc.1",
    "0.2.0",
    "0.10.0",
    "1.0.0",
  ];
  for (const [i, a] of ascending.entries()) {
    for (const [j, b] of ascending.entries()) {
      assert.equal(Math.sign(compareVersions(a, b)), Math.sign(i - j), `${a} ${b}`);
    }
  }
});

Deno.test("unpack() takes one file, and says what keeps it from that", async () => {
  using folder = new Folder();
  folder.write("a-1/ccsync", "it");
  folder.write("a-1/LICENSE", "MIT");
  await runToEnd("tar", { args: ["-czf", "a.tar.gz", "a-1"], cwd: folder.path });
  Deno.removeSync(folder.at("a-1"), { recursive: true });
  const here = { os: Deno.build.os, searchPath: [] };
  const path = await unpack(here, folder.path, "a.tar.gz", "a-1/ccsync");
  assert.equal(Deno.readTextFileSync(path), "it");
  assert.deepEqual(folder.names("a-1"), ["ccsync"]);
  await assert.rejects(unpack(here, folder.path, "a.tar.gz", "a-1/other"), /cannot unpack "a\.tar/);
  folder.write("broken.tar.gz", "nonsense");
  await assert.rejects(unpack(here, folder.path, "broken.tar.gz", "x"), /cannot unpack "broken/);
});

Deno.test("unpack() takes the tar of Windows itself, whatever comes first on the PATH", async () => {
  using folder = new Folder();
  const system = { os: "windows" as const, searchPath: ["/git/usr/bin", folder.at("System32")] };
  const program = `there is no program "${folder.at("System32", "tar.exe")}"`;
  await assert.rejects(unpack(system, folder.path, "a.zip", "ccsync.exe"), (error) => {
    return error instanceof Error && error.message.includes(program);
  });
});
