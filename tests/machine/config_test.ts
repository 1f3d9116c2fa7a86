import assert from "node:assert/strict";
import type { LocalPath, MachineId, PlaceholderName } from "../../src/brands.ts";
import { CcsyncError } from "../../src/errors.ts";
import {
  checkDirectory,
  checkPlaceholder,
  checkPlaceholders,
  type Config,
  configPath,
  DEFAULT_TIMES,
  parseConfig,
  readConfig,
  readConfigIfThere,
  writeConfig,
} from "../../src/machine/config.ts";
import type { PathStyle } from "../../src/translate/profile.ts";
import { Folder } from "../support/folder.ts";

const PATH = "/home/u/.claude-session-sync/config.json";

/** A configuration file that is as it should be. */
const GOOD = {
  format: 1,
  machine_id: "laptop",
  installation: "0123456789abcdef",
  remote: "/srv/hub.git",
  sync_directories: ["/home/u/projects"],
  custom_placeholders: { PROJECTS: "/home/u/projects" },
};

const parse = (raw: unknown, style: PathStyle = "posix") =>
  parseConfig(typeof raw === "string" ? raw : JSON.stringify(raw), PATH, style);

function errorOf(work: () => unknown): CcsyncError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof CcsyncError);
    return error;
  }
  return assert.fail("nothing was thrown");
}

/** Returns the file without a key. */
function without(key: keyof typeof GOOD): Record<string, unknown> {
  return Object.fromEntries(Object.entries(GOOD).filter(([name]) => name !== key));
}

Deno.test("parseConfig() reads a good file", () => {
  const config = parse(GOOD);
  assert.deepEqual(config, {
    ...DEFAULT_TIMES,
    machineId: "laptop",
    installation: "0123456789abcdef",
    remote: "/srv/hub.git",
    syncDirectories: ["/home/u/projects"],
    placeholders: new Map([["PROJECTS", "/home/u/projects"]]),
  });
});

Deno.test("parseConfig() reads the original's file, whose owner and repository name the hub", () => {
  const config = parse({
    machine_id: "ubuntu-work",
    github_owner: "your-username",
    github_repo: "claude-sessions",
    sync_directories: ["/home/your-username/projects"],
    custom_placeholders: { PROJECTS: "/home/your-username/projects" },
  });
  assert.equal(config.remote, "https://github.com/your-username/claude-sessions.git");
  assert.deepEqual(config.github, { owner: "your-username", repo: "claude-sessions" });
  assert.equal(config.installation, "");
});

Deno.test("parseConfig() lets the remote come before the original's keys", () => {
  const config = parse({ ...GOOD, github_owner: "a", github_repo: "b" });
  assert.equal(config.remote, GOOD.remote);
  assert.deepEqual(config.github, { owner: "a", repo: "b" });
});

