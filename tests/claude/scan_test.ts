import assert from "node:assert/strict";
import { basename, dirname, join } from "node:path";
import type { LocalPath, SessionId } from "../../src/brands.ts";
import {
  type LocalTranscript,
  readProject,
  type Scan,
  scanInSteps,
  scanSidecars,
  scanTranscripts,
  type Skipped,
  stampOf,
} from "../../src/claude/scan.ts";
import { lstatIfThere, PendingFile } from "../../src/machine/files.ts";
import { projectDirName } from "../../src/translate/project_dir.ts";
import { ALICE } from "../support/fixtures.ts";
import { Folder } from "../support/folder.ts";

const ID = "11111111-1111-4111-8111-111111111111" as SessionId;
const OTHER_ID = "22222222-2222-4222-8222-222222222222" as SessionId;
const hasLinks = Deno.build.os !== "windows";
/** Root reads whatever it likes. */
const isRoot = Deno.build.os !== "windows" && Deno.uid() === 0;

const scan = (folder: Folder): Scan => scanTranscripts(folder.path as LocalPath);

/** Returns what was found and what was skipped, by the paths under `projects/`. */
function found(folder: Folder): { readonly transcripts: string[]; readonly skipped: string[] } {
  const { skipped, transcripts } = scan(folder);
  const short = (path: string) => path.slice(folder.at("projects/").length);
  return {
    transcripts: [...transcripts.values()].map(({ path }) => short(path)).sort(),
    skipped: skipped.map(({ what, why }) => `${short(what)}: ${why}`).sort(),
  };
}

Deno.test("scanTranscripts() finds every session of a recorded directory", () => {
  const { skipped, transcripts } = scanTranscripts(ALICE as LocalPath);
  assert.deepEqual(skipped, []);
  assert.deepEqual([...transcripts.keys()].sort(), [
    "11111111-1111-4111-8111-111111111111",
    "4415ac00-101c-4b51-8de3-f78cfa4282fc",
    "84dfb8de-0caa-4d77-ae4b-a6904b4127e2",
    "8e7fdf76-89d2-4651-a4a9-ce3b68af2ad8",
    "b9a316af-110f-4ec1-9a0e-575002e0dbaa",
  ]);
  for (const [id, transcript] of transcripts) {
    assert.equal(transcript.id, id);
    assert.equal(basename(transcript.path), `${id}.jsonl`);
    assert.equal(transcript.stamp.size, Deno.statSync(transcript.path).size);
  }
});

Deno.test("readProject() gives each recorded session the directory that it lies in", () => {
  const projects = [...scanTranscripts(ALICE as LocalPath).transcripts.values()].map(
    (transcript) => {
      const project = readProject(transcript, "linux");
      assert.equal(projectDirName(project ?? ""), basename(dirname(transcript.path)));
      return project;
    },
  );
  assert.ok(projects.includes("/home/alice/projects/My App v1.2_x" as LocalPath));
  assert.ok(projects.includes("/home/alice/projects/ünïcode-日本語-é" as LocalPath));
});

Deno.test("scanInSteps() pauses before every project, and sees what came into it meanwhile", () => {
  using folder = new Folder();
  folder.write(`projects/-a/${ID}.jsonl`, "");
  folder.write("projects/-b/notes.txt", "");
  const steps = scanInSteps(folder.path as LocalPath, false);
  assert.deepEqual([steps.next().done, steps.next().done], [false, false]);
  folder.write(`projects/-b/${OTHER_ID}.jsonl`, "");
  const last = steps.next();
  assert.ok(last.done === true);
  assert.deepEqual([...last.value.transcripts.keys()].sort(), [ID, OTHER_ID]);
});

Deno.test("scanTranscripts() finds nothing where Claude Code never ran", () => {
  using folder = new Folder();
  assert.deepEqual(found(folder), { transcripts: [], skipped: [] });
  folder.write("projects", "a file");
  assert.deepEqual(found(folder), { transcripts: [], skipped: [] });
});

