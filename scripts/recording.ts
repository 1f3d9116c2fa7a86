/**
 * The README's recording: ccsync in a real terminal, on two machines around one hub, as an animated SVG. What is
 * typed is written here; what the terminal shows is what the program prints. The same program gives the same bytes.
 *
 * Usage: `deno task recording`. Needs tmux. Writes `docs/demo.svg`.
 *
 * @module
 */
import { join } from "node:path";
import { shellEnvironment } from "../tests/support/ccsync.ts";
import { until } from "../tests/support/process.ts";
import { Tmux } from "../tests/support/tmux.ts";
import { promptLine, type TestMachine, World } from "../tests/support/world.ts";
import { animatedSvg, type Frame } from "./screen_svg.ts";

/** Where the recording lies. */
export const RECORDING = new URL("../docs/demo.svg", import.meta.url);

const SIZE = { columns: 96, rows: 15 } as const;

/** How long things stay on the screen, in milliseconds. */
const PACE = { key: 70, pause: 600, read: 2600, think: 1600 } as const;

/** A session of the recording. */
interface Plan {
  readonly id: string;
  readonly project: string;
  readonly title: string;
  readonly answer: string;
  readonly hoursAgo: number;
  readonly bytes: number;
}

/** The one that goes on. */
const RESUMED: Plan = {
  id: "4f0c9a52-6d1e-4c6b-9d0e-5a3d8e1b7c21",
  project: "shop",
  title: "Fix the flaky login test",
  answer: "The test waited for a fixed time. Now it waits for the event itself.",
  hoursAgo: 1,
  bytes: 418_000,
};

const ON_LAPTOP: readonly Plan[] = [
  RESUMED,
  {
    id: "b81d6e03-2f47-4a9c-8c55-0e9f2a6d4b17",
    project: "shop",
    title: "Move the build to a monorepo",
    answer: "All packages build from one lock file now.",
    hoursAgo: 26,
    bytes: 2_310_000,
  },
];

const ON_MACBOOK: Plan = {
  id: "d95a1c7e-8b30-4e2d-a6f4-3c7b9d0e5f68",
  project: "blog",
  title: "Why is the feed empty?",
  answer: "The date of every entry was read as local time.",
  hoursAgo: 75,
  bytes: 96_000,
};

const HOUR_MS = 3_600_000;

/** Returns what is made with as much filling as makes it so long: sizes are shown, and paths differ in length. */
function filled(bytes: number, make: (filling: string) => string): string {
  return make("x".repeat(bytes - make("").length));
}

/** Writes a session's transcript, of exactly so many bytes. */
function plant(machine: TestMachine, plan: Plan): void {
  const { answer, bytes, hoursAgo, id, project, title } = plan;
  const at = new Date(Date.now() - (hoursAgo + 0.25) * HOUR_MS).toISOString();
  const cwd = join(machine.projects, project);
  const prompt = promptLine({ id, cwd, text: title, at, uuid: id });
  const answerLine = (text: string) => {
    const content = [{ type: "text", text }];
    const fields = {
      ...JSON.parse(promptLine({ id, cwd, text, at, parent: id })),
      type: "assistant",
    };
    return JSON.stringify({ ...fields, message: { role: "assistant", content } }) + "\n";
  };
  const last = answerLine(answer);
  machine.write(id, filled(bytes, (filling) => prompt + answerLine(filling) + last), project);
}

/** One machine with a shell in a terminal. */
class Scene implements AsyncDisposable {
  readonly machine: TestMachine;
  readonly terminal: Tmux;
  readonly #frames: Frame[];

  private constructor(machine: TestMachine, terminal: Tmux, frames: Frame[]) {
    this.machine = machine;
    this.terminal = terminal;
    this.#frames = frames;
  }

  static async open(machine: TestMachine, frames: Frame[]): Promise<Scene> {
    const env = { ...await shellEnvironment(machine), PS1: "$ " };
    const terminal = await Tmux.start(["sh", "-i"], { ...SIZE, cwd: machine.home, env });
    const scene = new Scene(machine, terminal, frames);
    await terminal.waitFor(/^\$$/);
    return scene;
  }

  /** Takes what the terminal shows now for a frame. */
  async show(milliseconds: number): Promise<void> {
    const { machine, terminal } = this;
    const [column = 0, row = 0, isShown] =
      (await terminal.ask("#{cursor_x} #{cursor_y} #{cursor_flag}")).split(" ").map(Number);
    const screen = await terminal.screen({ isStyled: true, isJoined: true });
    const rows = screen.replaceAll(join(machine.world.folder, machine.id), "").split("\n");
    // Lines that were too long with the temporary folder in them are whole again.
    const joined = (await terminal.screen()).split("\n").length - rows.length;
    const cursor = isShown === 1 ? { column, row: row - joined } : undefined;
    this.#frames.push({ title: machine.id, rows, cursor, milliseconds });
  }

  /** How many frames there are so far. */
  get shown(): number {
    return this.#frames.length;
  }

