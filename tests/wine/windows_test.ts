/**
 * Machines with Windows beside one with Linux, on one hub: the executable itself, under Wine.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { EXIT_CODES } from "../../src/errors.ts";
import { described, type ProcessResult, until } from "../support/process.ts";
import { testUnless } from "../support/programs.ts";
import {
  FIXTURES,
  promptLine,
  STAYS_OPEN,
  type TestMachine,
  type World,
} from "../support/world.ts";
import { mixedWorld, WindowsMachine } from "./windows_machine.ts";
import { noWine, Wine } from "./wine.ts";

const DAY_MS = 86_400_000;
const ID = "2aaaaaaa-0000-4000-8000-000000000001";

interface Both {
  readonly world: World;
  /** Linux. */
  readonly laptop: TestMachine;
  /** Windows. */
  readonly desk: WindowsMachine;
}

/** Defines a test between a machine with Linux and one with Windows, which both have joined the hub. */
function windowsTest(name: string, work: (both: Both) => Promise<void>): void {
  testUnless(noWine, name, async () => {
    const wine = await Wine.started();
    await using world = await mixedWorld(wine);
    const laptop = await world.joined("laptop");
    const options = { home: "デスク/Users/Ana María", projects: "my work" };
    const desk = await WindowsMachine.joined(wine, world, "desk", options);
    await work({ world, laptop, desk });
  });
}

function line(machine: TestMachine, text: string, id = ID): string {
  return promptLine({ id, cwd: machine.own(join(machine.projects, "app")), text });
}

/** Gives both machines the same session. */
async function share({ desk, laptop }: Both, text = "hello"): Promise<void> {
  for (const machine of [laptop, desk]) {
    Deno.mkdirSync(join(machine.projects, "app"), { recursive: true });
  }
  laptop.write(ID, line(laptop, text));
  await laptop.ccsync("push");
  await desk.ccsync("pull");
}

function assertConverged({ desk, laptop }: Both, id = ID): void {
  assert.equal(laptop.neutral(laptop.read(id)), desk.neutral(desk.read(id)));
}

function assertCode(result: ProcessResult, code: number): void {
  assert.equal(result.code, code, described(result));
}

/** Recorded sessions, with a sub-agent, and what is compared of them. */
const RECORDED_PROJECT = "projects/-home-alice-projects-app";
const RECORDED_FILES = [
  "11111111-1111-4111-8111-111111111111.jsonl",
  "11111111-1111-4111-8111-111111111111/subagents/agent-a33c9246e75436a1a.jsonl",
  "11111111-1111-4111-8111-111111111111/tool-results/b297me79w.txt",
  "b9a316af-110f-4ec1-9a0e-575002e0dbaa.jsonl",
] as const;

windowsTest(
  "recorded sessions with all their files arrive on Windows as if written there, and nothing goes back",
  async ({ desk, laptop }) => {
    laptop.plantAll();
    await laptop.ccsync("push");
    // Wine lets Deno 2.7 open no path of more than 260 characters: one session's directory has 207.
    const pulled = await desk.try("pull");
    assertCode(pulled, EXIT_CODES.partial);
    assert.match(pulled.stderr, /file name too long/);
    const withoutThinking = (text: string) => text.replace(/"thinking":"(?:[^"\\]|\\.)*"/g, "");
    const directory = desk.own(join(desk.projects, "app")).replace(/[^a-zA-Z0-9]/g, "-");
    for (const name of RECORDED_FILES) {
      const recorded = Deno.readTextFileSync(
        join(FIXTURES, "alice/.claude", RECORDED_PROJECT, name),
      );
      assert.equal(
        withoutThinking(desk.readFile(join("projects", directory, name))),
        withoutThinking(desk.localise(recorded)),
        name,
      );
    }
    assert.match((await desk.ccsync("push")).stdout, /nothing to push/);
    const listed = JSON.parse((await desk.ccsync("list", "--all", "--json")).stdout);
    assert.deepEqual(
      listed.map(({ project }: { project: string }) => project.slice(0, 3)),
      listed.map(() => "C:\\"),
    );
    assert.ok(listed.length >= 4);
    assert.match((await desk.ccsync("status")).stdout, /desk/);
  },
);