Deno.test("parseConfig() names the key that is wrong, and says what is wrong with it", () => {
  const cases: readonly [raw: unknown, key: string, why: RegExp][] = [
    [without("machine_id"), "machine_id", /is missing/],
    [without("remote"), "remote", /is missing/],
    [without("sync_directories"), "sync_directories", /is missing/],
    [without("custom_placeholders"), "custom_placeholders", /is missing/],
    [{ ...GOOD, machine_id: 5 }, "machine_id", /Expected string/],
    [{ ...GOOD, machine_id: "" }, "machine_id", /must not be empty/],
    [{ ...GOOD, machine_id: "../other" }, "machine_id", /letters, digits/],
    [{ ...GOOD, machine_id: "a b" }, "machine_id", /letters, digits/],
    [{ ...GOOD, machine_id: "x".repeat(65) }, "machine_id", /1 to 64/],
    [{ ...GOOD, remote: "" }, "remote", /must not be empty/],
    [{ ...without("remote"), github_owner: "me" }, "remote", /is missing/],
    [{ ...without("remote"), github_owner: "", github_repo: "" }, "remote", /is missing/],
    [{ ...GOOD, installation: 1 }, "installation", /Expected string/],
    [{ ...GOOD, format: "1" }, "format", /Expected number/],
    [{ ...GOOD, sync_directories: "/x" }, "sync_directories", /Expected Array/],
    [{ ...GOOD, sync_directories: [1] }, "sync_directories.0", /Expected string/],
    [{ ...GOOD, sync_directories: ["/x", ""] }, "sync_directories.1", /must not be empty/],
    [
      { ...GOOD, sync_directories: ["projects"] },
      "sync_directories",
      /"projects" is not an absolute/,
    ],
    [{ ...GOOD, sync_directories: ["~/projects"] }, "sync_directories", /is not an absolute/],
    [{ ...GOOD, custom_placeholders: "x" }, "custom_placeholders", /Expected Object/],
    [{ ...GOOD, custom_placeholders: { A: 1 } }, "custom_placeholders.A", /Expected string/],
    [
      { ...GOOD, custom_placeholders: { lower: "/x" } },
      "custom_placeholders",
      /"lower": it breaks/,
    ],
    [{ ...GOOD, custom_placeholders: { A: "x" } }, "custom_placeholders", /not an absolute path/],
    [{ ...GOOD, custom_placeholders: { HOME: "/x" } }, "custom_placeholders", /it is built in/],
    [{ ...GOOD, typo: 1 }, "typo", /is an unknown key/],
  ];
  for (const [raw, key, why] of cases) {
    const { hints, kind, message } = errorOf(() => parse(raw));
    assert.equal(kind, "setup", key);
    assert.ok(message.startsWith(`cannot read the configuration "${PATH}": ${key}: `), message);
    assert.match(message, why);
    assert.deepEqual(hints, [`mend ${key} in the file; nothing was changed`]);
  }
});

Deno.test("parseConfig() says so where the file is no configuration at all", () => {
  for (const content of ["", "{", "machine_id: laptop", '{"machine_id": "x",}']) {
    const { kind, message } = errorOf(() => parse(content));
    assert.equal(kind, "setup");
    assert.match(message, /: it is not JSON$/, content);
  }
  for (const content of ["null", "7", '"x"', "true"]) {
    const { hints, kind } = errorOf(() => parse(content));
    assert.equal(kind, "setup");
    assert.deepEqual(hints, ["mend the file; nothing was changed"], content);
  }
});

Deno.test("parseConfig() refuses a newer format, whatever else it says", () => {
  const { hints, kind, message } = errorOf(() => parse({ format: 2, anything: [] }));
  assert.equal(kind, "setup");
  assert.match(message, /it has format 2, this version knows 1/);
  assert.match(hints.join(), /newest ccsync/);
});

Deno.test("checkDirectory() returns one spelling of an absolute path, or refuses", () => {
  const cases: readonly [PathStyle, directory: string, normal: string | undefined][] = [
    ["posix", "/", "/"],
    ["posix", "/home/u/", "/home/u"],
    ["posix", "//home//u/../v", "/home/v"],
    ["posix", "/ends\\", "/ends\\"],
    ["posix", "home", undefined],
    ["posix", "", undefined],
    ["posix", "C:\\work", undefined],
    ["windows", "C:\\", "C:\\"],
    ["windows", "D:/work/app/", "D:\\work\\app"],
    ["windows", "C:\\a\\..\\b", "C:\\b"],
    ["windows", "\\\\server\\share", "\\\\server\\share\\"],
    ["windows", "\\\\server\\share\\work\\", "\\\\server\\share\\work"],
    ["windows", "C:", undefined],
    ["windows", "C:work", undefined],
    ["windows", "\\work", undefined],
    ["windows", "/work", undefined],
  ];
  for (const [style, directory, normal] of cases) {
    const check = () => checkDirectory(directory, style, (why) => new CcsyncError("usage", why));
    if (normal === undefined) {
      assert.match(errorOf(check).message, /is not an absolute path$/, directory);
      continue;
    }
    assert.equal(check(), normal, directory);
    assert.equal(checkDirectory(normal, style, () => assert.fail(directory)), normal);
  }
});

