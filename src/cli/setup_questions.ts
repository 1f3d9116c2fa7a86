/**
 * What `ccsync init` asks on a terminal: only what it cannot know, and each with a default. A wrong answer is
 * asked for again, with the reason.
 *
 * @module
 */
import type { LocalPath, PlaceholderName } from "../brands.ts";
import { CcsyncError, messageOf } from "../errors.ts";
import {
  type GithubAccount,
  githubAccount,
  parseRepository,
  type Visibility,
  visibilityOf,
} from "../hub/github.ts";
import { expandHome, parseRemote } from "../hub/remote.ts";
import { checkPlaceholders } from "../machine/config.ts";
import { recalledPlaceholders } from "../sync/machines.ts";
import { type MissingPlaceholder, missingPlaceholders } from "../sync/missing_placeholders.ts";
import { findProjectFolders, isOtherThanDirectory, namesFor } from "../sync/project_folders.ts";
import {
  configFor,
  type HubChoice,
  type HubView,
  machineIdFault,
  type Setup,
  suggestMachineId,
  syncDirectory,
  type Wishes,
} from "../sync/setup.ts";
import { isUnder } from "../sync/workspace.ts";
import type { Context } from "./context.ts";
import { type Choice, choose, confirm, input } from "./prompts.ts";
import { clean, type Terminal } from "./terminal.ts";

/** The name of the repository that is proposed. */
export const DEFAULT_REPOSITORY = "claude-sessions";

/** What stands for "nowhere" in an answer. */
const NOWHERE = "-";

/**
 * Asks for all that no option says, and whether to go on.
 *
 * @throws {CcsyncError} kind "cancelled" where the user leaves or says no
 */
export async function askForSetup(
  context: Context,
  setup: Setup,
  choice: HubChoice | undefined,
  wishes: Wishes,
): Promise<{ readonly view: HubView; readonly finalWishes: Wishes }> {
  const { terminal } = context;
  const { allowPublic } = wishes;
  const view = choice === undefined
    ? await askForHub(terminal, setup, allowPublic)
    : await setup.look(choice, allowPublic);
  const machineId = wishes.machineId ?? await askForId(terminal, setup, view);
  const known = knownPlaceholders(setup, view, machineId, wishes);
  const folders = findProjectFolders(setup.env);
  const missing = missingPlaceholders(setup.env, view, machineId, known, folders);
  const mapped = await askForPlaceholders(terminal, setup, known, missing);
  const own = new Map([...known, ...mapped]);
  const isSaid = wishes.syncDirectories.length + wishes.placeholders.length > 0;
  const directories = isSaid
    ? { placeholders: [] }
    : await askForDirectories(terminal, setup, own, folders, view);
  const finalWishes: Wishes = {
    ...wishes,
    machineId,
    ...directories,
    placeholders: [...wishes.placeholders, ...mapped, ...directories.placeholders],
  };
  await confirmSummary(terminal, setup, view, finalWishes);
  return { view, finalWishes };
}

/** What can be chosen for the hub: an address, or a way to name one. */
type HubAnswer = HubChoice | "repository" | "url" | "folder" | GithubAccount;

async function askForHub(
  terminal: Terminal,
  setup: Setup,
  allowPublic: boolean | undefined,
): Promise<HubView> {
  terminal.step("asking GitHub");
  const account = await githubAccount();
  const choices = await hubChoices(setup, account);
  for (;;) {
    try {
      const answer = await choose(terminal, "Where is the hub?", choices, {
        instead: "name it: --remote URL-or-path, or --repo OWNER/NAME",
      });
      const choice = await resolveAnswer(terminal, setup, answer, account);
      return await setup.look(choice, allowPublic);
    } catch (error) {
      tell(terminal, error);
    }
  }
}

async function hubChoices(
  { existing }: Setup,
  account: GithubAccount,
): Promise<Choice<HubAnswer>[]> {
  const kept = existing === undefined
    ? []
    : [{ name: `as it is: ${existing.remote}`, value: { address: existing.remote } }];
  return [
    ...kept,
    ...await githubChoices(account),
    { name: "another git URL", value: "url" },
    { name: "a folder that all machines reach", value: "folder" },
  ];
}

async function githubChoices(account: GithubAccount): Promise<Choice<HubAnswer>[]> {
  if (!("login" in account)) return [{ name: `GitHub (${account.obstacle})`, value: account }];
  const { host, login } = account;
  const repository = `${login}/${DEFAULT_REPOSITORY}`;
  const there = await visibilityOf({ host, owner: login, name: DEFAULT_REPOSITORY });
  return [
    { name: proposal(repository, there), value: { repository } },
    { name: "GitHub: another repository", value: "repository" },
  ];
}

function proposal(repository: string, there: Visibility | undefined): string {
  return there === undefined ? `GitHub: create ${repository}` : `GitHub: ${repository}`;
}

async function resolveAnswer(
  terminal: Terminal,
  { env }: Setup,
  answer: HubAnswer,
  account: GithubAccount,
): Promise<HubChoice> {
  if (typeof answer === "object") {
    if ("obstacle" in answer) {
      throw new CcsyncError("setup", `cannot ask GitHub: ${answer.why}`, { hints: [answer.hint] });
    }
    if ("address" in answer || "repository" in answer) return answer;
  }
  if (answer === "repository") {
    const login = "login" in account ? account.login : "you";
    const repository = await input(terminal, "Which repository? Created if there is none:", {
      instead: "pass --repo OWNER/NAME",
      default: `${login}/${DEFAULT_REPOSITORY}`,
      validate: (text) => faultOf(() => parseRepository(text)),
    });
    return { repository };
  }
  const isUrl = answer === "url";
  const address = await input(terminal, isUrl ? "Which URL?" : "Which folder?", {
    instead: "pass --remote URL-or-path",
    validate: (text) => isUrl ? urlFault(text) : folderFault(expandHome(text, env.home)),
  });
  return { address };
}

