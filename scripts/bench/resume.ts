/**
 * How often one resume talks to the hub, counted at the hub.
 *
 * @module
 */
import { GitServer } from "../../tests/support/git_server.ts";
import { promptLine, World } from "../../tests/support/world.ts";
import { ccsyncOn, git } from "./measure.ts";
import type { Finding } from "./report.ts";
import { plantSessions } from "./stage.ts";
import { planEqualSessions } from "./transcripts.ts";

/** Counts the connections that a resume makes before Claude Code starts, and after it has ended. */
export async function benchResume(): Promise<Finding[]> {
  await using world = await World.create();
  await git(world.folder, "init", "--quiet", "--bare", "--initial-branch=main", world.hub);
  await using server = new GitServer(world.folder);
  const desk = world.machine("desk");
  const remote = ["--remote", server.url("hub.git"), "--machine-id", "desk"];
  const places = ["--sync-dir", desk.projects, "--add-placeholder", `PROJECTS=${desk.projects}`];
  await ccsyncOn(desk, "init", ...remote, ...places, "--yes");
  const sessions = planEqualSessions(3, 50_000, 7);
  plantSessions(desk, sessions);
  await ccsyncOn(desk, "push");
  const [session] = sessions;
  if (session === undefined) throw new Error("no sessions");
  const { id, project } = session;
  const cwd = `${desk.projects}/${project}`;
  Deno.mkdirSync(cwd, { recursive: true });
  const line = promptLine({ id, cwd, text: "one more" }).trimEnd();
  desk.scriptClaude(`echo '${line}' >> '${desk.transcriptPath(id, project)}'`);
  let [before, after] = [0, 0];
  // Every git that talks to the hub begins by asking for its refs.
  server.failWith((service) => {
    if (service !== "refs") return undefined;
    if (desk.clientStarts().length === 0) before++;
    else after++;
    return undefined;
  });
  await ccsyncOn(desk, "resume", id);
  return [
    trips("round trips of resume before claude starts", before, 2),
    trips("after it ends", after, 1),
  ];
}

function trips(what: string, value: number, limit: number): Finding {
  return {
    what,
    measured: { value, unit: "trips" },
    against: "",
    found: value,
    reach: { bound: "at most", value: limit, unit: "trips" },
  };
}
