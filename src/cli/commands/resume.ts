import { resolve } from "node:path";
import type { LocalPath } from "../../brands.ts";
import { findClient, type RunningClient, startClient } from "../../claude/client.ts";
import { CcsyncError, EXIT_CODES, messageOf } from "../../errors.ts";
import { giveBackMemory } from "../../machine/memory.ts";
import { readConfig } from "../../machine/config.ts";
import { holdSignals } from "../../machine/signals.ts";
import { accompany, SessionKeeper } from "../../sync/keeper.ts";
import type { ListedSession } from "../../sync/listed.ts";
import type { SessionReport, SyncReport } from "../../sync/report.ts";
import type { LockView } from "../../sync/locks.ts";
import {
  type Choice,
  type Opening,
  type OpenOptions,
  openSession,
  sessionsToResume,
} from "../../sync/resume.ts";
import { latestOf, noSessions, sessionOf, sessionsFrom } from "../../sync/selection.ts";
import { type Context, type Ending, inWorkspace, noteTrouble } from "../context.ts";
import { pickSession } from "../picker/picker.ts";
import { PickerRow } from "../picker/session.ts";
import { canPrompt, choose, confirm, input } from "../prompts.ts";
import { count, isPartial, renderSync, warnForked } from "../render.ts";
import { formatAge } from "../table.ts";

/** Options of `ccsync resume`. */
export interface ResumeOptions {
  readonly latest?: boolean | undefined;
  readonly from?: string | undefined;
  readonly all?: boolean | undefined;
  readonly takeover?: boolean | undefined;
  readonly dir?: string | undefined;
}

type Ready = Extract<Opening, { readonly kind: "ready" }>;

/** Continues a session in Claude Code, and keeps it in step with the hub while it is open. */
export async function runResume(
  context: Context,
  prefix: string | undefined,
  options: ResumeOptions,
  clientArgs: readonly string[],
): Promise<Ending> {
  const { env, terminal } = context;
  checkOptions(prefix, options);
  const program = findClient(env);
  const choice = await catchUp(context, prefix !== undefined, options.all === true);
  const session = await chosen(context, choice, prefix, options);
  const ready = await opened(context, session, choice, options);
  for (const caution of ready.cautions) terminal.warn(caution);
  terminal.note(`resuming "${session.title || session.id}" in ${ready.directory}`);
  const args = ["--resume", ready.argument, ...clientArgs];
  const isDue = choice.offline !== undefined || choice.sessions.some((each) => each.isUnpushed);
  return await runClient(context, session, ready, isDue, () => {
    return startClient(program, args, ready.directory);
  });
}

function checkOptions(prefix: string | undefined, options: ResumeOptions): void {
  if (prefix !== undefined && options.latest === true) {
    throw new CcsyncError("usage", "cannot resume: both a session and --latest are given", {
      hints: ["leave one of them out"],
    });
  }
  if (prefix === undefined && options.latest !== true && !canPrompt()) {
    throw new CcsyncError("usage", "cannot ask which session to resume: this is no terminal", {
      hints: ["pass a session's id, or --latest; ccsync list --remote lists them"],
    });
  }
}

/** Brings this machine in step with the hub as far as that can be reached. */
async function catchUp(context: Context, isNamed: boolean, all: boolean): Promise<Choice> {
  const { terminal } = context;
  // A session that was named by its id is found wherever it is.
  const scope = { all: all || isNamed, headless: all || isNamed };
  return await inWorkspace(context, async (workspace) => {
    const choice = await sessionsToResume(workspace, scope);
    if (choice.offline !== undefined) {
      terminal.warn(`${choice.offline.message}; going on with what is here`);
      terminal.note("what is written now is pushed as soon as the hub can be reached");
      noteTrouble(workspace, "resume", choice.offline.message);
    } else if (choice.pulled !== undefined && isPartial(choice.pulled)) {
      renderSync(terminal, choice.pulled);
    }
    return choice;
  });
}

