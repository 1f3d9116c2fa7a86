/**
 * `ccsync resume` and what goes with it, with a script in place of Claude Code.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { EXIT_CODES } from "../../src/errors.ts";
import { described, type ProcessResult, until } from "../support/process.ts";
import { promptLine, STAYS_OPEN, type TestMachine, World } from "../support/world.ts";

const FIRST = "1aaaaaaa-0000-4000-8000-000000000001";
const SECOND = "1bbbbbbb-0000-4000-8000-000000000002";

function line(machine: TestMachine, id: string, text: string, at?: string): string {
  const cwd = machine.own(join(machine.projects, "app"));
  return promptLine({ id, cwd, text, ...(at === undefined ? {} : { at }) });
}

/** Makes a session with one prompt, and the directory of its project. */
function plant(machine: TestMachine, id: string, text: string, at?: string): void {
  Deno.mkdirSync(join(machine.projects, "app"), { recursive: true });
  machine.write(id, line(machine, id, text, at));
}

/** Returns a script that adds a prompt to a session, as Claude Code would. */
function saying(machine: TestMachine, id: string, text: string): string {
  const path = join(machine.home, `${text}.jsonl`);
  Deno.writeTextFileSync(path, line(machine, id, text));
  return `cat '${path}' >> '${machine.transcriptPath(id)}'`;
}

/** Two machines; the first has a session that is in the hub, and the second has the project's directory. */
async function twoMachines(world: World): Promise<[TestMachine, TestMachine]> {
  const laptop = await world.joined("laptop");
  const desk = await world.joined("desk", { projects: "work" });
  plant(laptop, FIRST, "Fix the login page", "2026-11-20T10:00:00.000Z");
  await laptop.ccsync("push");
  Deno.mkdirSync(join(desk.projects, "app"), { recursive: true });
  return [laptop, desk];
}

function assertCode(result: ProcessResult, code: number): void {
  assert.equal(result.code, code, described(result));
}

Deno.test("resume brings a session here, starts Claude Code in its directory, pushes and releases", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world);
  const said = saying(desk, FIRST, "from the desk");
  desk.scriptClaude(
    `git --git-dir '${world.hub}' for-each-ref refs/ccsync > "$HOME/locks"\n${said}`,
  );
  const result = await desk.ccsync("resume", "1aaa", "--", "--model", "x y");
  assert.deepEqual(desk.clientStarts(), [[
    join(desk.projects, "app"),
    "--resume",
    FIRST,
    "--model",
    "x y",
  ]]);
  assert.match(Deno.readTextFileSync(join(desk.home, "locks")), new RegExp(`locks/${FIRST}`));
  assert.match(result.stderr, /resuming "Fix the login page"/);
  assert.match(result.stderr, /pushed 1 line of "Fix the login page"/);
  assert.equal(await world.hubLock(FIRST), undefined);
  await laptop.ccsync("pull");
  assert.match(laptop.read(FIRST), /from the desk/);
});

Deno.test("resume ends with Claude Code's exit code, and has pushed all the same", async () => {
  await using world = await World.create();
  const [, desk] = await twoMachines(world);
  desk.scriptClaude(`${saying(desk, FIRST, "before the end")}\nexit 42`);
  assertCode(await desk.try("resume", FIRST), 42);
  assert.match(await world.hubTranscript(FIRST), /before the end/);
  assert.equal(await world.hubLock(FIRST), undefined);
});

Deno.test("resume --latest goes by the last event, not by the file's time", async () => {
  await using world = await World.create();
  const [laptop] = await twoMachines(world);
  plant(laptop, SECOND, "Newer", "2026-11-21T10:00:00.000Z");
  Deno.utimeSync(laptop.transcriptPath(SECOND), new Date(0), new Date(0));
  laptop.scriptClaude("");
  await laptop.ccsync("resume", "--latest");
  assert.deepEqual(laptop.clientStarts().map(([, , id]) => id), [SECOND]);
});

Deno.test("resume --from takes sessions of that machine only, and names those there are", async () => {
  await using world = await World.create();
  const [, desk] = await twoMachines(world);
  plant(desk, SECOND, "Of the desk", "2026-11-21T10:00:00.000Z");
  desk.scriptClaude("");
  await desk.ccsync("resume", "--latest", "--from", "laptop");
  assert.deepEqual(desk.clientStarts().map(([, , id]) => id), [FIRST]);
  const unknown = await desk.try("resume", "--latest", "--from", "tablet");
  assertCode(unknown, EXIT_CODES.usage);
  assert.match(unknown.stderr, /there are some of: desk, laptop/);
});

