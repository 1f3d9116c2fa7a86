/**
 * The line by which ccsync marks a fork: its title, and what it was forked of.
 *
 * @module
 */
import { asSessionId, type SessionId } from "../brands.ts";
import { byteText } from "../transcript/lines.ts";
import { recordOf, textOf } from "../transcript/records.ts";
import { FORK_KEY } from "../transcript/summary.ts";

/** What the mark of a fork says. */
export interface Mark {
  /** The session that it was forked of. */
  readonly parent: SessionId;
  /** The machine that its continuation is from, empty where that is not known. */
  readonly machine: string;
}

/** Returns what a whole line says as the mark of a fork, `undefined` where it is none, or another fork's. */
export function markIn(line: Uint8Array, fork: SessionId): Mark | undefined {
  // Most lines need not be parsed.
  const isPossible = line.at(-1) === NEWLINE && byteText(line).includes(`"${FORK_KEY}":"`);
  const record = isPossible ? recordOf(line) : undefined;
  const parent = asSessionId(textOf(record?.[FORK_KEY]));
  // A fork of a fork holds the other's mark, too.
  if (record?.["sessionId"] !== fork || parent === undefined) return undefined;
  return { parent, machine: textOf(record["machine"]) };
}

const NEWLINE = 0x0a;
