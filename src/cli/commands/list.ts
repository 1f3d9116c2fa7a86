import type { ListedSession } from "../../sync/listed.ts";
import { describeSessions, type ListOptions, listSessions } from "../../sync/listing.ts";
import { fetchAndScan, lookAround } from "../../sync/overview.ts";
import type { Environment } from "../../machine/environment.ts";
import { type Context, type Ending, inWorkspace } from "../context.ts";
import { homeRelative, stateOf } from "../sessions.ts";
import { type Column, formatAge, formatSize, formatTable } from "../table.ts";

/** Options of `ccsync list`. */
export interface ListCommandOptions {
  readonly remote?: boolean | undefined;
  readonly all?: boolean | undefined;
  readonly format?: "table" | "json" | undefined;
}

/** Lists the sessions of this machine, or of the hub. */
export async function runList(context: Context, options: ListCommandOptions): Promise<Ending> {
  const { terminal } = context;
  const [isRemote, all] = [options.remote === true, options.all === true];
  const which: ListOptions = { side: isRemote ? "hub" : "here", all, headless: all };
  const find = async (list: typeof listSessions) =>
    await inWorkspace(context, async (workspace) => {
      if (!isRemote) return await list(workspace, which);
      const { seen } = await fetchAndScan(workspace);
      return await list(workspace, which, await lookAround(workspace, which, seen));
    });
  if (options.format === "json" || (options.format === undefined && terminal.options.isJson)) {
    terminal.json(await find(describeSessions));
    return "done";
  }
  const sessions = await find(listSessions);
  if (sessions.length === 0) {
    terminal.note(isRemote ? NONE_IN_HUB : NONE_HERE);
    return "done";
  }
  const depths = depthsOf(sessions);
  const rows = sessions.map((session) => rowOf(session, depths.get(session.id) ?? 0, context.env));
  const [titles = "", ...lines] = formatTable(COLUMNS, rows, terminal.width);
  terminal.result([terminal.colors.bold(titles), ...lines].join("\n"));
  return "done";
}

const NONE_HERE =
  "no sessions here under the sync directories (ccsync config show); --all shows those elsewhere, --remote the hub's";
const NONE_IN_HUB =
  "the hub has no sessions under this machine's sync directories; --all shows those elsewhere";

const COLUMNS: readonly Column[] = [
  { title: "SESSION" },
  { title: "TITLE", shrinksTo: 12 },
  { title: "PROJECT", shrinksTo: 10, dropOrder: 3, cut: "start" },
  { title: "EDITED ON", shrinksTo: 8, dropOrder: 2 },
  { title: "WHEN", dropOrder: 1 },
  { title: "SIZE", align: "right", dropOrder: 4 },
  { title: "STATE", dropOrder: 5 },
];

/** So many digits of a session's id tell it from others in practice; any unique prefix is accepted. */
const SHORT_ID = 8;

/** Deeper forks are not indented further. */
const DEEPEST = 4;

/** Returns how deep each session is to be indented: forks stand behind what they were forked of. */
function depthsOf(sessions: readonly ListedSession[]): ReadonlyMap<string, number> {
  const depths = new Map<string, number>();
  for (const { forkOf, id } of sessions) {
    const parent = depths.get(forkOf);
    depths.set(id, parent === undefined ? 0 : parent + 1);
  }
  return depths;
}

function rowOf(
  session: ListedSession,
  depth: number,
  { home, now, style }: Environment,
): string[] {
  const mark = depth === 0 ? "" : "  ".repeat(Math.min(depth, DEEPEST) - 1) + "└ ";
  return [
    session.id.slice(0, SHORT_ID),
    mark + (session.title || "(no title)"),
    homeRelative(session.project, home, style),
    session.machine,
    formatAge(session.updatedAt, now()),
    formatSize(session.size + session.filesSize),
    stateOf(session),
  ];
}
