/**
 * Sends this machine's sessions to the hub.
 *
 * @module
 */
import type { Oid } from "../brands.ts";
import { CcsyncError, messageOf } from "../errors.ts";
import type { SharedPlaceholders } from "../hub/format.ts";
import type { LockMove } from "../hub/mirror.ts";
import { countLines } from "../transcript/lines.ts";
import { refreshCatalogue } from "./catalogue.ts";
import { TRANSCRIPT } from "./document.ts";
import { isFileTrouble, type Scope, type SessionView } from "./facts.ts";
import { type MemoryReport, NO_MEMORY } from "./memory/report.ts";
import { foreseenMemory, type MemorySent, sendMemory, settleMemory } from "./memory/send.ts";
import { gatherMemory, type MemoryView, NOTHING_SHARED } from "./memory/view.ts";
import { fetchAndScan, lookAround, type Overview } from "./overview.ts";
import { agreeOn, register, type Registration, writeRegistration } from "./registration.ts";
import {
  countUnmapped,
  type SessionFault,
  type SessionReport,
  type SyncReport,
  titleOf,
} from "./report.ts";
import {
  type DocumentItem,
  firstNewByte,
  itemOf,
  newContent,
  type PushItem,
  sendSession,
  type Sent,
} from "./send.ts";
import type { HeldLock } from "./locks.ts";
import { checkReaders } from "./visibility.ts";
import { type Amount, knownHub, type Workspace } from "./workspace.ts";

/** How to push. */
export interface PushOptions extends Scope {
  /** Compute the plan and write nothing. */
  readonly isDryRun: boolean;
  /** Tell the hub of this machine only. */
  readonly isRegistrationOnly?: boolean;
  /** Makes a further change to the shared table of placeholders. */
  readonly changeShared?: (shared: SharedPlaceholders) => SharedPlaceholders;
  /** Locks that are renewed with the push, or released with its last commit: all of it happens, or nothing. */
  readonly locks?: readonly { readonly held: HeldLock; readonly isRelease: boolean }[];
  /** Take the hub to be as it was heard of last, and ask it only when it turns out to be otherwise. */
  readonly isOptimistic?: boolean;
}

/** Being overtaken so often in a row is no bad luck any more. */
const MOST_RETRIES = 50;
/** A try that takes a second itself need not wait longer for its turn. */
const LONGEST_WAIT_MS = 2000;
/** Rejections on one and the same head are no race. */
const MOST_WITHOUT_PROGRESS = 8;
/** A commit of a first push holds about so much: what was accepted need not be sent again. */
const COMMIT_BYTES = 64 * 1024 * 1024;
/** Every so many pushes the mirror is tidied. */
const MAINTENANCE_INTERVAL = 50;

/**
 * Pushes: fetches, finds what the hub lacks, commits that on the hub's head, and sends it; where somebody
 * was faster, all of it again. Whatever happens, running it again continues.
 *
 * @throws {CcsyncError} kind "unreachable", "credentials", "setup" or "failed"
 */
export async function push(workspace: Workspace, options: PushOptions): Promise<SyncReport> {
  const done = new Outcome();
  const locks = options.locks ?? [];
  for (let isFirst = true;; isFirst = false) {
    const startedAt = performance.now();
    const isAsked = !(isFirst && options.isOptimistic === true);
    const { head, seen } = isAsked
      ? await fetchAndScan(workspace)
      : { head: await knownHub(workspace), seen: undefined };
    if (isAsked) { for (const { held } of locks) await held.verify(workspace); }
    const registration = await register(workspace, head, options.changeShared);
    const overview = options.isRegistrationOnly === true
      ? NOTHING
      : await lookAround(workspace, options, seen);
    const items = await planItems(workspace, overview, done);
    const memory = options.isRegistrationOnly === true
      ? NOTHING_SHARED
      : await gatherMemory(workspace, head, options.all);
    if (options.isDryRun) {
      const report = done.report(overview, true);
      return {
        ...report,
        sessions: items.map((item) => foreseen(workspace, item)),
        memory: foreseenMemory(memory),
      };
    }
    const batch = takeBatch(items);
    const isLast = batch.length === items.length;
    const moves = await movesOf(workspace, locks, isLast);
    const isNeeded = batch.length > 0 || registration.isNeeded || memory.isChanged;
    const contents = { registration, batch, memory };
    if (batch.length > 0) workspace.progress.begin("sending", done.with(items), done.amount);
    if (isNeeded) await checkReaders(workspace);
    const written = isNeeded ? await commitBatch(workspace, head, contents, done) : undefined;
    if (written !== undefined || moves.length > 0) {
      const refs = moves.map(({ move }) => move);
      if (written !== undefined) workspace.progress.step("waiting for the hub");
      if (await workspace.mirror.push(written?.commit, refs) === "rejected") {
        await done.waitForTurn(head, performance.now() - startedAt);
        continue;
      }
      for (const { held, move } of moves) held.moved(move);
    }
    if (written !== undefined) {
      await settle(workspace, written, registration);
      done.add(written);
    } else done.noteMemory(foreseenMemory(memory));
    if (isLast) {
      if (options.isRegistrationOnly !== true) {
        workspace.state.setFact("last_push", new Date(workspace.env.now()).toISOString());
      }
      return done.report(overview, false);
    }
  }
}

