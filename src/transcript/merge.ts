/**
 * Brings together two continuations of one transcript without losing a line.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/**
 * Returns those local lines, in order, that the hub's lines lack. The merged transcript is the hub's lines
 * followed by them; merging it again returns none.
 *
 * Records with a uuid are identified by their bytes. Records without one (titles, modes, last prompts)
 * legitimately repeat and the last one wins, so they stay with their side: they count as present only next
 * to a record that is, or where the hub has the whole local continuation in one piece.
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
  const matched = matchRecords(hub, hubKeys, local, localKeys);
  extendMatches(matched, hubKeys, localKeys);
  return local.filter((_, i) => matched[i] === undefined);
}

/** Whether a line is a chain record: only those carry `"uuid"` beside `"parentUuid"` (fixtures). */
function isChainRecord(line: Uint8Array): boolean {
  const buffer = asBuffer(line);
  return buffer.includes('"uuid":"') && buffer.includes('"parentUuid":');
}

const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/** Equal lines have equal keys. Latin-1 maps bytes to characters one to one. */
function keyOf(line: Uint8Array): string {
  const text = asBuffer(line).toString("latin1");
  return text.endsWith("\n") ? text : text + "\n";
}

/** Returns for each local line the index of the hub's line that it is, chain records only. */
function matchRecords(
  hub: readonly Uint8Array[],
  hubKeys: readonly string[],
  local: readonly Uint8Array[],
  localKeys: readonly string[],
): (number | undefined)[] {
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
    return known === undefined ? undefined : known.length > 1 ? known.shift() : known[0];
  });
}

/** Extends matches to equal neighbours on both sides. */
function extendMatches(
  matched: (number | undefined)[],
  hubKeys: readonly string[],
  localKeys: readonly string[],
): void {
  const used = new Set(matched);
  const extend = (from: number, step: 1 | -1) => {
    const anchor = matched[from];
    if (anchor === undefined) return;
    let h = anchor + step;
    for (let i = from + step; i >= 0 && i < localKeys.length; i += step, h += step) {
      if (matched[i] !== undefined || used.has(h) || localKeys[i] !== hubKeys[h]) return;
      matched[i] = h;
      used.add(h);
    }
  };
  for (let i = 0; i < localKeys.length; i++) extend(i, 1);
  for (let i = localKeys.length - 1; i >= 0; i--) extend(i, -1);
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
