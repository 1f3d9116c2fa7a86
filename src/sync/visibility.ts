/**
 * Whether strangers can read the hub, as far as its host tells.
 *
 * @module
 */
import { CcsyncError, messageOf } from "../errors.ts";
import { githubAccount, repositoryOf, type Visibility, visibilityOf } from "../hub/github.ts";
import type { Config } from "../machine/config.ts";
import type { Workspace } from "./workspace.ts";

/** Who can read a hub, or why that cannot be told. */
export type Readers =
  | { readonly visibility: Visibility }
  /** `isPassing`: it may be told by itself some time later. */
  | { readonly visibility: "unknown"; readonly why: string; readonly isPassing: boolean };

/** Asks the host who can read a hub. Only GitHub can be asked; never throws because it cannot. */
export async function readersOf(remote: string): Promise<Readers> {
  const repository = repositoryOf(remote);
  const unknown = (why: string, isPassing = false): Readers => {
    return { visibility: "unknown", why, isPassing };
  };
  if (repository === undefined) return unknown("its host is not GitHub");
  const account = await githubAccount(repository.host);
  if (!("login" in account)) return unknown(account.why, account.obstacle === "unreachable");
  try {
    const visibility = await visibilityOf(repository);
    return visibility === undefined
      ? unknown(`${account.login} does not see it on GitHub`)
      : { visibility };
  } catch (error) {
    if (!(error instanceof CcsyncError)) throw error;
    return unknown(messageOf(error), true);
  }
}

/**
 * Refuses a hub that others can read.
 *
 * @throws {CcsyncError} kind "setup"
 */
export function refusePublic(
  { allowPublic, remote }: Pick<Config, "allowPublic" | "remote">,
  { visibility }: Readers,
): void {
  if (allowPublic === true || visibility === "private" || visibility === "unknown") return;
  const readers = visibility === "public" ? "everybody" : "everybody in your company";
  const repository = repositoryOf(remote);
  const name = repository === undefined ? remote : `${repository.owner}/${repository.name}`;
  throw new CcsyncError(
    "setup",
    `cannot use the hub "${name}": it is ${visibility}: ${readers} could read your sessions`,
    {
      hints: [
        `make it private: gh repo edit ${name} --visibility private`,
        "or, if others may read all of it: ccsync init --allow-public; nothing was sent",
      ],
    },
  );
}

/**
 * Checks once a day that strangers cannot read the hub. Where that cannot be told, the push goes on.
 *
 * @throws {CcsyncError} kind "setup" when they can, and the user did not allow it
 */
export async function checkReaders({ config, env, progress, state }: Workspace): Promise<void> {
  const today = new Date(env.now()).toISOString().slice(0, 10);
  if (config.allowPublic === true || repositoryOf(config.remote) === undefined) return;
  if (state.fact("readers_checked") === today) return;
  const readers = await readersOf(config.remote);
  refusePublic(config, readers);
  if (readers.visibility === "unknown") {
    progress.step(`cannot tell who can read the hub: ${readers.why}`);
    if (readers.isPassing) return;
  }
  state.setFact("readers_checked", today);
}