Deno.test("an id that is unknown or stands for several is refused with candidates", async () => {
  await using world = await World.create();
  const [laptop] = await twoMachines(world);
  plant(laptop, SECOND, "Another one");
  laptop.scriptClaude("");
  const several = await laptop.try("resume", "1");
  assertCode(several, EXIT_CODES.usage);
  assert.match(several.stderr, /2 ids begin so/);
  for (const id of [FIRST, SECOND]) assert.ok(several.stderr.includes(id), several.stderr);
  const unknown = await laptop.try("resume", "ffff");
  assertCode(unknown, EXIT_CODES.usage);
  assert.match(unknown.stderr, /no id begins so[^]*Another one/);
  assert.deepEqual(laptop.clientStarts(), []);
});

Deno.test("without a terminal resume never waits: it says what to pass", async () => {
  await using world = await World.create();
  const [laptop] = await twoMachines(world);
  const result = await laptop.try("resume");
  assertCode(result, EXIT_CODES.usage);
  assert.match(result.stderr, /pass a session's id, or --latest/);
});

Deno.test("a session outside the sync directories is pushed, too, when it is resumed", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  const outside = join(laptop.home, "elsewhere");
  Deno.mkdirSync(outside);
  const directory = join(laptop.claude, "projects", outside.replace(/[^a-zA-Z0-9]/g, "-"));
  Deno.mkdirSync(directory, { recursive: true });
  const text = promptLine({ id: FIRST, cwd: outside, text: "outside" });
  Deno.writeTextFileSync(join(directory, `${FIRST}.jsonl`), text);
  laptop.scriptClaude("");
  await laptop.ccsync("resume", FIRST);
  assert.match(await world.hubTranscript(FIRST), /outside/);
});

Deno.test("an old session that is only in the hub is restored", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  const desk = await world.joined("desk", { projects: "work" });
  plant(laptop, FIRST, "Long ago", "2020-01-01T10:00:00.000Z");
  await laptop.ccsync("push");
  Deno.mkdirSync(join(desk.projects, "app"), { recursive: true });
  desk.scriptClaude("");
  await desk.ccsync("resume", FIRST);
  assert.match(desk.read(FIRST), /Long ago/);
  assert.equal(desk.clientStarts().length, 1);
});

Deno.test("a missing directory is named, --dir starts elsewhere, and Claude Code is given the file", async () => {
  await using world = await World.create();
  const [, desk] = await twoMachines(world);
  Deno.removeSync(join(desk.projects, "app"));
  const said = saying(desk, FIRST, "from elsewhere");
  desk.scriptClaude(said);
  const missing = await desk.try("resume", FIRST);
  assertCode(missing, EXIT_CODES.setup);
  const app = desk.own(join(desk.projects, "app"));
  assert.ok(missing.stderr.includes(`"${app}": there is no such directory on this machine`));
  assert.match(missing.stderr, /--dir PATH/);
  assert.equal(await world.hubLock(FIRST), undefined);
  const elsewhere = join(desk.home, "else where");
  assertCode(await desk.try("resume", FIRST, "--dir", elsewhere), EXIT_CODES.usage);
  Deno.mkdirSync(elsewhere);
  await desk.ccsync("resume", FIRST, "--dir", elsewhere);
  assert.deepEqual(desk.clientStarts(), [[elsewhere, "--resume", desk.transcriptPath(FIRST)]]);
  assert.match(await world.hubTranscript(FIRST), /from elsewhere/);
});

Deno.test("a project under a placeholder that is unknown here names it, and the command that maps it", async () => {
  await using world = await World.create();
  const laptop = await world.joined("laptop");
  plant(laptop, FIRST, "Mapped");
  await laptop.ccsync("push");
  const desk = world.machine("desk");
  await desk.ccsync("init", "--remote", world.hub, "--machine-id", "desk", "--yes");
  // init proposes a path for every placeholder of the others.
  await desk.try("config", "remove-placeholder", "PROJECTS", "--yes");
  desk.scriptClaude("");
  const result = await desk.try("resume", FIRST);
  assertCode(result, EXIT_CODES.setup);
  assert.match(result.stderr, /PROJECTS has no path on this machine/);
  assert.match(result.stderr, /ccsync config add-placeholder PROJECTS=/);
});

Deno.test("what makes rewinding dangerous is said: files that are missing, and another branch", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world);
  const tracked = { "src/a.ts": { backupFileName: "0123456789abcdef@v1" } };
  laptop.append(
    FIRST,
    JSON.stringify({
      type: "file-history-snapshot",
      messageId: "m",
      snapshot: { messageId: "m", trackedFileBackups: tracked },
    }) + "\n",
  );
  await laptop.ccsync("push");
  const app = join(desk.projects, "app");
  Deno.mkdirSync(join(app, ".git"));
  Deno.writeTextFileSync(join(app, ".git/HEAD"), "ref: refs/heads/topic/x\n");
  desk.scriptClaude("");
  const { stderr } = await desk.ccsync("resume", FIRST);
  assert.match(stderr, /1 of the 1 files that this session changed are not here \(src\/a\.ts\)/);
  assert.match(stderr, /last on the branch "main", ".*" is on "topic\/x"/);
});

