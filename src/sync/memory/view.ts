/**
 * Gathers how every shared text stands on this machine and in the hub.
 *
 * @module
 */
import { join } from "node:path";
import type { LocalPath, Oid } from "../../brands.ts";
import { isSameStamp, type LocalFile, type Skipped } from "../../claude/scan.ts";
import { FileTrouble, messageOf } from "../../errors.ts";
import { GLOBAL_SET } from "../../hub/format.ts";
import type { Mirror } from "../../hub/mirror.ts";
import { isMergeable, mergeFiles } from "../../memory/merge.ts";
import {
  planTextPull,
  planTextPush,
  type TextFacts,
  type TextPull,
  type TextPush,
} from "../../memory/plan.ts";
import type { TextBase } from "../../machine/state.ts";
import { equalBytes } from "../../transcript/lines.ts";
import { toLocal } from "../../translate/to_local.ts";
import { isFileTrouble } from "../facts.ts";
import type { Workspace } from "../workspace.ts";
import { identityOf, isBlocked, readSteady, settled } from "./files.ts";
import type { MemoryItem, MemoryReport } from "./report.ts";
import { findSets, rootOf, type TextSet } from "./sets.ts";
import { type HubText, readHubSets } from "./shared.ts";
import { codecOf, todaysText } from "./text.ts";

/** A shared text on this machine. */
export interface LocalText extends LocalFile {
  /** SHA-256 of what was read. */
  readonly hash: string;
  /** Key of the profile with which it was written. */
  readonly profile: string;
}

/** A text that was synced, at a place that is no longer its own. */
export interface LeftText {
  readonly path: LocalPath;
  /** SHA-256 of what was synced. */
  readonly hash: string;
}

/** A shared text that something is to be done with. */
export interface TextView {
  readonly set: TextSet;
  /** Its path in the set. */
  readonly path: string;
  readonly push: TextPush;
  readonly pull: TextPull;
  /** Where it has to be on this machine. */
  readonly target: LocalPath;
  readonly local?: LocalText;
  readonly hub?: HubText;
  readonly base?: TextBase;
  /** What lies where the text was before placeholders moved, while another one was made in the new place. */
  readonly left?: LeftText;
  /** What a merge makes of both versions, in local form. */
  readonly merged?: Uint8Array;
  /** What the user should know about it. */
  readonly note?: string;
}

/** The shared texts of this machine and the hub. */
export interface MemoryView extends Omit<MemoryReport, "items"> {
  /** Those that something is to be done with, in order of sets and paths. */
  readonly texts: readonly TextView[];
  /** Whether a push has anything to send. */
  readonly isChanged: boolean;
}

/** The view of a run that has nothing to do with shared texts. */
export const NOTHING_SHARED: MemoryView = {
  texts: [],
  isChanged: false,
  skipped: [],
  failed: [],
  unmapped: [],
};

/**
 * Gathers the shared texts, and remembers where both sides turn out to be equal. Reads the content of what
 * changed only.
 *
 * @param head The hub's head
 * @param all Whether to include projects outside the sync directories
 */
export async function gatherMemory(
  workspace: Workspace,
  head: Oid | undefined,
  all: boolean,
): Promise<MemoryView> {
  const bases = await currentBases(workspace, head);
  const skipped: Skipped[] = [];
  const failed: Skipped[] = [];
  const hubSets = await readHubSets(workspace, head, skipped);
  const texts: TextView[] = [];
  const { sets, unmapped } = findSets(workspace, { hubSets, bases }, all, skipped);
  for (const set of sets) {
    for (const found of textsOf(workspace, set)) {
      try {
        const view = await viewOf(workspace, found);
        if (view !== undefined) texts.push(view);
      } catch (error) {
        if (!isFileTrouble(error)) throw error;
        failed.push({ what: found.local?.path ?? found.path, why: messageOf(error) });
      }
    }
  }
  const isChanged = texts.some(({ push }) => push !== "none");
  return { texts, isChanged, skipped, failed, unmapped };
}

/**
 * Returns what was agreed on with this hub. What was agreed on with another one, or with a history that
 * somebody took back, says nothing about what is missing in this one.
 */
async function currentBases(
  { mirror, state }: Workspace,
  head: Oid | undefined,
): Promise<readonly TextBase[]> {
  // The hub is empty, or was not fetched yet: nothing can be said, and nothing need be forgotten.
  if (head === undefined) return [];
  const known = state.fact("memory_head");
  if (known !== head) {
    const isContinued = state.textBases().length === 0 ||
      (known !== undefined && await isContinuation(mirror, known, head));
    if (!isContinued) state.clearTextBases();
    state.setFact("memory_head", head);
  }
  return state.textBases();
}

