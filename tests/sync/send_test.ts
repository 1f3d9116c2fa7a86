import assert from "node:assert/strict";
import { join } from "node:path";
import type { CommitChanges } from "../../src/hub/commit_writer.ts";
import { lookAround } from "../../src/sync/overview.ts";
import { itemOf, sendSession } from "../../src/sync/send.ts";
import { openWorkspace } from "../support/workspace.ts";
import { promptLine, World } from "../support/world.ts";

/** Records what is written, and does something else the first times a path is written. */
class Recorder implements CommitChanges {
  readonly files = new Map<string, string>();
  readonly #meddle: (path: string) => void;

  constructor(meddle: (path: string) => void) {
    this.#meddle = meddle;
  }

  write(path: string, content: Uint8Array | string): Promise<void> {
    this.files.set(path, typeof content === "string" ? content : new TextDecoder().decode(content));
    this.#meddle(path);
    return Promise.resolve();
  }

  link(path: string, blob: string): Promise<void> {
    this.files.set(path, `blob ${blob}`);
    return Promise.resolve();
  }

  remove(path: string): Promise<void> {
    this.files.delete(path);
    return Promise.resolve();
  }
}

async function withSidecar(
  test: (
    path: string,
    send: (changes: Recorder) => ReturnType<typeof sendSession>,
  ) => Promise<void>,
): Promise<void> {
  await using world = await World.create();
  const machine = await world.joined("laptop");
  const id = crypto.randomUUID();
  machine.write(id, promptLine({ id, cwd: join(machine.projects, "app"), text: "hello" }));
  const path = join(machine.transcriptPath(id).replace(/\.jsonl$/, ""), "tool-results/x.txt");
  Deno.mkdirSync(join(path, ".."), { recursive: true });
  Deno.writeTextFileSync(path, "first");
  await using workspace = openWorkspace(machine);
  const { sessions } = await lookAround(workspace, { all: false });
  const [view] = sessions;
  assert.ok(view !== undefined);
  const item = await itemOf(workspace, view);
  assert.ok(item !== undefined);
  await test(path, (changes) => sendSession(workspace, changes, item));
}

Deno.test("sendSession() reads a file again that changed while it was read", async () => {
  await withSidecar(async (path, send) => {
    let meddled = false;
    const changes = new Recorder((written) => {
      if (meddled || !written.includes("x.txt")) return;
      meddled = true;
      Deno.writeTextFileSync(path, "second, longer");
    });
    const { faults, report } = await send(changes);
    assert.deepEqual(faults, []);
    assert.equal(report.files, 1);
    const sent = [...changes.files].filter(([name]) => name.includes("x.txt"));
    assert.deepEqual(sent.map(([, content]) => content), ["second, longer"]);
  });
});

Deno.test("sendSession() reports a file that keeps changing, and sends none of it", async () => {
  await withSidecar(async (path, send) => {
    let size = 5;
    const changes = new Recorder((written) => {
      if (written.includes("x.txt")) Deno.writeTextFileSync(path, "x".repeat(++size));
    });
    const { faults, report } = await send(changes);
    assert.match(faults.join(), /keeps changing while it is read/);
    assert.equal(report.files, 0);
    assert.ok([...changes.files.keys()].every((name) => !name.includes("x.txt")));
    assert.ok([...changes.files.keys()].some((name) => name.endsWith("transcript/000000.jsonl")));
  });
});

Deno.test("sendSession() sends none of a sidecar that goes while it is read", async () => {
  await withSidecar(async (path, send) => {
    const changes = new Recorder((written) => {
      if (written.includes("x.txt")) Deno.removeSync(path);
    });
    const { faults, report } = await send(changes);
    assert.equal(faults.length, 1);
    assert.equal(report.files, 0);
    assert.ok([...changes.files.keys()].every((name) => !name.includes("x.txt")));
  });
});

Deno.test("sendSession() sends nothing of a session whose transcript goes while it is read", async () => {
  await withSidecar(async (path, send) => {
    const transcript = join(path, "../..") + ".jsonl";
    const changes = new Recorder((written) => {
      if (written.includes("/transcript/")) Deno.removeSync(transcript);
    });
    await assert.rejects(send(changes), Deno.errors.NotFound);
    assert.deepEqual([...changes.files.keys()], []);
  });
});

/** Two segments and more. */
const LONG = `${"x".repeat(1000)}\n`.repeat(2500);

Deno.test("sendSession() sends nothing of a file that became shorter while it was read, nor what was read of it before", async () => {
  await withSidecar(async (path, send) => {
    Deno.writeTextFileSync(path, LONG);
    const changes = new Recorder((written) => {
      if (written.endsWith("x.txt/000000")) Deno.writeTextFileSync(path, "short");
    });
    const { faults, report } = await send(changes);
    const sent = [...changes.files].filter(([name]) => name.includes("x.txt"));
    const isWhole = faults.length === 0 && sent.length === 1 && sent[0]?.[1] === "short";
    const isNone = faults.length === 1 && sent.length === 0;
    assert.ok(isWhole || isNone, `${faults} ${sent.map(([name]) => name)}`);
    assert.equal(report.files, isWhole ? 1 : 0);
  });
});
