/**
 * Locks under stress: races of real processes, holders that sleep, clocks that are wrong.
 *
 * @module
 */
import "../support/hermetic_git.ts";
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SessionId } from "../../src/brands.ts";
import { createBareHub } from "../../src/hub/mirror.ts";
import { acquireLock, type HeldLock, lockViews } from "../../src/sync/locks.ts";
import { push } from "../../src/sync/push.ts";
import { fetchHub, type Workspace } from "../../src/sync/workspace.ts";
import { Folder } from "../support/folder.ts";
import { described, until } from "../support/process.ts";
import { openWorkspace } from "../support/workspace.ts";
import { promptLine, STAYS_OPEN, type TestMachine, World } from "../support/world.ts";

const ID = "2aaaaaaa-0000-4000-8000-000000000001" as SessionId;

function line(machine: TestMachine, text: string): string {
  return promptLine({ id: ID, cwd: machine.own(join(machine.projects, "app")), text });
}

/** A process that races. */
class Racer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: ReadableStreamDefaultReader<string>;

  constructor(folder: Folder, hub: string, id: string) {
    const home = folder.at(id);
    Deno.mkdirSync(home);
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        fileURLToPath(import.meta.resolve("./lock_racer.ts")),
        home,
        hub,
        id,
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#answers = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  async answer(): Promise<string> {
    return (await this.#answers.read()).value?.trim() ?? "it ended";
  }

  async tryToLock(id: SessionId): Promise<string> {
    await this.#input.write(new TextEncoder().encode(`${id}\n`));
    return await this.answer();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#answers.cancel();
    await this.#child.status;
  }
}

Deno.test("20 processes race for one lock, 50 rounds: one wins each", async () => {
  using folder = new Folder();
  const hub = folder.at("hub.git");
  await createBareHub(hub);
  await using racers = new AsyncDisposableStack();
  const all = Array.from({ length: 20 }, (_, i) => racers.use(new Racer(folder, hub, `m${i}`)));
  assert.deepEqual(
    new Set(await Promise.all(all.map((racer) => racer.answer()))),
    new Set(["ready"]),
  );
  for (let round = 0; round < 50; round++) {
    const id = `${String(round).padStart(8, "0")}-0000-4000-8000-000000000000` as SessionId;
    const answers = await Promise.all(all.map((racer) => racer.tryToLock(id)));
    const counts = Object.entries(Object.groupBy(answers, (answer) => answer))
      .map(([answer, found]) => [answer, found?.length]);
    assert.deepEqual(Object.fromEntries(counts), { won: 1, lost: 19 }, `round ${round}`);
  }
});

/** Two machines with one session, in step. */
async function twoMachines(world: World): Promise<[TestMachine, TestMachine]> {
  const laptop = await world.joined("laptop");
  const desk = await world.joined("desk", { projects: "work" });
  for (const { projects } of [laptop, desk]) Deno.mkdirSync(join(projects, "app"));
  laptop.write(ID, line(laptop, "the beginning"));
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  return [laptop, desk];
}

