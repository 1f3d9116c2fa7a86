/**
 * Where Claude Code goes on when it resumes a transcript, and what two continuations of one have of each other.
 *
 * Source: read in the loader of client 2.1.197 and observed with it; fixtures `variants/*`.
 *
 * @module
 */
import { byteText } from "./lines.ts";
import { isChainRecord } from "./merge.ts";
import { type Json, promptOf, recordOf, textOf } from "./records.ts";

/** One record of the tree that the chain records of a transcript are. */
interface ChainRecord {
  readonly parent: string | undefined;
  /** Whether somebody said something with it, the person or Claude. */
  readonly isSpoken: boolean;
}

/** What the last `last-prompt` selects. */
interface Selection {
  /** `undefined` selects an empty conversation. */
  readonly leaf: string | undefined;
  /** Whether exactly the leaf is meant, and no descendant of it. */
  readonly isExact: boolean;
}

const CHAIN_TYPES: ReadonlySet<unknown> = new Set(["user", "assistant", "attachment", "system"]);

/** Whether a line may select a branch. Claude Code writes this field first. */
const isLastPrompt = (line: Uint8Array) => byteText(line).includes('"type":"last-prompt"');

/** The tree of a transcript's records, line by line. Holds some 200 bytes a record, whatever its length. */
export class Conversation {
  readonly #records = new Map<string, ChainRecord>();
  #last: string | undefined;
  #selection: Selection | undefined;
  #prompt = "";

  /** Takes the next line. */
  add(line: Uint8Array): void {
    if (!isChainRecord(line) && !isLastPrompt(line)) return;
    const record = recordOf(line);
    if (record?.["type"] === "last-prompt") this.#select(record);
    else if (record !== undefined && this.#chain(record)) this.#goOn(record);
  }

  /** Takes a line of an earlier state that need not be there any more. */
  know(line: Uint8Array): void {
    const record = isChainRecord(line) ? recordOf(line) : undefined;
    if (record !== undefined) this.#chain(record);
  }

  /** What was last typed, as far as the records say. */
  get prompt(): string {
    return this.#prompt;
  }

  /**
   * The uuid of the record that resuming continues after: what the last `last-prompt` names, or the last record
   * of the file where that descends from it; `undefined` for an empty conversation.
   */
  get leaf(): string | undefined {
    if (this.#selection === undefined) return this.#last;
    const { isExact, leaf } = this.#selection;
    const isKnown = leaf === undefined ? isExact : this.#records.has(leaf);
    if (isExact && isKnown) return leaf;
    const isPassed = [...this.#path(this.#last)].some(([uuid]) => uuid === leaf);
    return isKnown && !isPassed ? leaf : this.#last;
  }

  /** The uuids of the records that resuming shows, from the last one back to the first. */
  get shown(): string[] {
    return [...this.#path(this.leaf)].map(([uuid]) => uuid);
  }

  /** Returns whether resuming this one shows anything said that the other one lacks. */
  bringsTo(other: Conversation): boolean {
    for (const [uuid, { isSpoken }] of this.#path(this.leaf)) {
      if (other.#records.has(uuid)) return false;
      if (isSpoken) return true;
    }
    return false;
  }

  #select({ explicit, lastPrompt, leafUuid }: Json): void {
    const before = this.#selection;
    this.#prompt = textOf(lastPrompt) || this.#prompt;
    if (typeof leafUuid === "string" && leafUuid !== "") {
      const isKept = before?.isExact === true && before.leaf === leafUuid;
      this.#selection = { leaf: leafUuid, isExact: explicit === true || isKept };
    } else if (leafUuid === null && explicit === true) {
      this.#selection = { leaf: undefined, isExact: true };
    }
  }

  /** Adds a record to the tree, and returns whether it is one of the conversation itself. */
  #chain({ isMeta, isSidechain, parentUuid, type, uuid }: Json): boolean {
    if (typeof uuid !== "string" || !CHAIN_TYPES.has(type)) return false;
    const isMain = isSidechain !== true;
    const isSpoken = isMain && isMeta !== true && (type === "user" || type === "assistant");
    const parent = typeof parentUuid === "string" ? parentUuid : undefined;
    this.#records.set(uuid, { parent, isSpoken });
    return isMain;
  }

  #goOn(record: Json): void {
    this.#last = textOf(record["uuid"]);
    this.#prompt = promptOf(record) || this.#prompt;
    // What was selected before a compaction no longer counts; new records end an exact selection.
    if (record["subtype"] === "compact_boundary") this.#selection = undefined;
    else if (this.#selection !== undefined) {
      this.#selection = { ...this.#selection, isExact: false };
    }
  }

  /** Yields a record and its ancestors. */
  *#path(from: string | undefined): Generator<readonly [uuid: string, record: ChainRecord]> {
    const seen = new Set<string>();
    for (let uuid = from; uuid !== undefined && !seen.has(uuid);) {
      const record = this.#records.get(uuid);
      if (record === undefined) return;
      seen.add(uuid);
      yield [uuid, record];
      uuid = record.parent;
    }
  }
}
