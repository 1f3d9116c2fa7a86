/**
 * Keeps the old content of a file before it is replaced: content-addressed copies and a journal.
 *
 * @module
 */
import { hash } from "node:crypto";
import { join } from "node:path";
import { makePrivateDirectory, writeAll } from "../machine/files.ts";
import { blockHashes } from "./fingerprint.ts";

/** One replaced file, as the journal has it. */
export interface BackupEntry {
  /** ISO 8601. */
  readonly at: string;
  readonly path: string;
  /** Name of the copy under `backups/objects`. */
  readonly content: string;
  readonly size: number;
}

/** Copies a file's content to the backups, durably, and notes where it was. */
export function backUp(ccsyncHome: string, path: string, now: number): BackupEntry {
  const { size } = Deno.statSync(path);
  const content = hash("sha256", blockHashes(path, size).join(""), "hex");
  const directory = join(ccsyncHome, "backups");
  makePrivateDirectory(join(directory, "objects"));
  copyDurably(path, join(directory, "objects", content));
  const entry = { at: new Date(now).toISOString(), path, content, size };
  appendLine(join(directory, "journal.jsonl"), JSON.stringify(entry));
  return entry;
}

function copyDurably(from: string, to: string): void {
  Deno.copyFileSync(from, to);
  using file = Deno.openSync(to, { read: true, write: true });
  file.syncSync();
  if (Deno.build.os !== "windows") Deno.chmodSync(to, 0o600);
}

function appendLine(path: string, line: string): void {
  using file = Deno.openSync(path, { append: true, create: true, mode: 0o600 });
  writeAll(file, new TextEncoder().encode(line + "\n"));
  file.syncSync();
}
