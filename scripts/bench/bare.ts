/**
 * The least that a program does: what start-up is measured against.
 *
 * @module
 */

// deno-lint-ignore no-console -- the simplest program there is
console.log("0.1.0");