async function chosen(
  { env, terminal }: Context,
  { promptsOf, sessions }: Choice,
  prefix: string | undefined,
  options: ResumeOptions,
): Promise<ListedSession> {
  if (prefix !== undefined) return sessionOf(sessions, prefix);
  const some = options.from === undefined ? sessions : sessionsFrom(sessions, options.from);
  if (options.latest === true) return latestOf(some);
  if (some.length === 0) throw noSessions();
  const isShown = (id: string) => some.some((session) => session.id === id);
  const rows = some.map((session) => new PickerRow(session, { env, isShown, promptsOf }));
  const instead = "pass a session's id, or --latest";
  const id = await pickSession(terminal, rows, env.now(), { instead });
  return sessionOf(some, id);
}

/** Opens the session; what stands in the way is asked for, on a terminal. */
async function opened(
  context: Context,
  session: ListedSession,
  { offline }: Choice,
  options: ResumeOptions,
): Promise<Ready> {
  let open: OpenOptions = {
    takesOver: options.takeover === true,
    isOffline: offline !== undefined,
    ...(options.dir === undefined ? {} : { directory: resolve(options.dir) as LocalPath }),
  };
  for (;;) {
    const opening = await inWorkspace(context, (each) => openSession(each, session.id, open));
    if (opening.kind === "ready") return opening;
    if (opening.kind === "homeless") {
      open = { ...open, directory: await anotherDirectory(context, opening.project) };
    } else {
      await askToTakeOver(context, session, opening);
      open = { ...open, takesOver: true };
    }
  }
}

async function askToTakeOver(
  { env, terminal }: Context,
  session: ListedSession,
  opening: Extract<Opening, { readonly kind: "locked" | "live" }>,
): Promise<void> {
  const title = session.title || session.id;
  const { question, why } = opening.kind === "live"
    ? {
      why: `"${title}" is open in Claude Code on this machine already`,
      question: "Open it a second time? What is written in both is kept, as two branches.",
    }
    : { why: holderOf(title, opening.lock, env.now()), question: "Take it over?" };
  const refused = new CcsyncError("locked", `cannot resume: ${why}`, {
    hints: [
      "close it there, or take it over: ccsync resume --takeover; nothing is lost either way: what both write is merged",
    ],
  });
  if (!canPrompt()) throw refused;
  terminal.warn(why);
  const asked = { default: false, instead: "pass --takeover" };
  if (!await confirm(terminal, question, asked)) throw refused;
}

function holderOf(title: string, lock: LockView, now: number): string {
  const { acquiredAt, heartbeatAt, host, isOurs, machine, pid } = lock;
  const where = isOurs ? `by process ${pid} of this machine` : `by ${machine} (host ${host})`;
  return `"${title}" is locked ${where} since ${formatAge(acquiredAt, now)}, last heartbeat ${
    formatAge(heartbeatAt, now)
  }`;
}

async function anotherDirectory(
  { env, terminal }: Context,
  project: LocalPath,
): Promise<LocalPath> {
  const missing = new CcsyncError(
    "setup",
    `cannot resume in "${project}": there is no such directory on this machine`,
    {
      hints: [
        "bring the project there, for example with git clone, or start elsewhere: --dir PATH",
        "if projects are in another place here: ccsync config add-placeholder NAME=/path/here",
      ],
    },
  );
  if (!canPrompt()) throw missing;
  terminal.warn(missing.message);
  const answers = [
    { name: "start in another directory", value: "another" },
    { name: `make ${project}, empty`, value: "make" },
    { name: "not now", value: "none" },
  ] as const;
  const instead = "pass --dir PATH";
  const answer = await choose(terminal, "The project is not here.", answers, { instead });
  if (answer === "none") throw missing;
  if (answer === "make") {
    Deno.mkdirSync(project, { recursive: true });
    return project;
  }
  const directory = await input(terminal, "Directory:", { default: env.home, instead });
  return resolve(directory) as LocalPath;
}

