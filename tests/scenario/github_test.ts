/**
 * A hub at GitHub: the real gh and the real git, with a stand-in for GitHub on the loopback.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { EXIT_CODES } from "../../src/errors.ts";
import { lstatIfThere } from "../../src/machine/files.ts";
import { State } from "../../src/machine/state.ts";
import { GITHUB, Github, githubTest } from "../support/github.ts";
import type { ProcessResult } from "../support/process.ts";
import { pathOf } from "../support/programs.ts";
import { type TestMachine, World } from "../support/world.ts";

const HUB = `https://${GITHUB}/alice/claude-sessions.git`;

/** Checks that a command failed with this code and message, and what it says to do. */
function assertFailed(result: ProcessResult, code: number, message: RegExp, hint: RegExp): void {
  assert.equal(result.code, code, result.stderr);
  assert.match(result.stderr, message);
  assert.match(result.stderr, hint);
  assert.doesNotMatch(result.stderr, /ghp_/, "no token");
}

const isSetUp = ({ ccsyncHome }: TestMachine) => lstatIfThere(ccsyncHome) !== undefined;

/** Returns the contents of all files under a directory, one after the other. */
function contentsUnder(path: string): string {
  return [...Deno.readDirSync(path)].map(({ isDirectory, isFile, name }) => {
    const inner = join(path, name);
    if (isDirectory) return contentsUnder(inner);
    return isFile ? new TextDecoder("latin1").decode(Deno.readFileSync(inner)) : "";
  }).join("\n");
}

githubTest(
  "init --yes creates a private repository; another machine joins it; no token is kept",
  async () => {
    await using world = await World.create();
    await using github = await Github.start();
    const { env } = github;
    const laptop = world.machine("laptop", { env });
    const first = await laptop.ccsync("init", "--yes", "--machine-id", "laptop");
    assert.match(first.stdout, new RegExp(`^created the hub ${RegExp.escape(HUB)}$`, "m"));
    assert.deepEqual([...github.repositories], [["alice/claude-sessions", "private"]]);
    const id = laptop.plant("variants/base.jsonl");
    await laptop.ccsync("push");
    const desk = world.machine("desk", { env, projects: "work" });
    const second = await desk.ccsync(
      ...["init", "--repo", "claude-sessions", "--machine-id", "desk"],
      ...["--add-placeholder", `PROJECTS=${desk.projects}`],
    );
    assert.match(second.stdout, new RegExp(`^joined the hub ${RegExp.escape(HUB)}$`, "m"));
    await desk.ccsync("pull");
    assert.ok(desk.has(id));
    for (const machine of [laptop, desk]) {
      assert.doesNotMatch(contentsUnder(machine.home), /ghp_for_tests/);
    }
  },
);

githubTest(
  "git's credentials come from gh, and no helper of the user's is given them",
  async () => {
    await using world = await World.create();
    await using github = await Github.start();
    const kept = join(world.folder, "kept");
    const config = join(world.folder, "gitconfig");
    Deno.writeTextFileSync(config, `[credential]\n\thelper = store --file=${kept}\n`);
    const env = { ...github.env, GIT_CONFIG_GLOBAL: config };
    const laptop = world.machine("laptop", { env });
    await laptop.ccsync("init", "--yes");
    await laptop.ccsync("push");
    assert.equal(lstatIfThere(kept), undefined);
  },
);