/** Returns whether one state of the hub came out of another one by pushes alone. */
export async function isContinuation(
  mirror: Mirror,
  known: string,
  head: string,
): Promise<boolean> {
  return (await mirror.git.try(["merge-base", "--is-ancestor", known, head])).code === 0;
}

/** A text before it is known what is to be done with it. */
interface Found {
  readonly set: TextSet;
  readonly path: string;
  readonly target: LocalPath;
  readonly local?: LocalFile & { readonly profile: string };
  readonly hub?: HubText;
  readonly base?: TextBase;
  readonly left?: LeftText;
}

/** Returns the texts of a set on either side, but for what is blocked on one of them. */
function textsOf({ profileKey }: Workspace, set: TextSet): Found[] {
  const { bases, directory, earlier, folder, hub } = set;
  const folders = [{ directory, folder }, ...earlier];
  const paths = new Set([...hub.texts.keys(), ...bases.keys()]);
  for (const one of folders) for (const path of one.folder.files.keys()) paths.add(path);
  const blocked = [...hub.blocked, ...folders.flatMap((one) => one.folder.blocked)];
  return [...paths].sort().filter((path) => !isBlocked(path, blocked)).map((path) => {
    const base = bases.get(path);
    const file = folder.files.get(path);
    const here = file === undefined
      ? undefined
      : { ...file, profile: base?.file === file.path ? base.profile : profileKey };
    const before = earlier.find((one) => one.folder.files.has(path));
    const left = before?.folder.files.get(path);
    const local = here ??
      (left === undefined ? undefined : { ...left, profile: before?.profile ?? profileKey });
    const text = hub.texts.get(path);
    const found = {
      set,
      path,
      target: join(directory, path) as LocalPath,
      ...(local === undefined ? {} : { local }),
      ...(text === undefined ? {} : { hub: text }),
    };
    if (base === undefined) return found;
    // A text that was made in the new place is no edit of the one that was synced: it deletes nothing of it.
    const isAnother = here !== undefined && left?.path === base.file;
    return { ...found, ...(isAnother ? { left: { path: left.path, hash: base.hash } } : { base }) };
  });
}

async function viewOf(workspace: Workspace, found: Found): Promise<TextView | undefined> {
  const { base, hub, left, set, path, target } = found;
  if (base !== undefined && found.local === undefined && hub === undefined) {
    workspace.state.removeTextBase(base);
    return undefined;
  }
  const { local, bytes } = readLocal(workspace, found);
  const state = {
    local: local === undefined ? "absent" : local.hash === base?.hash ? "unchanged" : "changed",
    hub: hub === undefined ? "absent" : hub.oid === base?.oid ? "unchanged" : "changed",
  } as const;
  const isPlaced = local === undefined ||
    (local.path === target && local.profile === workspace.profileKey);
  const facts: TextFacts = {
    ...state,
    hasBase: base !== undefined,
    isSetGone: base !== undefined && local === undefined && isGone(set, base),
    isPlaced,
    hasNews: false,
    lacksNews: false,
  };
  const view = { set, path, target, ...pick({ local, hub, base, left }) };
  const needsMerge = state.local === "changed" &&
    (state.hub === "changed" || (state.hub === "unchanged" && !isPlaced));
  if (!needsMerge || local === undefined || hub === undefined) return planned(view, facts);
  const content = bytes ?? readAgain(local);
  const merge = await mergeOf(workspace, view, local, content, hub);
  const isEqual = merge.merged !== undefined && !merge.hasNews && !merge.lacksNews && isPlaced;
  if (isEqual && left !== undefined) {
    return { ...view, merged: merge.merged, push: "none", pull: "merge" };
  }
  if (isEqual) {
    const stamp = settled(local.stamp, workspace.env.now());
    remember(workspace, view, { ...local, stamp, oid: hub.oid }, content);
    return undefined;
  }
  const { hasNews, lacksNews, merged, note } = merge;
  return planned({ ...view, ...pick({ merged, note }) }, { ...facts, hasNews, lacksNews });
}

function planned(
  view: Omit<TextView, "push" | "pull">,
  facts: TextFacts,
): TextView | undefined {
  const [push, pull] = [planTextPush(facts), planTextPull(facts)];
  return push === "none" && pull === "none" ? undefined : { ...view, push, pull };
}

