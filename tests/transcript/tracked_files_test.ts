import assert from "node:assert/strict";
import { join } from "node:path";
import { trackedFiles } from "../../src/transcript/tracked_files.ts";
import { ALICE } from "../support/fixtures.ts";

const encoder = new TextEncoder();

function snapshot(backups: Readonly<Record<string, string | null>>): string {
  const tracked = Object.entries(backups).map(([path, name]) => [path, { backupFileName: name }]);
  const record = {
    type: "file-history-snapshot",
    snapshot: { trackedFileBackups: Object.fromEntries(tracked) },
  };
  return JSON.stringify(record) + "\n";
}

Deno.test("trackedFiles() reads what the client recorded", () => {
  const path = "projects/-home-alice-projects-app/b9a316af-110f-4ec1-9a0e-575002e0dbaa.jsonl";
  assert.ok(trackedFiles(Deno.readFileSync(join(ALICE, path))).includes("src/hello.txt"));
});

Deno.test("trackedFiles() takes the last snapshot, and of it the files that existed", () => {
  const lines = [
    '.cut {"type":"file-history-snapshot"\n',
    snapshot({ "old.txt": "0@v1" }),
    snapshot({ "a.txt": "1@v1", "/abs/b.txt": "2@v2", "new.txt": null }),
    '{"type":"user","message":"a \\"file-history-snapshot\\" is quoted"}\n',
  ];
  assert.deepEqual(trackedFiles(encoder.encode(lines.join(""))), ["a.txt", "/abs/b.txt"]);
  assert.deepEqual(trackedFiles(encoder.encode('{"type":"user"}\n')), []);
});
