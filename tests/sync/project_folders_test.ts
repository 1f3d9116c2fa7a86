import assert from "node:assert/strict";
import type { LocalPath } from "../../src/brands.ts";
import { namesFor, projectFolders } from "../../src/sync/project_folders.ts";
import type { PathStyle } from "../../src/translate/profile.ts";

function folders(projects: string[], home = "/home/u", style: PathStyle = "posix"): string[] {
  return projectFolders(projects as LocalPath[], home as LocalPath, style);
}

Deno.test("projectFolders() finds the folders that projects lie in, the fullest first", () => {
  const rows: [string[], string[]][] = [
    [[], []],
    [["/home/u/projects/app", "/home/u/projects/site"], ["/home/u/projects"]],
    [["/home/u/projects/app", "/home/u/projects/app/sub"], ["/home/u/projects"]],
    [["/home/u/dev/src/a", "/home/u/dev/src/b"], ["/home/u/dev/src"]],
    [["/home/u/dev/src/a", "/home/u/dev/b"], ["/home/u/dev"]],
    [["/home/u/work/a", "/home/u/dev/b", "/home/u/dev/c"], ["/home/u/dev", "/home/u/work"]],
    // In no folder of its own, and no folder at all.
    [["/home/u/notes"], ["/home/u/notes"]],
    [["/home/u", "/"], []],
    [["/srv/www/a", "/srv/www/b", "/app"], ["/srv/www", "/app"]],
    [["/home/user2/x"], ["/home/user2"]],
  ];
  for (const [projects, expected] of rows) assert.deepEqual(folders(projects), expected);
});

Deno.test("projectFolders() knows Windows' paths", () => {
  const projects = ["C:\\Users\\u\\code\\a", "c:\\users\\u\\code\\b", "D:\\work\\x\\y"];
  assert.deepEqual(folders(projects, "C:\\Users\\u", "windows"), [
    "C:\\Users\\u\\code",
    "D:\\work\\x",
  ]);
});

Deno.test("namesFor() makes a name of each folder, none twice", () => {
  const names = (folders: string[], taken: string[] = []) =>
    namesFor(folders as LocalPath[], taken).map(([name]) => name);
  assert.deepEqual(names(["/home/u/dev"]), ["PROJECTS"]);
  assert.deepEqual(names(["/home/u/dev"], ["PROJECTS"]), ["DEV"]);
  assert.deepEqual(names(["/home/u/my-dev", "/srv/my.dev", "/x/2nd", "/é"]), [
    "MY_DEV",
    "MY_DEV_2",
    "P_2ND",
    "PROJECTS",
  ]);
  assert.deepEqual(names(["/a/home", "/b/claude"]), ["HOME_2", "CLAUDE_2"]);
});