Deno.test("a holder that was stopped past its TTL cannot move main with its heartbeat, is told, and loses no line", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world);
  laptop.setTimes({ interval: 1, lock_ttl: 2 });
  laptop.scriptClaude(STAYS_OPEN);
  desk.scriptClaude(STAYS_OPEN);
  await using sleeper = await laptop.start("resume", ID);
  await until("the lock", () => world.hubLock(ID));
  sleeper.signal("SIGSTOP");
  await until("the lock's end", async () => {
    const [lock] = JSON.parse((await desk.ccsync("lock", "show", "--json")).stdout);
    return lock.isExpired === true ? true : undefined;
  });
  // Nobody is asked: the lock has expired.
  await using successor = await desk.start("resume", ID);
  const lock = await until("the desk's lock", async () => {
    const lock = await world.hubLock(ID);
    return lock?.["machine"] === "desk" ? lock : undefined;
  });
  laptop.append(ID, line(laptop, "words of the sleeper"));
  desk.append(ID, line(desk, "words of the successor"));
  sleeper.signal("SIGCONT");
  await until("the sleeper's words", async () => {
    return (await world.hubTranscript(ID)).includes("words of the sleeper") ? true : undefined;
  });
  assert.equal((await world.hubLock(ID))?.["token"], lock["token"]);
  laptop.closeClient();
  const told = await sleeper.ended;
  assert.equal(told.code, 0, described(told));
  assert.match(told.stderr, /warning: desk has taken this session over/);
  assert.equal((await world.hubLock(ID))?.["token"], lock["token"]);
  desk.closeClient();
  assert.equal((await successor.ended).code, 0);
  assert.equal(await world.hubLock(ID), undefined);
  const transcript = await world.hubTranscript(ID);
  for (const words of ["the beginning", "words of the sleeper", "words of the successor"]) {
    assert.equal(transcript.split(words).length, 2, words);
  }
});

/** Pushes with a lock, as `resume` does. */
async function pushWith(workspace: Workspace, held: HeldLock): Promise<void> {
  const locks = [{ held, isRelease: false }];
  await push(workspace, { isDryRun: false, all: false, isOptimistic: true, locks });
}

Deno.test("a clock that is wrong by an hour loses no data", async () => {
  const HOUR = 3_600_000;
  for (const [wrong, seen] of [[-HOUR, "expired"], [HOUR, "held"]] as const) {
    await using world = await World.create();
    const [laptop, desk] = await twoMachines(world);
    await using ofLaptop = openWorkspace(laptop, { now: () => Date.now() + wrong });
    await using ofDesk = openWorkspace(desk);
    const held = await acquireLock(ofLaptop, ID, undefined);
    assert.ok(held !== undefined);
    laptop.append(ID, line(laptop, "words of the laptop"));
    await pushWith(ofLaptop, held);
    await fetchHub(ofDesk);
    const lock = (await lockViews(ofDesk)).get(ID);
    // An hour behind, it looks expired at once; an hour ahead, it lasts an hour longer.
    assert.equal(lock?.standing, seen);
    const taken = await acquireLock(ofDesk, ID, lock?.oid);
    assert.ok(taken !== undefined);
    desk.append(ID, line(desk, "words of the desk"));
    await pushWith(ofDesk, taken);
    laptop.append(ID, line(laptop, "more words of the laptop"));
    await pushWith(ofLaptop, held);
    assert.deepEqual([held.isHeld, taken.isHeld], [false, true]);
    assert.equal((await world.hubLock(ID))?.["machine"], "desk");
    const transcript = await world.hubTranscript(ID);
    for (const words of ['"words of the laptop', "more words of the laptop", "words of the desk"]) {
      assert.equal(transcript.split(words).length, 2, words);
    }
  }
});

Deno.test("kill -9 of the holder frees the lock at once here, and after its TTL elsewhere", async () => {
  await using world = await World.create();
  const [laptop, desk] = await twoMachines(world);
  laptop.scriptClaude(STAYS_OPEN);
  await using killed = await laptop.start("resume", ID);
  await until("the lock", () => world.hubLock(ID));
  killed.signal("SIGKILL");
  laptop.closeClient();
  await killed.ended;
  await using here = openWorkspace(laptop);
  await fetchHub(here);
  assert.equal((await lockViews(here)).get(ID)?.standing, "left");
  for (const [minutes, standing] of [[0, "held"], [11, "held"], [13, "expired"]] as const) {
    await using elsewhere = openWorkspace(desk, { now: () => Date.now() + minutes * 60_000 });
    await fetchHub(elsewhere);
    assert.equal((await lockViews(elsewhere)).get(ID)?.standing, standing, `${minutes} min`);
  }
  laptop.scriptClaude("");
  await laptop.ccsync("resume", ID);
  assert.equal(await world.hubLock(ID), undefined);
});
