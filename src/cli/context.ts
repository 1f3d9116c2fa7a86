/**
 * What every command works with.
 *
 * @module
 */
import { CcsyncError } from "../errors.ts";
import { type Config, readConfig } from "../machine/config.ts";
import type { Environment } from "../machine/environment.ts";
import { alone } from "../machine/one_process.ts";
import { findProgram } from "../machine/programs.ts";
import { requireGit } from "../hub/git.ts";
import type { Transfer } from "../hub/transfer.ts";
import { type Progress, Workspace } from "../sync/workspace.ts";
import {
  advanced,
  begun,
  isDue,
  lineOf,
  partOf,
  transferLineOf,
  type TransferPart,
  type Work,
} from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/** The surroundings and the terminal of one run. */
export interface Context {
  readonly env: Environment;
  readonly terminal: Terminal;
  /** Where use cases tell of their progress. @default the terminal */
  readonly progress?: Progress;
}

/** How a command that was carried out ended; the exit code where another program decides it. */
export type Ending = "done" | "partial" | { readonly code: number };

/** Returns where a use case tells of its progress: the terminal. */
export function progressOn(terminal: Terminal, now: () => number): Progress {
  let work: Work | undefined;
  let part: TransferPart | undefined;
  const transfer = (transfer: Transfer) => {
    part = partOf(transfer, part, now());
    if (!isDue(part, now())) return;
    part = { ...part, shownAt: now() };
    terminal.progress(transferLineOf(transfer, part, now()));
  };
  return {
    ...terminal.showsSteps && { transfer },
    step: (what) => terminal.step(what),
    begin: (what, total, done) => {
      work = begun(what, total, done, now());
    },
    advance: (done) => {
      if (work === undefined) return;
      work = advanced(work, done);
      if (!isDue(work, now())) return;
      work = { ...work, shownAt: now() };
      terminal.progress(lineOf(work, now()));
    },
    warn: (what) => terminal.warn(what),
  };
}

/**
 * Runs the work in an open workspace, alone on this machine.
 *
 * @param isDryRun Whether nothing of what the work notes is kept
 */
export async function inWorkspace<T>(
  { env, progress, terminal }: Context,
  work: (workspace: Workspace) => Promise<T>,
  isDryRun = false,
): Promise<T> {
  const config: Config = readConfig(env.ccsyncHome, env.style);
  return await onlyOne({ env, terminal }, async () => {
    const save = isDryRun ? () => undefined : undefined;
    await using workspace = Workspace.open(
      env,
      config,
      progress ?? progressOn(terminal, env.now),
      save,
    );
    if (isDryRun) workspace.state.pretend();
    try {
      await requireUsableGit(workspace);
      return await work(workspace);
    } catch (error) {
      throw await workspace.explained(error);
    }
  });
}

const SOME_UNDONE = "some of it could not be done; run it again to see what";

/** Asks git for its version where it is another program than the last time: starting it takes a while. */
async function requireUsableGit({ env, state }: Workspace): Promise<void> {
  const path = findProgram("git", env.searchPath, env.os);
  const { mtime, size } = path === undefined ? { mtime: null, size: 0 } : Deno.statSync(path);
  const found = `${path} ${size} ${mtime?.getTime()}`;
  if (path !== undefined && state.fact("git") === found) return;
  await requireGit();
  if (path !== undefined) state.setFact("git", found);
}

/** Notes for `status` whether a command did all of its work. */
export function noteEnding(workspace: Workspace, command: string, isPartial: boolean): void {
  if (isPartial) noteTrouble(workspace, command, SOME_UNDONE);
  else workspace.state.forgetFact("trouble");
}

/** Notes for `status` what a command could not do. */
export function noteTrouble({ env, state }: Workspace, command: string, why: string): void {
  const trouble = { at: new Date(env.now()).toISOString(), command, why };
  try {
    state.setFact("trouble", JSON.stringify(trouble));
  } catch {
    // The state cannot be written, on a full disk for example: what is to be noted is told anyway.
  }
}

/** Runs the work while no other ccsync of this machine does. */
export async function onlyOne<T>({ env, terminal }: Context, work: () => Promise<T>): Promise<T> {
  return await alone(
    env.ccsyncHome,
    () => terminal.note("waiting for another ccsync to finish ..."),
    work,
  );
}

/** Reads `NAME=PATH`. */
export function parseAssignment(text: string): readonly [string, string] {
  const equals = text.indexOf("=");
  if (equals > 0 && equals < text.length - 1) {
    return [text.slice(0, equals), text.slice(equals + 1)];
  }
  throw new CcsyncError("usage", `cannot read the placeholder "${text}": it is not NAME=PATH`, {
    hints: ["write for example: --add-placeholder PROJECTS=/home/you/projects"],
  });
}