Deno.test("scanTranscripts() takes nothing else for a transcript", () => {
  using folder = new Folder();
  const others = [
    `projects/-p/${ID}.json`,
    `projects/-p/${ID}.jsonl.bak`,
    `projects/-p/${ID}.ccr-tip.json`,
    `projects/-p/${ID}.orphaned-1795359479125-abcdefgh.jsonl`,
    `projects/-p/${ID.slice(1)}.jsonl`,
    `projects/-p/${"A".repeat(8)}-1111-4111-8111-111111111111.jsonl`,
    "projects/-p/agent-a33c9246e75436a1a.jsonl",
    "projects/-p/.session-aliases",
    "projects/-p/.ccsync-0123.tmp",
    `projects/-p/${ID}/subagents/${OTHER_ID}.jsonl`,
    `projects/-p/memory/${ID}.jsonl`,
    `projects/${ID}.jsonl`,
    `${ID}.jsonl`,
  ];
  for (const path of others) folder.write(path, "{}\n");
  assert.deepEqual(found(folder), { transcripts: [], skipped: [] });
});

Deno.test(
  "scanTranscripts() refuses links and directories, and says so",
  { ignore: !hasLinks },
  () => {
    using folder = new Folder();
    const secret = folder.write("secret", "{}\n");
    folder.write(`projects/-p/${OTHER_ID}.jsonl`, "{}\n");
    Deno.symlinkSync(secret, folder.at(`projects/-p/${ID}.jsonl`));
    Deno.symlinkSync(
      folder.at("nowhere"),
      folder.at("projects/-p/33333333-3333-4333-8333-333333333333.jsonl"),
    );
    Deno.symlinkSync(folder.at("projects/-p"), folder.at("projects/-linked"));
    Deno.mkdirSync(folder.at("projects/-p/44444444-4444-4444-8444-444444444444.jsonl"));
    assert.deepEqual(found(folder), {
      transcripts: [`-p/${OTHER_ID}.jsonl`],
      skipped: [
        "-linked: it is a link",
        `-p/${ID}.jsonl: it is not a regular file`,
        "-p/33333333-3333-4333-8333-333333333333.jsonl: it is not a regular file",
        "-p/44444444-4444-4444-8444-444444444444.jsonl: it is not a regular file",
      ],
    });
  },
);

Deno.test("scanTranscripts() goes on after a directory that it may not read", {
  ignore: !hasLinks || isRoot,
}, () => {
  using folder = new Folder();
  folder.write(`projects/-closed/${ID}.jsonl`, "{}\n");
  folder.write(`projects/-open/${OTHER_ID}.jsonl`, "{}\n");
  Deno.chmodSync(folder.at("projects/-closed"), 0o000);
  const seen = found(folder);
  const { unreadable } = scan(folder);
  Deno.chmodSync(folder.at("projects/-closed"), 0o700);
  assert.deepEqual([...unreadable], [folder.at("projects/-closed")]);
  assert.deepEqual(seen, {
    transcripts: [`-open/${OTHER_ID}.jsonl`],
    skipped: ["-closed: it cannot be read: permission denied"],
  });
});

Deno.test("scanTranscripts() takes the newer of two copies, and names the older", () => {
  for (const [newer, older] of [["-a", "-b"], ["-b", "-a"]] as const) {
    using folder = new Folder();
    for (const [seconds, directory] of [[1_000, older], [2_000, newer]] as const) {
      const path = folder.write(`projects/${directory}/${ID}.jsonl`, "{}\n");
      Deno.utimeSync(path, seconds, seconds);
    }
    assert.deepEqual(found(folder), {
      transcripts: [`${newer}/${ID}.jsonl`],
      skipped: [
        `${older}/${ID}.jsonl: the same session lies in another project's directory, newer`,
      ],
    });
  }
});

const PROJECT = "projects/-p";

/** Returns the names of a session's sidecars, and what was skipped by the paths under the folder. */
function sidecarsOf(
  claudeDir: string,
  project: string,
  id: SessionId,
  slug?: string,
): { readonly names: string[]; readonly skipped: string[] } {
  const skipped: Skipped[] = [];
  const transcript = join(claudeDir, project, `${id}.jsonl`) as LocalPath;
  const found = scanSidecars(claudeDir as LocalPath, transcript, id, slug, skipped);
  for (const { path, stamp } of found) assert.equal(stamp.size, Deno.lstatSync(path).size);
  return {
    names: found.map(({ name }) => name).sort(),
    skipped: skipped.map(({ what, why }) => `${what.slice(claudeDir.length + 1)}: ${why}`).sort(),
  };
}

