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

/** Executables are compiled with `gc`; elsewhere, contexts that are made from here on have it, in most versions. */
function collector(): () => void {
  const own: unknown = Reflect.get(globalThis, "gc");
  if (typeof own === "function") return () => void own();
  v8.setFlagsFromString("--expose-gc");
  const gc: unknown = vm.runInNewContext("typeof gc === 'function' ? gc : undefined");
  return typeof gc === "function" ? () => void gc() : () => undefined;
}
