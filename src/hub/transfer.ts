/**
 * What git says of how far a fetch or a push has come.
 *
 * @module
 */

/** How far one part of a transfer has come. */
export interface Transfer {
  readonly what: string;
  /** From 0 to 1: of the objects, which differ in size. */
  readonly share: number;
  /** What has gone over the line so far, as far as git says it. */
  readonly bytes?: number;
}

/** Git's words, and ours. */
const PARTS: ReadonlyMap<string, string> = new Map([
  ["Counting objects", "counting what to send"],
  ["Compressing objects", "compressing"],
  ["Writing objects", "sending to the hub"],
  ["Receiving objects", "fetching from the hub"],
  ["Unpacking objects", "fetching from the hub"],
  ["Resolving deltas", "unpacking"],
  ["remote: Counting objects", "the hub counts what to send"],
  ["remote: Compressing objects", "the hub compresses"],
  ["remote: Resolving deltas", "the hub unpacks"],
]);

const UNITS: ReadonlyMap<string, number> = new Map([
  ["bytes", 1],
  ["KiB", 2 ** 10],
  ["MiB", 2 ** 20],
  ["GiB", 2 ** 30],
]);

/** `Receiving objects:  45% (90/200), 12.34 MiB | 4.50 MiB/s`, as git 2.39 writes it. */
const SHARE = /^([A-Za-z: ]+):\s+(\d+)% \(\d+\/\d+\)(?:, ([\d.]+) (\w+))?/;
/** What it says besides while all goes well: how much there is in all, and which references moved. */
const ASIDE =
  /^(?:(?:remote: )?(?:Enumerating objects|Counting objects|Total \d|Delta compression)|From | [ +*=!t-] .* -> )/;

/** Returns what a line tells of a transfer, `undefined` where it tells of something else. */
export function parseTransfer(line: string): Transfer | undefined {
  const [, part = "", percent, amount, unit = ""] = SHARE.exec(line) ?? [];
  const what = PARTS.get(part);
  if (what === undefined) return undefined;
  const size = amount === undefined ? undefined : Number(amount) * (UNITS.get(unit) ?? NaN);
  const bytes = size === undefined || Number.isNaN(size) ? {} : { bytes: Math.round(size) };
  return { what, share: Number(percent) / 100, ...bytes };
}

/** Returns whether a line is one that git writes of every transfer, whether it succeeds or not. */
export function isAside(line: string): boolean {
  return ASIDE.test(line);
}