Deno.test("scanSidecars() finds what belongs to a recorded session, and nothing else", () => {
  const app = "projects/-home-alice-projects-app";
  assert.deepEqual(sidecarsOf(ALICE, app, ID), {
    names: [
      "session/subagents/agent-a33c9246e75436a1a.jsonl",
      "session/subagents/agent-a33c9246e75436a1a.meta.json",
      "session/tool-results/b297me79w.txt",
    ],
    skipped: [],
  });
  const terminal = "b9a316af-110f-4ec1-9a0e-575002e0dbaa" as SessionId;
  const { names, skipped } = sidecarsOf(ALICE, app, terminal, "pure-discovering-lark");
  assert.deepEqual(skipped, []);
  assert.equal(names.filter((name) => name.startsWith("file-history/")).length, 6);
  assert.deepEqual(names.filter((name) => !name.startsWith("file-history/")), [
    "plans/pure-discovering-lark.md",
    "tasks/1.json",
    "tasks/2.json",
  ]);
});

Deno.test("scanSidecars() finds none where there are none", () => {
  using folder = new Folder();
  assert.deepEqual(sidecarsOf(folder.path, PROJECT, ID, "slug"), { names: [], skipped: [] });
});

Deno.test("scanSidecars() follows no link, and takes no name that other systems refuse", {
  ignore: !hasLinks,
}, () => {
  using folder = new Folder();
  const secret = folder.write("secret/key.txt", "");
  folder.write(`${PROJECT}/${ID}/tool-results/good.txt`, "x");
  folder.write(`${PROJECT}/${ID}/tool-results/a:b.txt`, "x");
  folder.write(`${PROJECT}/${ID}/tool-results/nul.txt`, "x");
  Deno.symlinkSync(secret, folder.at(PROJECT, ID, "tool-results", "link.txt"));
  Deno.symlinkSync(folder.at("secret"), folder.at(PROJECT, ID, "subagents"));
  Deno.mkdirSync(folder.at("tasks"));
  Deno.symlinkSync(folder.at("secret"), folder.at("tasks", ID));
  folder.write("secret/1.json", "{}");
  assert.deepEqual(sidecarsOf(folder.path, PROJECT, ID), {
    names: ["session/tool-results/good.txt"],
    skipped: [
      `${PROJECT}/${ID}/subagents: it is not a regular file`,
      `${PROJECT}/${ID}/tool-results/a:b.txt: its name has a character that not every system allows`,
      `${PROJECT}/${ID}/tool-results/link.txt: it is not a regular file`,
      `${PROJECT}/${ID}/tool-results/nul.txt: its name is reserved on Windows`,
      `tasks/${ID}: it is a link`,
    ],
  });
});

Deno.test("scanTranscripts() clears away what a ccsync that was killed left, where no other one is at work", () => {
  using folder = new Folder();
  folder.write(`projects/-a/${ID}.jsonl`, "");
  const left = [
    "projects/-a",
    `projects/-a/${OTHER_ID}`,
    `projects/-a/${OTHER_ID}/subagents/workflows`,
  ].map((directory) => {
    folder.write(`${directory}/whole.txt`, "");
    return folder.write(`${directory}/.ccsync-0.tmp`, "");
  });
  const isThere = () => left.map((path) => lstatIfThere(path) !== undefined);
  scanTranscripts(folder.path as LocalPath);
  assert.deepEqual(isThere(), [true, true, true]);
  scanTranscripts(folder.path as LocalPath, true);
  assert.deepEqual(isThere(), [false, false, false]);
  assert.ok(lstatIfThere(folder.at(`projects/-a/${OTHER_ID}/whole.txt`)) !== undefined);
});

Deno.test("scanSidecars() clears away what a ccsync that was killed left", () => {
  using folder = new Folder();
  folder.write(`${PROJECT}/${ID}/tool-results/good.txt`, "x");
  const pending = new PendingFile(folder.at(PROJECT, ID, "tool-results", "other.txt"));
  const left = Deno.readFileSync(pending.path);
  pending[Symbol.dispose]();
  Deno.writeFileSync(pending.path, left);
  const { names } = sidecarsOf(folder.path, PROJECT, ID);
  assert.deepEqual(names, ["session/tool-results/good.txt"]);
  assert.deepEqual(folder.names(join(PROJECT, ID, "tool-results")), ["good.txt"]);
});