/** Runs Claude Code with the session kept in step, then pushes what was written last and releases the lock. */
async function runClient(
  context: Context,
  session: ListedSession,
  ready: Ready,
  isDue: boolean,
  start: () => RunningClient,
): Promise<Ending> {
  const keeper = new SessionKeeper(session.id, ready.held);
  let client: RunningClient | undefined;
  let hangUps = 0;
  using _signals = holdSignals((signal) => {
    // A terminal sends Ctrl-C to Claude Code, too, which knows what to do about it.
    if (signal === "SIGTERM" || signal === "SIGHUP") client?.stop(signal);
    if (signal === "SIGHUP") hangUps++;
  });
  const code = await whileOpen(context, keeper, isDue, () => client = start());
  try {
    const report = await lastStep(context, keeper, () => hangUps);
    tell(context, session, report, keeper.forked);
    if (typeof code !== "number") throw code;
    return { code: code === 0 && isPartial(report) ? EXIT_CODES.partial : code };
  } catch (error) {
    // What Claude Code said of itself counts more than what became of the push; both are told.
    if (typeof code !== "number" || code === 0 || !(error instanceof CcsyncError)) throw error;
    const { hints, kind, message } = error;
    context.terminal.error(message, hints, { code, kind, message, hints });
    return { code };
  }
}

/** Returns Claude Code's exit code, or why it did not start. */
async function whileOpen(
  context: Context,
  keeper: SessionKeeper,
  isDue: boolean,
  start: () => RunningClient,
): Promise<number | CcsyncError> {
  const { env, terminal } = context;
  const { interval } = readConfig(env.ccsyncHome, env.style);
  // No program can be started in a directory that is gone, as the one of this process may be meanwhile.
  Deno.chdir(env.home);
  using _terminal = terminal.handOver();
  const step = async () => {
    try {
      await inWorkspace(context, (workspace) => keeper.step(workspace, false));
    } catch (error) {
      if (!(error instanceof CcsyncError)) throw error;
      // The next step tries again; what is left undone in the end is told then.
      terminal.detail(error.message);
    }
    giveBackMemory();
  };
  try {
    return await accompany(start().ended, interval * 1000, isDue, step);
  } catch (error) {
    if (error instanceof CcsyncError) return error;
    throw error;
  }
}

const MOST_TRIES = 3;

async function lastStep(
  context: Context,
  keeper: SessionKeeper,
  hangUps: () => number,
): Promise<SyncReport> {
  return await inWorkspace(context, async (workspace) => {
    for (let tries = 1;; tries++) {
      const before = hangUps();
      try {
        const report = await keeper.step(workspace, true);
        workspace.state.forgetFact("trouble");
        return report;
      } catch (error) {
        // A terminal that closes hangs up twice, and the second time takes git along.
        if (hangUps() > before && tries < MOST_TRIES) continue;
        noteTrouble(workspace, "resume", messageOf(error));
        if (!(error instanceof CcsyncError)) throw error;
        throw new CcsyncError(error.kind, `${error.message}; what was written is safe here`, {
          hints: ["push it and release the lock: ccsync update", ...error.hints],
          cause: error,
          transient: error.transient,
        });
      }
    }
  });
}

function tell(
  { terminal }: Context,
  { id, title }: ListedSession,
  report: SyncReport,
  forked: readonly SessionReport[],
): void {
  const told = isPartial(report) ? report.sessions : [];
  if (isPartial(report)) renderSync(terminal, report);
  // While Claude Code had the terminal, nothing was shown.
  for (const each of forked) if (!told.includes(each)) warnForked(terminal, each);
  if (terminal.options.isJson) return terminal.json(report);
  const sent = report.sessions.find((each) => each.id === id);
  const what = sent === undefined ? "nothing new to push" : `pushed ${count(sent.lines, "line")}`;
  terminal.note(`${what} of "${title || id}"`);
}
