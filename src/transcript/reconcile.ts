/**
 * Sees to it that a merged transcript is resumed where it should be, and that no continuation is hidden by it.
 *
 * @module
 */
import type { Conversation } from "./conversation.ts";

/** What a merge has to do besides adding the missing lines. */
export interface Reconciled {
  /** The missing lines, and where resuming would go elsewhere a last one that selects the right branch. */
  readonly missing: readonly Uint8Array[];
  /**
   * The hub's continuation, where both sides went on: resuming the merged transcript takes the local one, so that
   * this one needs a session of its own.
   */
  readonly other?: Branch;
}

/** A continuation that a merge hides. */
export interface Branch {
  /** The records that resuming it shows, from the last one back to the conversation's first. */
  readonly records: readonly string[];
  /** The first of them that the continuation which is shown instead does not have: the same, however long it grows. */
  readonly first: string;
}

/** Claude Code keeps so much of a prompt in its `last-prompt` records (client 2.1.197). */
const LONGEST_PROMPT = 200;

/**
 * Decides how a transcript that is made of the hub's lines and the missing local ones is resumed: at the local
 * continuation where there is one, else at the hub's.
 *
 * @param sessionId The session's id, for the line that selects
 * @param hub The hub's lines; the missing ones are added to it
 * @param local All local lines
 * @param missing The local lines that the hub lacks
 */
export function reconcile(
  sessionId: string,
  hub: Conversation,
  local: Conversation,
  missing: readonly Uint8Array[],
): Reconciled {
  const [isHubNew, isLocalNew] = [hub.bringsTo(local), local.bringsTo(hub)];
  const other = isHubNew && isLocalNew ? branchOf(hub.shown, local.shown) : undefined;
  const [wanted, prompt] = isLocalNew
    ? [local.leaf, local.prompt]
    : [isHubNew ? hub.leaf : undefined, hub.prompt];
  for (const line of missing) hub.add(line);
  const needsLine = wanted !== undefined && hub.leaf !== wanted;
  return {
    missing: needsLine ? [...missing, selecting(sessionId, wanted, prompt, hub)] : missing,
    ...(other === undefined ? {} : { other }),
  };
}

function branchOf(records: readonly string[], others: readonly string[]): Branch | undefined {
  const common = new Set(others);
  const end = records.findIndex((record) => common.has(record));
  const first = records.at(end === -1 ? -1 : end - 1);
  return first === undefined ? undefined : { records, first };
}

/** What a fork that is there already is to a continuation that a merge hides. */
export type ForkUse =
  /** Resuming it shows all of the continuation. */
  | "keeps"
  /** It ends within the continuation, and nobody went on with it: it can be given the rest. */
  | "grows"
  | "none";

/**
 * Returns what a fork is to a continuation.
 *
 * @param isUntouched Whether the fork has nothing but what ccsync wrote
 */
export function useOf(fork: Conversation, isUntouched: boolean, { records }: Branch): ForkUse {
  const [last] = records;
  if (last === undefined) return "none";
  const { leaf, shown } = fork;
  if (shown.includes(last)) return "keeps";
  return isUntouched && leaf !== undefined && records.includes(leaf) ? "grows" : "none";
}

/** Returns a line that makes resuming continue after a record. */
function selecting(
  sessionId: string,
  leafUuid: string,
  prompt: string,
  merged: Conversation,
): Uint8Array {
  const lastPrompt = [...prompt].slice(0, LONGEST_PROMPT).join("");
  const line = (more: Readonly<Record<string, unknown>>) => {
    const record = { type: "last-prompt", lastPrompt, leafUuid, ...more, sessionId };
    return new TextEncoder().encode(JSON.stringify(record) + "\n");
  };
  const plain = line({});
  merged.add(plain);
  // Something that descends from it comes later: it was gone back to on purpose.
  return merged.leaf === leafUuid ? plain : line({ explicit: true });
}