Deno.test("stampOf() notices every change of size and time", () => {
  using folder = new Folder();
  const path = folder.write("file", "123");
  Deno.utimeSync(path, 1_000, 1_000);
  const before = stampOf(Deno.lstatSync(path));
  assert.deepEqual([before.size, before.mtimeMs], [3, 1_000_000]);
  Deno.utimeSync(path, 1_000.5, 1_000.5);
  assert.equal(stampOf(Deno.lstatSync(path)).mtimeMs, 1_000_500);
});

/** Puts a transcript into the directory of a project. */
function transcriptIn(folder: Folder, directory: string, content: string): LocalTranscript {
  const path = folder.write(join("projects", directory, `${ID}.jsonl`), content) as LocalPath;
  return { id: ID, path, stamp: stampOf(Deno.lstatSync(path)) };
}

const record = (fields: unknown) => JSON.stringify(fields) + "\n";
const cwd = (path: string) => record({ type: "user", cwd: path });
const relocated = (path: string) => record({ type: "relocated", relocatedCwd: path });

Deno.test("readProject() takes the working directory whose name the directory bears", () => {
  const filler = record({ type: "filler", text: "x".repeat(200_000) });
  const cases: readonly [what: string, content: string, project: string | undefined][] = [
    ["one directory", cwd("/p/app"), "/p/app"],
    ["began in a sub-directory", cwd("/p/app/src") + cwd("/p/app"), "/p/app"],
    ["went to a sub-directory", cwd("/p/app") + cwd("/p/app/src"), "/p/app"],
    ["moved here", cwd("/p/old") + relocated("/p/app"), "/p/app"],
    ["moved away and back", cwd("/p/app") + relocated("/p/old") + cwd("/p/old"), "/p/app"],
    ["moved here, long ago", cwd("/p/old") + filler + relocated("/p/app") + filler, "/p/app"],
    ["moved here, at last", cwd("/p/old") + filler + filler + relocated("/p/app"), "/p/app"],
    ["of two that fit the first", cwd("/p/a.pp") + cwd("/p/app"), "/p/app"],
    ["none that fits: the first", cwd("/elsewhere") + cwd("/other"), "/elsewhere"],
    ["long, none that fits", cwd("/elsewhere") + filler + filler + cwd("/other"), "/elsewhere"],
    ["only the end says", filler + filler + cwd("/other"), "/other"],
    ["a folder that was renamed", cwd("/p/renamed"), "/p/renamed"],
    ["none", record({ type: "summary", summary: "x" }), undefined],
    ["none, long", filler + filler, undefined],
    ["empty", "", undefined],
    ["not as text", record({ cwd: 5 }) + record({ cwd: "" }) + record({ cwd: null }), undefined],
    ["quoted", record({ message: 'say "cwd":"/quoted"' }), undefined],
    ["deeper", record({ worktreeSession: { cwd: "/deeper" } }), undefined],
    ["garbage before", "garbage {{{\n[]\nnull\n" + cwd("/p/app"), "/p/app"],
    ["torn", cwd("/elsewhere") + '{"cwd":"/p/app', "/elsewhere"],
    ["with a BOM", "\ufeff" + cwd("/p/app"), "/p/app"],
    ["Windows line ends", cwd("/p/app").replace("\n", "\r\n"), "/p/app"],
  ];
  for (const [what, content, project] of cases) {
    using folder = new Folder();
    assert.equal(readProject(transcriptIn(folder, "-p-app", content), "linux"), project, what);
  }
});

Deno.test("readProject() knows the directories of other systems", () => {
  using folder = new Folder();
  const windows = transcriptIn(folder, "C--p-app", cwd("D:\\p\\app") + cwd("C:\\p\\app"));
  assert.equal(readProject(windows, "windows"), "C:\\p\\app");
  const mac = transcriptIn(folder, "-p-caf-", cwd("/x") + cwd("/p/cafe\u0301"));
  assert.equal(readProject(mac, "darwin"), "/p/cafe\u0301");
  assert.equal(readProject(mac, "linux"), "/x");
});
