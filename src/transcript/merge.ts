/**
 * Brings together two continuations of one transcript without losing a line.
 *
 * @module
 */
import { byteText } from "./lines.ts";

/**
 * Returns those local lines, in order, that the hub's lines lack. The merged transcript is the hub's lines
 * followed by them; merging it again returns none.
 *
 * Records with a uuid are identified by their bytes. Records without one (titles, modes, last prompts)
 * legitimately repeat and the last one wins, so they stay with their side: they count as present only next
 * to a record that is, or where the hub has in one piece what an earlier merge would have added.
 *
 * @param hub The hub's lines after the base, in local form
 * @param local The local lines after the base
 */
export function linesMissingFrom(
  hub: readonly Uint8Array[],
  local: readonly Uint8Array[],
): Uint8Array[] {
  const hubKeys = hub.map(keyOf);
  const localKeys = local.map(keyOf);
  if (containsRun(hubKeys, localKeys)) return [];
  const matches = matchRecords(hub, hubKeys, local, localKeys);
  extendMatches(matches, hubKeys, localKeys);
  const missing = local.filter((_, i) => matches[i] === undefined);
  if (missing.length === 0 || missing.some(isChainRecord)) return missing;
  return wasAdded(matches, hubKeys, localKeys) ? [] : missing;
}

/** Which of the hub's lines a local line is. */
interface Match {
  readonly at: number;
  /** The place of the record next to which it was found; its own for a record with a uuid. */
  readonly anchor: number;
}

type Matches = (Match | undefined)[];

/** Whether a line is a chain record: only those carry `"uuid"` beside `"parentUuid"` (fixtures). */
export function isChainRecord(line: Uint8Array): boolean {
  const text = byteText(line);
  return text.includes('"uuid":"') && text.includes('"parentUuid":');
}

/** Equal lines have equal keys. */
function keyOf(line: Uint8Array): string {
  const text = byteText(line);
  return text.endsWith("\n") ? text : text + "\n";
}

/** Returns for each local line which of the hub's lines it is, chain records only. */
function matchRecords(
  hub: readonly Uint8Array[],
  hubKeys: readonly string[],
  local: readonly Uint8Array[],
  localKeys: readonly string[],
): Matches {
  const places = new Map<string, number[]>();
  for (const [i, line] of hub.entries()) {
    if (!isChainRecord(line)) continue;
    const key = hubKeys[i] ?? "";
    const known = places.get(key);
    if (known === undefined) places.set(key, [i]);
    else known.push(i);
  }
  return local.map((line, i) => {
    if (!isChainRecord(line)) return undefined;
    const known = places.get(localKeys[i] ?? "");
    // A record that stands twice locally but once in the hub is still there: the later one wins anyway.
    const at = known !== undefined && known.length > 1 ? known.shift() : known?.[0];
    return at === undefined ? undefined : { at, anchor: at };
  });
}

/** Extends matches to equal neighbours on both sides. */
function extendMatches(
  matches: Matches,
  hubKeys: readonly string[],
  localKeys: readonly string[],
): void {
  const used = new Set(matches.map((match) => match?.at));
  const extend = (from: number, anchor: number, step: 1 | -1) => {
    let at = anchor + step;
    for (let i = from + step; i >= 0 && i < localKeys.length; i += step, at += step) {
      if (matches[i] !== undefined || used.has(at) || localKeys[i] !== hubKeys[at]) return;
      matches[i] = { at, anchor };
      used.add(at);
    }
  };
  // In the hub's order, so that what is found in a beginning of the hub does not depend on what follows.
  const anchors = new Map(
    matches.flatMap((match, i) => match === undefined ? [] : [[match.at, i]]),
  );
  for (const [at, i] of [...anchors].sort((a, b) => a[0] - b[0])) {
    extend(i, at, -1);
    extend(i, at, 1);
  }
}

/** Returns whether the hub has, in one piece, what a merge with its lines before that would have added. */
function wasAdded(
  matches: Readonly<Matches>,
  hubKeys: readonly string[],
  localKeys: readonly string[],
): boolean {
  const unmatched = matches.indexOf(undefined);
  // The last of the hub's lines that a match needs: a shorter hub would not have had it.
  const needs = matches.map((match) => Math.max(match?.at ?? Infinity, match?.anchor ?? Infinity));
  const counts = new Map<number, number>();
  for (const at of needs.slice(0, unmatched)) counts.set(at, (counts.get(at) ?? 0) + 1);
  let before = 0;
  for (let at = hubKeys.length - 1; at >= 0; at--) {
    before += counts.get(at) ?? 0;
    // From the unmatched line on, then what is before it: nearly all places fail at once.
    const isThere = (from: number, to: number, hubFrom: number) => {
      let next = hubFrom;
      for (let i = from; i < to; i++) {
        if ((needs[i] ?? 0) >= at && localKeys[i] !== hubKeys[next++]) return false;
      }
      return true;
    };
    if (!isThere(unmatched, localKeys.length, at + before)) continue;
    if (isThere(0, unmatched, at)) return true;
  }
  return false;
}

/** Returns whether `run` stands in `lines` in one piece. */
function containsRun(lines: readonly string[], run: readonly string[]): boolean {
  if (run.length === 0) return true;
  for (let at = lines.indexOf(run[0] ?? ""); at !== -1;) {
    if (run.every((key, i) => lines[at + i] === key)) return true;
    at = lines.indexOf(run[0] ?? "", at + 1);
  }
  return false;
}
