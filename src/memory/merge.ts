/**
 * Brings together two versions of a text, three-way and by lines, so that no line that somebody wrote is lost
 * and nobody has to resolve anything.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { joinText, type Line, splitText } from "./lines.ts";
import { isMerged, mergeLines } from "./merge_lines.ts";

/** The largest text that is merged by lines; its lines take some twenty times the memory. */
export const LARGEST_MERGE = 4 * 1024 * 1024;

/**
 * Returns the merged text of a file, or `undefined` where there is no merging it: it is binary, too large, or
 * JSON that would be broken by it.
 */
export function mergeFiles(
  path: string,
  base: Uint8Array,
  local: Uint8Array,
  hub: Uint8Array,
): Uint8Array | undefined {
  if (![base, local, hub].every(isMergeable)) return undefined;
  const merged = mergeTexts(base, local, hub);
  const breaks = /\.json$/i.test(path) && isJson(local) && isJson(hub) && !isJson(merged);
  return breaks ? undefined : merged;
}

/** Returns whether a content is a text of a size that can be merged by lines. */
export function isMergeable(bytes: Uint8Array): boolean {
  return bytes.length <= LARGEST_MERGE && !bytes.includes(0);
}

/**
 * Merges two versions of a text that come from the same base; an empty base stands for none.
 *
 * A line that one side deleted and the other left alone goes. What either side wrote stays: where both
 * changed the same lines the hub's come first, then the local ones, without those that both have. Merging the
 * result with the same base and local text again gives the same result, so a merge whose end was not
 * remembered can be repeated.
 *
 * Works on bytes of any encoding. Line ends are not compared; in the result they are the hub's where all of
 * those are alike. A line that was only moved while the other side changed something may stay where it was.
 */
export function mergeTexts(base: Uint8Array, local: Uint8Array, hub: Uint8Array): Uint8Array {
  if (isEqual(local, base) || isEqual(local, hub)) return hub;
  if (isEqual(hub, base)) return local;
  const [baseLines, localLines, hubLines] = [splitText(base), splitText(local), splitText(hub)];
  const merged = mergeParts(baseLines, localLines, hubLines);
  return joinText(withLineEnds(merged, localLines, hubLines));
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder().decode(bytes));
    return true;
  } catch {
    return false;
  }
}

/**
 * Merges what stands between the rules at the beginning of a text for itself: else two texts of one name would
 * end up with the one's fields amid the other's body. Source: Claude Code gives every note such fields
 * (observed with client 2.1.197, fixture `memory/likes-tabs.md`).
 */
function mergeParts(
  base: readonly Line[],
  local: readonly Line[],
  hub: readonly Line[],
): readonly Line[] {
  const parts = { base: partsOf(base), local: partsOf(local), hub: partsOf(hub) };
  const hasFields = parts.local.rule !== undefined && parts.hub.rule !== undefined &&
    (base.length === 0 || parts.base.rule !== undefined);
  if (!hasFields || isMerged(base, local, hub)) return mergeLines(base, local, hub);
  return [
    ...hub.slice(0, 1),
    ...mergeLines(parts.base.fields, parts.local.fields, parts.hub.fields),
    ...parts.hub.rule ?? [],
    ...mergeLines(parts.base.body, parts.local.body, parts.hub.body),
  ];
}

/** A text whose beginning are fields, in parts; without fields all of it is body. */
interface Parts {
  readonly fields: readonly Line[];
  /** The rule that ends the fields. */
  readonly rule?: readonly Line[];
  readonly body: readonly Line[];
}

function partsOf(lines: readonly Line[]): Parts {
  const end = lines[0]?.text === "---"
    ? lines.findIndex(({ text }, i) => i > 0 && text === "---")
    : -1;
  if (end === -1) return { fields: [], body: lines };
  return {
    fields: lines.slice(1, end),
    rule: lines.slice(end, end + 1),
    body: lines.slice(end + 1),
  };
}

/** Gives every line an end: the hub's where all of those are alike. */
function withLineEnds(
  lines: readonly Line[],
  local: readonly Line[],
  hub: readonly Line[],
): Line[] {
  const uniform = uniformEnd(hub);
  const usual = uniform ?? uniformEnd(local) ?? "\n";
  const isOpen = hub.at(-1)?.end === "";
  return lines.map(({ text, end }, i) => {
    // A blank line without an end would be none.
    const staysOpen = i === lines.length - 1 && isOpen && text !== "";
    return { text, end: staysOpen ? "" : uniform ?? (end === "" ? usual : end) };
  });
}

function uniformEnd(lines: readonly Line[]): "\n" | "\r\n" | undefined {
  const ends = new Set(lines.map(({ end }) => end));
  ends.delete("");
  const [end] = ends;
  return ends.size === 1 && end !== "" ? end : undefined;
}
