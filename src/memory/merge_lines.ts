/**
 * The merge of lines: what was added and deleted on which side, and where it goes.
 *
 * @module
 */
import { alignLines, countTexts, diffLines, type Hunk, type Line, sameLines } from "./lines.ts";

/**
 * Merges two lists of lines that come from the same base, as `mergeTexts` says. Returns the hub's
 * list itself where it has all that the local side did.
 *
 * @example
 * ```ts
 * import { mergeLines } from "./merge_lines.ts";
 *
 * const lines = (...texts: string[]) => texts.map((text) => ({ text, end: "\n" }) as const);
 * mergeLines(lines("a", "b"), lines("a", "B"), lines("a", "b", "c")); // a, B, c
 * ```
 */
export function mergeLines(
  base: readonly Line[],
  local: readonly Line[],
  hub: readonly Line[],
): readonly Line[] {
  if (sameLines(local, base) || sameLines(local, hub)) return hub;
  if (sameLines(hub, base)) return local;
  const merge = new Merge(base, local, hub);
  if (merge.isDone) return hub;
  const merged = merge.run();
  if (!merge.isMoveOnly) return merged;
  // Nothing can be lost of lines that were only moved, so a result that would not last is not taken.
  return sameLines(new Merge(base, local, merged).run(), merged) ? merged : hub;
}

/** Returns whether the hub's lines have what the local side did. */
export function isMerged(
  base: readonly Line[],
  local: readonly Line[],
  hub: readonly Line[],
): boolean {
  return new Merge(base, local, hub).isDone;
}

type Side = "base" | "local" | "hub";

/**
 * One merge of lines. How often a line occurs decides whether it was added or deleted, the diff decides where:
 * counts stay what they are whichever of two equal lines the diff takes for the old one, so that a result
 * never looks like something that is still to be merged.
 */
class Merge {
  readonly #sides: Readonly<Record<Side, readonly Line[]>>;
  readonly #counts: Readonly<Record<Side, ReadonlyMap<string, number>>>;
  readonly #ours: readonly Change[];
  readonly #theirs: readonly Change[];
  /** Which line of each side each line of the base is. */
  readonly #inLocal: readonly number[];
  readonly #inHub: readonly number[];
  /** Texts that the local side has more or less often than the base. */
  readonly #changed: readonly string[];
  /** Whether only telling lines count: blank ones and rules come and go with their neighbours. */
  readonly #isTellingOnly: boolean;
  /** Of the texts that the local side has more often, those that show whether the hub has what was added. */
  readonly #wanted: ReadonlySet<string>;
  readonly #isAdded: boolean;
  /** Whether the hub lacks local lines, or local lines were only moved. */
  readonly #isAdding: boolean;
  /** Texts that go where the local side put them. */
  readonly #followed: ReadonlySet<string>;

