/**
 * Whether the placeholders stand for what they should.
 *
 * @module
 */
import type { SharedPlaceholders } from "../../hub/format.ts";
import { lstatIfThere } from "../../machine/files.ts";
import { isUnder, type Workspace } from "../workspace.ts";
import type { ListedSession } from "../listed.ts";
import { type Finding, ok } from "./finding.ts";

/**
 * Looks at this machine's placeholders and those of the others.
 *
 * @param sessions All sessions of this machine and the hub
 */
export function checkPlaceholderPaths(
  { config, env }: Workspace,
  shared: SharedPlaceholders,
  sessions: readonly ListedSession[],
): Finding[] {
  const own = [...config.placeholders];
  const missing = own.filter(([, path]) => lstatIfThere(path) === undefined);
  const nested = own.flatMap(([name, path]) =>
    own.filter(([, other]) => other !== path && isUnder(env.style, path, other))
      .map(([outer]) => `${name} lies inside ${outer}`)
  );
  const unknown = [...shared].filter(([name]) => !own.some(([each]) => each === name));
  const findings: Finding[] = [
    ...missing.map(([name, path]): Finding => ({
      topic: "placeholders",
      level: "warning",
      what: `${name} is "${path}" here, and there is no such directory`,
      mend: `ccsync config set-path ${name} ${config.machineId} /path/here`,
    })),
    ...unknown.map(([name, paths]): Finding => {
      const [[machine = "", path = ""] = []] = [...paths];
      const waiting = sessions.filter(({ project }) => project.startsWith(`{{${name}`)).length;
      return {
        topic: "placeholders",
        level: "warning",
        what:
          `${name} has no path on this machine (it is ${path} on ${machine}); ${waiting} sessions wait for it`,
        mend: `ccsync config add-placeholder ${name}=/path/here`,
      };
    }),
  ];
  if (findings.length > 0) return findings;
  const names = own.map(([name]) => name).join(", ") || "none of your own";
  const inside = nested.length === 0 ? "" : ` (${nested.join(", ")}: the inner one counts)`;
  return [ok("placeholders", names + inside)];
}

/** Looks for sessions of this machine that other machines cannot place, or that are not synced. */
export function checkScope(
  workspace: Workspace,
  sessions: readonly ListedSession[],
): Finding[] {
  const { config, env } = workspace;
  const here = sessions.filter(({ isHere, project }) => isHere && project !== "");
  const isIn = (roots: readonly string[], project: string) =>
    roots.some((root) => isUnder(env.style, project, root));
  const outside = here.filter(({ project }) => !isIn(config.syncDirectories, project));
  const unmapped = here.filter(({ project }) =>
    isIn(config.syncDirectories, project) && !isIn([...config.placeholders.values()], project)
  );
  return [
    ...(outside.length === 0 ? [ok("scope", "all sessions here are synced")] : [
      {
        topic: "scope",
        level: "warning",
        what: `${outside.length} sessions are outside the sync directories: ${
          directoriesOf(outside)
        }`,
        mend: "ccsync config add-sync-dir PATH",
      } as const,
    ]),
    ...(unmapped.length === 0 ? [] : [
      {
        topic: "scope",
        level: "warning",
        what:
          `${unmapped.length} sessions are under no placeholder of yours, so that other machines look for them in the same place under the home directory: ${
            directoriesOf(unmapped)
          }`,
        mend: "ccsync config add-placeholder NAME=PATH",
      } as const,
    ]),
  ];
}

function directoriesOf(sessions: readonly ListedSession[]): string {
  const all = [...new Set(sessions.map(({ project }) => project))].sort();
  return all.slice(0, 3).join(", ") + (all.length > 3 ? `, and ${all.length - 3} more` : "");
}
