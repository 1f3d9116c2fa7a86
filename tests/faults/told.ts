/**
 * How a failure has to be told.
 *
 * @module
 */
import assert from "node:assert/strict";
import { described, type ProcessResult } from "../support/process.ts";

/** What says in which state the data is. */
const STATE =
  /nothing (?:is lost|was (?:changed|written))|(?:is|are) safe|stays?\b|not touched|is rebuilt|kept as/;

/** Asserts that a command failed with a code and a message, and says what to do and where the data is. */
export function assertExplained(result: ProcessResult, code: number, message: RegExp): void {
  const all = described(result);
  assert.equal(result.code, code, all);
  assert.match(result.stderr, message, all);
  assert.match(result.stderr, /^error: cannot .*[^.]$/m, all);
  assert.match(result.stderr, /^hint: /m, all);
  assert.match(result.stderr, STATE, all);
  assert.doesNotMatch(result.stderr, /^\s+at |report the lines above/m, all);
}
