import { isDaemonRunning } from "../../machine/one_process.ts";
import { findLatest, requireOwnExecutable, upgrade } from "../../sync/upgrade.ts";
import { VERSION } from "../../version.ts";
import type { Context, Ending } from "../context.ts";

/** Options of `ccsync upgrade`. */
export interface UpgradeCommandOptions {
  readonly check?: boolean | undefined;
  readonly attestation: boolean;
}

/** Replaces this ccsync by the latest version, or says whether there is a newer one. */
export async function runUpgrade(
  { env, terminal }: Context,
  options: UpgradeCommandOptions,
): Promise<Ending> {
  if (options.check !== true) requireOwnExecutable(env);
  terminal.step("looking for the latest version");
  const found = await findLatest(env);
  const { isNewer, latest } = found;
  const isDue = isNewer && options.check !== true;
  if (isDue) {
    const onStep = (what: string) => terminal.step(what);
    await upgrade(env, found, { isAttested: options.attestation, onStep });
  }
  if (terminal.options.isJson) {
    terminal.json({ version: VERSION, latest, isNewer, isUpgraded: isDue });
    return "done";
  }
  if (!isNewer) {
    terminal.result(
      latest === VERSION
        ? `ccsync ${VERSION} is the latest version`
        : `ccsync ${VERSION} is newer than the latest release, ${latest}`,
    );
  } else if (isDue) terminal.result(`upgraded from ${VERSION} to ${latest}`);
  else terminal.result(`ccsync ${latest} is there, this is ${VERSION}; ccsync upgrade installs it`);
  if (isDue && isDaemonRunning(env.ccsyncHome)) {
    terminal.note(
      "the daemon still is the old version; to start it anew: ccsync daemon --stop, then ccsync daemon --detach",
    );
  }
  return "done";
}
