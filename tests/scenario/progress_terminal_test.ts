/**
 * What a terminal shows while work goes on, and what a pipe does not.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { invocationOf } from "../support/ccsync.ts";
import { terminalTest, Tmux } from "../support/tmux.ts";
import { promptLine, type TestMachine, World } from "../support/world.ts";

const ID = "3aaaaaaa-0000-4000-8000-000000000002";
/** Enough for some seconds: git compresses it. */
const LINES = 60_000;

function plantLongSession(machine: TestMachine): void {
  const cwd = join(machine.projects, "app");
  const text = "words ".repeat(100);
  const lines = Array.from({ length: LINES }, (_, i) => {
    return promptLine({ id: ID, cwd, text: `${i} ${text}`, uuid: ID, at: "2026-11-22T00:00:00Z" });
  });
  machine.write(ID, lines.join(""));
}

terminalTest(
  "a long push shows bytes, sessions, rate and time left in place, a pipe sees nothing of it",
  async () => {
    await using world = await World.create();
    const laptop = await world.joined("laptop");
    plantLongSession(laptop);
    {
      const { args, env, path } = await invocationOf(laptop, ["push"]);
      await using terminal = await Tmux.start([path, ...args], { columns: 80, rows: 10, env });
      await terminal.waitFor(
        /^sending \S+ MB of \d\d MB, 0 of 1 sessions, \S+ MB\/s, \d+ s left$/m,
      );
      assert.equal(await terminal.exitCode(), 0);
      const screen = await terminal.screen();
      assert.match(screen, /pushed 1 session/);
      assert.doesNotMatch(screen, /sending|waiting/);
    }
    const desk = await world.joined("desk");
    const { stderr } = await desk.ccsync("pull");
    assert.doesNotMatch(stderr, /bringing|fetching|\r/);
  },
);
