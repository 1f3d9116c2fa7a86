import assert from "node:assert/strict";
import { utf8 } from "../../src/translate/bytes.ts";
import { toLocal } from "../../src/translate/to_local.ts";
import { Translator } from "../../src/translate/translator.ts";
import { LINUX, local, profile, WINDOWS } from "./support.ts";

Deno.test("toLocal() returns the very same array where there is no token", () => {
  for (const text of ["", "{{", "no {{token}} here", '{"cwd":"/x"}']) {
    const bytes = utf8(text);
    assert.equal(toLocal(new Translator(WINDOWS, "jsonl"), bytes), bytes);
  }
});

Deno.test("toLocal() keeps the token of a placeholder without a path here, and names it", () => {
  const line = '{"cwd":"{{WORK}}/a/b","x":"{{HOME}}/c {{WORK:j2}} {{~GONE}} {{OLD:dir}}"}';
  const unmapped = new Set<string>();
  const bytes = toLocal(new Translator(WINDOWS, "jsonl"), utf8(line), unmapped);
  assert.equal(
    new TextDecoder().decode(bytes),
    '{"cwd":"{{WORK}}/a/b","x":"C:\\\\Users\\\\alice\\\\c {{WORK:j2}} {{GONE}} {{OLD:dir}}"}',
  );
  assert.deepEqual([...unmapped], ["WORK", "OLD"]);
});

Deno.test("toLocal() makes a path of the token once it is mapped", () => {
  const mapped = profile("windows", { HOME: "C:\\Users\\alice", WORK: "E:\\w" });
  assert.equal(local(mapped, "jsonl", '{"cwd":"{{WORK}}/a/b"}'), '{"cwd":"E:\\\\w\\\\a\\\\b"}');
});

Deno.test("toLocal() ends a path where an unmapped one begins, but not at an unmapped directory name", () => {
  assert.equal(
    local(WINDOWS, "jsonl", '{"cwd":"{{HOME}}/a{{WORK}}/b","path":"{{HOME}}/{{WORK:dir}}-x/y"}'),
    '{"cwd":"C:\\\\Users\\\\alice\\\\a{{WORK}}/b","path":"C:\\\\Users\\\\alice\\\\{{WORK:dir}}-x\\\\y"}',
  );
});

Deno.test("toLocal() keeps tokens in forms that this version does not write, unreported", () => {
  const forms = [
    ...[
      "new",
      "j9",
      "j4",
      "j22",
      "low-j2",
      "low-low",
      "pct-low",
      "fwd-fwd",
      "j2-fwd",
      "-",
      ".",
      "x.b",
    ],
    ...["dir.A", "dir.-4", "dir.-61", "dir.-ff", "dir.x-", "dir-j2.x-zz", ".c", "native"],
  ].filter((form) => form !== ".");
  for (const form of forms) {
    const unmapped = new Set<string>();
    const token = utf8(`{{HOME:${form}}}`);
    assert.equal(toLocal(new Translator(LINUX, "jsonl"), token, unmapped), token, form);
    assert.equal(unmapped.size, 0);
  }
});

Deno.test("toLocal() counts the separators that a token names", () => {
  const rows = [
    ["{{PROJECTS:.}}/a/b", "D:\\\\work/a/b"],
    ["{{PROJECTS:.b}}/a/b", "D:\\\\work\\\\a/b"],
    ["{{PROJECTS:.fb}}/a /b/c", "D:\\\\work/a \\\\b/c"],
    ["{{PROJECTS:fwd.b}}/a/b", "D:/work\\\\a/b"],
    ["{{PROJECTS:.bb}}/a\\n/b", "D:\\\\work\\\\a\\n\\\\b"],
    ["{{PROJECTS}}/a={{HOME:fwd}}/b", "D:\\\\work\\\\a=C:/Users/alice/b"],
    ["{{PROJECTS:j2.b}}/a", "D:\\\\\\\\work\\\\\\\\a"],
  ] as const;
  for (const [token, expected] of rows) {
    assert.equal(local(WINDOWS, "jsonl", `{"text":"${token}"}`), `{"text":"${expected}"}`);
  }
  const twoLines = '{"text":"{{PROJECTS:.bbb}}/a"}\n{"text":"/b"}\n';
  assert.equal(
    local(WINDOWS, "jsonl", twoLines),
    '{"text":"D:\\\\work\\\\a"}\n{"text":"/b"}\n',
  );
  assert.equal(local(LINUX, "jsonl", '{"text":"{{HOME:.fb}}/a/b"}'), '{"text":"/home/alice/a/b"}');
});
