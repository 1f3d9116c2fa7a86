/**
 * What the commands run, loaded when it is first run: `--version`, `--help`, hooks and mistyped commands do
 * not wait for code that they do not need.
 *
 * @module
 */

/** Returns a function that is like the one picked of a module, and loads the module when it is called. */
function late<Module, Args extends readonly unknown[], Result>(
  load: () => Promise<Module>,
  pick: (module: Module) => (...args: Args) => Result | Promise<Result>,
): (...args: Args) => Promise<Result> {
  return async (...args) => await pick(await load())(...args);
}

const automation = () => import("./automation.ts");
const complete = () => import("./commands/complete.ts");
const completions = () => import("./commands/completions.ts");
const config = () => import("./commands/config.ts");
const installation = () => import("../machine/installation.ts");
const configChange = () => import("./commands/config_change.ts");
const daemon = () => import("./commands/daemon.ts");
const doctor = () => import("./commands/doctor.ts");
const hook = () => import("./commands/hook.ts");
const init = () => import("./commands/init.ts");
const list = () => import("./commands/list.ts");
const lock = () => import("./commands/lock.ts");
const pull = () => import("./commands/pull.ts");
const push = () => import("./commands/push.ts");
const resume = () => import("./commands/resume.ts");
const setupHooks = () => import("./commands/setup_hooks.ts");
const status = () => import("./commands/status.ts");
const undo = () => import("./commands/undo.ts");
const update = () => import("./commands/update.ts");
const upgrade = () => import("./commands/upgrade.ts");

export const automationTrouble = late(automation, (it) => it.automationTrouble);
export const removeReplaced = late(installation, (it) => it.removeReplaced);
export const runComplete = late(complete, (it) => it.runComplete);
export const runCompletions = late(completions, (it) => it.runCompletions);
export const runConfigShow = late(config, (it) => it.runConfigShow);
export const runAddPlaceholder = late(configChange, (it) => it.runAddPlaceholder);
export const runAddSyncDirectory = late(configChange, (it) => it.runAddSyncDirectory);
export const runConfigEdit = late(configChange, (it) => it.runConfigEdit);
export const runRemovePlaceholder = late(configChange, (it) => it.runRemovePlaceholder);
export const runRemoveSyncDirectory = late(configChange, (it) => it.runRemoveSyncDirectory);
export const runSetPath = late(configChange, (it) => it.runSetPath);
export const runDaemon = late(daemon, (it) => it.runDaemon);
export const runDoctor = late(doctor, (it) => it.runDoctor);
export const runHook = late(hook, (it) => it.runHook);
export const runInit = late(init, (it) => it.runInit);
export const runList = late(list, (it) => it.runList);
export const runLockCleanup = late(lock, (it) => it.runLockCleanup);
export const runLockRelease = late(lock, (it) => it.runLockRelease);
export const runLockShow = late(lock, (it) => it.runLockShow);
export const runPull = late(pull, (it) => it.runPull);
export const runPush = late(push, (it) => it.runPush);
export const runResume = late(resume, (it) => it.runResume);
export const runSetupHooks = late(setupHooks, (it) => it.runSetupHooks);
export const runStatus = late(status, (it) => it.runStatus);
export const runUndo = late(undo, (it) => it.runUndo);
export const runUpdate = late(update, (it) => it.runUpdate);
export const runUpgrade = late(upgrade, (it) => it.runUpgrade);
