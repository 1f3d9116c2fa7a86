/**
 * `ccsync resume` as people use it: the picker in a terminal, the real client after it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { invocationOf } from "../support/ccsync.ts";
import { terminalTest, Tmux } from "../support/tmux.ts";
import { World } from "../support/world.ts";
import { installClient, interactiveClient } from "./claude_client.ts";
import { startStubApi } from "./stub_api.ts";

const SESSION = "b9a316af-110f-4ec1-9a0e-575002e0dbaa";
const PROMPT = "say hello to the desk";

const executable = Deno.build.os === "windows" ? undefined : await installClient();

terminalTest(
  "resume in a terminal: a session is picked with keys, Claude Code goes on with it, and on exit it is pushed",
  async () => {
    assert.ok(executable !== undefined);
    await using world = await World.create();
    await using stub = startStubApi({
      rules: [{ match: PROMPT, steps: [{ text: "Hello from {{cwd}}." }] }],
    });
    const laptop = await world.joined("laptop");
    laptop.plantAll();
    await laptop.ccsync("push");
    const desk = await world.joined("desk", { projects: "work" });
    const app = join(desk.projects, "app");
    Deno.mkdirSync(join(app, "src"), { recursive: true });
    Deno.writeTextFileSync(join(app, "src/hello.txt"), "hello\n");
    const { home, tmp } = desk;
    const start = await interactiveClient({ executable, home, cwd: app, tmp, port: stub.port });
    desk.scriptClaude(`${start} "$@"`);

    const { args, env, path } = await invocationOf(desk, ["resume"]);
    await using terminal = await Tmux.start([path, ...args], { columns: 100, rows: 35, env });
    await terminal.waitFor("Which session?");
    await terminal.type("my session");
    await terminal.waitFor(/^❯ My Session/m);
    await terminal.press("Enter");
    await terminal.waitFor("accept edits on");
    assert.equal((await world.hubLock(SESSION))?.["machine"], "desk");
    await terminal.type(PROMPT);
    await terminal.waitFor(new RegExp(`❯\\s${PROMPT}`));
    await terminal.press("Enter");
    await terminal.waitFor(`Hello from ${app}.`);
    await terminal.type("/exit");
    await terminal.waitFor(/❯\s\/exit/);
    await terminal.press("Enter");
    await terminal.waitFor(/pushed \d+ lines of "My Session"/);
    assert.equal(await terminal.exitCode(), 0);

    assert.deepEqual(desk.clientStarts(), [[app, "--resume", SESSION]]);
    assert.equal(await world.hubLock(SESSION), undefined);
    await laptop.ccsync("pull");
    const transcript = laptop.read(SESSION);
    assert.ok(transcript.includes(PROMPT));
    assert.ok(transcript.includes(`Hello from ${join(laptop.projects, "app")}.`));
  },
  executable === undefined ? "the client is not here" : undefined,
);
