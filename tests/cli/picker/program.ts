/**
 * A program that asks, for tests in a real terminal: `program.ts pick 12`, `program.ts confirm`. It tells
 * its process id first, what was answered last, and ends as ccsync does.
 *
 * @module
 */
import process from "node:process";
import { canPrompt, choose, confirm, input } from "../../../src/cli/prompts.ts";
import { pickSession } from "../../../src/cli/picker/picker.ts";
import { Terminal } from "../../../src/cli/terminal.ts";
import { CcsyncError, EXIT_CODES } from "../../../src/errors.ts";
import { madeSessions, NOW } from "./sessions.ts";

const hasColor = !Deno.args.includes("--no-color");
const terminal = new Terminal({ isJson: false, isQuiet: false, isVerbose: false, hasColor });
const instead = "pass --something";

/** Starts a child that has the terminal, and shows the five keys that it gets. */
async function child(): Promise<void> {
  await new Deno.Command("sh", {
    args: ["-c", "stty -icanon -echo; echo child; dd bs=1 count=5 2>/dev/null; stty icanon echo"],
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
}

const decoded = (text: string | Uint8Array) =>
  typeof text === "string" ? text : new TextDecoder().decode(text);

async function ask(what: string | undefined): Promise<string> {
  switch (what) {
    case "pick":
      return await pickSession(terminal, madeSessions(Number(Deno.args[1])), NOW, { instead });
    case "paint": {
      // The time until the first frame is written; then the picker is left.
      const sessions = madeSessions(Number(Deno.args[1]));
      const start = performance.now();
      let painted: number | undefined;
      const show = terminal.prompt.bind(terminal);
      terminal.prompt = (text) => {
        show(text);
        if (painted !== undefined || !decoded(text).includes("Which session?")) return;
        painted = performance.now() - start;
        process.kill(process.pid, "SIGTERM");
      };
      await pickSession(terminal, sessions, NOW, { instead }).catch(() => undefined);
      return painted === undefined ? "no frame" : `${Math.round(painted)} ms`;
    }
    case "confirm":
      return String(await confirm(terminal, "Take over?", { default: false, instead }));
    case "input":
      return await input(terminal, "Which name?", {
        default: "laptop",
        validate: (answer) => answer.includes(" ") ? "it has a space" : undefined,
        instead,
      });
    case "choose": {
      const choices = ["one", "two", "three"].map((name, value) => ({ name, value }));
      return String(await choose(terminal, "Which number?", choices, { instead }));
    }
    case "child":
      await pickSession(terminal, madeSessions(12), NOW, { instead });
      await child();
      return "";
    case "several": {
      const isSure = await confirm(terminal, "Sure?", { default: true, instead });
      const name = await input(terminal, "Which name?", { instead });
      const id = await pickSession(terminal, madeSessions(12), NOW, { instead });
      await child();
      return `${isSure} ${name} ${id}`;
    }
    default:
      return String(canPrompt());
  }
}

try {
  terminal.result(`pid ${Deno.pid}`);
  terminal.result(`answer: ${await ask(Deno.args[0])}`);
  Deno.exit(0);
} catch (error) {
  if (!(error instanceof CcsyncError)) throw error;
  terminal.error(error.message, error.hints, {});
  Deno.exit(EXIT_CODES[error.kind]);
}
