import config from "../deno.json" with { type: "json" };

/** This version of ccsync. */
export const VERSION: string = config.version;

/** The repository at GitHub that ccsync is released in, `HOST/OWNER/NAME`. */
export const RELEASES = "github.com/claude-session-sync/ccsync";

const SEMANTIC = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?$/;

/** Returns whether a text is a version: `1.2.3` or `1.2.3-rc.1`. */
export function isVersion(text: string): boolean {
  return SEMANTIC.test(text);
}

/** Returns less than 0 where the first version is the older one, more where it is the newer, 0 where they are equal. */
export function compareVersions(a: string, b: string): number {
  const [[, ...ours], [, ...theirs]] = [SEMANTIC.exec(a) ?? [], SEMANTIC.exec(b) ?? []];
  const [preOurs, preTheirs] = [ours.pop(), theirs.pop()];
  for (const [index, number] of ours.entries()) {
    const difference = Number(number) - Number(theirs[index]);
    if (difference !== 0) return difference;
  }
  // A version comes after those that prepare it.
  if (preOurs === undefined || preTheirs === undefined) {
    return Number(preOurs === undefined) - Number(preTheirs === undefined);
  }
  return comparePrereleases(preOurs.split("."), preTheirs.split("."));
}

/** Source: Semantic Versioning 2.0.0, section 11. */
function comparePrereleases(ours: readonly string[], theirs: readonly string[]): number {
  for (const [index, a] of ours.entries()) {
    const b = theirs[index];
    if (b === undefined) return 1;
    if (a === b) continue;
    const [isNumber, isOther] = [/^\d+$/.test(a), /^\d+$/.test(b)];
    if (isNumber && isOther) return Number(a) - Number(b);
    if (isNumber !== isOther) return isNumber ? -1 : 1;
    return a < b ? -1 : 1;
  }
  return ours.length - theirs.length;
}
