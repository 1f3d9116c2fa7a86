/**
 * The recorded files of Claude Code, as they are.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

/** The Claude directory of the recorded machine. */
export const ALICE = fileURLToPath(new URL("../fixtures/alice/.claude", import.meta.url));

/** What can be made of one transcript; `base` is the beginning that all but the damaged share. */
export const VARIANTS = [
  "base",
  "A",
  "B",
  "AB",
  "BA",
  "AB.nolp",
  "lpA",
  "dup",
  "garb",
  "torn",
  "nonl",
  "crlf",
  "bom",
  "win",
] as const;

/** Returns the bytes of a recorded variant. */
export function variant(name: typeof VARIANTS[number]): Uint8Array {
  return Deno.readFileSync(new URL(`../fixtures/variants/${name}.jsonl`, import.meta.url));
}
