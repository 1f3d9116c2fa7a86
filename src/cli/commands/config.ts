import { asMachineId } from "../../brands.ts";
import { CcsyncError } from "../../errors.ts";
import { readMachine, readShared } from "../../sync/machines.ts";
import { pull } from "../../sync/pull.ts";
import { push } from "../../sync/push.ts";
import type { SyncReport } from "../../sync/report.ts";
import { fetchHub, type Workspace } from "../../sync/workspace.ts";
import {
  checkPlaceholder,
  checkPlaceholders,
  type Config,
  configPath,
} from "../../machine/config.ts";
import type { PathStyle } from "../../translate/profile.ts";
import type { SharedPlaceholders } from "../../hub/format.ts";
import { type Context, type Ending, inWorkspace, parseAssignment } from "../context.ts";
import { clean } from "../terminal.ts";
import { renderSync } from "../render.ts";

/** Returns a configuration with the keys of its file. */
export function configJson(config: Config) {
  return {
    machine_id: config.machineId,
    remote: config.remote,
    sync_directories: config.syncDirectories,
    custom_placeholders: Object.fromEntries(config.placeholders),
  };
}

/** Shows this machine's configuration and the table all machines share. */
export async function runConfigShow(context: Context): Promise<Ending> {
  const { env, terminal } = context;
  await inWorkspace(context, async ({ config, mirror }) => {
    await mirror.prepare();
    const shared = await readShared(mirror, await mirror.head());
    if (terminal.options.isJson) {
      terminal.json({
        path: configPath(env.ccsyncHome),
        ...configJson(config),
        shared_placeholders: toJson(shared),
      });
    } else terminal.result(describe(env.ccsyncHome, config, shared));
  });
  return "done";
}

function toJson(shared: SharedPlaceholders) {
  return Object.fromEntries([...shared].map(([name, paths]) => [name, Object.fromEntries(paths)]));
}

function describe(ccsyncHome: string, config: Config, shared: SharedPlaceholders): string {
  const own = [...config.placeholders].map(([name, path]) => `  ${name} = ${path}`);
  const table = [...shared].flatMap(([name, paths]) => [
    `  ${name}`,
    ...[...paths].map(([machine, path]) => `    ${machine} = ${path}`),
  ]);
  return [
    `configuration      ${configPath(ccsyncHome)}`,
    `machine            ${config.machineId}`,
    `hub                ${config.remote}`,
    ...config.syncDirectories.map((directory, i) =>
      `${i === 0 ? "syncs sessions in " : "                  "} ${directory}`
    ),
    ...(own.length === 0 ? [] : ["placeholders here", ...own]),
    ...(table.length === 0 ? [] : ["placeholders of all machines", ...table]),
  ].map(clean).join("\n");
}

/** Adds a placeholder for this machine, tells the other machines, and localises the sessions anew. */
export async function runAddPlaceholder(context: Context, assignment: string): Promise<Ending> {
  const [name, path] = parseAssignment(assignment);
  return await inWorkspace(context, (workspace) => setOwn(context, workspace, name, path));
}

async function setOwn(
  context: Context,
  workspace: Workspace,
  name: string,
  path: string,
): Promise<Ending> {
  const { config, env } = workspace;
  const { name: checked, root } = checkPlaceholder(name, path, env.style);
  const others = [...config.placeholders].filter(([other]) => other !== checked);
  workspace.setPlaceholders(checkPlaceholders([...others, [checked, root]], env.style));
  return await share(context, workspace, `${checked} is ${root} here`);
}

/** Sets a machine's path in the shared table; this machine's own is in force at once. */
export async function runSetPath(
  context: Context,
  name: string,
  machine: string,
  path: string,
): Promise<Ending> {
  if (asMachineId(machine) === undefined) throw unknownMachine(machine);
  return await inWorkspace(context, async (workspace) => {
    if (machine === workspace.config.machineId) {
      return await setOwn(context, workspace, name, path);
    }
    const style = await styleOf(workspace, machine, path);
    const { name: checked, root } = checkPlaceholder(name, path, style);
    return await share(context, workspace, `${checked} is ${root} on ${machine}`, (shared) => {
      return withPath(shared, checked, machine, root);
    });
  });
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
  path: string,
): SharedPlaceholders {
  const paths = new Map(shared.get(name) ?? []).set(machine, path);
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