Deno.test("resume says how to install Claude Code where there is none, and changes nothing", async () => {
  await using world = await World.create();
  const [, desk] = await twoMachines(world);
  const result = await desk.try("resume", FIRST);
  assertCode(result, EXIT_CODES.setup);
  assert.match(result.stderr, /npm install -g @anthropic-ai\/claude-code/);
  assert.ok(!desk.has(FIRST));
});

Deno.test("a session that is locked elsewhere is not opened without a word", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world);
  laptop.scriptClaude(STAYS_OPEN);
  desk.scriptClaude("");
  await using running = await laptop.start("resume", FIRST);
  await until("the lock", () => world.hubLock(FIRST));
  const refused = await desk.try("resume", FIRST);
  assertCode(refused, EXIT_CODES.locked);
  assert.match(
    refused.stderr,
    /locked by laptop \(host .*\) since just now, last heartbeat just now/,
  );
  assert.match(refused.stderr, /--takeover/);
  assert.deepEqual(desk.clientStarts(), []);
  const { stdout } = await desk.ccsync("list");
  assert.match(stdout, /locked by laptop/);
  laptop.closeClient();
  assertCode(await running.ended, 0);
  await desk.ccsync("resume", FIRST);
});

Deno.test("a lock that is taken over is not renewed: its holder is told, and its lines arrive", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world);
  laptop.scriptClaude(`${STAYS_OPEN}\n${saying(laptop, FIRST, "late words")}`);
  desk.scriptClaude(saying(desk, FIRST, "words of the desk"));
  await using running = await laptop.start("resume", FIRST);
  await until("the lock", () => world.hubLock(FIRST));
  await desk.ccsync("resume", FIRST, "--takeover");
  desk.scriptClaude(STAYS_OPEN);
  await using second = await desk.start("resume", FIRST, "--takeover");
  await until("the other lock", async () => {
    return (await world.hubLock(FIRST))?.["machine"] === "desk" ? true : undefined;
  });
  laptop.closeClient();
  const result = await running.ended;
  assertCode(result, 0);
  assert.match(result.stderr, /warning: desk has taken this session over/);
  assert.equal((await world.hubLock(FIRST))?.["machine"], "desk");
  const transcript = await world.hubTranscript(FIRST);
  for (const words of ["late words", "words of the desk"]) assert.ok(transcript.includes(words));
  desk.closeClient();
  assertCode(await second.ended, 0);
});

Deno.test("SIGTERM and SIGHUP end Claude Code, push what was written last, and release", async () => {
  for (const [signal, number] of [["SIGTERM", 15], ["SIGHUP", 1]] as const) {
    await using world = await World.create();
    const [, desk] = await twoMachines(world);
    const said = saying(desk, FIRST, "last words");
    const ending = `trap '${said.replaceAll("'", "'\\''")}; exit ${128 + number}' ${number}`;
    desk.scriptClaude(`${ending}\n${STAYS_OPEN}`);
    await using running = await desk.start("resume", FIRST);
    await desk.clientUp();
    running.signal(signal);
    assertCode(await running.ended, 128 + number);
    assert.match(await world.hubTranscript(FIRST), /last words/);
    assert.equal(await world.hubLock(FIRST), undefined);
  }
});

Deno.test("SIGINT is Claude Code's business: resume goes on until that ends", async () => {
  await using world = await World.create();
  const [, desk] = await twoMachines(world);
  desk.scriptClaude(`${STAYS_OPEN}`);
  await using running = await desk.start("resume", FIRST);
  await desk.clientUp();
  running.signal("SIGINT");
  desk.closeClient();
  assertCode(await running.ended, 0);
  assert.equal(await world.hubLock(FIRST), undefined);
});

Deno.test("offline: resume says so and goes on; what was written is pushed by the next run", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world);
  await desk.ccsync("pull");
  Deno.renameSync(world.hub, `${world.hub}.away`);
  desk.scriptClaude(saying(desk, FIRST, "on the train"));
  const result = await desk.try("resume", FIRST);
  assertCode(result, EXIT_CODES.unreachable);
  assert.equal(desk.clientStarts().length, 1);
  assert.match(result.stderr, /the hub cannot be reached: .*; going on with what is here/);
  assert.match(result.stderr, /what was written is safe here[^]*ccsync update/);
  const status = await desk.ccsync("status");
  assert.match(status.stdout, /waiting +1 to push/);
  assert.match(status.stdout, /trouble +ccsync resume/);
  Deno.renameSync(`${world.hub}.away`, world.hub);
  await desk.ccsync("update");
  await laptop.ccsync("pull");
  assert.match(laptop.read(FIRST), /on the train/);
});