windowsTest(
  "both go on while apart: merged on Windows, kept as a fork, and undone there",
  async (both) => {
    const { desk, laptop, world } = both;
    await share(both);
    laptop.append(ID, line(laptop, "said on Linux"));
    desk.append(ID, line(desk, "said on Windows"));
    const before = desk.read(ID);
    await laptop.ccsync("push");
    await desk.ccsync("pull");
    const merged = desk.read(ID);
    assert.ok(merged.includes("said on Linux") && merged.includes("said on Windows"), merged);
    await desk.ccsync("undo");
    assert.equal(desk.read(ID), before);
    await desk.ccsync("pull");
    assert.equal(desk.read(ID), merged);
    await desk.ccsync("push");
    await laptop.ccsync("pull");
    assertConverged(both);
    assert.equal((await world.hubTranscript(ID)).match(/said on/g)?.length, 2);
  },
);

windowsTest(
  "resume starts Claude Code on Windows, and a lock of either system is respected by the other",
  async (both) => {
    const { desk, laptop, world } = both;
    await share(both);
    const said = join(desk.home, "said.jsonl");
    Deno.writeTextFileSync(said, line(desk, "said by Claude Code on Windows"));
    desk.scriptClaude(`cat '${said}' >> '${desk.transcriptPath(ID)}'\n${STAYS_OPEN}`);
    {
      await using resumed = await desk.start("resume", ID);
      await desk.clientUp();
      assert.equal((await world.hubLock(ID))?.["machine"], "desk");
      laptop.scriptClaude("");
      const refused = await laptop.try("resume", ID);
      assertCode(refused, EXIT_CODES.locked);
      assert.match(refused.stderr, /desk/);
      desk.closeClient();
      assertCode(await resumed.ended, 0);
      assert.equal(await world.hubLock(ID), undefined);
    }
    assert.deepEqual(desk.clientStarts(), [[join(desk.projects, "app"), "--resume", ID]]);
    await laptop.ccsync("pull");
    assert.match(laptop.read(ID), /said by Claude Code on Windows/);
    laptop.scriptClaude(STAYS_OPEN);
    await using _ = await laptop.start("resume", ID);
    await laptop.clientUp();
    const refused = await desk.try("resume", ID);
    assertCode(refused, EXIT_CODES.locked);
    await desk.ccsync("resume", ID, "--takeover");
    assert.equal(desk.clientStarts().length, 2);
  },
);

windowsTest(
  "a file that another program has open on Windows is left alone, told of, and brought later",
  async (both) => {
    const { desk, laptop, world } = both;
    await share(both);
    const path = desk.transcriptPath(ID);
    const before = desk.read(ID);
    laptop.append(ID, line(laptop, "more"));
    await laptop.ccsync("push");
    const fresh = crypto.randomUUID();
    desk.write(fresh, line(desk, "not pushed yet", fresh));
    for (const [command, held] of [["pull", path], ["push", desk.transcriptPath(fresh)]] as const) {
      await using _ = await desk.hold(held, "alone");
      const refused = await desk.try(command);
      assertCode(refused, EXIT_CODES.partial);
      assert.match(refused.stderr, /another program has it open/);
    }
    assert.equal(desk.read(ID), before);
    await desk.ccsync("push");
    assert.match(await world.hubTranscript(fresh), /not pushed yet/);
    {
      await using _ = await desk.hold(path, "shared");
      await desk.ccsync("pull");
    }
    assert.ok(desk.read(ID).includes("more"));
    assertConverged(both);
  },
);

windowsTest("a session that is open in Claude Code on Windows is not written to", async (both) => {
  const { desk, laptop } = both;
  await share(both);
  const [before, live] = [desk.read(ID), join(desk.claude, "sessions")];
  laptop.append(ID, line(laptop, "more"));
  await laptop.ccsync("push");
  Deno.mkdirSync(live);
  const anything = join(desk.home, "x");
  Deno.writeTextFileSync(anything, "");
  {
    // Some program that runs, in the client's place.
    await using client = await desk.hold(anything, "shared");
    const claim = { pid: client.pid, sessionId: ID, updatedAt: Date.now() };
    Deno.writeTextFileSync(join(live, `${client.pid}.json`), JSON.stringify(claim));
    assert.match((await desk.ccsync("pull")).stderr, /it is open in Claude Code on this machine/);
    assert.equal(desk.read(ID), before);
  }
  await desk.ccsync("pull");
  assert.ok(desk.read(ID).includes("more"));
});

