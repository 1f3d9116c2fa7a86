import assert from "node:assert/strict";
import { byteText, utf8 } from "../../src/translate/bytes.ts";
import { toLocal } from "../../src/translate/to_local.ts";
import { toPortable } from "../../src/translate/to_portable.ts";
import { Translator } from "../../src/translate/translator.ts";
import { carried, isSame, LINUX, MACOS, portable, profile, SERVER, WINDOWS } from "./support.ts";

const MACHINES = [LINUX, MACOS, WINDOWS, SERVER];

Deno.test("toPortable() returns the very same array where it finds nothing", () => {
  for (const text of ["", "x", '{"cwd":"/other"}\n', "{{token}}", "/home/alice2"]) {
    for (const machine of MACHINES) {
      const bytes = utf8(text);
      assert.equal(toPortable(new Translator(machine, "jsonl"), bytes), bytes);
    }
  }
});

Deno.test("toPortable() works on a part of a larger buffer", () => {
  const buffer = utf8('xx{"cwd":"/home/alice"}yy');
  const part = buffer.subarray(2, -2);
  assert.equal(byteText(toPortable(new Translator(LINUX, "jsonl"), part)), '{"cwd":"{{HOME}}"}');
});

Deno.test("toPortable() keeps lines that are no records byte for byte", () => {
  const lines = [
    "not JSON: /home/alice/projects",
    '"/home/alice"',
    '["/home/alice"]',
    '{"cwd":"/home/alice',
    ' {"cwd":"/home/alice"}',
    "",
    "{",
    '{"cwd":"/home/alice"} /home/alice',
  ];
  const record = '{"cwd":"/home/alice"}';
  const text = lines.map((line) => `${line}\n${record}\n`).join("");
  assert.equal(
    portable(LINUX, "jsonl", text),
    lines.map((line) => `${line}\n{"cwd":"{{HOME}}"}\n`).join(""),
  );
});

Deno.test("toPortable() escapes tokens in lines that are no records too", () => {
  assert.equal(portable(LINUX, "jsonl", "not JSON {{HOME}}\n"), "not JSON {{~HOME}}\n");
});

Deno.test("toPortable() takes records after a byte-order mark, before CRLF, and without a last newline", () => {
  const rows = [
    ['\ufeff{"cwd":"/home/alice"}\n', '\ufeff{"cwd":"{{HOME}}"}\n'],
    [
      '{"cwd":"/home/alice"}\r\n{"cwd":"/home/alice"}\r\n',
      '{"cwd":"{{HOME}}"}\r\n{"cwd":"{{HOME}}"}\r\n',
    ],
    ['{"cwd":"/home/alice"}', '{"cwd":"{{HOME}}"}'],
    ['{"cwd":"/home/alice"} \t\n', '{"cwd":"{{HOME}}"} \t\n'],
  ] as const;
  for (const [text, expected] of rows) assert.equal(portable(LINUX, "jsonl", text), expected);
});

Deno.test("toPortable() passes bytes through that are not UTF-8", () => {
  const noise = Uint8Array.from([0xff, 0xfe, 0x80, 0xc3, 0x00, 0xe2, 0x80]);
  for (const machine of MACHINES) {
    const root = machine.placeholders[0]?.root ?? "";
    for (const codec of ["jsonl", "json", "text"] as const) {
      const bytes = Uint8Array.from([...noise, ...utf8(` ${root} "${root}"\n`), ...noise]);
      const translator = new Translator(machine, codec);
      const out = toPortable(translator, bytes);
      assert.ok(isSame(toLocal(translator, out), bytes));
      assert.ok(
        byteText(out).startsWith(byteText(noise)) && byteText(out).endsWith(byteText(noise)),
      );
    }
  }
});

Deno.test("toPortable() keeps signed content as it is, whatever the order of its keys", () => {
  const path = "/home/alice/projects/a";
  const blocks = [
    `{"type":"thinking","thinking":"in ${path}","signature":"${path}"}`,
    `{"thinking":"${path}","signature":"${path}","type":"thinking"}`,
    `{"signature":"${path}","type":"thinking","thinking":"a \\"${path}\\" b"}`,
    `{"type":"redacted_thinking","data":"${path}"}`,
    `{"data":"${path}","type":"redacted_thinking"}`,
    `{ "type" : "thinking" , "thinking" : "${path}" , "signature" : "${path}" }`,
  ];
  for (const block of blocks) {
    for (const codec of ["jsonl", "json"] as const) {
      const line = `{"message":{"content":[${block}]},"cwd":"${path}"}`;
      assert.equal(
        portable(LINUX, codec, line),
        `{"message":{"content":[${block}]},"cwd":"{{PROJECTS}}/a"}`,
      );
      for (const reader of MACHINES) {
        assert.ok(carried(LINUX, reader, codec, line).includes(block));
      }
    }
  }
});

Deno.test("toPortable() translates fields that are only named like signed ones", () => {
  const rows = [
    ['{"data":"/home/alice"}', '{"data":"{{HOME}}"}'],
    ['{"signature":"/home/alice/a.sig"}', '{"signature":"{{HOME}}/a.sig"}'],
    ['{"type":"image","data":"/home/alice"}', '{"type":"image","data":"{{HOME}}"}'],
    ['{"text":"\\"thinking\\" in /home/alice"}', '{"text":"\\"thinking\\" in {{HOME}}"}'],
    [
      '{"text":"{\\"thinking\\":\\"/home/alice\\"}"}',
      '{"text":"{\\"thinking\\":\\"{{HOME:j2}}\\"}"}',
    ],
    ['{"thinkings":"/home/alice"}', '{"thinkings":"{{HOME}}"}'],
  ] as const;
  for (const [text, expected] of rows) assert.equal(portable(LINUX, "jsonl", text), expected);
});

Deno.test("toPortable() writes the first of two names for a root, and toLocal() reads both", () => {
  const of = profile("posix", { WORK: "/home/alice", HOME: "/home/alice" });
  assert.equal(portable(of, "text", "/home/alice"), "{{WORK}}");
  assert.equal(carried(LINUX, of, "text", "/home/alice/x"), "/home/alice/x");
});
