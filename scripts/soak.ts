/**
 * Three machines with daemons at a short interval around one hub that comes and goes, while people write:
 * shows that nothing is lost, nothing stays locked, and no daemon grows.
 *
 * Usage: `deno task soak [MINUTES]`, 30 unless told. Prints a line a minute, and ends with code 1 where
 * something was lost.
 *
 * @module
 */
import { join } from "node:path";
import { Conversation } from "../src/transcript/conversation.ts";
import { splitLines } from "../src/transcript/lines.ts";
import { invocationOf } from "../tests/support/ccsync.ts";
import { promptLine, type TestMachine, World } from "../tests/support/world.ts";

const INTERVAL_S = 3;
const MACHINES = ["desk", "laptop", "server"] as const;
const SESSIONS = 6;
/** People go on elsewhere now and then, and sometimes in two places at once. */
const SECONDS_AT_ONE_MACHINE = 45;
const OFTEN_ELSEWHERE = 0.05;
/** So long the machines have to agree once everything is calm. */
const SETTLE_MS = 300_000;

const say = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const any = <T>(list: readonly T[]): T => {
  const one = list[Math.floor(Math.random() * list.length)];
  if (one === undefined) throw new Error("an empty list");
  return one;
};

/** One machine with its daemon, started again where a fault ended it. */
class Player {
  readonly machine: TestMachine;
  kills = 0;
  mostKiB = 0;
  #child: Deno.ChildProcess | undefined;

  constructor(machine: TestMachine) {
    this.machine = machine;
  }

  async start(): Promise<void> {
    const args = ["daemon", "--interval", String(INTERVAL_S), "--quiet"];
    const { args: all, env, path } = await invocationOf(this.machine, args);
    this.#child = new Deno.Command(path, {
      args: [...all],
      cwd: this.machine.home,
      env,
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** Ends it without a warning, as a power failure does, and starts it again. */
  async crash(): Promise<void> {
    this.kills++;
    await this.stop("SIGKILL");
    await this.start();
  }

  /** Ends it, and returns its exit code; `undefined` where it does not run. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<number | undefined> {
    const child = this.#child;
    this.#child = undefined;
    child?.kill(signal);
    return (await child?.status)?.code;
  }

  /** A client that has a session open, or none any more. */
  open(id: string | undefined): void {
    const claim = `sessions/${Deno.pid}.json`;
    const content = { pid: Deno.pid, sessionId: id, updatedAt: Date.now() };
    if (id === undefined) Deno.removeSync(join(this.machine.claude, claim));
    else this.machine.writeFile(claim, JSON.stringify(content));
  }

  /** KiB of memory that its daemon has now. */
  async memory(): Promise<number> {
    try {
      const status = await Deno.readTextFile(`/proc/${this.#child?.pid}/status`);
      const now = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
      this.mostKiB = Math.max(this.mostKiB, now);
      return now;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return 0;
      throw error;
    }
  }

  async openFiles(): Promise<number> {
    try {
      return (await Array.fromAsync(Deno.readDir(`/proc/${this.#child?.pid}/fd`))).length;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return 0;
      throw error;
    }
  }

  /** Goes on where Claude Code would. */
  write(id: string, text: string): void {
    const cwd = join(this.machine.projects, "app");
    if (!this.machine.has(id)) return this.machine.write(id, promptLine({ id, cwd, text }));
    const conversation = new Conversation();
    const before = new TextEncoder().encode(this.machine.read(id));
    for (const line of splitLines(before)) conversation.add(line);
    const { leaf } = conversation;
    const parent = leaf === undefined ? {} : { parent: leaf };
    this.machine.append(id, promptLine({ id, cwd, text, ...parent }));
  }

  log(): string {
    return Deno.readTextFileSync(join(this.machine.ccsyncHome, "daemon.log"));
  }
}

/** Takes the hub away, and brings it back. */
class HubFault {
  outages = 0;
  readonly #hub: string;
  #isAway = false;

  constructor(hub: string) {
    this.#hub = hub;
  }

