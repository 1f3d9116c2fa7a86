/**
 * All of the bytes: one call of the system may move only some. Every start needs this, and nothing else of
 * `files.ts`, which takes its time to load.
 *
 * @module
 */

/** Writes all of the bytes: one call may write only some. */
export function writeAll(file: Pick<Deno.FsFile, "writeSync">, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
}

/** Fills the buffer from the file's position, and returns how many bytes there were. */
export function readFully(file: Deno.FsFile, buffer: Uint8Array): number {
  let done = 0;
  while (done < buffer.length) {
    const count = file.readSync(buffer.subarray(done));
    if (count === null) break;
    done += count;
  }
  return done;
}
