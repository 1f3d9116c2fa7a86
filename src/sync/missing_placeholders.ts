/**
 * The placeholders that other machines have and this one lacks, and where they probably are here.
 *
 * @module
 */
import { basename, posix, win32 } from "node:path";
import { asPlaceholderName, type LocalPath, type PlaceholderName } from "../brands.ts";
import type { MachineRecord } from "../hub/format.ts";
import { isBuiltIn } from "../machine/config.ts";
import type { Environment } from "../machine/environment.ts";
import { rootFault } from "../translate/profile.ts";
import { isDirectory } from "./project_folders.ts";
import type { HubView } from "./setup.ts";

/** A placeholder without a path here. */
export interface MissingPlaceholder {
  readonly name: PlaceholderName;
  /** A machine that has it, and its path there. */
  readonly machine: string;
  readonly path: string;
  /** Where it probably is here; such a directory exists. */
  readonly here: LocalPath | undefined;
}

/**
 * Returns the placeholders that other machines have and this one lacks, by name.
 *
 * @param machineId This machine, whose column of the shared table counts as its own
 * @param known Names that have a path here
 * @param folders Folders with projects here
 * @param taken Paths here that belong to a placeholder already
 */
export function missingPlaceholders(
  env: Environment,
  { machines, shared }: Pick<HubView, "machines" | "shared">,
  machineId: string,
  known: ReadonlyMap<PlaceholderName, LocalPath>,
  folders: readonly LocalPath[],
): MissingPlaceholder[] {
  const taken = new Set<string>(known.values());
  const missing = [...shared].flatMap(([text, paths]): Omit<MissingPlaceholder, "here">[] => {
    const name = asPlaceholderName(text);
    if (name === undefined || isBuiltIn(name) || known.has(name) || paths.has(machineId)) return [];
    const [[machine, path] = ["", ""]] = paths;
    return machine === "" ? [] : [{ name, machine, path }];
  });
  return missing.map((placeholder) => {
    const candidates = [
      sameBelowHome(env, machines.get(placeholder.machine), placeholder.path),
      folders.find((folder) => nameOf(folder) === nameOf(placeholder.path)),
      missing.length === 1 && folders.length === 1 ? folders[0] : undefined,
    ];
    const here = candidates.find((path) => path !== undefined && !taken.has(path));
    if (here !== undefined) taken.add(here);
    return { ...placeholder, here };
  });
}

/** Returns the directory that lies below the home directory here as it does there, if there is one. */
function sameBelowHome(
  env: Environment,
  record: MachineRecord | undefined,
  path: string,
): LocalPath | undefined {
  if (record === undefined) return undefined;
  const [there, here] = [record.os === "windows", env.style === "windows"].map((isWindows) =>
    isWindows ? win32 : posix
  );
  const below = there?.relative(record.home, path) ?? "";
  if (there === undefined || below === "" || below.startsWith("..") || there.isAbsolute(below)) {
    return undefined;
  }
  const local = here?.join(env.home, ...below.split(there.sep)) ?? "";
  return rootFault(env.style, local) === undefined && isDirectory(local)
    ? local as LocalPath
    : undefined;
}

const nameOf = (path: string) => basename(path.replaceAll("\\", "/")).toLowerCase();
