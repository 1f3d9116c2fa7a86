import { join, resolve } from "node:path";
import { asMachineId, type LocalPath, type PlaceholderName } from "../../brands.ts";
import { CcsyncError } from "../../errors.ts";
import type { SharedPlaceholders } from "../../hub/format.ts";
import {
  checkDirectory,
  checkPlaceholder,
  checkPlaceholders,
  type Config,
  configPath,
  parseConfig,
  readConfig,
  writeConfig,
} from "../../machine/config.ts";
import { openEditor } from "../../machine/editor.ts";
import { lstatIfThere, removeIfThere, writeFile } from "../../machine/files.ts";
import { readMachine } from "../../sync/machines.ts";
import { pull } from "../../sync/pull.ts";
import { push } from "../../sync/push.ts";
import type { SyncReport } from "../../sync/report.ts";
import { fetchHub, isUnder, type Workspace } from "../../sync/workspace.ts";
import type { PathStyle } from "../../translate/profile.ts";
import { type Context, type Ending, inWorkspace, onlyOne, parseAssignment } from "../context.ts";
import { canPrompt, confirm, requireTerminal } from "../prompts.ts";
import { count, renderSync } from "../render.ts";
import { clean } from "../terminal.ts";

/** Options of the commands that change a path. */
export interface ChangeOptions {
  readonly dryRun?: boolean | undefined;
  readonly yes?: boolean | undefined;
}

/** A change of paths: this machine's, and the table that all machines share. */
interface Change {
  readonly own?: (config: Config) => ReadonlyMap<PlaceholderName, LocalPath>;
  readonly shared?: (shared: SharedPlaceholders) => SharedPlaceholders;
  /** What is told once it is done. */
  readonly done: string;
}

/** Adds a placeholder for this machine, tells the other machines, and localises the sessions anew. */
export async function runAddPlaceholder(
  context: Context,
  assignment: string,
  options: ChangeOptions,
): Promise<Ending> {
  const [name, path] = parseAssignment(assignment);
  return await change(context, ownPath(context, name, path), options);
}

/** Sets a machine's path in the shared table; this machine's own is in force at once. */
export async function runSetPath(
  context: Context,
  name: string,
  machine: string,
  path: string,
  options: ChangeOptions,
): Promise<Ending> {
  const { env } = context;
  if (asMachineId(machine) === undefined) throw unknownMachine(machine);
  if (machine === readConfig(env.ccsyncHome, env.style).machineId) {
    return await change(context, ownPath(context, name, path), options);
  }
  const style = await inWorkspace(context, (workspace) => styleOf(workspace, machine, path));
  const { name: checked, root } = checkPlaceholder(name, path, style);
  const shared = (table: SharedPlaceholders) => withPath(table, checked, machine, root);
  return await change(context, { shared, done: `${checked} is ${root} on ${machine}` }, options);
}

/** Takes a placeholder from this machine. Sessions below it stay as they are, and wait. */
export async function runRemovePlaceholder(
  context: Context,
  name: string,
  options: ChangeOptions,
): Promise<Ending> {
  const { env } = context;
  const { machineId, placeholders } = readConfig(env.ccsyncHome, env.style);
  if (![...placeholders.keys()].some((own) => own === name)) {
    const names = [...placeholders.keys()].join(", ");
    throw new CcsyncError("usage", `cannot remove the placeholder "${name}": there is none here`, {
      hints: [names === "" ? "this machine has no placeholders" : `there are: ${names}`],
    });
  }
  return await change(context, {
    own: (config) => new Map([...config.placeholders].filter(([own]) => own !== name)),
    shared: (table) => withPath(table, name, machineId, undefined),
    done: `${name} has no path on this machine any more`,
  }, options);
}

function ownPath({ env }: Context, name: string, path: string): Change {
  const { name: checked, root } = checkPlaceholder(name, path, env.style);
  return {
    own: ({ placeholders }) => {
      const others = [...placeholders].filter(([other]) => other !== checked);
      return checkPlaceholders([...others, [checked, root]], env.style);
    },
    done: `${checked} is ${root} here`,
  };
}

