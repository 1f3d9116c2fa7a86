/**
 * The memory of a process that stays.
 *
 * @module
 */
import v8 from "node:v8";
import vm from "node:vm";

let collect: (() => void) | undefined;

/**
 * Gives memory back to the system that is not used any more. V8 does so by itself when it needs some: a process
 * that works for a moment every few minutes would keep what its largest moments took.
 */
export function giveBackMemory(): void {
  collect ??= collector();
  collect();
}

/** Contexts that are made from here on have `gc`; the program's own context does not get it. */
function collector(): () => void {
  v8.setFlagsFromString("--expose-gc");
  const gc: unknown = vm.runInNewContext("gc");
  return typeof gc === "function" ? () => void gc() : () => undefined;
}
