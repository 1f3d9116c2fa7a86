import assert from "node:assert/strict";
import type { LocalPath, PortablePath } from "../../src/brands.ts";
import { localPath, portablePath } from "../../src/translate/paths.ts";
import type { Profile } from "../../src/translate/profile.ts";
import { Translator } from "../../src/translate/translator.ts";
import { LINUX, MACOS, SERVER, WINDOWS } from "./support.ts";

const json = (of: Profile): Translator => new Translator(of, "json");

Deno.test("portablePath() and localPath() carry a path to every machine", () => {
  const rows = [
    ["/home/alice/projects/My App, v1: x", "{{PROJECTS}}/My App, v1: x", "D:\\work\\My App, v1: x"],
    ["/home/alice/projects", "{{PROJECTS}}", "D:\\work"],
    ["/home/alice", "{{HOME}}", "C:\\Users\\alice"],
    ["/home/alice/{{HOME}}/a", "{{HOME}}/{{~HOME}}/a", "C:\\Users\\alice\\{{HOME}}\\a"],
    ["/srv/x", "/srv/x", "/srv/x"],
    ['/home/alice/a"b', '{{HOME}}/a"b', 'C:\\Users\\alice\\a"b'],
    ["/home/alice/😀\ud800", "{{HOME}}/😀\ud800", "C:\\Users\\alice\\😀\ud800"],
  ] as const;
  for (const [linux, expected, windows] of rows) {
    const portable = portablePath(json(LINUX), linux as LocalPath);
    assert.equal(portable, expected);
    assert.deepEqual(localPath(json(LINUX), portable), { path: linux });
    assert.deepEqual(localPath(json(WINDOWS), portable), { path: windows });
  }
});

Deno.test("localPath() names the placeholders that have no path here", () => {
  const found = localPath(json(LINUX), "{{WORK}}/a" as PortablePath);
  assert.deepEqual(found, { unmapped: new Set(["WORK"]) });
});

Deno.test("portablePath() of one project is the same on every machine", () => {
  const paths = [
    [LINUX, "/home/alice/projects/a/b"],
    [MACOS, '/Volumes/Daten & Bücher/it\'s "work"/a/b'],
    [WINDOWS, "D:\\work\\a\\b"],
    [SERVER, "P:\\a\\b"],
  ] as const;
  for (const [machine, path] of paths) {
    assert.equal(portablePath(json(machine), path as LocalPath), "{{PROJECTS}}/a/b");
  }
});
