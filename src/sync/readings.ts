/**
 * What was read of this machine's transcripts, remembered while a workspace is open: a long push looks at all
 * sessions before each of its commits, and most are then as they were.
 *
 * @module
 */
import type { LocalPath } from "../brands.ts";
import { isSameStamp, type LocalFile, type LocalTranscript, readProject } from "../claude/scan.ts";
import type { FileStamp } from "../machine/state.ts";
import { readRange } from "../machine/files.ts";
import { summarize, type Summary, SUMMARY_BYTES } from "../transcript/summary.ts";

/**
 * Returns the summary of a transcript, from its two ends.
 *
 * @param size End of its complete lines
 */
export function summaryOf(path: LocalPath, size: number, earlier: Summary | undefined): Summary {
  const tailFrom = Math.min(size, Math.max(SUMMARY_BYTES, size - SUMMARY_BYTES));
  const head = readRange(path, 0, Math.min(size, SUMMARY_BYTES));
  return summarize(head, readRange(path, tailFrom, size), earlier);
}

/** What was read of a file while it looked so. */
interface Reading<T> {
  readonly stamp: FileStamp;
  readonly value: T;
}

/** Reads transcripts, each state of one once. */
export class Readings {
  readonly #os: typeof Deno.build.os;
  readonly #projects = new Map<LocalPath, Reading<LocalPath | undefined>>();
  readonly #summaries = new Map<LocalPath, Reading<Summary> & { readonly end: number }>();

  constructor(os: typeof Deno.build.os) {
    this.#os = os;
  }

  /** Returns a transcript's project; see {@linkcode readProject}. */
  project(transcript: LocalTranscript): LocalPath | undefined {
    const { path, stamp } = transcript;
    const known = this.#projects.get(path);
    if (known !== undefined && isSameStamp(known.stamp, stamp)) return known.value;
    const value = readProject(transcript, this.#os);
    this.#projects.set(path, { stamp, value });
    return value;
  }

  /**
   * Returns the summary of a transcript; see {@linkcode summaryOf}. It is remembered where nothing was known
   * before: a session that is in the hub is settled after its commit, and not read again.
   *
   * @param end End of its complete lines
   */
  summary({ path, stamp }: LocalFile, end: number, earlier: Summary | undefined): Summary {
    if (earlier !== undefined) return summaryOf(path, end, earlier);
    const known = this.#summaries.get(path);
    if (known !== undefined && known.end === end && isSameStamp(known.stamp, stamp)) {
      return known.value;
    }
    const value = summaryOf(path, end, undefined);
    this.#summaries.set(path, { stamp, end, value });
    return value;
  }
}
