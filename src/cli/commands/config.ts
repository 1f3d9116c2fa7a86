import { readShared } from "../../sync/machines.ts";
import { type Config, configPath, DEFAULT_TIMES } from "../../machine/config.ts";
import type { Environment } from "../../machine/environment.ts";
import type { SharedPlaceholders } from "../../hub/format.ts";
import { type Context, type Ending, inWorkspace } from "../context.ts";
import { clean } from "../terminal.ts";

/** Returns a configuration with the keys of its file. */
export function configJson(config: Config) {
  return {
    machine_id: config.machineId,
    remote: config.remote,
    sync_directories: config.syncDirectories,
    custom_placeholders: Object.fromEntries(config.placeholders),
    interval: config.interval,
    lock_ttl: config.lockTtl,
  };
}

/** Shows this machine's configuration, where each value comes from, and the table all machines share. */
export async function runConfigShow(context: Context): Promise<Ending> {
  const { env, terminal } = context;
  await inWorkspace(context, async ({ config, mirror }) => {
    await mirror.prepare();
    const shared = await readShared(mirror, await mirror.head());
    const values = valuesOf(env, config);
    if (terminal.options.isJson) {
      terminal.json({
        path: configPath(env.ccsyncHome),
        ...configJson(config),
        sources: Object.fromEntries(values.map(({ key, from }) => [key, from])),
        shared_placeholders: toJson(shared),
      });
    } else terminal.result(describe(values, shared));
  });
  return "done";
}

function toJson(shared: SharedPlaceholders) {
  return Object.fromEntries([...shared].map(([name, paths]) => [name, Object.fromEntries(paths)]));
}

/** A value in force, and where it comes from. */
interface Value {
  readonly key: string;
  readonly values: readonly string[];
  readonly from: string;
}

const FILE = "config.json";

function valuesOf(env: Environment, config: Config): Value[] {
  const variable = (name: string, otherwise: string) => env.variables.has(name) ? name : otherwise;
  const time = (key: keyof typeof DEFAULT_TIMES) =>
    config[key] === DEFAULT_TIMES[key] ? "default" : FILE;
  const { github } = config;
  const isOriginal = github !== undefined &&
    config.remote === `https://github.com/${github.owner}/${github.repo}.git`;
  return [
    {
      key: "configuration",
      values: [configPath(env.ccsyncHome)],
      from: variable("CCSYNC_HOME", "default"),
    },
    { key: "machine", values: [config.machineId], from: FILE },
    { key: "hub", values: [config.remote], from: isOriginal ? "github_owner, github_repo" : FILE },
    { key: "syncs", values: config.syncDirectories, from: FILE },
    ...[...config.placeholders].map(([name, path]) => ({ key: name, values: [path], from: FILE })),
    { key: "HOME", values: [env.home], from: "HOME" },
    { key: "CLAUDE", values: [env.claudeDir], from: variable("CLAUDE_CONFIG_DIR", "default") },
    {
      key: "CLAUDE_TMP",
      values: [config.claudeTmp ?? env.claudeTmp],
      from: config.claudeTmp === undefined ? variable("CLAUDE_CODE_TMPDIR", "default") : FILE,
    },
    { key: "claude", values: [env.claudeProgram], from: variable("CCSYNC_CLAUDE", "default") },
    { key: "interval", values: [`${config.interval} s`], from: time("interval") },
    { key: "lock_ttl", values: [`${config.lockTtl} s`], from: time("lockTtl") },
  ];
}

function describe(values: readonly Value[], shared: SharedPlaceholders): string {
  const width = Math.max(...values.map(({ key }) => key.length));
  const own = values.flatMap(({ from, key, values: lines }) =>
    lines.map((line, i) => `${(i === 0 ? key : "").padEnd(width)}  ${line}  (${from})`)
  );
  const table = [...shared].flatMap(([name, paths]) => [
    `  ${name}`,
    ...[...paths].map(([machine, path]) => `    ${machine} = ${path}`),
  ]);
  return [...own, ...(table.length === 0 ? [] : ["placeholders of all machines", ...table])]
    .map(clean).join("\n");
}