  /**
   * Types a text as people do, and shows how it grows.
   *
   * @param prompt What stands before the text
   * @param end What the screen ends with once all of it is drawn
   */
  async type(text: string, prompt = "$ ", end = ""): Promise<void> {
    for (const [i, letter] of [...text].entries()) {
      await this.terminal.type(letter);
      await this.waitForCursor(prompt + text.slice(0, i + 1), end);
      await this.show(PACE.key);
    }
  }

  /** Waits until the cursor is behind a line's text, and the screen is drawn to its end. */
  async waitForCursor(line: string, end = ""): Promise<void> {
    await until(`the cursor behind "${line}"`, async () => {
      const [column, row] = (await this.terminal.ask("#{cursor_x} #{cursor_y}")).split(" ").map(
        Number,
      );
      const screen = await this.terminal.screen();
      const isBehind = column === line.length && screen.split("\n")[row ?? 0] === line.trimEnd();
      return isBehind && screen.endsWith(end) ? true : undefined;
    });
  }

  /** Runs a command, and shows what it printed once it has ended. */
  async run(command: string, ended: RegExp): Promise<void> {
    await this.show(PACE.pause);
    await this.type(command);
    await this.show(PACE.pause);
    await this.terminal.press("Enter");
    await this.terminal.waitFor(new RegExp(`${ended.source}[^\\n]*\\n\\$$`));
    await this.show(PACE.read);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminal[Symbol.asyncDispose]();
  }
}

/** The last line of the list to choose from. */
const FOOTER = "ctrl-c leave";

/** What stands in Claude Code's place: it adds what was said to the transcript, and ends at a key. */
function clientScript(transcript: string, said: string): string {
  const note = "[ Claude Code runs here, with the whole conversation and this machine's paths ]";
  return [
    `printf '\\n  \\033[2m%s\\033[0m\\n' ${JSON.stringify(note)}`,
    "stty -echo; read -r _; stty echo",
    `cat '${said}' >> '${transcript}'`,
  ].join("\n");
}

function projectsOf(machine: TestMachine): void {
  for (const project of ["blog", "shop"]) {
    Deno.mkdirSync(join(machine.projects, project));
    Deno.writeTextFileSync(join(machine.projects, project, "package.json"), "{}");
  }
}

/** Plays the recording, and returns its frames with the number of the one that says most. */
async function play(world: World): Promise<readonly [frames: readonly Frame[], still: number]> {
  const frames: Frame[] = [];
  const laptop = await world.joined("laptop", { home: "laptop/home/you" });
  const macbook = await world.joined("macbook", { home: "macbook/Users/you", projects: "dev" });
  for (const machine of [laptop, macbook]) projectsOf(machine);
  plant(macbook, ON_MACBOOK);
  await macbook.ccsync("push");
  for (const plan of ON_LAPTOP) plant(laptop, plan);

  await using onLaptop = await Scene.open(laptop, frames);
  await onLaptop.run("ccsync push", /pushed 2 sessions/);
  await using onMacbook = await Scene.open(macbook, frames);
  const still = await resume(onMacbook);
  await onLaptop.run("ccsync pull", /pulled 2 sessions/);
  await onLaptop.run("ccsync list", /d95a1c7e/);
  return [frames, still];
}

/** Continues a session in the place of a person, and returns the number of the frame with the whole list. */
async function resume(scene: Scene): Promise<number> {
  const { machine, terminal } = scene;
  const { id, project } = RESUMED;
  const said = join(machine.home, "said.jsonl");
  const text = "Now run all of the tests again";
  const cwd = join(machine.projects, project);
  // Ahead of the clock it reads "just now", however slowly this plays.
  const at = new Date(Date.now() + HOUR_MS).toISOString();
  const prompt = (filling: string) => promptLine({ id, cwd, text: text + filling, parent: id, at });
  Deno.writeTextFileSync(said, filled(1_900, prompt));
  machine.scriptClaude(clientScript(machine.transcriptPath(id, project), said));
  await scene.show(PACE.pause);
  await scene.type("ccsync resume");
  await scene.show(PACE.pause);
  await terminal.press("Enter");
  await terminal.waitFor("3 of 3");
  await scene.waitForCursor("> ", FOOTER);
  await scene.show(PACE.read);
  const still = scene.shown - 1;
  await scene.type("login", "> ", FOOTER);
  await scene.show(PACE.think);
  await terminal.press("Enter");
  await terminal.waitFor("this machine's paths ]");
  await scene.show(PACE.read);
  await terminal.press("Enter");
  await terminal.waitFor(/\n\$$/);
  await scene.show(PACE.read);
  return still;
}

/** Plays all of it, and returns the SVG. */
export async function record(): Promise<string> {
  await using world = await World.create();
  const [frames, still] = await play(world);
  return animatedSvg(frames, SIZE, still);
}

if (import.meta.main) await Deno.writeTextFile(RECORDING, await record());