  constructor(base: readonly Line[], local: readonly Line[], hub: readonly Line[]) {
    this.#sides = { base, local, hub };
    this.#counts = { base: countTexts(base), local: countTexts(local), hub: countTexts(hub) };
    const [localHunks, hubHunks] = [diffLines(base, local), diffLines(base, hub)];
    this.#ours = changesOf(localHunks, local, false);
    this.#theirs = changesOf(hubHunks, hub, true);
    this.#inLocal = alignLines(base.length, localHunks);
    this.#inHub = alignLines(base.length, hubHunks);
    const changed = this.#changedTexts();
    this.#isTellingOnly = changed.some(isTelling);
    this.#changed = changed.filter((text) => this.#counted(text));
    this.#wanted = this.#wantedTexts();
    this.#isAdded = [...this.#wanted].every((text) => {
      return this.#count("hub", text) >= this.#count("local", text);
    });
    this.#isAdding = !this.#isAdded || this.#wanted.size === 0;
    this.#followed = this.#followedTexts();
  }

  /** Whether the local side moved lines and did nothing else. */
  get isMoveOnly(): boolean {
    return this.#changed.length === 0;
  }

  /** Whether the hub has what the local side did. */
  get isDone(): boolean {
    return !this.isMoveOnly && this.#isAdded && !this.#changed.some((text) => this.#isToGo(text));
  }

  /** Returns the merged lines; these are {@linkcode Merge.isDone} with the same base and local side. */
  run(): Line[] {
    const { base, hub } = this.#sides;
    const gone = this.#goneFromHub();
    const merged: Line[] = [];
    let at = 0;
    const keepUntil = (end: number) => {
      for (; at < end; at++) {
        const line = this.#inHub[at] ?? -1;
        if (line !== -1 && !gone.has(line)) merged.push(hub[line] ?? NOTHING);
      }
    };
    const theirs = this.#theirs.map((change) => ({
      ...change,
      lines: change.lines.filter((_, i) => !gone.has(change.from + i)),
    }));
    for (const region of regionsOf([...this.#added(), ...theirs])) {
      keepUntil(region.start);
      for (const line of linesOf(region)) merged.push(line);
      keepUntil(region.end);
    }
    keepUntil(base.length);
    return merged;
  }

  #count(side: Side, text: string): number {
    return this.#counts[side].get(text) ?? 0;
  }

  #counted(text: string): boolean {
    return !this.#isTellingOnly || isTelling(text);
  }

  #changedTexts(): string[] {
    const { base, local } = this.#counts;
    return [...new Set([...base.keys(), ...local.keys()])].filter((text) => {
      return this.#count("base", text) !== this.#count("local", text);
    });
  }

  #wantedTexts(): ReadonlySet<string> {
    const added = this.#changed.filter((text) => {
      return this.#count("local", text) > this.#count("base", text);
    });
    const isNew = (text: string) => this.#count("base", text) === 0;
    return new Set(added.some(isNew) ? added.filter(isNew) : added);
  }

  /** Whether the local side has fewer of a line than the base, and the hub as many: an edit beats a deletion. */
  #isToGo(text: string): boolean {
    const before = this.#count("base", text);
    return this.#count("local", text) < before && this.#count("hub", text) === before;
  }

  /** Lines that the hub has moved, too, stay where it has them. */
  #followedTexts(): ReadonlySet<string> {
    const { base } = this.#sides;
    const followed = new Set(
      base.map(({ text }) => text).filter((text) => {
        const isLess = this.#count("local", text) < this.#count("base", text);
        if (!this.#counted(text)) return isLess || this.#isAdding;
        return this.#isAdding && (!isLess || this.#isToGo(text));
      }),
    );
    for (const [i, { text }] of base.entries()) {
      if (this.#inLocal[i] === -1 && this.#inHub[i] === -1 && this.#counted(text)) {
        followed.delete(text);
      }
    }
    return followed;
  }

  /** Returns which of the hub's lines go. */
  #goneFromHub(): Set<number> {
    const { base, hub } = this.#sides;
    const gone = new Set<number>();
    const left = new Map(
      this.#changed.filter((text) => this.#isToGo(text)).map((text) => {
        return [text, this.#count("base", text) - this.#count("local", text)] as const;
      }),
    );
    const remove = (line: number, text: string) => {
      gone.add(line);
      left.set(text, (left.get(text) ?? 0) - 1);
    };
    for (const [i, { text }] of base.entries()) {
      const line = this.#inHub[i] ?? -1;
      if (this.#inLocal[i] !== -1 || line === -1) continue;
      if (this.#followed.has(text) || (left.get(text) ?? 0) > 0) remove(line, text);
    }
    // What the hub moved and the local side deleted.
    for (const [line, { text }] of hub.entries()) {
      if (!gone.has(line) && (left.get(text) ?? 0) > 0) remove(line, text);
    }
    return gone;
  }

  /** Returns what the hub is to get of the local changes. */
  #added(): Change[] {
    if (!this.#isAdding) return [];
    const added = this.#ours.map((change) => ({ ...change, lines: this.#addedBy(change) }));
    return [...added, ...this.#saved()];
  }

  #addedBy({ lines }: Change): Line[] {
    const telling = lines.filter(isTellingLine);
    const isThere = telling.length > 0 && telling.every(({ text }) => {
      return this.#count("base", text) === 0 &&
        this.#count("hub", text) >= this.#count("local", text);
    });
    if (isThere) return [];
    return lines.filter(({ text }) => {
      const isMoved = this.#count("local", text) <= this.#count("base", text);
      return !isMoved || this.#followed.has(text);
    });
  }

  /** Returns the lines of which the local side added copies while the hub deleted them: an edit beats a deletion. */
  #saved(): Change[] {
    const { base } = this.#sides;
    return base.flatMap((line, i): Change[] => {
      const isSaved = this.#wanted.has(line.text) && this.#inLocal[i] !== -1 &&
        this.#inHub[i] === -1;
      return isSaved ? [{ isHub: false, start: i, end: i + 1, from: -1, lines: [line] }] : [];
    });
  }
}

