import { CcsyncError } from "../../errors.ts";
import { findProjectFolders, isDirectory, namesFor } from "../../sync/project_folders.ts";
import { missingPlaceholders } from "../../sync/missing_placeholders.ts";
import { recalledPlaceholders } from "../../sync/machines.ts";
import {
  type HubChoice,
  type HubView,
  Setup,
  type SetupReport,
  suggestMachineId,
  type Wishes,
} from "../../sync/setup.ts";
import { type Context, type Ending, onlyOne, parseAssignment, progressOn } from "../context.ts";
import { canPrompt } from "../prompts.ts";
import { askForSetup, DEFAULT_REPOSITORY } from "../setup_questions.ts";
import { clean } from "../terminal.ts";
import { configJson } from "./config.ts";

/** Options of `ccsync init`. */
export interface InitOptions {
  readonly remote?: string | undefined;
  readonly repo?: string | undefined;
  readonly machineId?: string | undefined;
  readonly syncDir?: readonly string[] | undefined;
  readonly addPlaceholder?: readonly string[] | undefined;
  readonly allowPublic?: boolean | undefined;
  readonly yes?: boolean | undefined;
}

/** Registers this machine with a hub. */
export async function runInit(context: Context, options: InitOptions): Promise<Ending> {
  const { env, terminal } = context;
  const choice = choiceOf(options);
  const wishes = wishesOf(options);
  using setup = await Setup.begin(
    env,
    progressOn(terminal, env.now),
    (work) => onlyOne(context, work),
  );
  const { finalWishes, view } = isAsking(context, setup, options)
    ? await askForSetup(context, setup, choice, wishes)
    : await takeDefaults(setup, choice ?? defaultChoice(setup, options), wishes);
  const report = await setup.finish(view, finalWishes);
  warnOfMissing(context, report);
  if (terminal.options.isJson) {
    const { isHubCreated, isNewMachine, config } = report;
    terminal.json({ isHubCreated, isNewMachine, config: configJson(config) });
  } else terminal.result(describe(report));
  terminal.note(
    "next: ccsync push sends your sessions, ccsync pull brings those of other machines",
  );
  return "done";
}

function choiceOf({ remote, repo }: InitOptions): HubChoice | undefined {
  if (remote !== undefined && repo !== undefined) {
    throw new CcsyncError("usage", "cannot use both --remote and --repo: they name one hub each", {
      hints: ["--repo OWNER/NAME is for GitHub, --remote for any address"],
    });
  }
  if (repo !== undefined) return { repository: repo };
  return remote === undefined ? undefined : { address: remote };
}

function wishesOf({ addPlaceholder, allowPublic, machineId, syncDir }: InitOptions): Wishes {
  return {
    syncDirectories: syncDir ?? [],
    placeholders: (addPlaceholder ?? []).map(parseAssignment),
    ...(machineId === undefined ? {} : { machineId }),
    ...(allowPublic === true ? { allowPublic } : {}),
  };
}

/** A machine that is set up is asked about nothing where options say what is to change. */
function isAsking({ terminal }: Context, { existing }: Setup, options: InitOptions): boolean {
  if (options.yes === true || terminal.options.isJson || !canPrompt()) return false;
  return existing === undefined || Object.keys(options).every((name) => name in GLOBAL);
}

/** Options that say nothing about the set-up; the parser hands them on to every command. */
const GLOBAL = { json: true, quiet: true, verbose: true, color: true };

function defaultChoice({ existing }: Setup, { yes }: InitOptions): HubChoice {
  if (existing !== undefined) return { address: existing.remote };
  if (yes === true) return { repository: DEFAULT_REPOSITORY };
  throw new CcsyncError("usage", "cannot set this machine up: no hub is named", {
    hints: [
      "name a URL or a path: ccsync init --remote /path/to/hub.git",
      "or a private repository at GitHub, created where there is none: ccsync init --repo claude-sessions",
    ],
  });
}

/** What was not said is left as it is on a machine that is set up, and found out on a new one. */
async function takeDefaults(
  setup: Setup,
  choice: HubChoice,
  wishes: Wishes,
): Promise<{ readonly view: HubView; readonly finalWishes: Wishes }> {
  const { env, existing } = setup;
  const view = await setup.look(choice, wishes.allowPublic);
  const areFoldersSaid = wishes.syncDirectories.length + wishes.placeholders.length > 0;
  if (existing !== undefined || areFoldersSaid) return { view, finalWishes: wishes };
  const machineId = wishes.machineId ?? suggestMachineId(env, view, existing);
  const known = recalledPlaceholders(env, view.shared, machineId);
  if (known.size > 0) return { view, finalWishes: wishes };
  const folders = findProjectFolders(env);
  const missing = missingPlaceholders(env, view, machineId, known, folders);
  const mapped = missing.flatMap(({ here, name }) =>
    here === undefined ? [] : [[name, here]] as const
  );
  const left = folders.filter((folder) => !mapped.some(([, here]) => here === folder));
  const placeholders = [...mapped, ...namesFor(left, view.shared.keys())];
  return { view, finalWishes: { ...wishes, placeholders } };
}

/** A folder that is not there yet may come; a misspelt one does not. */
function warnOfMissing({ terminal }: Context, { config }: SetupReport): void {
  const paths = new Set([...config.placeholders.values(), ...config.syncDirectories]);
  for (const path of paths) {
    if (!isDirectory(path)) terminal.warn(`"${path}" is no directory on this machine yet`);
  }
}

function describe({ config, isHubCreated, isNewMachine }: SetupReport): string {
  const lines = [
    isHubCreated ? `created the hub ${config.remote}` : `joined the hub ${config.remote}`,
    `${isNewMachine ? "registered" : "updated"} this machine as ${config.machineId}`,
    ...config.syncDirectories.map((directory) => `syncs sessions under ${directory}`),
    ...[...config.placeholders].map(([name, path]) => `${name} is ${path} here`),
  ];
  return lines.map(clean).join("\n");
}