/** Shows what a change will do to the sessions here, asks where that is much, and does it. */
async function change(
  context: Context,
  planned: Change,
  options: ChangeOptions,
): Promise<Ending> {
  const { terminal } = context;
  const foreseen = await inWorkspace(context, (workspace) => {
    apply(workspace, planned);
    const { shared: changeShared } = planned;
    return pull(workspace, {
      isDryRun: true,
      all: false,
      isForced: false,
      ...(changeShared === undefined ? {} : { changeShared }),
    });
  }, true);
  if (options.dryRun === true) return renderSync(terminal, foreseen);
  const effects = effectsOf(foreseen);
  if (effects.length > 0) terminal.note(effects.join("\n"));
  const asks = effects.length > 0 && options.yes !== true && canPrompt();
  const instead = "pass --yes";
  if (asks && !await confirm(terminal, "Go on?", { default: true, instead })) {
    throw new CcsyncError("cancelled", "not changed: cancelled");
  }
  return await inWorkspace(context, async (workspace) => {
    apply(workspace, planned);
    return await share(context, workspace, planned.done, planned.shared);
  });
}

function apply(workspace: Workspace, { own }: Change): void {
  if (own !== undefined) workspace.setPlaceholders(own(workspace.config));
}

function effectsOf({ sessions, unmapped }: SyncReport): string[] {
  const rewritten = sessions.filter(({ action }) => action !== "create" && action !== "append");
  return [
    ...(rewritten.length === 0 ? [] : [
      `${count(rewritten.length, "session")} here get the new path (ccsync undo takes it back)`,
    ]),
    ...unmapped.map(({ name, sessions: waiting }) =>
      `${
        count(waiting, "session")
      } under ${name} stay as they are, and wait until it has a path here`
    ),
  ];
}

/** A machine that never registered is judged by the path it is given. */
async function styleOf(workspace: Workspace, machine: string, path: string): Promise<PathStyle> {
  const record = await readMachine(workspace.mirror, await fetchHub(workspace), machine);
  if (record !== undefined) return record.os === "windows" ? "windows" : "posix";
  workspace.progress.warn(`no machine "${machine}" is registered yet; the path counts once it is`);
  return /^(?:[A-Za-z]:|\\\\)/.test(path) ? "windows" : "posix";
}

function withPath(
  shared: SharedPlaceholders,
  name: string,
  machine: string,
  path: string | undefined,
): SharedPlaceholders {
  const paths = new Map(shared.get(name) ?? []);
  if (path === undefined) paths.delete(machine);
  else paths.set(machine, path);
  return new Map(shared).set(name, paths);
}

/** Tells the hub, then brings the sessions here in line with the new paths. */
async function share(
  { terminal }: Context,
  workspace: Workspace,
  done: string,
  changeShared?: (shared: SharedPlaceholders) => SharedPlaceholders,
): Promise<Ending> {
  const pushed = { isDryRun: false, all: false, isRegistrationOnly: true };
  await push(workspace, { ...pushed, ...(changeShared === undefined ? {} : { changeShared }) });
  const report: SyncReport = await pull(workspace, {
    isDryRun: false,
    all: false,
    isForced: false,
    command: "config",
  });
  if (!terminal.options.isJson) terminal.result(clean(done));
  return renderSync(terminal, report);
}

function unknownMachine(machine: string): CcsyncError {
  return new CcsyncError("usage", `cannot use "${machine}" as a machine id: it breaks the rule`, {
    hints: ["ccsync status names the machines of this hub"],
  });
}