  async toggle(): Promise<void> {
    const [from, to] = this.#isAway
      ? [`${this.#hub}.away`, this.#hub]
      : [this.#hub, `${this.#hub}.away`];
    await Deno.rename(from, to);
    this.#isAway = !this.#isAway;
    if (this.#isAway) this.outages++;
  }

  async mend(): Promise<void> {
    if (this.#isAway) await this.toggle();
  }
}

async function main(minutes: number): Promise<number> {
  await using world = await World.create();
  const players: Player[] = [];
  for (const id of MACHINES) players.push(new Player(await world.joined(id)));
  for (const player of players) await player.start();
  const hub = new HubFault(world.hub);
  const sessions = Array.from({ length: SESSIONS }, () => crypto.randomUUID());
  const at = new Map(sessions.map((id) => [id, any(players)]));
  const written = new Map<string, string>();
  const end = Date.now() + minutes * 60_000;
  const [desk, laptop, server] = players;
  if (desk === undefined || laptop === undefined || server === undefined) return 1;
  let nextLine = Date.now();
  try {
    for (let second = 1; Date.now() < end; second++) {
      const words = `words ${written.size} ${crypto.randomUUID()}`;
      const id = any(sessions);
      const usual = Math.random() < OFTEN_ELSEWHERE ? undefined : at.get(id);
      (usual ?? any(players)).write(id, words);
      if (second % SECONDS_AT_ONE_MACHINE === 0) at.set(any(sessions), any(players));
      written.set(words, id);
      // Away a quarter of the time, for 15 seconds each; a crash every 40 seconds.
      if (second % 60 === 30 || second % 60 === 45) await hub.toggle();
      // The third is left alone, to show what a long life does.
      if (second % 40 === 0) await any([desk, laptop]).crash();
      if (second % 50 === 0) server.open(any(sessions));
      if (Date.now() >= nextLine) {
        nextLine += 60_000;
        await report(players, written.size, hub);
      }
      await sleep(1000);
    }
    await hub.mend();
    if (minutes >= 1) server.open(undefined);
    const lost = await settled(players, written);
    await report(players, written.size, hub);
    const codes: (number | undefined)[] = [];
    for (const player of players) codes.push(await player.stop());
    const locks = (await world.git("for-each-ref", "refs/ccsync/locks")).stdout;
    const internal = players.flatMap((player) => player.log().match(/^.*\bat .*\.ts:.*$/gm) ?? []);
    for (const line of internal) say(`unexpected: ${line}`);
    const kills = players.reduce((sum, player) => sum + player.kills, 0);
    say(
      `written ${written.size}, lost or doubled ${lost}, outages ${hub.outages}, crashes ${kills}`,
    );
    say(
      `most memory ${players.map(({ mostKiB }) => `${Math.round(mostKiB / 1024)} MiB`).join(", ")}`,
    );
    say(`exit codes ${codes.join(", ")}; locks left ${locks === "" ? "none" : locks}`);
    const commits = (await world.git("rev-list", "--count", "main")).stdout.trim();
    const files = (await world.git("ls-tree", "-r", "--name-only", "main")).stdout.split("\n");
    const forks = files.filter((path) => path.endsWith("/meta.json")).length - sessions.length;
    say(`commits in the hub ${commits}, forks ${forks}`);
    const isFine = lost === 0 && internal.length === 0 && codes.every((code) => code === 0);
    return isFine && locks === "" ? 0 : 1;
  } finally {
    for (const player of players) await player.stop();
  }
}

async function report(players: readonly Player[], lines: number, hub: HubFault): Promise<void> {
  const each: string[] = [];
  for (const player of players) {
    const [kib, files] = [await player.memory(), await player.openFiles()];
    each.push(`${player.machine.id} ${Math.round(kib / 1024)} MiB ${files} files`);
  }
  say(`${new Date().toISOString()} ${lines} lines, ${hub.outages} outages; ${each.join("; ")}`);
}

/** Waits until all machines have everything, and returns how many lines some machine lacks or has twice. */
async function settled(
  players: readonly Player[],
  written: ReadonlyMap<string, string>,
): Promise<number> {
  const end = Date.now() + SETTLE_MS;
  for (;;) {
    const wrong = players.reduce((sum, player) => sum + wrongOn(player, written), 0);
    if (wrong === 0 || Date.now() > end) return wrong;
    await sleep(1000);
  }
}

function wrongOn({ machine }: Player, written: ReadonlyMap<string, string>): number {
  const texts = new Map<string, string>();
  let wrong = 0;
  for (const [words, id] of written) {
    const text = texts.get(id) ?? (machine.has(id) ? machine.read(id) : "");
    texts.set(id, text);
    if (text.split(`"${words}"`).length !== 2) wrong++;
  }
  return wrong;
}

if (import.meta.main) Deno.exitCode = await main(Number(Deno.args[0] ?? 30));
