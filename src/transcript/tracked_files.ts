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
import { byteText, splitLines } from "./lines.ts";
import { type Json, objectOf, recordOf } from "./records.ts";

const TYPE = "file-history-snapshot";

/** Returns the paths that the last snapshot among the lines says exist, as they are recorded. */
export function trackedFiles(lines: Uint8Array): string[] {
  // A conversation may quote such a record: only the type tells.
  const backups = splitLines(lines).filter((line) => byteText(line).includes(TYPE)).map(backupsOf)
    .findLast((found) => found !== undefined);
  return Object.entries(backups ?? {})
    .filter(([, backup]) => typeof objectOf(backup)?.["backupFileName"] === "string")
    .map(([path]) => path);
}

function backupsOf(line: Uint8Array): Json | undefined {
  const record = recordOf(line);
  if (record?.["type"] !== TYPE) return undefined;
  return objectOf(objectOf(record["snapshot"])?.["trackedFileBackups"]) ?? {};
}