function urlFault(text: string): string | undefined {
  return faultOf(() => {
    const { kind } = parseRemote(text);
    if (kind === "path") {
      throw new RangeError("it is no URL: git@host:you/sessions.git, or https://...");
    }
  });
}

function folderFault(path: string): string | undefined {
  return faultOf(() => {
    const { address, kind } = parseRemote(path);
    if (kind === "url") throw new RangeError("it is a URL, no folder");
    if (address !== path.replace(/(?<=.)[\\/]+$/, "")) {
      throw new RangeError("it is no absolute path: give the whole of it, or begin with ~");
    }
    if (isOtherThanDirectory(address)) throw new RangeError("it is a file");
  });
}

async function askForId(terminal: Terminal, setup: Setup, view: HubView): Promise<string> {
  const { env, existing } = setup;
  return await input(terminal, "What is this machine called?", {
    instead: "pass --machine-id ID",
    default: suggestMachineId(env, view, existing),
    validate: (text) => machineIdFault(env, view, existing, text),
  });
}

/** The placeholders that have a path here before anything is asked. */
function knownPlaceholders(
  { env, existing }: Setup,
  { shared }: HubView,
  machineId: string,
  { placeholders }: Wishes,
): Map<PlaceholderName, LocalPath> {
  const said = placeholders.map(([name, path]): [string, string] => {
    return [name, expandHome(path, env.home)];
  });
  const names = new Set(said.map(([name]) => name));
  const others = [...existing?.placeholders ?? recalledPlaceholders(env, shared, machineId)];
  return checkPlaceholders([...others.filter(([name]) => !names.has(name)), ...said], env.style);
}

async function askForPlaceholders(
  terminal: Terminal,
  { env }: Setup,
  known: ReadonlyMap<PlaceholderName, LocalPath>,
  missing: readonly MissingPlaceholder[],
): Promise<Map<PlaceholderName, LocalPath>> {
  const mapped = new Map<PlaceholderName, LocalPath>();
  for (const { here, machine, name, path } of missing) {
    const checked = (text: string) => {
      const local = expandHome(text.trim(), env.home);
      if (isOtherThanDirectory(local)) throw new RangeError("it is no directory");
      return checkPlaceholders([...known, ...mapped, [name, local]], env.style).get(name);
    };
    const question = `${name} is ${path} on ${machine}; where is it here? ${NOWHERE} for nowhere:`;
    const answer = await input(terminal, question, {
      instead: `pass --add-placeholder ${name}=PATH`,
      default: here ?? NOWHERE,
      validate: (text) => text.trim() === NOWHERE ? undefined : faultOf(() => checked(text)),
    });
    const local = answer.trim() === NOWHERE ? undefined : checked(answer);
    if (local !== undefined) mapped.set(name, local);
  }
  return mapped;
}

type Directories = Required<
  Pick<Wishes, "syncDirectories" | "replacesDirectories" | "placeholders">
>;

/** Folders that no placeholder covers get one, so that other machines can have them elsewhere. */
async function askForDirectories(
  terminal: Terminal,
  { env, existing }: Setup,
  own: ReadonlyMap<PlaceholderName, LocalPath>,
  found: readonly LocalPath[],
  { shared }: HubView,
): Promise<Directories> {
  const isCovered = (path: LocalPath) =>
    [...own.values()].some((root) => isUnder(env.style, path, root));
  const proposed = existing?.syncDirectories ??
    [...own.values(), ...found.filter((folder) => !isCovered(folder))];
  const read = (text: string) => {
    const paths = text.split(",").map((path) => path.trim()).filter((path) => path !== "");
    const syncDirectories = [...new Set(paths.map((path) => syncDirectory(env, path)))];
    if (syncDirectories.length === 0) throw new RangeError("name one at least");
    const bare = syncDirectories.filter((path) => !isCovered(path) && path !== env.home);
    const placeholders = namesFor(bare, [...own.keys(), ...shared.keys()]);
    checkPlaceholders([...own, ...placeholders], env.style);
    return { syncDirectories, placeholders, replacesDirectories: true };
  };
  const answer = await input(terminal, "Which folders hold your projects? Commas between them:", {
    instead: "pass --sync-dir PATH",
    default: (proposed.length === 0 ? [env.home] : proposed).join(", "),
    validate: (text) => faultOf(() => read(text)),
  });
  return read(answer);
}

async function confirmSummary(
  terminal: Terminal,
  { env, existing }: Setup,
  view: HubView,
  wishes: Wishes,
): Promise<void> {
  const config = configFor(env, view, wishes, existing);
  const created = {
    nothing: "",
    folder: " (will be created)",
    repository: " (will be created, private)",
  };
  const lines = [
    `  hub       ${config.remote}${created[view.missing]}`,
    `  machine   ${config.machineId}`,
    ...config.syncDirectories.map((directory) => `  syncs     ${directory}`),
    ...[...config.placeholders].map(([name, path]) => `  ${name.padEnd(9)} ${path}`),
  ];
  terminal.note(lines.map(clean).join("\n"));
  const isWanted = await confirm(terminal, "Set this machine up like this?", {
    instead: "pass --yes",
    default: true,
  });
  if (!isWanted) {
    throw new CcsyncError("cancelled", "cancelled", { hints: ["nothing was changed"] });
  }
}

function faultOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Says why an answer cannot be used; what no other answer can help is thrown on. */
function tell(terminal: Terminal, error: unknown): void {
  if (!(error instanceof CcsyncError) || ["cancelled", "internal"].includes(error.kind)) {
    throw error;
  }
  terminal.error(error.message, error.hints, undefined);
}