windowsTest(
  "memory and CLAUDE.md: both systems' edits come together, and line ends stay",
  async (both) => {
    const { desk, laptop } = both;
    await share(both);
    laptop.writeFile("CLAUDE.md", `One\nTwo\nWork in ${laptop.projects}/app.\n`);
    const notes = (machine: TestMachine) => {
      const directory = machine.own(join(machine.projects, "app")).replace(/[^a-zA-Z0-9]/g, "-");
      return join("projects", directory, "memory");
    };
    laptop.writeFile(join(notes(laptop), "note.md"), "windows\r\nline ends\r\n");
    // Windows has neither of these names.
    laptop.writeFile(join(notes(laptop), "con.md"), "reserved\n");
    laptop.writeFile(join(notes(laptop), "a:b.md"), "reserved\n");
    const told = await laptop.try("push");
    for (const name of ["con.md", "a:b.md"]) assert.ok(told.stderr.includes(name), told.stderr);
    await desk.ccsync("pull");
    const projects = desk.own(desk.projects);
    assert.equal(desk.readFile("CLAUDE.md"), `One\nTwo\nWork in ${projects}\\app.\n`);
    assert.equal(desk.readFile(join(notes(desk), "note.md")), "windows\r\nline ends\r\n");
    assert.deepEqual(desk.files(notes(desk)), [join(notes(desk), "note.md")]);
    desk.writeFile("CLAUDE.md", `One\nTwo\nWork in ${projects}\\app.\nLast, on Windows\n`);
    laptop.writeFile("CLAUDE.md", `First, on Linux\nOne\nTwo\nWork in ${laptop.projects}/app.\n`);
    await desk.ccsync("push");
    await laptop.try("pull");
    assert.equal(
      laptop.readFile("CLAUDE.md"),
      `First, on Linux\nOne\nTwo\nWork in ${laptop.projects}/app.\nLast, on Windows\n`,
    );
  },
);

windowsTest(
  "names in the hub that Windows cannot have, or takes for one, are told of and lead nowhere",
  async (both) => {
    const { desk, laptop, world } = both;
    laptop.plantAll();
    await laptop.try("push");
    const key = (await world.hubFiles()).find((name) => name.startsWith("memory/"))?.split("/")[1];
    await world.changeHub({
      [`memory/${key}/files/NUL.md`]: "x",
      [`memory/${key}/files/dot.`]: "x",
      [`memory/${key}/files/Case.md`]: "upper",
      [`memory/${key}/files/case.md`]: "lower",
    });
    const pulled = await desk.try("pull");
    assertCode(pulled, EXIT_CODES.partial);
    for (const name of ["NUL.md", "dot.", "ase.md"]) assert.ok(pulled.stderr.includes(name));
    const names = desk.files("projects").filter((path) => path.includes("memory"));
    assert.ok(names.some((name) => name.endsWith("MEMORY.md")), names.join());
    assert.equal(names.filter((name) => /case\.md$/i.test(name)).length, 1);
    assert.ok(!names.some((name) => /nul\.md|dot\.$/i.test(name)), names.join());
  },
);

windowsTest(
  "a drive in lower case, and a hub that is named by its URL",
  async (both) => {
    const { desk, laptop, world } = both;
    const url = `file:///${desk.own(world.hub).replaceAll("\\", "/")}`;
    await desk.ccsync("init", "--remote", url, "--yes");
    const id = "2bbbbbbb-0000-4000-8000-000000000002";
    const cwd = desk.own(join(desk.projects, "app")).replace("C:", "c:");
    const lower = promptLine({ id, cwd, text: `in ${cwd}\\src` });
    desk.writeFile(join("projects", cwd.replace(/[^a-zA-Z0-9]/g, "-"), `${id}.jsonl`), lower);
    await desk.ccsync("push");
    await laptop.ccsync("pull");
    assert.equal(
      JSON.parse(laptop.read(id)).message.content,
      `in ${join(laptop.projects, "app")}/src`,
    );
    assert.match((await desk.ccsync("push")).stdout, /nothing to push/);
  },
);

windowsTest("one ccsync at a time works on Windows, the other one waits", async (both) => {
  const { desk, laptop } = both;
  await share(both);
  desk.append(ID, line(desk, "once"));
  const results = await Promise.all([desk.try("push"), desk.try("pull"), desk.try("push")]);
  for (const result of results) assertCode(result, 0);
  await laptop.ccsync("pull");
  assertConverged(both);
});

windowsTest(
  "a daemon on Windows pushes what changes, is the only one, and ends by the stop file",
  async (both) => {
    const { desk, laptop } = both;
    await share(both);
    await using daemon = await desk.start("daemon", "--interval", "1");
    const status = async () =>
      JSON.parse((await desk.ccsync("daemon", "--status", "--json")).stdout);
    await until("the daemon", async () => (await status()).isRunning || undefined);
    const second = await desk.ccsync("daemon");
    assert.match(second.stderr, /a daemon is running/);
    laptop.append(ID, line(laptop, "from Linux"));
    await laptop.ccsync("push");
    await until("the line", () => desk.read(ID).includes("from Linux") || undefined);
    await desk.ccsync("daemon", "--stop");
    assertCode(await daemon.ended, 0);
    assert.equal((await status()).isRunning, false);
  },
);

