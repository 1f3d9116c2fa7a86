import { setUp, type SetupReport } from "../../sync/setup.ts";
import { type Context, type Ending, onlyOne, parseAssignment, progressOn } from "../context.ts";
import { clean } from "../terminal.ts";
import { configJson } from "./config.ts";

/** Options of `ccsync init`. */
export interface InitOptions {
  readonly remote?: string | undefined;
  readonly machineId?: string | undefined;
  readonly syncDir?: readonly string[] | undefined;
  readonly addPlaceholder?: readonly string[] | undefined;
  readonly yes?: boolean | undefined;
}

/** Registers this machine with a hub. */
export async function runInit(context: Context, options: InitOptions): Promise<Ending> {
  const { env, terminal } = context;
  const setup = {
    syncDirectories: options.syncDir ?? [],
    placeholders: (options.addPlaceholder ?? []).map(parseAssignment),
    ...(options.remote === undefined ? {} : { remote: options.remote }),
    ...(options.machineId === undefined ? {} : { machineId: options.machineId }),
  };
  const report = await onlyOne(context, () => setUp(env, setup, progressOn(terminal)));
  if (terminal.options.isJson) {
    const { isHubCreated, isNewMachine, config } = report;
    terminal.json({ isHubCreated, isNewMachine, config: configJson(config) });
  } else terminal.result(describe(report));
  terminal.note(
    "next: ccsync push sends your sessions, ccsync pull brings those of other machines",
  );
  return "done";
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
