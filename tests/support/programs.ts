/**
 * Programs of the system that some tests need, and that may not be there.
 *
 * @module
 */
import { delimiter } from "node:path";
import { findProgram } from "../../src/machine/programs.ts";

/** Returns where a program of the system is, `undefined` where it is not installed. */
export function pathOf(name: string): string | undefined {
  const places = (Deno.env.get("PATH") ?? "").split(delimiter).filter((place) => place !== "");
  return findProgram(name, places, Deno.build.os);
}

/** Returns what keeps tests from running that need these programs, `undefined` where all are installed. */
export function missing(...names: readonly string[]): string | undefined {
  const name = names.find((name) => pathOf(name) === undefined);
  return name === undefined ? undefined : `${name} is not installed`;
}

/** Defines a test that cannot run everywhere. Where something is in the way, it is ignored, and its name says why. */
export function testUnless(
  obstacle: string | undefined,
  name: string,
  work: () => void | Promise<void>,
): void {
  const ignored = obstacle === undefined ? "" : ` (ignored: ${obstacle})`;
  Deno.test({ name: name + ignored, ignore: obstacle !== undefined, fn: () => work() });
}