/** Adds a directory whose sessions are synced. */
export async function runAddSyncDirectory(context: Context, path: string): Promise<Ending> {
  const { env, terminal } = context;
  const directory = directoryOf(context, path);
  if (lstatIfThere(directory) === undefined) {
    terminal.warn(`there is no directory "${directory}" yet`);
  }
  return await changeDirectories(context, (directories) => {
    const covering = directories.find((each) => isUnder(env.style, directory, each));
    if (covering === undefined) return [...directories, directory];
    terminal.note(`"${directory}" is synced already: it lies under "${covering}"`);
    return directories;
  });
}

/** Removes a directory from those whose sessions are synced. Nothing is deleted anywhere. */
export async function runRemoveSyncDirectory(context: Context, path: string): Promise<Ending> {
  const directory = directoryOf(context, path);
  return await changeDirectories(context, (directories) => {
    const others = directories.filter((each) => each !== directory);
    const fault = others.length === directories.length
      ? "it is none of the sync directories"
      : others.length === 0
      ? "it is the only one, and nothing would be synced any more"
      : undefined;
    if (fault === undefined) return others;
    throw new CcsyncError("usage", `cannot remove "${directory}": ${fault}`, {
      hints: [`the sync directories are: ${directories.join(", ")}`],
    });
  });
}

function directoryOf({ env }: Context, path: string): LocalPath {
  return checkDirectory(resolve(path), env.style, (why) => {
    return new CcsyncError("usage", `cannot sync "${path}": ${why}`);
  });
}

async function changeDirectories(
  context: Context,
  changed: (directories: readonly LocalPath[]) => readonly LocalPath[],
): Promise<Ending> {
  const { env, terminal } = context;
  return await onlyOne(context, () => {
    const config = readConfig(env.ccsyncHome, env.style);
    const syncDirectories = changed(config.syncDirectories);
    writeConfig(env.ccsyncHome, { ...config, syncDirectories });
    if (terminal.options.isJson) terminal.json({ sync_directories: syncDirectories });
    else terminal.result(syncDirectories.map((each) => `syncs sessions under ${each}`).join("\n"));
    return Promise.resolve("done" as const);
  });
}

/** Lets the user edit the configuration; only one that can be read takes effect. */
export async function runConfigEdit(context: Context): Promise<Ending> {
  const { env, terminal } = context;
  requireTerminal("Edit the configuration", "change it with the commands under ccsync config");
  const path = configPath(env.ccsyncHome);
  const before = readConfig(env.ccsyncHome, env.style);
  const draft = join(env.ccsyncHome, "config.edit.json");
  const content = Deno.readTextFileSync(path);
  writeFile(draft, content);
  try {
    const edited = await validDraft(context, draft, before);
    if (edited === content) {
      terminal.note("nothing was changed");
      return "done";
    }
    await onlyOne(context, () => Promise.resolve(writeFile(path, edited)));
  } finally {
    removeIfThere(draft);
  }
  return await inWorkspace(context, (workspace) => share(context, workspace, "changed"));
}

async function validDraft(context: Context, draft: string, before: Config): Promise<string> {
  const { env, terminal } = context;
  for (;;) {
    await openEditor(env, draft);
    const edited = Deno.readTextFileSync(draft);
    try {
      requireSameHub(parseConfig(edited, draft, env.style), before);
      return edited;
    } catch (error) {
      if (!(error instanceof CcsyncError)) throw error;
      terminal.warn(error.message);
      const instead = "change it with the commands under ccsync config";
      if (await confirm(terminal, "Edit it again?", { default: true, instead })) continue;
      throw new CcsyncError("cancelled", "nothing was changed: the edited file cannot be used");
    }
  }
}

/** State and mirror belong to one hub and one machine id: changing these is more than an edit. */
function requireSameHub(edited: Config, before: Config): void {
  for (const [key, option] of [["remote", "--remote"], ["machineId", "--machine-id"]] as const) {
    if (edited[key] === before[key]) continue;
    throw new CcsyncError(
      "usage",
      `cannot change ${key === "remote" ? "remote" : "machine_id"} here: run ccsync init ${option}`,
    );
  }
}