const NOTHING: Line = { text: "", end: "" };

/** What one side put in the place of some lines of the base, perhaps none. */
interface Change {
  readonly isHub: boolean;
  /** The first of those lines of the base, and the first after them. */
  readonly start: number;
  readonly end: number;
  /** Where its lines begin on its side. */
  readonly from: number;
  readonly lines: readonly Line[];
}

/** Changes of both sides that have to be looked at together. */
interface Region {
  readonly start: number;
  end: number;
  readonly changes: Change[];
}

function changesOf(hunks: readonly Hunk[], lines: readonly Line[], isHub: boolean): Change[] {
  return hunks.map(({ start, count, otherStart, otherCount }) => ({
    isHub,
    start,
    end: start + count,
    from: otherStart,
    lines: lines.slice(otherStart, otherStart + otherCount),
  }));
}

/** Groups changes that are about the same lines. Neighbours stay apart, so that edits of two adjacent lines do not mix. */
function regionsOf(changes: readonly Change[]): Region[] {
  const regions: Region[] = [];
  const inOrder = (a: Change, b: Change) =>
    a.start - b.start || a.end - b.end || Number(b.isHub) - Number(a.isHub);
  for (const change of changes.toSorted(inOrder)) {
    const last = regions.at(-1);
    if (last !== undefined && belongsTo(last, change)) {
      last.end = Math.max(last.end, change.end);
      last.changes.push(change);
    } else regions.push({ start: change.start, end: change.end, changes: [change] });
  }
  return regions;
}

function belongsTo(region: Region, change: Change): boolean {
  if (change.start < region.end) return true;
  if (change.start > region.end) return false;
  const isSamePlace = change.end === region.start;
  return isSamePlace || region.changes.some((other) => {
    return other.isHub !== change.isHub && sharesLine(other.lines, change.lines);
  });
}

function sharesLine(a: readonly Line[], b: readonly Line[]): boolean {
  const texts = new Set(a.filter(isTellingLine).map(({ text }) => text));
  return b.some(({ text }) => texts.has(text));
}

/** Whether equal lines mean something: blank ones and rules do not. Bytes above ASCII are of letters. */
function isTelling(text: string): boolean {
  return /[0-9A-Za-z\x80-\xff]/.test(text);
}

const isTellingLine = ({ text }: Line) => isTelling(text);

/** Returns the new lines of a region: the hub's first, unless the local ones stand for what comes before. */
function linesOf({ changes }: Region): Line[] {
  const [first] = changes;
  const hub = changes.filter(({ isHub }) => isHub);
  const local = changes.filter(({ isHub }) => !isHub);
  const localEnd = local.at(-1)?.end ?? 0;
  const isLocalFirst = first?.isHub === false && localEnd <= (hub[0]?.start ?? 0);
  const [hubLines, localLines] = [hub, local].map((side) => side.flatMap(({ lines }) => lines));
  return isLocalFirst
    ? union(localLines ?? [], hubLines ?? [])
    : union(hubLines ?? [], localLines ?? []);
}

/** Returns the lines of both, in the order of both, the common ones once. Between common ones whole blocks follow each other. */
function union(a: readonly Line[], b: readonly Line[]): Line[] {
  const united: Line[] = [];
  let [atA, atB] = [0, 0];
  const take = (run: Run) => {
    for (const line of a.slice(atA, run.start)) united.push(line);
    for (const line of b.slice(atB, run.otherStart)) united.push(line);
    for (const line of run.lines) united.push(line);
    [atA, atB] = [run.start + run.lines.length, run.otherStart + run.lines.length];
  };
  commonRuns(a, b).filter(({ lines }) => lines.some(isTellingLine)).forEach(take);
  take({ start: a.length, otherStart: b.length, lines: [] });
  return united;
}

/** Lines in a row that two lists have in common. */
interface Run {
  readonly start: number;
  readonly otherStart: number;
  readonly lines: readonly Line[];
}

function commonRuns(a: readonly Line[], b: readonly Line[]): Run[] {
  let [start, otherStart] = [0, 0];
  const end = { start: a.length, count: 0, otherStart: b.length, otherCount: 0 };
  return [...diffLines(a, b), end].map((hunk) => {
    const run = { start, otherStart, lines: a.slice(start, hunk.start) };
    [start, otherStart] = [hunk.start + hunk.count, hunk.otherStart + hunk.otherCount];
    return run;
  });
}