Deno.test("a hub that comes back while Claude Code runs is pushed to, and the session is locked then", async () => {
  await using world = await World.create();
  const [, desk] = await twoMachines(world);
  await desk.ccsync("pull");
  desk.setTimes({ interval: 1 });
  Deno.renameSync(world.hub, `${world.hub}.away`);
  desk.scriptClaude(`${saying(desk, FIRST, "on the train")}\n${STAYS_OPEN}`);
  await using running = await desk.start("resume", FIRST);
  await desk.clientUp();
  Deno.renameSync(`${world.hub}.away`, world.hub);
  await until("the lock", () => world.hubLock(FIRST));
  await until("the words", async () => {
    return (await world.hubTranscript(FIRST)).includes("on the train") ? true : undefined;
  });
  desk.closeClient();
  assertCode(await running.ended, 0);
  assert.equal(await world.hubLock(FIRST), undefined);
});

Deno.test("a session that is open in Claude Code here is not opened a second time without a word", async () => {
  await using world = await World.create();
  const [laptop] = await twoMachines(world);
  laptop.scriptClaude("");
  const claim = { pid: Deno.pid, sessionId: FIRST, updatedAt: Date.now() };
  laptop.writeFile(`sessions/${Deno.pid}.json`, JSON.stringify(claim));
  const refused = await laptop.try("resume", FIRST);
  assertCode(refused, EXIT_CODES.locked);
  assert.match(refused.stderr, /is open in Claude Code on this machine already/);
  assert.deepEqual(laptop.clientStarts(), []);
  await laptop.ccsync("resume", FIRST, "--takeover");
  assert.equal(laptop.clientStarts().length, 1);
});

Deno.test("kill -9: the lock is free at once on this machine, and update pushes what was left", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world);
  laptop.scriptClaude(`${saying(laptop, FIRST, "cut off")}\n${STAYS_OPEN}`);
  await using running = await laptop.start("resume", FIRST);
  await laptop.clientUp();
  running.signal("SIGKILL");
  laptop.closeClient();
  await running.ended;
  desk.scriptClaude("");
  assertCode(await desk.try("resume", FIRST), EXIT_CODES.locked);
  const shown = await laptop.ccsync("lock", "show");
  assert.match(shown.stdout, /ours, its process has ended/);
  const { stderr } = await laptop.ccsync("update");
  assert.match(stderr, /released +1 lock/);
  assert.match(await world.hubTranscript(FIRST), /cut off/);
  await desk.ccsync("resume", FIRST);
});

Deno.test("lock show, release and cleanup: what there is, and whose", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world);
  await desk.ccsync("pull");
  laptop.scriptClaude(STAYS_OPEN);
  await using _running = await laptop.start("resume", FIRST);
  await until("the lock", () => world.hubLock(FIRST));
  const [lock] = JSON.parse((await desk.ccsync("lock", "show", "--json")).stdout);
  assert.deepEqual(
    [lock.session, lock.title, lock.machine, lock.isOurs, lock.isExpired],
    [FIRST, "Fix the login page", "laptop", false, false],
  );
  assert.ok(lock.expiresAt > lock.heartbeatAt && lock.heartbeatAt >= lock.acquiredAt);
  assert.match((await desk.ccsync("lock", "cleanup")).stderr, /no lock to release/);
  assert.match((await desk.ccsync("lock", "release")).stderr, /no lock to release/);
  const refused = await desk.try("lock", "release", FIRST);
  assertCode(refused, EXIT_CODES.usage);
  assert.match(refused.stderr, /pass --yes/);
  assertCode(await desk.try("lock", "release", "ffff"), EXIT_CODES.usage);
  assert.match((await desk.ccsync("lock", "release", "1aaa", "--yes")).stdout, /released 1 lock/);
  assert.equal(await world.hubLock(FIRST), undefined);
  const nothing = await desk.ccsync("lock", "show");
  assert.match(nothing.stderr, /no session is locked/);
});

Deno.test("what cannot be combined or read is refused", async () => {
  await using world = await World.create();
  const [laptop] = await twoMachines(world);
  laptop.scriptClaude("");
  for (
    const args of [["resume", "1", "--latest"], ["lock"], ["lock", "steal"], ["resume", "--x"]]
  ) {
    assertCode(await laptop.try(...args), EXIT_CODES.usage);
  }
  assert.deepEqual(laptop.clientStarts(), []);
});