githubTest(
  "what gh lacks is said with the command that helps, and nothing is left behind",
  async () => {
    await using world = await World.create();
    await using github = await Github.start();
    const { GH_TOKEN: _, ...loggedOut } = github.env;
    const bin = join(world.folder, "bin");
    Deno.mkdirSync(bin);
    for (const name of ["git", "sh"]) {
      Deno.symlinkSync(pathOf(name) ?? "", join(bin, name));
    }
    const init = async (env: Record<string, string>) => {
      const machine = world.machine("laptop", { env });
      const result = await machine.try("init", "--yes");
      assert.ok(!isSetUp(machine), result.stderr);
      return result;
    };
    const { credentials, setup, unreachable } = EXIT_CODES;
    assertFailed(
      await init({ ...github.env, PATH: bin }),
      setup,
      /gh, the program by which ccsync asks GitHub, is not installed/,
      /^hint: install it from .*, then run: gh auth login/m,
    );
    assertFailed(
      await init(loggedOut),
      credentials,
      /gh is not logged in to github\.localhost/,
      /^hint: run: gh auth login --hostname github\.localhost$/m,
    );
    github.scopes = "gist, read:org";
    assertFailed(
      await init(github.env),
      credentials,
      /lacks the scope "repo"/,
      /scope repo into GH_TOKEN/,
    );
    const hosts = `${github.env["GH_CONFIG_DIR"]}/hosts.yml`;
    Deno.mkdirSync(github.env["GH_CONFIG_DIR"] ?? "", { recursive: true });
    Deno.writeTextFileSync(hosts, `${GITHUB}:\n    oauth_token: ghp_for_tests\n    user: alice\n`);
    assertFailed(
      await init(loggedOut),
      credentials,
      /lacks the scope "repo"/,
      /^hint: run: gh auth refresh --hostname github\.localhost --scopes repo$/m,
    );
    github.isTokenGood = false;
    assertFailed(
      await init(loggedOut),
      credentials,
      /does not accept gh's token any more/,
      /^hint: run: gh auth login --hostname github\.localhost$/m,
    );
    github.trouble = 502;
    assertFailed(
      await init(github.env),
      unreachable,
      /answers with HTTP status 502/,
      /check the network/,
    );
    assertFailed(
      await init({ ...github.env, HTTP_PROXY: "http://127.0.0.1:1" }),
      unreachable,
      /github\.localhost cannot be reached: .*connection refused/,
      /check the network/,
    );
    assert.deepEqual([...github.repositories], []);
  },
);

githubTest("a fine-grained token, which has no scopes, is enough", async () => {
  await using world = await World.create();
  await using github = await Github.start();
  github.scopes = undefined;
  await world.machine("laptop", { env: github.env }).ccsync("init", "--yes");
});

githubTest("a hub that others can read is refused at init, unless that is allowed", async () => {
  await using world = await World.create();
  await using github = await Github.start();
  await github.addRepository("alice/open", "public");
  await github.addRepository("firm/inner", "internal");
  const laptop = world.machine("laptop", { env: github.env });
  for (const hub of [["--repo", "alice/open"], ["--remote", `https://${GITHUB}/alice/open`]]) {
    assertFailed(
      await laptop.try("init", ...hub),
      EXIT_CODES.setup,
      /cannot use the hub "alice\/open": it is public: everybody could read your sessions/,
      /^hint: make it private: gh repo edit alice\/open --visibility private$/m,
    );
    assert.ok(!isSetUp(laptop));
  }
  assertFailed(
    await laptop.try("init", "--repo", "firm/inner"),
    EXIT_CODES.setup,
    /it is internal: everybody in your company could read/,
    /--allow-public/,
  );
  await laptop.ccsync("init", "--repo", "alice/open", "--allow-public");
  laptop.plant("variants/base.jsonl");
  await laptop.ccsync("push");
  const config = JSON.parse(Deno.readTextFileSync(join(laptop.ccsyncHome, "config.json")));
  assert.equal(config.allow_public, true);
  await laptop.ccsync("init", "--repo", "alice/closed");
  const other = JSON.parse(Deno.readTextFileSync(join(laptop.ccsyncHome, "config.json")));
  assert.equal(other.allow_public, undefined, "what was allowed counts for that hub");
});

githubTest(
  "a push asks once a day who can read the hub, and refuses when strangers can",
  async () => {
    await using world = await World.create();
    await using github = await Github.start();
    const laptop = world.machine("laptop", { env: github.env });
    await laptop.ccsync("init", "--yes");
    const asked = () => github.asked.filter((what) => what.startsWith("GET /repos/")).length;
    const before = asked();
    const id = laptop.plant("variants/base.jsonl");
    await laptop.ccsync("push");
    assert.equal(asked(), before, "init has asked today");
    github.repositories.set("alice/claude-sessions", "public");
    laptop.append(id, '{"type":"x"}\n');
    forgetDay(laptop);
    assertFailed(
      await laptop.try("push"),
      EXIT_CODES.setup,
      /it is public: everybody could read your sessions/,
      /nothing was sent/,
    );
    github.repositories.set("alice/claude-sessions", "private");
    await laptop.ccsync("push");
    assert.equal(asked(), before + 2);
    laptop.append(id, '{"type":"y"}\n');
    await laptop.ccsync("push");
    assert.equal(asked(), before + 2);
  },
);

githubTest("a push goes on where GitHub does not tell who can read the hub", async () => {
  await using world = await World.create();
  await using github = await Github.start();
  const laptop = world.machine("laptop", { env: github.env });
  await laptop.ccsync("init", "--yes");
  laptop.plant("variants/base.jsonl");
  forgetDay(laptop);
  github.trouble = 503;
  const { stderr } = await laptop.ccsync("push", "--verbose");
  assert.match(stderr, /cannot tell who can read the hub: .*HTTP status 503/);
});

