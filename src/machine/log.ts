/**
 * A log that never grows beyond its bounds.
 *
 * @module
 */
import { lstatIfThere, patiently } from "./files.ts";

/** Bytes of one file. */
const MOST_BYTES = 1024 * 1024;
/** Older files that are kept beside the current one: `.1` is the younger one. */
const OLDER_FILES = 2;
const MOST_LINE_CHARS = 4000;

/** Appends to a log: one line, with its time. Older lines move to `<path>.1`, `<path>.2`, and go. */
export function appendToLog(path: string, now: number, text: string): void {
  if ((lstatIfThere(path)?.size ?? 0) >= MOST_BYTES) rotate(path);
  const line = text.replaceAll(/\s*\n\s*/g, "; ").slice(0, MOST_LINE_CHARS);
  Deno.writeTextFileSync(path, `${new Date(now).toISOString()} ${line}\n`, {
    append: true,
    mode: 0o600,
  });
}

function rotate(path: string): void {
  for (let number = OLDER_FILES; number >= 1; number--) {
    const younger = number === 1 ? path : `${path}.${number - 1}`;
    if (lstatIfThere(younger) !== undefined) {
      patiently(() => Deno.renameSync(younger, `${path}.${number}`));
    }
  }
}
