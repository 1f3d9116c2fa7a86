/**
 * Writes into a commit what the hub lacks of the shared texts.
 *
 * @module
 */
import type { Oid } from "../../brands.ts";
import type { Skipped } from "../../claude/scan.ts";
import { FileTrouble, messageOf } from "../../errors.ts";
import type { CommitChanges } from "../../hub/commit_writer.ts";
import { formatMemoryProject, memoryProjectPath, sharedTextPath } from "../../hub/format.ts";
import { equalBytes } from "../../transcript/lines.ts";
import { isFileTrouble } from "../facts.ts";
import type { Workspace } from "../workspace.ts";
import { Paths } from "./clash.ts";
import { LARGEST_TEXT, settled, TOO_LARGE } from "./files.ts";
import type { MemoryItem, MemoryReport } from "./report.ts";
import type { TextSet } from "./sets.ts";
import { codecOf, portableText, todaysText } from "./text.ts";
import {
  type LocalText,
  memoryItem,
  type MemoryView,
  readAgain,
  remember,
  type TextView,
} from "./view.ts";

/** What was sent, to be remembered once the hub has accepted it. */
export interface MemorySent {
  readonly report: MemoryReport;
  readonly texts: readonly SentText[];
}

/** A text that was sent, or removed from the hub. */
export interface SentText {
  readonly view: TextView;
  /** Absent for a deletion. */
  readonly sent?: {
    readonly local: LocalText;
    readonly content: Uint8Array;
    /** Whether the hub's version is now the local one, and not that and more. */
    readonly isAll: boolean;
  };
}

/**
 * Writes the local changes of shared texts, and deletions, into a commit on top of the head that the view is of.
 * A text that cannot be read any more stops no other one.
 */
export async function sendMemory(
  changes: CommitChanges,
  workspace: Workspace,
  { failed, skipped, texts, unmapped }: MemoryView,
): Promise<MemorySent> {
  const sent: SentText[] = [];
  const items: MemoryItem[] = [];
  const failures = [...failed];
  for (const one of bySet(texts.filter(({ push }) => push !== "none"))) {
    await sendSet(changes, workspace, one, { sent, items, failures });
  }
  return { report: { items, skipped, failed: failures, unmapped }, texts: sent };
}

/** Returns what {@linkcode sendMemory} would do, without reading a file. */
export function foreseenMemory({ failed, skipped, texts, unmapped }: MemoryView): MemoryReport {
  const items = texts.flatMap((view) => {
    const bytes = view.merged?.length ?? view.local?.stamp.size ?? 0;
    return view.push === "none" ? [] : [memoryItem(view, view.push, bytes)];
  });
  return { items, skipped, failed, unmapped };
}

/** Remembers what was sent now that the hub has accepted the commit. */
export async function settleMemory(
  workspace: Workspace,
  commit: Oid,
  { texts }: MemorySent,
): Promise<void> {
  if (texts.length === 0) return;
  const { env, mirror, state } = workspace;
  const entries = await mirror.entries(commit, ["memory/", "claude/"]);
  const oids = new Map(entries.map(({ oid, path }) => [path, oid] as const));
  state.transaction(() => {
    for (const { sent, view } of texts) {
      // The base still says where the other one is, which the next pull puts away.
      if (view.left !== undefined) continue;
      if (sent === undefined) {
        state.removeTextBase({ set: view.set.key, path: view.path });
        continue;
      }
      const { content, isAll, local } = sent;
      const oid = oids.get(sharedTextPath(view.set.key, view.path));
      if (oid === undefined) continue;
      const version = { ...local, stamp: settled(local.stamp, env.now()) };
      remember(workspace, view, { ...version, oid: isAll ? oid : "" }, content);
      const { project } = view.set;
      if (project !== undefined) state.setMemoryProject(view.set.key, project.portable);
    }
    state.setFact("memory_head", commit);
  });
}

interface Outcome {
  readonly sent: SentText[];
  readonly items: MemoryItem[];
  readonly failures: Skipped[];
}

async function sendSet(
  changes: CommitChanges,
  workspace: Workspace,
  { set, views }: OfSet,
  { failures, items, sent }: Outcome,
): Promise<void> {
  const there = new Set(set.hub.texts.keys());
  // Removed first: where a note was, a folder may be now.
  for (const view of views.filter(({ push }) => push === "delete")) {
    await changes.remove(sharedTextPath(set.key, view.path));
    there.delete(view.path);
    sent.push({ view });
    items.push(memoryItem(view, "delete", 0));
  }
  const inHub = new Paths([...there, ...set.hub.blocked], false);
  for (const view of views) {
    if (view.push !== "send" && view.push !== "merge") continue;
    try {
      const clash = there.has(view.path) ? undefined : inHub.clash(view.path);
      if (clash !== undefined) throw new FileTrouble(`in the hub, ${clash}`);
      const { content, isAll, local, portable } = await outgoing(workspace, view);
      await writeProject(changes, set);
      await changes.write(sharedTextPath(set.key, view.path), portable);
      inHub.add(view.path);
      sent.push({ view, sent: { local, content, isAll } });
      items.push(memoryItem(view, view.push, portable.length));
    } catch (error) {
      if (!isFileTrouble(error)) throw error;
      failures.push({ what: view.local?.path ?? view.path, why: messageOf(error) });
    }
  }
}

/** Writes the project of a set that is new in the hub. Once too often makes no difference. */
async function writeProject(changes: CommitChanges, { hub, key, project }: TextSet): Promise<void> {
  if (project === undefined || hub.texts.size > 0) return;
  await changes.write(memoryProjectPath(key), formatMemoryProject(project.portable));
}

interface Outgoing {
  readonly local: LocalText;
  readonly content: Uint8Array;
  readonly portable: Uint8Array;
  readonly isAll: boolean;
}

async function outgoing(workspace: Workspace, view: TextView): Promise<Outgoing> {
  const { hub, local, merged, path } = view;
  if (local === undefined) throw new TypeError("Cannot send a text that is not here");
  const content = readAgain(local);
  const known = hub === undefined ? undefined : await workspace.mirror.objects.blob(hub.oid);
  const codec = codecOf(path);
  const portable = merged === undefined
    ? portableText(workspace.translator(codec, local.profile), content, known)
    : portableText(workspace.translator(codec), merged, known);
  if (portable.length > LARGEST_TEXT) throw new FileTrouble(`in portable form, ${TOO_LARGE}`);
  const isAll = merged === undefined ||
    equalBytes(merged, todaysText(workspace, path, content, local.profile, known));
  return { local, content, portable, isAll };
}

interface OfSet {
  readonly set: TextSet;
  readonly views: readonly TextView[];
}

function bySet(views: readonly TextView[]): OfSet[] {
  const sets = new Map<TextSet, TextView[]>();
  for (const view of views) sets.set(view.set, [...sets.get(view.set) ?? [], view]);
  return [...sets].map(([set, views]) => ({ set, views }));
}
