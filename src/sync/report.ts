/**
 * What a push or a pull did, or would do: data, rendered elsewhere.
 *
 * @module
 */
import type { SessionId } from "../brands.ts";
import type { Skipped } from "../claude/scan.ts";
import type { SessionView } from "./facts.ts";
import type { MemoryReport } from "./memory/report.ts";

/** What happened to one session. */
export interface SessionReport {
  readonly id: SessionId;
  readonly title: string;
  /** The project's directory here, or its portable form where it has none. */
  readonly project: string;
  readonly action: string;
  /** Lines of the transcript that travelled. */
  readonly lines: number;
  /** Sidecars that travelled. */
  readonly files: number;
  /** Bytes that travelled. */
  readonly bytes: number;
  /** Both sides continued it: the session that keeps the other continuation. */
  readonly fork?: SessionId;
}

/** A session that was not synced, and why. */
export interface SessionFault {
  readonly id: SessionId;
  readonly title: string;
  readonly why: string;
}

/** The result of a push or a pull. */
export interface SyncReport {
  readonly direction: "push" | "pull";
  readonly isDryRun: boolean;
  /** Sessions that something was, or would be, done with. */
  readonly sessions: readonly SessionReport[];
  /** Sessions that were left alone on purpose, and why. */
  readonly waiting: readonly SessionFault[];
  /** What could not be synced. */
  readonly failed: readonly SessionFault[];
  readonly skipped: readonly Skipped[];
  /** What happened to memory and CLAUDE.md. */
  readonly memory: MemoryReport;
  /** Placeholders without a path here, and how many sessions wait for each. */
  readonly unmapped: readonly { readonly name: string; readonly sessions: number }[];
  /** How often somebody else was faster at pushing. */
  readonly retries: number;
}

/** Returns the title to show for a session. */
export function titleOf({ meta, id }: Pick<SessionView, "meta" | "id">): string {
  return meta?.title || id;
}

/** Counts how many sessions wait for each placeholder. */
export function countUnmapped(
  sessions: readonly SessionView[],
): { readonly name: string; readonly sessions: number }[] {
  const counts = new Map<string, number>();
  for (const { unmapped } of sessions) {
    for (const name of unmapped) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => ({ name, sessions: count })).sort((a, b) =>
    a.name < b.name ? -1 : 1
  );
}
