import type { SessionId } from "../../brands.ts";
import { CcsyncError } from "../../errors.ts";
import { listSessions } from "../../sync/listing.ts";
import { type LockView, lockViews, releaseLocks } from "../../sync/locks.ts";
import { fetchHub, type Workspace } from "../../sync/workspace.ts";
import { type Context, type Ending, inWorkspace } from "../context.ts";
import { confirm } from "../prompts.ts";
import { count } from "../render.ts";
import { type Column, formatAge, formatTable } from "../table.ts";

/** A lock with the title of its session, which is empty where this machine does not know it. */
type TitledLock = LockView & { readonly title: string };

/** Shows all locks. */
export async function runLockShow(context: Context): Promise<Ending> {
  const { env, terminal } = context;
  const locks = await inWorkspace(context, currentLocks);
  if (terminal.options.isJson) terminal.json(locks.map(lockJson));
  else if (locks.length === 0) terminal.note("no session is locked");
  else {
    const rows = locks.map((lock) => rowOf(lock, env.now()));
    const [titles = "", ...lines] = formatTable(COLUMNS, rows, terminal.width);
    terminal.result([terminal.colors.bold(titles), ...lines].join("\n"));
  }
  return "done";
}

const COLUMNS: readonly Column[] = [
  { title: "SESSION" },
  { title: "TITLE", shrinksTo: 12, dropOrder: 3 },
  { title: "HOLDER", shrinksTo: 8 },
  { title: "SINCE", dropOrder: 1 },
  { title: "HEARTBEAT", dropOrder: 2 },
  { title: "STATE" },
];

function rowOf(lock: TitledLock, now: number): string[] {
  const { acquiredAt, heartbeatAt, machine, session, title } = lock;
  return [
    session.slice(0, 8),
    title || "(not known here)",
    machine,
    formatAge(acquiredAt, now),
    formatAge(heartbeatAt, now),
    stateOf(lock, now),
  ];
}

function stateOf({ expiresAt, isOurs, standing }: LockView, now: number): string {
  const whose = isOurs ? "ours" : "held";
  if (standing === "left") return `${whose}, its process has ended`;
  if (standing === "expired") return `${whose}, expired`;
  const minutes = Math.max(0, Math.ceil((Date.parse(expiresAt) - now) / 60_000));
  return Number.isNaN(minutes) ? whose : `${whose}, expires in ${minutes} min`;
}

/** Releases one lock, or all of this machine's. Somebody else's wants a word first. */
export async function runLockRelease(
  context: Context,
  prefix: string | undefined,
  options: { readonly yes?: boolean | undefined },
): Promise<Ending> {
  const { terminal } = context;
  const locks = await inWorkspace(context, currentLocks);
  const chosen = prefix === undefined
    ? locks.filter(({ isOurs }) => isOurs)
    : [lockOf(locks, prefix)];
  for (const lock of chosen) {
    if (!lock.isOurs && options.yes !== true && !await isMeant(context, lock)) {
      throw new CcsyncError(
        "cancelled",
        `cannot release the lock of ${lock.machine}: not confirmed`,
        {
          hints: ["nothing was changed"],
        },
      );
    }
  }
  return await release(context, chosen, terminal);
}

async function isMeant({ env, terminal }: Context, lock: TitledLock): Promise<boolean> {
  const seen = formatAge(lock.heartbeatAt, env.now());
  return await confirm(
    terminal,
    `${lock.machine} holds the lock on "${lock.title}" (last heartbeat ${seen}). Release it?`,
    { default: false, instead: "pass --yes to release another machine's lock" },
  );
}

/** Releases the locks that have expired, and those whose process here has ended. */
export async function runLockCleanup(context: Context): Promise<Ending> {
  const locks = await inWorkspace(context, currentLocks);
  const stale = locks.filter(({ standing }) => standing !== "held");
  return await release(context, stale, context.terminal);
}

async function release(
  context: Context,
  locks: readonly TitledLock[],
  terminal: Context["terminal"],
): Promise<Ending> {
  const isDone = await inWorkspace(context, (workspace) => releaseLocks(workspace, locks));
  if (!isDone) {
    throw new CcsyncError("failed", "cannot release the locks: one of them changed meanwhile", {
      transient: true,
      hints: ["see what there is now: ccsync lock show"],
    });
  }
  if (terminal.options.isJson) terminal.json(locks.map(lockJson));
  else if (locks.length === 0) terminal.note("no lock to release");
  else terminal.result(`released ${count(locks.length, "lock")}`);
  return "done";
}

function lockOf(locks: readonly TitledLock[], prefix: string): TitledLock {
  const matching = locks.filter(({ session }) => session.startsWith(prefix.toLowerCase()));
  const [found, ...others] = matching;
  if (found !== undefined && others.length === 0) return found;
  const why = found === undefined ? "no lock of such a session" : "more than one session begins so";
  const named = (found === undefined ? locks : matching).map(({ machine, session, title }) =>
    `${session}  ${title}  ${machine}`
  );
  throw new CcsyncError("usage", `cannot release the lock of "${prefix}": ${why}`, {
    hints: named.length === 0 ? ["no session is locked"] : named,
  });
}

/** Asks the hub, and returns all locks with the titles of their sessions, the newest first. */
async function currentLocks(workspace: Workspace): Promise<TitledLock[]> {
  await fetchHub(workspace);
  const locks = [...(await lockViews(workspace)).values()];
  if (locks.length === 0) return [];
  const sessions = await listSessions(workspace, { side: "both", all: true, headless: true });
  const titles = new Map<SessionId, string>(sessions.map(({ id, title }) => [id, title]));
  return locks.map((lock) => ({ ...lock, title: titles.get(lock.session) ?? "" }))
    .sort((a, b) => (a.acquiredAt > b.acquiredAt ? -1 : 1));
}

function lockJson({ oid: _, standing, ...lock }: TitledLock) {
  return { ...lock, isExpired: standing !== "held", standing };
}
