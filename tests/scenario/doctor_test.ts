/**
 * `ccsync doctor` and `ccsync status` on machines with something wrong.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { EXIT_CODES } from "../../src/errors.ts";
import { described, type ProcessResult, until } from "../support/process.ts";
import { promptLine, STAYS_OPEN, type TestMachine, World } from "../support/world.ts";

const ID = "4aaaaaaa-0000-4000-8000-000000000001";

function write(
  machine: TestMachine,
  text: string,
  cwd = machine.own(join(machine.projects, "app")),
): void {
  machine.write(ID, promptLine({ id: ID, cwd, text }));
}

interface Line {
  readonly topic: string;
  readonly level: string;
  readonly what: string;
  readonly mend?: string;
  readonly isMended: boolean;
}

async function examine(machine: TestMachine, code = 0, ...args: string[]): Promise<Line[]> {
  const result = await machine.try("doctor", "--json", ...args);
  assert.equal(result.code, code, described(result));
  return JSON.parse(result.stdout);
}

/** Asserts that there is a line of this topic and level that says so, with something that mends it. */
function assertFound(lines: readonly Line[], topic: string, level: string, what: RegExp): Line {
  const found = lines.find((line) =>
    line.topic === topic && line.level === level && what.test(line.what)
  );
  assert.ok(found !== undefined, JSON.stringify(lines, null, 2));
  if (level !== "ok") assert.ok(found.mend, found.what);
  return found;
}

/** A machine with a session in step, and a program in Claude Code's place. */
async function healthy(world: World, id = "laptop"): Promise<TestMachine> {
  const machine = await world.joined(id);
  machine.scriptClaude('[ "$1" = --version ] && echo 9.9.9');
  write(machine, "Hello");
  await machine.ccsync("push");
  return machine;
}

Deno.test("doctor finds nothing wrong with a good set-up, and ends with 0", async () => {
  await using world = await World.create();
  const lines = await examine(await healthy(world));
  assert.deepEqual(lines.filter(({ level }) => level !== "ok"), []);
  assertFound(lines, "claude", "ok", /9\.9\.9/);
  assertFound(lines, "hub", "ok", /may write/);
});

Deno.test("doctor says what is missing: set-up, Claude Code, the hub", async () => {
  await using world = await World.create();
  const fresh = world.machine("fresh");
  const lines = await examine(fresh, EXIT_CODES.failed);
  assertFound(lines, "set-up", "error", /this machine is not set up/);
  assertFound(lines, "claude", "warning", /there is no program/);
  const laptop = await healthy(world);
  Deno.renameSync(world.hub, `${world.hub}.away`);
  const offline = await examine(laptop, EXIT_CODES.failed);
  assertFound(offline, "hub", "error", /cannot be reached/);
  assertFound(offline, "pushed", "ok", /all sessions/);
});

Deno.test("doctor tells of placeholders that lead nowhere, and of those unknown here", async () => {
  await using world = await World.create();
  await healthy(world);
  const desk = world.machine("desk");
  const nowhere = join(desk.home, "nowhere");
  await desk.ccsync(
    ...["init", "--remote", world.hub, "--machine-id", "desk", "--sync-dir", desk.home],
    ...["--add-placeholder", `WORK=${nowhere}`, "--yes"],
  );
  const lines = await examine(desk);
  assertFound(lines, "placeholders", "warning", /WORK is ".*nowhere" here, and there is no such/);
  const unknown = assertFound(
    lines,
    "placeholders",
    "warning",
    /PROJECTS has no path .* 1 sessions/,
  );
  assert.match(unknown.mend ?? "", /ccsync config add-placeholder PROJECTS=/);
});

Deno.test("doctor tells of what is not synced, not pushed, and deleted soon", async () => {
  await using world = await World.create();
  const laptop = await healthy(world);
  write(laptop, "Hello again");
  const day = 86_400;
  const old = Date.now() / 1000 - 25 * day;
  Deno.utimeSync(laptop.transcriptPath(ID), old, old);
  const elsewhere = "4bbbbbbb-0000-4000-8000-000000000002";
  laptop.write(elsewhere, promptLine({ id: elsewhere, cwd: "/srv/other", text: "Other" }), "other");
  const lines = await examine(laptop);
  assertFound(
    lines,
    "scope",
    "warning",
    /1 sessions are outside the sync directories: \/srv\/other/,
  );
  assertFound(lines, "pushed", "warning", /lines that are on this machine only/);
  assertFound(lines, "retention", "warning", /deletes 4aaaaaaa "Hello.*" within 7 days/);
});

