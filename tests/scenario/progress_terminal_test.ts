/**
 * What a terminal shows while work goes on, and what a pipe does not.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { invocationOf } from "../support/ccsync.ts";
import { pathOf } from "../support/programs.ts";
import { terminalTest, Tmux } from "../support/tmux.ts";
import { promptLine, type TestMachine, World } from "../support/world.ts";

const ID = "3aaaaaaa-0000-4000-8000-000000000002";
/** About 30 MB. */
const LINES = 30_000;

/** A git that takes half a megabyte every tenth of a second, and the rest only when it is told to. */
const SLOW_GIT = (git: string, gate: string) =>
  `#!/bin/sh
case " $* " in *" fast-import "*) ;; *) exec ${git} "$@" ;; esac
{
  for i in $(seq 25); do dd bs=65536 count=8 2>/dev/null; sleep 0.1; done
  until [ -e '${gate}' ]; do sleep 0.1; done
  cat
} | ${git} "$@"
`;

/** A git whose pushes and fetches are at a third until they may go on. What it says then is what the real one does. */
const STUCK_GIT = (git: string, gate: string) =>
  `#!/bin/sh
case " $* " in
*" push "*) part='Writing' ;;
*" fetch "*) part='Receiving' ;;
*) exec ${git} "$@" ;;
esac
case " $* " in *" --progress "*) ;; *) exec ${git} "$@" ;; esac
until [ -e '${gate}' ]; do
  printf '%s objects:  33%% (100/300), 16.80 MiB | 33.46 MiB/s\r' "$part" >&2
  sleep 0.1
done
exec ${git} "$@"
`;

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
      const [bin, gate] = [join(world.folder, "bin"), join(world.folder, "gate")];
      Deno.mkdirSync(bin);
      const git = SLOW_GIT(pathOf("git") ?? "git", gate);
      Deno.writeTextFileSync(join(bin, "git"), git, { mode: 0o755 });
      await using terminal = await Tmux.start([path, ...args], {
        columns: 80,
        rows: 10,
        env: { ...env, PATH: `${bin}:${env["PATH"]}` },
      });
      await terminal.waitFor(
        /^sending \S+ MB of \d\d MB, 0 of 1 sessions, \S+ MB\/s, \d+ s left$/m,
      );
      Deno.writeTextFileSync(gate, "");
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

terminalTest(
  "a push and a fetch that git takes long for show bytes, rate and time left",
  async () => {
    await using world = await World.create();
    const [laptop, desk] = [await world.joined("laptop"), await world.joined("desk")];
    const cwd = join(laptop.projects, "app");
    laptop.write(ID, promptLine({ id: ID, cwd, text: "hello", uuid: ID }));
    const [bin, gate] = [join(world.folder, "bin"), join(world.folder, "gate")];
    Deno.mkdirSync(bin);
    const git = STUCK_GIT(pathOf("git") ?? "git", gate);
    Deno.writeTextFileSync(join(bin, "git"), git, { mode: 0o755 });
    for (const [machine, command] of [[laptop, "push"], [desk, "pull"]] as const) {
      const { args, env, path } = await invocationOf(machine, [command]);
      await using terminal = await Tmux.start([path, ...args], {
        columns: 80,
        rows: 10,
        env: { ...env, PATH: `${bin}:${env["PATH"]}` },
      });
      await terminal.waitFor(/^fetching from the hub: 18 MB, 33%, \S+ MB\/s, \d+ s left$/m);
      Deno.writeTextFileSync(gate, "");
      assert.equal(await terminal.exitCode(), 0);
      const screen = await terminal.screen();
      assert.match(screen, /pu(?:sh|ll)ed 1 session/);
      assert.doesNotMatch(screen, /fetching|sending|%/);
      Deno.removeSync(gate);
    }
  },
);
