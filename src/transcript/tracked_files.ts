/**
 * Which files of the project a session has changed, so that Claude Code can rewind them.
 *
 * Source: `file-history-snapshot` records, `snapshot.trackedFileBackups`: an object whose keys are paths,
 * relative to the working directory or absolute, and whose values name the backup, `null` for a file that did
 * not exist. Resuming where such files are missing notes them as not existing, and rewinding then deletes
 * them (observed with client 2.1.197).
 *
 * @module
 */
import { splitLines } from "./lines.ts";

const decoder = new TextDecoder();

/** Returns the paths that the last snapshot among the lines says exist, as they are recorded. */
export function trackedFiles(lines: Uint8Array): string[] {
  const snapshots = splitLines(lines).map((line) => decoder.decode(line))
    .filter((line) => line.includes('"file-history-snapshot"'));
  const backups = snapshots.map(backupsOf).findLast((backups) => backups !== undefined);
  return Object.entries(backups ?? {})
    .filter(([, backup]) => typeof objectIn(backup)["backupFileName"] === "string")
    .map(([path]) => path);
}

type Json = Readonly<Record<string, unknown>>;

function backupsOf(line: string): Json | undefined {
  const record = objectIn(parse(line));
  if (record["type"] !== "file-history-snapshot") return undefined;
  return objectIn(objectIn(record["snapshot"])["trackedFileBackups"]);
}

function objectIn(value: unknown): Json {
  return typeof value === "object" && value !== null ? value as Json : {};
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // A line that was cut, or a conversation that quotes such a record.
    return undefined;
  }
}