windowsTest("what is installed on Windows: a task, hooks, a moved folder", async (both) => {
  const { desk } = both;
  await share(both);
  const { stdout } = await desk.ccsync("daemon", "install", "--dry-run");
  assert.match(stdout, /<Command>C:\\[^<]*ccsync\.exe<\/Command>|<Command>Z:\\[^<]*ccsync\.exe</);
  assert.match(stdout, /<Arguments>daemon --interval 300 --detach<\/Arguments>/);
  assert.match(stdout, /schtasks \/Create \/F \/TN ccsync \/XML C:\\/);
  await desk.ccsync("setup-hooks");
  const { hooks } = JSON.parse(desk.readFile("settings.json"));
  assert.match(
    hooks.Stop[0].hooks[0].command,
    /^(?:[A-Z]:\/[\w./-]+|"[A-Z]:\/[^"\\]+")ccsync\.exe"? hook stop$/,
  );
  const moved = join(desk.home, "elsewhere");
  Deno.mkdirSync(join(moved, "app"), { recursive: true });
  await desk.ccsync("config", "set-path", "PROJECTS", "desk", moved, "--yes");
  await desk.ccsync("pull");
  const directory = desk.own(join(moved, "app")).replace(/[^a-zA-Z0-9]/g, "-");
  const text = desk.readFile(join("projects", directory, `${ID}.jsonl`));
  assert.equal(JSON.parse(text).cwd, desk.own(join(moved, "app")));
});

windowsTest(
  "what the clean-up takes on Windows after a merge stays in the hub, and the next pull brings it back",
  async (both) => {
    const { desk, laptop, world } = both;
    await share(both);
    laptop.append(ID, line(laptop, "said on Linux"));
    desk.append(ID, line(desk, "said on Windows"));
    await laptop.ccsync("push");
    await desk.ccsync("pull");
    await desk.ccsync("push");
    const [merged, inHub] = [desk.read(ID), await world.hubTranscript(ID)];
    Deno.removeSync(desk.transcriptPath(ID));
    assert.match((await desk.ccsync("push")).stdout, /nothing to push/);
    assert.equal(await world.hubTranscript(ID), inHub);
    await desk.ccsync("pull");
    assert.equal(desk.read(ID), merged);
    await laptop.ccsync("pull");
    assertConverged(both);
  },
);

windowsTest("a pulled file has on Windows the time of its last line", async (both) => {
  const { desk, laptop } = both;
  const at = new Date(Date.now() - 12 * DAY_MS);
  const cwd = join(laptop.projects, "app");
  laptop.write(ID, promptLine({ id: ID, cwd, text: "hello", at: at.toISOString() }));
  laptop.writeFile(`tasks/${ID}/1.json`, "{}");
  await laptop.ccsync("push");
  await desk.ccsync("pull");
  for (const path of [desk.transcriptPath(ID), join(desk.claude, `tasks/${ID}/1.json`)]) {
    assert.deepEqual(Deno.statSync(path).mtime, at, path);
  }
  assert.match((await desk.ccsync("push")).stdout, /nothing to push/);
});

windowsTest(
  "doctor on Windows: nothing wrong at first, then a lock that was left, which --fix releases",
  async (both) => {
    const { desk, world } = both;
    await share(both);
    desk.scriptClaude(`[ "$1" = --version ] && echo 9.9.9 && exit\n${STAYS_OPEN}`);
    assert.deepEqual((await findings(desk)).filter(({ level }) => level !== "ok"), []);
    {
      await using resumed = await desk.start("resume", ID);
      await desk.clientUp();
      resumed.signal("SIGKILL");
    }
    const [left, ...others] = (await findings(desk)).filter(({ level }) => level !== "ok");
    assert.deepEqual([left?.topic, others], ["locks", []]);
    assert.match(left?.what ?? "", /its process has ended/);
    assert.match((await desk.ccsync("doctor", "--fix")).stderr, /0 warnings; 1 mended/);
    assert.equal(await world.hubLock(ID), undefined);
    assert.deepEqual((await findings(desk)).filter(({ level }) => level !== "ok"), []);
  },
);

/** Returns what `ccsync doctor` says. */
async function findings(
  machine: TestMachine,
): Promise<Record<"topic" | "level" | "what", string>[]> {
  return JSON.parse((await machine.ccsync("doctor", "--json")).stdout);
}