githubTest("doctor tells who can read the hub, and what gh lacks to tell it", async () => {
  await using world = await World.create();
  await using github = await Github.start();
  const laptop = world.machine("laptop", { env: github.env });
  await laptop.ccsync("init", "--yes");
  const examine = async (code: number) => {
    const { stdout } = await laptop.try("doctor", "--json").then((result) => {
      assert.equal(result.code, code, result.stdout + result.stderr);
      return result;
    });
    const lines: { topic: string; level: string; what: string; mend?: string }[] = JSON.parse(
      stdout,
    );
    return (topic: string) => lines.find((line) => line.topic === topic);
  };
  const good = await examine(0);
  assert.match(
    good("gh")?.what ?? "",
    /^version \S+, \/.*gh, logged in to github\.localhost as alice$/,
  );
  assert.equal(good("readers")?.what, "it is private");
  github.repositories.set("alice/claude-sessions", "public");
  const open = (await examine(EXIT_CODES.failed))("readers");
  assert.equal(open?.level, "error");
  assert.match(open?.mend ?? "", /gh repo edit alice\/claude-sessions --visibility private/);
  github.scopes = "gist";
  const narrow = (await examine(0))("gh");
  assert.equal(narrow?.level, "warning");
  assert.match(narrow?.mend ?? "", /put a token with the scope repo into GH_TOKEN/);
});

/** Makes the machine believe that it never asked who can read the hub. */
function forgetDay({ ccsyncHome }: TestMachine): void {
  using state = State.open(ccsyncHome, assert.fail);
  state.forgetFact("readers_checked");
}

githubTest("a repository that is no hub is refused, and stays as it is", async () => {
  await using world = await World.create();
  await using github = await Github.start();
  await github.addRepository("alice/claude-sessions");
  const git = async (...args: string[]) => {
    const path = github.path("alice/claude-sessions");
    await new Deno.Command("git", { args: ["--git-dir", path, ...args], stdout: "null" }).output();
  };
  const tree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
  await git(
    "-c",
    "user.name=x",
    "-c",
    "user.email=x@x",
    "hash-object",
    "-t",
    "tree",
    "-w",
    "/dev/null",
  );
  const { stdout } = await new Deno.Command("git", {
    args: ["--git-dir", github.path("alice/claude-sessions"), "-c", "user.name=x"]
      .concat(["-c", "user.email=x@x", "commit-tree", tree, "-m", "mine"]),
  }).output();
  await git("update-ref", "refs/heads/main", new TextDecoder().decode(stdout).trim());
  const laptop = world.machine("laptop", { env: github.env });
  assertFailed(
    await laptop.try("init", "--yes"),
    EXIT_CODES.setup,
    /it is a git repository, but not a hub of ccsync/,
    /nothing was changed/,
  );
  assert.ok(!isSetUp(laptop));
});

githubTest(
  "a repository that was created stays when git then fails, and init again uses it",
  async () => {
    await using world = await World.create();
    await using github = await Github.start();
    const broken = { ...github.env, HTTPS_PROXY: "http://127.0.0.1:1" };
    const first = await world.machine("laptop", { env: broken }).try("init", "--yes");
    assertFailed(
      first,
      EXIT_CODES.unreachable,
      /the hub cannot be reached/,
      /claude-sessions\.git is there now, empty; running ccsync init again uses it/,
    );
    assert.ok(!isSetUp(world.machine("laptop")));
    const laptop = world.machine("laptop", { env: github.env });
    assert.match((await laptop.ccsync("init", "--yes")).stdout, /^joined the hub/m);
  },
);

githubTest("what is no repository's name is refused before anybody is asked", async () => {
  await using world = await World.create();
  await using github = await Github.start();
  const laptop = world.machine("laptop", { env: github.env });
  for (const name of ["a/b/c", "https://x/y", "you/..", "-x/y", "", "a b"]) {
    const result = await laptop.try("init", `--repo=${name}`);
    assertFailed(result, EXIT_CODES.usage, /it is not OWNER\/NAME/, /--repo you\/claude-sessions/);
  }
  const both = await laptop.try("init", "--repo", "x", "--remote", "/x");
  assertFailed(both, EXIT_CODES.usage, /cannot use both --remote and --repo/, /for GitHub/);
  assert.deepEqual(github.asked, []);
});
