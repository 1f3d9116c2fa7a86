import assert from "node:assert/strict";
import { join } from "node:path";
import type { LocalPath, SessionId } from "../../src/brands.ts";
import { type LocalTranscript, stampOf } from "../../src/claude/scan.ts";
import { Readings } from "../../src/sync/readings.ts";
import { NO_SUMMARY } from "../../src/transcript/summary.ts";
import { Folder } from "../support/folder.ts";

const ID = "11111111-1111-4111-8111-111111111111" as SessionId;

const turn = (cwd: string, text: string) =>
  JSON.stringify({ type: "user", cwd, message: { role: "user", content: text } }) + "\n";

function transcriptIn(folder: Folder, content: string): LocalTranscript {
  const path = folder.write(join("projects", "-p-app", `${ID}.jsonl`), content) as LocalPath;
  return { id: ID, path, stamp: stampOf(Deno.lstatSync(path)) };
}

Deno.test("a transcript that looks as before is not read again", () => {
  using folder = new Folder();
  const readings = new Readings("linux");
  const transcript = transcriptIn(folder, turn("/p/app", "hello"));
  const { size } = transcript.stamp;
  const read = () => [
    readings.project(transcript),
    readings.summary(transcript, size, undefined).title,
  ];
  assert.deepEqual(read(), ["/p/app", "hello"]);
  Deno.removeSync(transcript.path);
  assert.deepEqual(read(), ["/p/app", "hello"]);
  assert.throws(() => readings.summary(transcript, size, NO_SUMMARY), Deno.errors.NotFound);
});

Deno.test("a transcript that looks otherwise is read again", () => {
  using folder = new Folder();
  const readings = new Readings("linux");
  const before = transcriptIn(folder, turn("/elsewhere", "hello"));
  assert.equal(readings.project(before), "/elsewhere");
  assert.equal(readings.summary(before, before.stamp.size, undefined).lastPrompt, "hello");
  const after = transcriptIn(folder, turn("/elsewhere", "hello") + turn("/p/app", "go on"));
  assert.equal(readings.project(after), "/p/app");
  assert.equal(readings.summary(after, after.stamp.size, undefined).lastPrompt, "go on");
  const shorter = readings.summary(after, before.stamp.size, undefined);
  assert.equal(shorter.lastPrompt, "hello", "the last line is not complete yet");
});
