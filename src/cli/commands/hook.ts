import { asSessionId, type SessionId } from "../../brands.ts";
import { readLocks } from "../../hub/locks.ts";
import { Mirror } from "../../hub/mirror.ts";
import { type Config, readConfigIfThere } from "../../machine/config.ts";
import type { Environment } from "../../machine/environment.ts";
import { appendToLog } from "../../machine/log.ts";
import { isDaemonRunning } from "../../machine/one_process.ts";
import { startInBackground } from "../../machine/self.ts";
import { messageOf } from "../../errors.ts";
import { logPath } from "../../sync/daemon/files.ts";
import { argumentsLike, readRecord } from "../../sync/daemon/record.ts";
import { announce, asHookEvent } from "../../sync/daemon/queue.ts";
import { standingOf } from "../../sync/locks.ts";
import { automationTrouble } from "../automation.ts";
import type { Context } from "../context.ts";
import { formatAge } from "../table.ts";
import { clean } from "../terminal.ts";

/**
 * What Claude Code's hooks run: leaves word for the daemon, and sees that there is one. Whatever is wrong, it
 * ends well: Claude Code would show its failure, or, on some codes, not go on.
 *
 * Source: standard input is JSON with `session_id`; exit code 2 blocks; `systemMessage` in the JSON that a
 * hook prints is shown to the person; observed with client 2.1.197.
 */
export async function runHook(
  makeContext: () => Context,
  args: readonly string[],
): Promise<void> {
  let env: Environment | undefined;
  try {
    const context = makeContext();
    env = context.env;
    await answer(context, args[0] ?? "");
  } catch (error) {
    note(env, `hook ${args[0]}: ${messageOf(error)}`);
  }
}

async function answer({ env, terminal }: Context, word: string): Promise<void> {
  const event = asHookEvent(word);
  const config = readConfigIfThere(env.ccsyncHome, env.style);
  if (event === undefined || config === undefined) return;
  const session = await readSession();
  try {
    if (session !== undefined) announce(env.ccsyncHome, { session, event });
  } finally {
    // A daemon that begins looks at everything, announced or not.
    if (!isDaemonRunning(env.ccsyncHome)) startDaemon(env);
  }
  if (event !== "session-start") return;
  const messages = [
    session === undefined ? undefined : await lockMessage(env, config, session),
    automationTrouble(env),
  ].filter((message) => message !== undefined);
  if (messages.length === 0) return;
  terminal.result(JSON.stringify({ systemMessage: `ccsync: ${clean(messages.join("; "))}` }));
}

function startDaemon({ ccsyncHome, home }: Environment): void {
  startInBackground(["daemon", ...argumentsLike(readRecord(ccsyncHome))], home);
}

const MOST_INPUT_CHARS = 1024 * 1024;
const INPUT_MS = 1_000;

/** Returns the session that standard input names. */
async function readSession(): Promise<SessionId | undefined> {
  if (Deno.stdin.isTerminal()) return undefined;
  let text = "";
  const signal = AbortSignal.timeout(INPUT_MS);
  try {
    const sink = new WritableStream<string>({
      write: (chunk) => {
        text += chunk;
        if (text.length > MOST_INPUT_CHARS) throw new Error("it is too long");
      },
    });
    await Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeTo(sink, { signal });
  } catch {
    // Too long, or never ending: what has come may do.
  }
  const id = /"session_id"\s*:\s*"([^"]+)"/.exec(text)?.[1];
  return id === undefined ? undefined : asSessionId(id);
}

/** Returns who has the session, as of the last contact with the hub. */
async function lockMessage(
  env: Environment,
  config: Config,
  session: SessionId,
): Promise<string | undefined> {
  await using mirror = new Mirror(env.ccsyncHome, config.remote);
  const lock = (await readLocks(mirror)).get(session)?.lock;
  if (lock === undefined || lock.machine === config.machineId) return undefined;
  if (standingOf(lock, "unknown", env.now()) !== "held") return undefined;
  const [since, seen] = [lock.acquiredAt, lock.heartbeatAt].map((at) => formatAge(at, env.now()));
  return `this session is open on ${lock.machine} (host ${lock.host}) since ${since}, last heard of ${seen}. ` +
    "Better leave it here, close it there, and continue with: ccsync resume. " +
    "What both write is kept and merged, as two branches.";
}

function note(env: Environment | undefined, text: string): void {
  try {
    if (env !== undefined) appendToLog(logPath(env.ccsyncHome), env.now(), text);
  } catch {
    // A disk that is full, or not ours: nobody is left to tell, and Claude Code must not wait.
  }
}
