import assert from "node:assert/strict";
import { utf8 } from "../../src/translate/bytes.ts";
import { normalCwd, projectDirName } from "../../src/translate/project_dir.ts";
import type { Profile } from "../../src/translate/profile.ts";
import { toLocal } from "../../src/translate/to_local.ts";
import { toPortable } from "../../src/translate/to_portable.ts";
import type { Codec } from "../../src/translate/context.ts";
import { Translator } from "../../src/translate/translator.ts";
import { LINUX, local, MACOS, portable, profile, SERVER, WINDOWS } from "./support.ts";

/** Three levels of 59 letters, and the name Claude Code gave to the sessions of the last. */
const DEEP = `${"d".repeat(59)}/${"d".repeat(59)}/${"d".repeat(59)}/${"e".repeat(59)}`;
const DEEP_NAME = `-home-alice-projects-${"d".repeat(59)}-${"d".repeat(59)}-${
  "d".repeat(59)
}-ejfybj`;

const decoder = new TextDecoder();

function check(of: Profile, cwd: string, codec: Codec, text: string, expected: string): void {
  const translator = new Translator(of, codec, [cwd]);
  assert.equal(decoder.decode(toPortable(translator, utf8(text))), expected);
  assert.equal(decoder.decode(toLocal(new Translator(of, codec), utf8(expected))), text);
}

Deno.test("projectDirName() names directories as Claude Code does", () => {
  const rows = [
    ["/home/alice/projects/app", "-home-alice-projects-app"],
    ["/home/alice/projects/My App v1.2_x", "-home-alice-projects-My-App-v1-2-x"],
    ["C:\\proj\\app", "C--proj-app"],
    ["/home/alice/projects/ünïcode_日本_😀", "-home-alice-projects--n-code------"],
    [`/home/alice/projects/${DEEP}`, DEEP_NAME],
  ] as const;
  for (const [cwd, name] of rows) assert.equal(projectDirName(cwd), name);
});

Deno.test("projectDirName() cuts names of more than 200 units", () => {
  const path = (length: number) => "/".padEnd(length, "a");
  assert.equal(projectDirName(path(200)), "-".padEnd(200, "a"));
  assert.match(projectDirName(path(201)), /^-a{199}-[0-9a-z]+$/);
  assert.notEqual(projectDirName(path(201)), projectDirName(path(202)));
});

Deno.test("normalCwd() composes characters on macOS alone", () => {
  assert.equal(normalCwd("darwin", "/cafe\u0301"), "/caf\u00e9");
  assert.equal(normalCwd("linux", "/cafe\u0301"), "/cafe\u0301");
});

Deno.test("the cut name of a deep directory becomes the reading machine's own", () => {
  const text = `{"text":"/home/alice/.claude/projects/${DEEP_NAME}/s/tool-results/x.txt"}`;
  const token = `{{PROJECTS:dir.${DEEP.replaceAll("/", ".")}}}`;
  const cwd = `/home/alice/projects/${DEEP}`;
  const expected = `{"text":"{{CLAUDE}}/projects/${token}/s/tool-results/x.txt"}`;
  check(LINUX, cwd, "jsonl", text, expected);
  const readers = [[MACOS, `/Volumes/Daten & Bücher/it's "work"/${DEEP}`], [
    WINDOWS,
    `D:\\work\\${DEEP.replaceAll("/", "\\")}`,
  ], [SERVER, `P:\\${DEEP.replaceAll("/", "\\")}`]] as const;
  for (const [reader, there] of readers) {
    const line = local(reader, "jsonl", expected);
    assert.ok(line.includes(projectDirName(there)), line);
    // There it is found just the same, and comes back.
    const back = toPortable(new Translator(reader, "jsonl", [there]), utf8(line));
    assert.equal(local(LINUX, "jsonl", decoder.decode(back)), text);
  }
});

Deno.test("a directory name carries every sort of character of its path", () => {
  const rest = `My App_v1.2-x/ü日😀/${"a".repeat(200)}`;
  const cwd = `/home/alice/projects/${rest}`;
  const name = projectDirName(cwd);
  const encoded = "-4dy-20-41pp-5fv1-2e2-2dx.-c3-bc-e6-97-a5-f0-9f-98-80." + "a".repeat(200);
  check(LINUX, cwd, "text", `/x/${name}/y`, `/x/{{PROJECTS:dir.${encoded}}}/y`);
  assert.equal(
    local(WINDOWS, "text", `/x/{{PROJECTS:dir.${encoded}}}/y`),
    `/x/${projectDirName(`D:\\work\\${rest.replaceAll("/", "\\")}`)}/y`,
  );
});

Deno.test("a directory name that would be cut elsewhere carries its path too", () => {
  const rest = "a".repeat(120);
  const text = `/x/-home-alice-projects-${rest}/y /x/-home-alice-projects-${rest}-b`;
  const expected = `/x/{{PROJECTS:dir.${rest}}}/y /x/{{PROJECTS:dir}}-${rest}-b`;
  check(LINUX, `/home/alice/projects/${rest}`, "text", text, expected);
  const far = profile("posix", { PROJECTS: `/${"r".repeat(99)}` });
  assert.ok(
    local(far, "text", expected).startsWith(`/x/${projectDirName(`/${"r".repeat(99)}/${rest}`)}/y`),
  );
});

Deno.test("a directory name that seems to lie below another root carries its path", () => {
  const text = "/x/-home-alice-projects-old-app/y /x/-home-alice-projects-app";
  const expected = "/x/{{HOME:dir.projects-2dold.app}}/y /x/{{PROJECTS:dir}}-app";
  check(LINUX, "/home/alice/projects-old/app", "text", text, expected);
  assert.equal(
    local(WINDOWS, "text", expected),
    "/x/C--Users-alice-projects-old-app/y /x/D--work-app",
  );
});

Deno.test("a directory name under a deep root, a low drive or none is no trouble", () => {
  const root = `/srv/${"r".repeat(250)}`;
  const deep = profile("posix", { P: root });
  check(deep, root, "text", `/x/${projectDirName(root)}/y`, "/x/{{P:dir.}}/y");
  check(deep, `${root}/a`, "text", `/x/${projectDirName(`${root}/a`)}`, "/x/{{P:dir.a}}");
  const cwd = `d:\\work\\${"a".repeat(250)}`;
  check(
    WINDOWS,
    cwd,
    "text",
    `\\${projectDirName(cwd)}`,
    `\\{{PROJECTS:dir-low.${"a".repeat(250)}}}`,
  );
  const short = "/home/alice/projects/app";
  check(LINUX, short, "text", `/x/${projectDirName(short)}`, "/x/{{PROJECTS:dir}}-app");
  check(LINUX, `/srv/${"a".repeat(250)}`, "text", "/x/-srv", "/x/-srv");
  const odd = `/home/alice/\ud800${"a".repeat(250)}`;
  const oddName = projectDirName(odd).replace("-home-alice", "");
  check(LINUX, odd, "text", `/x/-home-alice${oddName}`, `/x/{{HOME:dir}}${oddName}`);
});

Deno.test("without the working directory a cut name still comes back where it was written", () => {
  const text = `/home/alice/.claude/projects/${DEEP_NAME}/x`;
  assert.equal(local(LINUX, "text", portable(LINUX, "text", text)), text);
});
