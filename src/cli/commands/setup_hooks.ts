import { join } from "node:path";
import { withHooks, withoutHooks } from "../../claude/hooks.ts";
import { CcsyncError } from "../../errors.ts";
import type { Environment } from "../../machine/environment.ts";
import { lstatIfThere, readTextIfThere, writeFile } from "../../machine/files.ts";
import { readConfig } from "../../machine/config.ts";
import { hookProgram } from "../../machine/self.ts";
import type { Context, Ending } from "../context.ts";

/** Options of `ccsync setup-hooks`. */
export interface SetupHooksOptions {
  readonly remove?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

/** Adds ccsync's hooks to Claude Code's settings, or takes them away. */
export function runSetupHooks({ env, terminal }: Context, options: SetupHooksOptions): Ending {
  const path = join(env.claudeDir, "settings.json");
  checkFile(path);
  const before = readTextIfThere(path);
  const bom = before?.startsWith("\ufeff") === true ? "\ufeff" : "";
  const text = (before ?? "").slice(bom.length);
  if (options.remove !== true) readConfig(env.ccsyncHome, env.style);
  const after = bom +
    (options.remove === true
      ? (text === "" ? "" : withoutHooks(text))
      : withHooks(text, hookProgram(env.os)));
  const isChanged = after !== (before ?? "");
  if (terminal.options.isJson) {
    terminal.json({ path, isChanged, isDryRun: options.dryRun === true });
  }
  if (options.dryRun === true) {
    if (!terminal.options.isJson) terminal.result(after.trimEnd());
    return "done";
  }
  if (!isChanged) {
    terminal.note(`nothing to change in ${path}`);
    return "done";
  }
  if (before !== undefined) terminal.note(`backup: ${backUp(env, before)}`);
  replace(path, after);
  terminal.note(
    options.remove === true
      ? `hooks removed from ${path}`
      : `hooks added to ${path}: Claude Code sessions that start from now on are synced by themselves`,
  );
  return "done";
}

/** What is no file of the user's own stays as it is: a link may lead to one that several machines share. */
function checkFile(path: string): void {
  const info = lstatIfThere(path);
  if (info === undefined || info.isFile) return;
  const what = info.isSymlink ? "it is a link" : "it is not a regular file";
  throw new CcsyncError("setup", `cannot change "${path}": ${what}`, {
    hints: [
      "what it leads to may belong to other machines, too; put the hooks there by hand: ccsync setup-hooks --dry-run shows them with CLAUDE_CONFIG_DIR naming an empty directory",
    ],
  });
}

function replace(path: string, content: string): void {
  try {
    const info = lstatIfThere(path);
    // A rename would replace a file that its owner made read-only.
    const mode = Deno.build.os === "windows" ? undefined : info?.mode ?? undefined;
    if (mode !== undefined && (mode & 0o200) === 0) throw new Deno.errors.PermissionDenied();
    if (info !== undefined) Deno.openSync(path, { write: true }).close();
    writeFile(path, content);
    if (mode !== undefined) Deno.chmodSync(path, mode & 0o777);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    throw new CcsyncError("setup", `cannot change "${path}": it is read-only`, {
      hints: ["make it writable and run it again; nothing was changed"],
      cause: error,
    });
  }
}

/** Keeps the settings as they are, and returns where. */
function backUp({ ccsyncHome, now }: Environment, content: string): string {
  const time = new Date(now()).toISOString().replaceAll(":", "-");
  const path = join(ccsyncHome, "backups", `settings-${time}.json`);
  writeFile(path, content);
  return path;
}