Deno.test("checkPlaceholder() refuses what cannot stand for a directory", () => {
  const cases: readonly [PathStyle, name: string, path: string, why: RegExp][] = [
    ["posix", "projects", "/x", /breaks the rule/],
    ["posix", "1ST", "/x", /breaks the rule/],
    ["posix", "_X", "/x", /breaks the rule/],
    ["posix", "", "/x", /breaks the rule/],
    ["posix", "A}}", "/x", /breaks the rule/],
    ["posix", "A".repeat(65), "/x", /breaks the rule/],
    ["posix", "HOME", "/x", /built in/],
    ["posix", "CLAUDE", "/x", /built in/],
    ["posix", "CLAUDE_TMP", "/x", /built in/],
    ["posix", "A", "x", /not an absolute path/],
    ["posix", "A", "", /not an absolute path/],
    ["posix", "A", "/", /root of the file system/],
    ["posix", "A", "/a/..", /root of the file system/],
    ["posix", "A", "/a\nb", /control characters/],
    ["windows", "A", "/x", /not an absolute path/],
    ["windows", "A", "C:x", /not an absolute path/],
    ["windows", "A", "C:\\a?b", /does not allow/],
  ];
  for (const [style, name, path, why] of cases) {
    const { hints, kind, message } = errorOf(() => checkPlaceholder(name, path, style));
    assert.equal(kind, "usage", `${name}=${path}`);
    assert.match(message, why, `${name}=${path}`);
    assert.equal(hints.length, 1);
  }
});

Deno.test("checkPlaceholder() returns the root in its one spelling", () => {
  assert.deepEqual(checkPlaceholder("A_1", "/x//y/", "posix"), { name: "A_1", root: "/x/y" });
  assert.deepEqual(checkPlaceholder("A", "c:/work/", "windows"), { name: "A", root: "C:\\work" });
  assert.deepEqual(checkPlaceholder("A", "d:\\", "windows"), { name: "A", root: "D:" });
});

Deno.test("checkPlaceholders() gives every placeholder a directory of its own", () => {
  const { kind, message } = errorOf(() => checkPlaceholders([["A", "/x"], ["B", "/x/"]], "posix"));
  assert.equal(kind, "usage");
  assert.match(message, /"B": it is the path of "A" already/);
  const nested = checkPlaceholders([["A", "/x"], ["B", "/x/y"], ["A", "/z"]], "posix");
  assert.deepEqual([...nested], [["A", "/z"], ["B", "/x/y"]]);
});

Deno.test("readConfig() says how to set up a machine that is not", () => {
  using folder = new Folder();
  assert.equal(readConfigIfThere(folder.path, "posix"), undefined);
  const { hints, kind } = errorOf(() => readConfig(folder.path, "posix"));
  assert.equal(kind, "setup");
  assert.match(hints.join(), /ccsync init/);
});

Deno.test("writeConfig() writes what readConfig() reads", () => {
  using folder = new Folder();
  const home = folder.at("new", "home");
  const plain: Config = {
    machineId: "laptop" as MachineId,
    installation: "abc",
    remote: "https://host/hub.git",
    syncDirectories: ["/", "/home/u/Übung 会", "/tmp"] as LocalPath[],
    placeholders: new Map([["PROJECTS" as PlaceholderName, "/home/u/pro jects" as LocalPath]]),
    ...DEFAULT_TIMES,
  };
  const github = { owner: "me", repo: "sessions" };
  for (
    const config of [plain, { ...plain, github }, { ...plain, allowPublic: true }, {
      ...plain,
      interval: 5,
      lockTtl: 30,
    }]
  ) {
    writeConfig(home, config);
    assert.deepEqual(readConfig(home, "posix"), config);
  }
  assert.deepEqual(folder.names("new/home"), ["config.json"]);
});

Deno.test("writeConfig() keeps a whole drive readable", () => {
  using folder = new Folder();
  const raw = { ...GOOD, sync_directories: ["D:\\"], custom_placeholders: { WORK: "D:\\" } };
  writeConfig(folder.path, parse(raw, "windows"));
  const config = readConfig(folder.path, "windows");
  assert.deepEqual(config.syncDirectories, ["D:\\"]);
  assert.deepEqual([...config.placeholders], [["WORK", "D:"]]);
});

Deno.test("writeConfig() keeps the original's keys as they are", () => {
  using folder = new Folder();
  writeConfig(folder.path, parse({ ...GOOD, github_owner: "me", github_repo: "sessions" }));
  const raw: unknown = JSON.parse(Deno.readTextFileSync(configPath(folder.path)));
  assert.deepEqual(raw, { ...GOOD, github_owner: "me", github_repo: "sessions" });
});
