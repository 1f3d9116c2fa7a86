/**
 * The daemon as a process: what the loop of `src/sync/daemon/loop.ts` acts on.
 *
 * @module
 */
import { join } from "node:path";
import type { SessionId } from "../brands.ts";
import { projectsDir } from "../claude/layout.ts";
import { liveSessions } from "../claude/live.ts";
import { CcsyncError, messageOf } from "../errors.ts";
import { configPath } from "../machine/config.ts";
import type { Environment } from "../machine/environment.ts";
import { lstatIfThere, removeIfThere } from "../machine/files.ts";
import { appendToLog } from "../machine/log.ts";
import { giveBackMemory } from "../machine/memory.ts";
import { networkAddresses } from "../machine/network.ts";
import { ChangeWatcher } from "../machine/watch.ts";
import { logPath, stopPath } from "../sync/daemon/files.ts";
import type { Surroundings } from "../sync/daemon/loop.ts";
import { takeAnnouncements } from "../sync/daemon/queue.ts";
import { type DaemonRecord, readRecord, writeRecord } from "../sync/daemon/record.ts";
import type { News, Outcome, Work } from "../sync/daemon/timetable.ts";
import { OpenSessions, synchronizeOnce } from "../sync/daemon/work.ts";
import { push } from "../sync/push.ts";
import type { SyncReport } from "../sync/report.ts";
import { isOffline } from "../sync/resume.ts";
import { type Context, inWorkspace, noteEnding, noteTrouble } from "./context.ts";
import { count, isPartial } from "./render.ts";

const TICK_MS = 1_000;

/** How a daemon works. */
export interface DaemonOptions {
  /** Seconds between two runs. */
  readonly interval: number;
  readonly isPushOnly: boolean;
  readonly mode: DaemonRecord["mode"];
}

/** A daemon at work. Dispose it. */
export class Daemon implements Surroundings, Disposable {
  readonly now: () => number;
  readonly #context: Context;
  readonly #env: Environment;
  readonly #options: DaemonOptions;
  readonly #watcher: ChangeWatcher;
  readonly #open: OpenSessions;
  /** Sessions whose end was announced, as long as they seem to be open. */
  readonly #over = new Set<SessionId>();
  #wake: () => void = () => undefined;
  #isStopped = false;
  #addresses = "";
  #isOffline = false;
  #record: DaemonRecord;
  /** What the last run could not do: said once, not every five minutes. */
  #told = "";
  #warnings: string[] = [];
  #error: unknown;

