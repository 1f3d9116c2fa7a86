/**
 * What the executable may do.
 *
 * @module
 */

/** One permission of the executable, and what ccsync needs it for. */
export interface Permission {
  readonly name: "read" | "write" | "env" | "sys" | "run";
  /**
   * What it is limited to.
   *
   * @default {undefined} Not limited
   */
  readonly value?: string;
  readonly reason: string;
}

/**
 * All that the executable may do, with reasons. What is not listed (network, native libraries) fails: git
 * and gh do the talking to other computers.
 *
 * Programs are not limited by name: Claude Code may lie anywhere, and a list would be no sandbox, since git
 * can run programs too. `tests/architecture_test.ts` says which sources may run any.
 */
export const PERMISSIONS: readonly Permission[] = [
  {
    name: "read",
    reason: "conversations, projects and the shared repository lie wherever people keep them",
  },
  {
    name: "write",
    reason: "pulled conversations, ccsync's state, the Claude Code settings that hold its hooks",
  },
  {
    name: "env",
    reason: "settings by name, and a copy of the environment, cleaned, for git and Claude Code",
  },
  { name: "sys", value: "hostname", reason: "the first proposal for this machine's name" },
  {
    name: "sys",
    value: "networkInterfaces",
    reason: "tells the daemon, while the hub cannot be reached, that a network came back",
  },
  { name: "sys", value: "osRelease", reason: "tells WSL from other Linux" },
  { name: "sys", value: "uid", reason: "is part of the name of Claude Code's temporary directory" },
  {
    name: "run",
    reason:
      "git, gh, ps or tasklist, the system's scheduler, ccsync itself in the background, and Claude Code, which CCSYNC_CLAUDE may name anywhere",
  },
];

/**
 * Returns the flags of `deno compile` that grant {@linkcode PERMISSIONS}.
 *
 * @returns One flag a permission, in the order of the list, such as `--allow-sys=hostname,uid`; and one that
 * takes away what Deno grants unasked: code from some servers
 */
export function permissionFlags(): string[] {
  const flags = Map.groupBy(PERMISSIONS, ({ name }) => name);
  const granted = [...flags].map(([name, permissions]) => {
    const values = permissions.flatMap(({ value }) => value ?? []);
    return values.length === 0 ? `--allow-${name}` : `--allow-${name}=${values.join(",")}`;
  });
  return [...granted, "--deny-import"];
}