const NOTHING: Overview = { sessions: [], settled: new Set(), skipped: [] };

/** Returns the moves of the locks that are still this process's. */
async function movesOf(
  workspace: Workspace,
  locks: NonNullable<PushOptions["locks"]>,
  isLast: boolean,
): Promise<{ readonly held: HeldLock; readonly move: LockMove }[]> {
  const moves: { held: HeldLock; move: LockMove }[] = [];
  for (const { held, isRelease } of locks) {
    const move = await held.move(workspace, isRelease && isLast);
    if (move !== undefined) moves.push({ held, move });
  }
  return moves;
}

/** What a push has done so far, over all its commits and tries. */
class Outcome {
  readonly failed = new Map<string, SessionFault>();
  readonly #sent = new Map<string, SessionReport>();
  #bytes = 0;
  #memory: MemoryReport = NO_MEMORY;
  #retries = 0;
  #inARow = 0;
  #lastHead: Oid | undefined;
  #withoutProgress = 0;

  /** How much was sent. */
  get amount(): Amount {
    return { bytes: this.#bytes, sessions: this.#sent.size };
  }

  hasSent(id: string | undefined): boolean {
    return id !== undefined && this.#sent.has(id);
  }

  /** Returns what it is with these. */
  with(items: readonly PushItem[]): Amount {
    const bytes = items.reduce((sum, item) => sum + bytesOf(item), this.#bytes);
    return { bytes, sessions: this.#sent.size + items.length };
  }

  add({ memory, sent }: Written): void {
    this.#inARow = 0;
    this.noteMemory(memory.report);
    for (const { faults, report } of sent) {
      this.#sent.set(report.id, report);
      this.#bytes += report.bytes;
      const { id, title } = report;
      if (faults.length > 0) this.failed.set(id, { id, title, why: faults.join("; ") });
    }
  }

  /** Adds what was done with memory; what could not be done is the last look's. */
  noteMemory(report: MemoryReport): void {
    this.#memory = { ...report, items: [...this.#memory.items, ...report.items] };
  }

  fail(view: SessionView, error: unknown): void {
    if (!isFileTrouble(error)) throw error;
    this.failed.set(view.id, { id: view.id, title: titleOf(view), why: messageOf(error) });
  }

  /**
   * Waits a random while, longer after more tries.
   *
   * @param head The hub's head that the rejected commit was made on
   * @param triedMs How long the try took: where all are slow, a short wait would be none
   */
  async waitForTurn(head: Oid | undefined, triedMs: number): Promise<void> {
    this.#retries++;
    this.#withoutProgress = head === this.#lastHead ? this.#withoutProgress + 1 : 0;
    this.#lastHead = head;
    if (this.#withoutProgress > MOST_WITHOUT_PROGRESS) {
      throw new CcsyncError(
        "failed",
        "cannot push to the hub: it rejects every push though nobody else is pushing",
        {
          hints: [
            "look for a left-over main.lock, or missing permissions, in the hub; the sessions are safe on this machine",
          ],
        },
      );
    }
    if (++this.#inARow > MOST_RETRIES) {
      throw new CcsyncError(
        "failed",
        `cannot push to the hub: other machines were faster ${MOST_RETRIES} times in a row`,
        { transient: true, hints: ["the sessions are safe on this machine; run: ccsync push"] },
      );
    }
    const longest = Math.min(Math.max(LONGEST_WAIT_MS, 2 * triedMs), 20 * 2 ** this.#inARow);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
  }

  report({ sessions, skipped }: Overview, isDryRun: boolean): SyncReport {
    return {
      direction: "push",
      isDryRun,
      sessions: [...this.#sent.values()],
      waiting: sessions.filter(isTornAndClosed).map((view) => ({
        id: view.id,
        title: titleOf(view),
        why: "its last line has no line end yet; it is sent when it has",
      })),
      failed: [...this.failed.values()],
      skipped,
      memory: this.#memory,
      unmapped: countUnmapped(sessions.filter(({ transcript }) => transcript.local !== undefined)),
      retries: this.#retries,
    };
  }
}

const isTornAndClosed = ({ facts }: SessionView) => facts.isTorn && !facts.isLive;

async function planItems(
  workspace: Workspace,
  { sessions }: Overview,
  done: Outcome,
): Promise<PushItem[]> {
  const items: PushItem[] = [];
  for (const view of sessions) {
    if (done.failed.has(view.id)) continue;
    try {
      const item = await itemOf(workspace, view);
      if (item !== undefined) items.push(item);
    } catch (error) {
      done.fail(view, error);
    }
  }
  const ids = new Set(items.map(({ view }) => view.id));
  // A fork that goes on and on is not waited for: what it is to keep is found by the next push again.
  return items.filter((item) =>
    !waitsForFork(item, ids) || !done.hasSent(item.transcript?.fork?.id)
  );
}

/** Whether a session's fork, which needs something, has news of its own here. */
function waitsForFork({ transcript }: PushItem, ids: ReadonlySet<string>): boolean {
  const fork = transcript?.fork;
  return fork !== undefined && fork.kind !== "kept" && ids.has(fork.id);
}

function foreseen(
  { readings }: Workspace,
  { sidecars, transcript, view }: PushItem,
): SessionReport {
  const { end, local } = view.transcript;
  let [lines, bytes] = [0, 0];
  for (const piece of transcript === undefined ? [] : newContent(transcript)) {
    lines += countLines(piece);
    bytes += piece.length;
  }
  for (const sidecar of sidecars) bytes += sizeOf(sidecar);
  return {
    id: view.id,
    title: local === undefined ? titleOf(view) : readings.summary(local, end, view.meta).title,
    project: view.project ?? "",
    action: transcript?.action ?? "files",
    lines,
    files: sidecars.length,
    bytes,
    ...(transcript?.fork === undefined ? {} : { fork: transcript.fork.id }),
  };
}

const sizeOf = ({ action, document }: DocumentItem) =>
  document.end - firstNewByte(action, document);

function bytesOf({ sidecars, transcript }: PushItem): number {
  const all = transcript === undefined ? sidecars : [transcript, ...sidecars];
  return all.reduce((bytes, item) => bytes + sizeOf(item), 0);
}

/**
 * Returns what the next commit holds. A session whose fork has news of its own here comes after it: what the fork
 * needs is then decided by what it has in the hub.
 */
function takeBatch(all: readonly PushItem[]): readonly PushItem[] {
  const ids = new Set(all.map(({ view }) => view.id));
  const items = all.filter((item) => !waitsForFork(item, ids));
  let bytes = 0;
  const end = items.findIndex((item, i) => {
    bytes += bytesOf(item);
    return i > 0 && bytes > COMMIT_BYTES;
  });
  return end === -1 ? items : items.slice(0, end);
}

/** What one commit is to hold. */
interface Contents {
  readonly registration: Registration;
  readonly batch: readonly PushItem[];
  readonly memory: MemoryView;
}

interface Written {
  readonly commit: Oid;
  readonly sent: readonly Sent[];
  readonly memory: MemorySent;
}

async function commitBatch(
  workspace: Workspace,
  head: Oid | undefined,
  { batch, memory, registration }: Contents,
  done: Outcome,
): Promise<Written> {
  const { config, env, mirror } = workspace;
  const sent: Sent[] = [];
  const count = batch.length === 1 ? "1 session" : `${batch.length} sessions`;
  const message = `${config.machineId}: ${count}\n`;
  const bytes = batch.reduce((sum, item) => sum + bytesOf(item), 0);
  const info = { message, machine: config.machineId, at: env.now(), bytes };
  let memorySent: MemorySent = { report: NO_MEMORY, texts: [] };
  const commit = await mirror.commit(head, info, async (changes) => {
    await writeRegistration(changes, config.machineId, registration);
    for (const item of batch) {
      try {
        sent.push(await sendSession(workspace, changes, item));
        workspace.progress.advance({ sessions: 1 });
      } catch (error) {
        done.fail(item.view, error);
      }
    }
    memorySent = await sendMemory(changes, workspace, memory);
  });
  return { commit, sent, memory: memorySent };
}

/** Remembers what machine and hub agree on now that the push was accepted. */
async function settle(
  workspace: Workspace,
  { commit, memory, sent }: Written,
  { shared }: Registration,
): Promise<void> {
  const { mirror, state } = workspace;
  await refreshCatalogue(mirror, state, commit);
  const bases = sent.flatMap((each) => each.bases);
  const catalogue = state.catalogue(bases.map(({ id }) => id));
  const pushes = Number(state.fact("pushes") ?? 0) + 1;
  state.transaction(() => {
    for (const base of bases) {
      const row = catalogue.get(base.id);
      const file = base.name === TRANSCRIPT ? row?.transcript : row?.files.get(base.name);
      if (file !== undefined) state.setBase({ ...base, ...file });
    }
    state.setFact("pushes", String(pushes));
    agreeOn(workspace, shared);
  });
  await settleMemory(workspace, commit, memory);
  if (pushes % MAINTENANCE_INTERVAL === 0) await mirror.maintain();
}