  constructor(context: Context, options: DaemonOptions) {
    const { env } = context;
    this.now = env.now;
    this.#env = env;
    this.#options = options;
    this.#open = new OpenSessions(options.mode === "daemon");
    this.#context = {
      ...context,
      progress: {
        step: (what) => context.terminal.detail(what),
        begin: () => undefined,
        advance: () => undefined,
        warn: (what) => this.#warnings.push(what),
      },
    };
    const { last, failing } = readRecord(env.ccsyncHome) ?? {};
    this.#record = {
      pid: Deno.pid,
      mode: options.mode,
      startedAt: this.#time(),
      interval: options.interval,
      pushOnly: options.isPushOnly,
      ...(last === undefined ? {} : { last }),
      ...(failing === undefined ? {} : { failing }),
    };
    const { claudeDir } = env;
    const memory = join(claudeDir, "CLAUDE.md");
    this.#watcher = new ChangeWatcher(
      options.mode === "once" ? [] : [
        { path: claudeDir, isDeep: false, counts: (path) => path === memory },
        { path: projectsDir(claudeDir), isDeep: true },
      ],
      (why) => this.#say(`cannot watch "${claudeDir}" (${why}): going on at intervals alone`),
    );
  }

  /** Says that it begins. */
  begin(): void {
    removeIfThere(stopPath(this.#env.ccsyncHome));
    writeRecord(this.#env.ccsyncHome, this.#record);
    const { interval, isPushOnly } = this.#options;
    this.#say(`begins, process ${Deno.pid}, every ${interval} s${isPushOnly ? ", push only" : ""}`);
  }

  /**
   * Works once, for a scheduler, and returns whether all of it could be done.
   *
   * @throws {CcsyncError} as a push or a pull
   */
  async once(): Promise<"done" | "partial"> {
    this.news();
    const outcome = await this.work("sync");
    if (outcome === "done" || outcome === "partial") return outcome;
    throw this.#error;
  }

  /** Makes it stop once it has finished what it does. */
  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  isStopped(): boolean {
    const isTold = lstatIfThere(stopPath(this.#env.ccsyncHome)) !== undefined;
    return this.#isStopped || isTold || this.#isGone();
  }

  /** Whoever removed the configuration, or the whole directory, does not want it back. */
  #isGone(): boolean {
    return lstatIfThere(configPath(this.#env.ccsyncHome)) === undefined;
  }

  async wait(): Promise<void> {
    if (this.#isStopped) return;
    // No race with a promise that lives as long as the daemon: that would keep a bit of every second.
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, TICK_MS);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
  }

  news(): News {
    const announced = takeAnnouncements(this.#env.ccsyncHome);
    for (const { event, session } of announced) {
      if (event === "session-end") this.#over.add(session);
      if (event === "session-start") this.#over.delete(session);
    }
    return {
      hasChanged: this.#watcher.take(),
      isElsewhere: this.#isOffline && this.#hasMoved(),
      hooks: announced.map(({ event }) => event),
    };
  }

  #hasMoved(): boolean {
    const before = this.#addresses;
    this.#addresses = networkAddresses();
    return this.#addresses !== before;
  }

  async work(work: Work): Promise<Outcome> {
    this.#warnings = [];
    const { outcome, text, why } = await this.#run(work);
    const trouble = [...why === undefined ? [] : [`${work} failed: ${why}`], ...this.#warnings];
    const told = trouble.join("; ");
    if (text !== "") this.#say(text);
    if (told !== this.#told) this.#say(told === "" ? "all is well again" : told);
    this.#told = told;
    this.#note(work, outcome, why);
    this.#isOffline = outcome === "offline";
    if (this.#isOffline) this.#addresses = networkAddresses();
    await this.#forgetOver();
    if (this.#options.mode === "daemon") giveBackMemory();
    return outcome;
  }

  /** A client that is ending still claims its session for a moment. */
  async #forgetOver(): Promise<void> {
    if (this.#over.size === 0 || this.#isOffline) return;
    const live = await liveSessions(this.#env.claudeDir, this.now());
    for (const session of this.#over) if (!live.has(session)) this.#over.delete(session);
  }

  async #run(work: Work): Promise<{ outcome: Outcome; text: string; why?: string }> {
    try {
      const reports = await inWorkspace(this.#context, async (workspace) => {
        const isPull = work === "sync" && !this.#options.isPushOnly;
        const run = { isPull, isStale: work === "sync", over: this.#over };
        try {
          const reports = await synchronizeOnce(workspace, this.#open, run);
          noteEnding(workspace, "daemon", reports.some(isPartial));
          return reports;
        } catch (error) {
          noteTrouble(workspace, "daemon", messageOf(error));
          throw error;
        }
      });
      this.#warnings.push(...reports.flatMap(faultsOf));
      const outcome = reports.some(isPartial) ? "partial" : "done";
      return { outcome, text: reports.flatMap(summaryOf).join(", ") };
    } catch (error) {
      this.#error = error;
      const stack = error instanceof CcsyncError || !(error instanceof Error) ? "" : error.stack;
      const why = stack || messageOf(error);
      return { outcome: isOffline(error) ? "offline" : "failed", text: "", why };
    }
  }

  /** Writes down how a run ended. */
  #note(work: Work, outcome: Outcome, why: string | undefined): void {
    const { failing: before, ...record } = this.#record;
    const since = before?.since ?? this.#time();
    this.#record = {
      ...record,
      last: { at: this.#time(), work, outcome },
      ...(why === undefined ? {} : { failing: { since, why: why.split("\n")[0] ?? "" } }),
    };
    this.#write();
  }

  /** Releases its locks, pushing what was written last, and says that it has ended. */
  async end(): Promise<void> {
    if (this.#isGone()) return;
    if (this.#open.isHolder) await this.#release();
    this.#record = { ...this.#record, endedAt: this.#time() };
    this.#write();
    this.#say("ends");
    removeIfThere(stopPath(this.#env.ccsyncHome));
  }

  async #release(): Promise<void> {
    try {
      await inWorkspace(this.#context, async (workspace) => {
        const locks = this.#open.all();
        await push(workspace, { isDryRun: false, all: false, isOptimistic: true, locks });
      });
    } catch (error) {
      this.#say(`cannot release its locks, which expire by themselves: ${messageOf(error)}`);
    }
  }

  #write(): void {
    try {
      writeRecord(this.#env.ccsyncHome, this.#record);
    } catch (error) {
      this.#say(`cannot write daemon.json: ${messageOf(error)}`);
    }
  }

  #say(text: string): void {
    this.#context.terminal.note(text);
    try {
      appendToLog(logPath(this.#env.ccsyncHome), this.now(), text);
    } catch (error) {
      // A full disk is no reason to end: what has to be synced is elsewhere.
      this.#context.terminal.detail(`cannot write the log: ${messageOf(error)}`);
    }
  }

  #time(): string {
    return new Date(this.now()).toISOString();
  }

  [Symbol.dispose](): void {
    this.#watcher[Symbol.dispose]();
  }
}

function summaryOf({ direction, memory, sessions }: SyncReport): string[] {
  if (sessions.length === 0 && memory.items.length === 0) return [];
  const lines = sessions.reduce((sum, session) => sum + session.lines, 0);
  const files = memory.items.length;
  const shared = files === 0 ? "" : ` and ${count(files, "memory file")}`;
  return [
    `${direction} of ${count(sessions.length, "session")} (${count(lines, "line")})${shared}`,
  ];
}

function faultsOf({ direction, failed, memory, skipped, unmapped }: SyncReport): string[] {
  return [
    ...failed.map(({ id, why }) => `${direction} left out ${id}: ${why}`),
    ...[...skipped, ...memory.failed].map(({ what, why }) =>
      `${direction} left out "${what}": ${why}`
    ),
    ...[...unmapped, ...memory.unmapped].map(({ name }) => `${name} has no path on this machine`),
  ];
}