Deno.test("doctor --fix mends permissions and locks that were left behind, and nothing else", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using world = await World.create();
  const laptop = await healthy(world);
  Deno.mkdirSync(join(laptop.projects, "app"));
  const config = join(laptop.ccsyncHome, "config.json");
  Deno.chmodSync(config, 0o644);
  laptop.scriptClaude(STAYS_OPEN);
  await using running = await laptop.start("resume", ID);
  await until("the lock", () => world.hubLock(ID));
  running.signal("SIGKILL");
  laptop.closeClient();
  await running.ended;
  const before = await examine(laptop);
  assertFound(before, "files", "warning", /can read ".*config\.json"/);
  assertFound(before, "locks", "warning", /its process has ended/);
  const mended = await examine(laptop, 0, "--fix");
  assert.equal(mended.filter(({ isMended }) => isMended).length, 2);
  assert.equal((Deno.statSync(config).mode ?? 0) & 0o777, 0o600);
  assert.equal(await world.hubLock(ID), undefined);
  assert.deepEqual((await examine(laptop)).filter(({ level }) => level !== "ok"), []);
});

Deno.test("doctor looks at hooks; status shows the daemon, and when other machines were seen", async () => {
  await using world = await World.create();
  const laptop = await healthy(world);
  assertFound(await examine(laptop), "hooks", "ok", /^none/);
  await laptop.ccsync("setup-hooks");
  assertFound(await examine(laptop), "hooks", "ok", /all of them are in .*settings\.json/);
  const settings = join(laptop.claude, "settings.json");
  const text = Deno.readTextFileSync(settings);
  Deno.writeTextFileSync(
    settings,
    text.replace(/"command": "[^"]* hook stop"/, '"command": "true"'),
  );
  assertFound(await examine(laptop), "hooks", "warning", /some are missing/);
  Deno.writeTextFileSync(settings, "{");
  assertFound(await examine(laptop), "hooks", "warning", /line 1 is no JSON/);
  const desk = await world.joined("desk");
  await desk.ccsync("daemon", "--once");
  await desk.ccsync("pull");
  const { stdout } = await desk.ccsync("status");
  assert.match(stdout, /^daemon {5}not running, last run just now$/m);
  assert.match(stdout, /^other {6}laptop \(\w+\), last seen just now$/m);
});

Deno.test("doctor tells of a clock that is behind the hub", async () => {
  await using world = await World.create();
  const laptop = await healthy(world);
  const time = Math.floor(Date.now() / 1000) + 3600;
  const data = `commit refs/heads/main\ncommitter desk <desk@ccsync> ${time} +0000\ndata 1\nx\n`;
  const stream = `${data}from refs/heads/main^0\n`;
  const child = new Deno.Command("git", {
    args: ["--git-dir", world.hub, "fast-import", "--quiet"],
    stdin: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stream));
  await writer.close();
  assert.ok((await child.status).success);
  assertFound(await examine(laptop), "clock", "warning", /by desk, is 60 min ahead/);
});

Deno.test("doctor's lines say what mends each", async () => {
  await using world = await World.create();
  const laptop = await healthy(world);
  write(laptop, "Not pushed");
  const { stdout, stderr }: ProcessResult = await laptop.ccsync("doctor");
  assert.match(stdout, /^warning {2}pushed .*\n {23}-> ccsync push$/m);
  assert.match(stderr, /0 errors, 1 warnings/);
});

Deno.test("status --short is one line that asks no other program", async () => {
  await using world = await World.create();
  const laptop = await healthy(world);
  const bare = world.machine("laptop", { env: { PATH: "/nowhere" } });
  const { stdout } = await bare.ccsync("status", "--short");
  assert.equal(stdout, "laptop: pushed just now, pulled never\n");
  Deno.utimeSync(laptop.transcriptPath(ID), Date.now() / 1000 + 60, Date.now() / 1000 + 60);
  assert.match((await bare.ccsync("status", "--short")).stdout, /, 1 changed since\n$/);
  const json = JSON.parse((await bare.ccsync("status", "--short", "--json")).stdout);
  assert.deepEqual([json.machine, json.changed, json.trouble], ["laptop", 1, null]);
});
