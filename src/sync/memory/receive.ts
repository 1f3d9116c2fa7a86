/**
 * Writes into Claude Code's directory what this machine lacks of the shared texts.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { LocalPath } from "../../brands.ts";
import { isSameStamp, type LocalFile, stampOf } from "../../claude/scan.ts";
import { FileTrouble, messageOf } from "../../errors.ts";
import { lstatIfThere, PendingFile, removeWithFolders } from "../../machine/files.ts";
import type { Content } from "../../machine/journal.ts";
import { toLocal } from "../../translate/to_local.ts";
import { isFileTrouble } from "../facts.ts";
import type { Workspace } from "../workspace.ts";
import { Paths } from "./clash.ts";
import { hashOf, NO_STAMP } from "./files.ts";
import type { MemoryItem, MemoryReport } from "./report.ts";
import { rootOf, type TextSet } from "./sets.ts";
import { codecOf } from "./text.ts";
import { type LeftText, memoryItem, type MemoryView, remember, type TextView } from "./view.ts";

/**
 * Brings the local sets in step with the hub. What is replaced or removed is backed up before; a text that
 * changed meanwhile is left alone and stops no other one.
 */
export async function receiveMemory(
  workspace: Workspace,
  { failed, skipped, texts, unmapped }: MemoryView,
  { isDryRun }: { readonly isDryRun: boolean },
): Promise<MemoryReport> {
  const items: MemoryItem[] = [];
  const failures = [...failed];
  const receiver = new Receiver(workspace, isDryRun);
  // Removed first: where a note was, a folder may be now.
  const removed = texts.filter(({ pull }) => pull === "delete");
  const written = texts.filter(({ pull }) => pull === "take" || pull === "merge");
  for (const view of [...removed, ...written]) {
    try {
      const item = view.pull === "delete" ? receiver.remove(view) : await receiver.write(view);
      if (item !== undefined) items.push(item);
    } catch (error) {
      if (!isFileTrouble(error)) throw error;
      failures.push({ what: view.local?.path ?? view.target, why: messageOf(error) });
    }
  }
  return { items, skipped, failed: failures, unmapped };
}

class Receiver {
  readonly #workspace: Workspace;
  readonly #places = new Map<TextSet, Paths>();
  readonly #isDryRun: boolean;
  readonly #removed = new Set<LocalPath>();

  constructor(workspace: Workspace, isDryRun: boolean) {
    this.#workspace = workspace;
    this.#isDryRun = isDryRun;
  }

  remove(view: TextView): MemoryItem {
    const { state } = this.#workspace;
    const { local, path, set } = view;
    if (local === undefined) throw new TypeError("Cannot remove a text that is not here");
    if (!this.#isDryRun) {
      this.#note(view, local.path, null);
      requireUntouched(local.path, local);
      removeWithFolders(local.path, rootOf({ file: local.path, path }) ?? local.path);
      state.removeTextBase({ set: set.key, path });
    }
    this.#removed.add(local.path);
    return memoryItem(view, "delete", 0);
  }

  /** Returns `undefined` where the file already has what it is to have. */
  async write(view: TextView): Promise<MemoryItem | undefined> {
    const { hub, local, merged, path, target } = view;
    if (hub === undefined) throw new TypeError("Cannot take a text that is not in the hub");
    const { mirror } = this.#workspace;
    const blob = await mirror.objects.blob(hub.oid);
    const theirs = toLocal(this.#workspace.translator(codecOf(path)), blob);
    const content = view.pull === "merge" && merged !== undefined ? merged : theirs;
    const isThere = local?.path === target && hashOf(content) === local.hash;
    if (!isThere) {
      const clash = local?.path === target ? undefined : this.#pathsOf(view.set).clash(path);
      if (clash !== undefined) throw new FileTrouble(clash);
      this.#pathsOf(view.set).add(path);
      if (!this.#isDryRun) this.#replace(view, content);
    }
    const version = { path: target, hash: hashOf(theirs), stamp: NO_STAMP, oid: hub.oid };
    const profile = this.#workspace.profileKey;
    if (!this.#isDryRun) remember(this.#workspace, view, { ...version, profile }, theirs);
    if (!this.#isDryRun && view.left !== undefined) this.#putAway(view, view.left);
    const action = view.pull === "merge" ? "merge" : "take";
    return isThere ? undefined : memoryItem(view, action, content.length);
  }

  #replace(view: TextView, content: Uint8Array): void {
    const { local, path, target } = view;
    using pending = new PendingFile(target);
    pending.write(content);
    this.#note(view, target, { hash: pending.hash, size: pending.size });
    if (local !== undefined && local.path !== target) this.#note(view, local.path, null);
    if (local !== undefined) keepMode(local.path, pending.path, this.#workspace.env.os);
    // The last thing before: what is written after it is written to the new file, or found by the next run.
    if (local?.path !== target) requireUntouched(target, undefined);
    if (local !== undefined) requireUntouched(local.path, local);
    pending.place();
    if (local !== undefined && local.path !== target) {
      removeWithFolders(local.path, rootOf({ file: local.path, path }) ?? local.path);
    }
  }

  /** Keeps what is at a path, and notes what takes its place. */
  #note({ base, path, set }: TextView, file: LocalPath, after: Content | null): void {
    const { journal, state } = this.#workspace;
    const before = lstatIfThere(file) === undefined ? null : journal.keep(file);
    const text = base === undefined ? undefined : state.baseText(set.key, path);
    const owner = {
      set: set.key,
      text: path,
      base: base ?? null,
      baseText: text === undefined ? null : Buffer.from(text).toString("base64"),
      hub: state.fact("memory_head") ?? null,
    };
    journal.record({ path: file, owner, effect: { kind: "replace", before, after } });
  }

  /** Removes a text from where it was before placeholders moved, unless somebody edited it there. */
  #putAway(view: TextView, { hash, path: file }: LeftText): void {
    if (lstatIfThere(file) === undefined || hashOf(Deno.readFileSync(file)) !== hash) return;
    this.#note(view, file, null);
    removeWithFolders(file, rootOf({ file, path: view.path }) ?? file);
  }

  /** Returns the paths that are in the set's folder, so that nothing is put where it cannot be. */
  #pathsOf(set: TextSet): Paths {
    const known = this.#places.get(set);
    if (known !== undefined) return known;
    const left = [...set.folder.files].filter(([, file]) => !this.#removed.has(file.path));
    const names = [...left.map(([path]) => path), ...set.folder.blocked];
    // Whether a volume ignores case cannot be told by its system alone; on these two it nearly always does.
    const paths = new Paths(names, this.#workspace.env.os !== "linux");
    this.#places.set(set, paths);
    return paths;
  }
}

/** The file must still be what the decision was made for. */
function requireUntouched(path: LocalPath, before: LocalFile | undefined): void {
  const info = lstatIfThere(path);
  const isSame = info === undefined || before === undefined
    ? info === before
    : isSameStamp(stampOf(info), before.stamp);
  if (!isSame) throw new FileTrouble("it changed meanwhile; run the command again");
}

/** Notes are not secret, and whoever made one readable for others wants it so. */
function keepMode(from: LocalPath, to: string, os: typeof Deno.build.os): void {
  const mode = os === "windows" ? undefined : lstatIfThere(from)?.mode;
  if (mode !== undefined && mode !== null) Deno.chmodSync(to, mode & 0o777);
}