/** Returns the local text, with its content where it had to be read. */
function readLocal(
  { env, state }: Workspace,
  { base, local, set }: Found,
): { readonly local?: LocalText; readonly bytes?: Uint8Array } {
  if (local === undefined) return {};
  const { path, profile, stamp } = local;
  if (base?.file !== path) {
    const { bytes, ...read } = readSteady(path);
    return { local: { path, profile, ...read }, bytes };
  }
  const folder = path.startsWith(set.directory) ? set.folder.identity : base.folder;
  if (isSameStamp(stamp, base.stamp)) {
    if (folder !== base.folder) state.touchTextBase(base, stamp, folder);
    return { local: { path, profile, stamp, hash: base.hash } };
  }
  const { bytes, ...read } = readSteady(path);
  if (read.hash === base.hash) {
    state.touchTextBase(base, settled(read.stamp, env.now()), folder);
  }
  return { local: { path, profile, ...read }, bytes };
}

/**
 * Whether nothing can be said about deletions: no text of the set is left, or its folder is not the one in
 * which the base was. `CLAUDE.md` is alone in its set, and its folder has much else in it.
 */
function isGone({ earlier, folder, key }: TextSet, base: TextBase): boolean {
  const isEmpty = folder.files.size === 0 && earlier.every((one) => one.folder.files.size === 0);
  if (isEmpty && key !== GLOBAL_SET) return true;
  const root = rootOf(base);
  return root === undefined || identityOf(root) !== base.folder;
}

interface Merge {
  readonly merged: Uint8Array | undefined;
  readonly hasNews: boolean;
  readonly lacksNews: boolean;
  readonly note?: string;
}

/** Merges both versions with the base, all of them with today's placeholders. */
async function mergeOf(
  workspace: Workspace,
  { base, path }: Omit<TextView, "push" | "pull">,
  local: LocalText,
  bytes: Uint8Array,
  hub: HubText,
): Promise<Merge> {
  const blob = await workspace.mirror.objects.blob(hub.oid);
  const theirs = toLocal(workspace.translator(codecOf(path)), blob);
  const ours = todaysText(workspace, path, bytes, local.profile, blob);
  if (hub.oid === base?.oid) return { merged: ours, hasNews: true, lacksNews: false };
  if (equalBytes(ours, theirs)) return { merged: ours, hasNews: false, lacksNews: false };
  const text = base === undefined ? undefined : workspace.state.baseText(base.set, base.path);
  const before = text === undefined || base === undefined
    ? new Uint8Array()
    : todaysText(workspace, path, text, base.profile, blob);
  const merged = mergeFiles(path, before, ours, theirs);
  if (merged === undefined) {
    return { merged, hasNews: false, lacksNews: true, note: NOT_MERGED };
  }
  return {
    merged,
    hasNews: !equalBytes(merged, theirs),
    lacksNews: !equalBytes(merged, ours),
  };
}

const NOT_MERGED =
  "both sides changed it and it cannot be merged: the hub's version is taken, this machine's is in the backup";

/** Remembers a version of a text that this machine and the hub agree on. */
export function remember(
  { state }: Workspace,
  { set, path }: Pick<TextView, "set" | "path">,
  version: LocalText & { readonly oid: Oid | "" },
  content: Uint8Array,
): void {
  const { hash, oid, path: file, profile, stamp } = version;
  const base = { set: set.key, path, oid, hash, file, stamp, profile };
  const root = rootOf({ file, path });
  const folder = root === undefined ? "" : identityOf(root);
  state.setTextBase({ ...base, folder }, isMergeable(content) ? content : undefined);
}

/**
 * Returns the content of a local text again.
 *
 * @throws {FileTrouble} when it is another one by now
 */
export function readAgain({ hash, path }: LocalText): Uint8Array {
  const read = readSteady(path);
  if (read.hash === hash) return read.bytes;
  throw new FileTrouble("it changed meanwhile; run the command again");
}

/** Returns an object without the keys that have no value. */
function pick<T extends Record<string, unknown>>(
  values: T,
): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as { [Key in keyof T]?: Exclude<T[Key], undefined> };
}

/** Returns what the report says of a text. */
export function memoryItem(
  { note, path, set }: TextView,
  action: MemoryItem["action"],
  bytes: number,
): MemoryItem {
  const project = set.project?.local ?? "";
  return { path, project, action, bytes, ...(note === undefined ? {} : { note }) };
}
