/**
 * What a push or a pull did with shared texts: data, rendered elsewhere.
 *
 * @module
 */
import type { Skipped } from "../../claude/scan.ts";

/** What happened to one shared text. */
export interface MemoryItem {
  /** `CLAUDE.md`, or the note's path in its project's memory. */
  readonly path: string;
  /** The project's directory here; empty for `CLAUDE.md`. */
  readonly project: string;
  /** Whether one version was written, what both make together, or the text was removed. */
  readonly action: "send" | "take" | "merge" | "delete";
  /** Bytes of what was written. */
  readonly bytes: number;
  /** What the user should know about it. */
  readonly note?: string;
}

/** What a push or a pull did, or would do, with shared texts. */
export interface MemoryReport {
  readonly items: readonly MemoryItem[];
  /** What is left alone because of what it is. */
  readonly skipped: readonly Skipped[];
  /** What could not be synced this time. */
  readonly failed: readonly Skipped[];
  /** Placeholders without a path here, and the memory of how many projects waits for each. */
  readonly unmapped: readonly { readonly name: string; readonly projects: number }[];
}

/** The report of a run that has nothing to do with shared texts. */
export const NO_MEMORY: MemoryReport = { items: [], skipped: [], failed: [], unmapped: [] };
