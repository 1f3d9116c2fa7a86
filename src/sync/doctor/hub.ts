/**
 * Whether the hub can be reached and written to, and what is in it that should not be.
 *
 * @module
 */
import type { Oid } from "../../brands.ts";
import { ghVersion, githubAccount, repositoryOf } from "../../hub/github.ts";
import { findProgram } from "../../machine/programs.ts";
import { readersOf, refusePublic } from "../visibility.ts";
import type { LockView } from "../locks.ts";
import { lockViews, releaseLocks } from "../locks.ts";
import { fetchHub, type Workspace } from "../workspace.ts";
import { failed, type Finding, ok } from "./finding.ts";

/** Fetches, and asks whether a push would be accepted. */
export async function checkHub(workspace: Workspace): Promise<Finding[]> {
  let head: Oid | undefined;
  try {
    head = await fetchHub(workspace);
  } catch (error) {
    return [failed("hub", error)];
  }
  const reached = ok("hub", `${workspace.config.remote} answers`);
  if (head === undefined) {
    return [{ topic: "hub", level: "warning", what: "it is empty", mend: "ccsync push" }];
  }
  try {
    await workspace.mirror.tryPush(head);
    return [reached, ok("hub", "this machine may write to it"), await checkClock(workspace, head)];
  } catch (error) {
    return [reached, failed("hub", error)];
  }
}

/** Asks GitHub, where the hub is there, whether strangers can read it. */
export async function checkReaders({ config, env }: Workspace): Promise<Finding[]> {
  const repository = repositoryOf(config.remote);
  if (repository === undefined) return [];
  const account = await githubAccount(repository.host);
  if (!("login" in account)) {
    const what = `who can read the hub cannot be told: ${account.why}`;
    return [{ topic: "gh", level: "warning", what, mend: account.hint }];
  }
  const { host, login } = account;
  const path = findProgram("gh", env.searchPath, env.os) ?? "on the PATH";
  const gh = ok("gh", `version ${await ghVersion()}, ${path}, logged in to ${host} as ${login}`);
  const readers = await readersOf(config.remote);
  if (readers.visibility === "unknown") {
    const what = `who can read it cannot be told: ${readers.why}`;
    return [gh, { topic: "readers", level: "warning", what, mend: "gh auth status" }];
  }
  try {
    refusePublic(config, readers);
  } catch (error) {
    return [gh, failed("readers", error)];
  }
  const others = readers.visibility === "private" ? "" : ", as you allowed";
  return [gh, ok("readers", `it is ${readers.visibility}${others}`)];
}

/** Times that differ by less are no wrong clock. */
const CLOCK_TOLERANCE_MS = 2 * 60_000;

/** Compares the clocks: nothing in the hub can be from the future. */
async function checkClock({ env, mirror }: Workspace, head: Oid): Promise<Finding> {
  const { at, machine } = await mirror.lastCommit(head);
  const ahead = at - env.now();
  if (ahead <= CLOCK_TOLERANCE_MS) return ok("clock", "no time in the hub is ahead of this clock");
  return {
    topic: "clock",
    level: "warning",
    what: `the last push, by ${machine}, is ${Math.round(ahead / 60_000)} min ahead of this clock`,
    mend:
      "set the clock of whichever of the two is wrong; nothing is lost by it, but ages and locks are off",
  };
}

/** Looks for locks that nobody works under any more. */
export async function checkLocks(workspace: Workspace): Promise<Finding[]> {
  const locks = [...(await lockViews(workspace)).values()];
  const live = locks.filter(({ standing }) => standing === "held");
  const stale = locks.filter(({ standing }) => standing !== "held");
  return [
    ok("locks", live.length === 0 ? "no session is locked" : live.map(described).join(", ")),
    ...stale.map((lock): Finding => ({
      topic: "locks",
      level: "warning",
      what: lock.standing === "left"
        ? `${described(lock)}: its process has ended`
        : `${described(lock)}: it has expired`,
      mend: lock.isOurs ? "ccsync update" : "ccsync lock cleanup",
      // What another machine left is for people to decide.
      ...(lock.isOurs ? { fix: async () => void await releaseLocks(workspace, [lock]) } : {}),
    })),
  ];
}

const described = ({ machine, session }: LockView) => `${session.slice(0, 8)} locked by ${machine}`;
