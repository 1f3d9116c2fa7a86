import assert from "node:assert/strict";
import type { Profile } from "../../src/translate/profile.ts";
import type { Codec } from "../../src/translate/context.ts";
import { carried, LINUX, local, MACOS, portable, profile, SERVER, WINDOWS } from "./support.ts";

/** What a machine wrote, its portable form, and what other machines read. */
interface Row {
  readonly on: Profile;
  readonly codec?: Codec;
  readonly text: string;
  readonly portable: string;
  readonly linux?: string;
  readonly macos?: string;
  readonly windows?: string;
  readonly server?: string;
}

function check({ on, codec = "jsonl", text, ...row }: Row): void {
  assert.equal(portable(on, codec, text), row.portable);
  assert.equal(local(on, codec, row.portable), text);
  const readers = [[row.linux, LINUX], [row.macos, MACOS], [row.windows, WINDOWS], [
    row.server,
    SERVER,
  ]];
  for (const [expected, reader] of readers as [string | undefined, Profile][]) {
    if (expected !== undefined) assert.equal(local(reader, codec, row.portable), expected);
  }
}

/** In the record of a transcript, as prose. */
const said = (text: string): string => `{"text":"${text}"}`;

Deno.test("a native path is native on every machine", () => {
  check({
    on: LINUX,
    text: '{"cwd":"/home/alice/projects/app"}',
    portable: '{"cwd":"{{PROJECTS}}/app"}',
    macos: '{"cwd":"/Volumes/Daten & Bücher/it\'s \\"work\\"/app"}',
    windows: '{"cwd":"D:\\\\work\\\\app"}',
    server: '{"cwd":"P:\\\\app"}',
  });
  check({
    on: WINDOWS,
    text: said("see C:\\\\Users\\\\alice\\\\a\\\\b.txt, or D:\\\\work\\\\x."),
    portable: said("see {{HOME}}/a/b.txt, or {{PROJECTS}}/x."),
    linux: said("see /home/alice/a/b.txt, or /home/alice/projects/x."),
    server: said("see \\\\\\\\srv\\\\homes\\\\alice\\\\a\\\\b.txt, or P:\\\\x."),
  });
  check({
    on: SERVER,
    text: said("\\\\\\\\srv\\\\homes\\\\alice\\\\a C:\\\\Temp\\\\claude-0\\\\b P:\\\\c"),
    portable: said("{{HOME}}/a {{CLAUDE_TMP}}/b {{PROJECTS}}/c"),
    linux: said("/home/alice/a /tmp/claude-1500/b /home/alice/projects/c"),
  });
  check({
    on: WINDOWS,
    codec: "text",
    text: "cd D:\\work\\a b\\c\r\n",
    portable: "cd {{PROJECTS}}/a b\\c\r\n",
    linux: "cd /home/alice/projects/a b\\c\r\n",
  });
});

Deno.test("a root that is a whole drive is its root directory", () => {
  check({
    on: SERVER,
    text: '{"cwd":"P:\\\\"}',
    portable: '{"cwd":"{{PROJECTS}}"}',
    linux: '{"cwd":"/home/alice/projects"}',
    windows: '{"cwd":"D:\\\\work"}',
  });
  check({ on: SERVER, codec: "text", text: "dir P:\\ /s", portable: "dir {{PROJECTS}} /s" });
  check({ on: SERVER, text: said('\\"P:\\\\\\"'), portable: said('\\"{{PROJECTS}}\\"') });
  check({ on: SERVER, text: said("P:\\\\\\\\x"), portable: said("{{PROJECTS:j2}}/x") });
  check({ on: SERVER, text: said("P:\\\\a\\\\"), portable: said("{{PROJECTS}}/a/") });
  check({
    on: SERVER,
    text: said("P:/a /p/a /mnt/p/a"),
    portable: said("{{PROJECTS:fwd}}/a {{PROJECTS:msys}}/a {{PROJECTS:wsl}}/a"),
  });
  for (const text of ["P: x", "drive P:", "P:\\nx", "P:x", "/p", "XP:\\\\x", "/p;"]) {
    check({ on: SERVER, text: said(text), portable: said(text) });
  }
  assert.equal(
    carried(LINUX, SERVER, "jsonl", said("in /home/alice/projects.")),
    said("in P:\\\\."),
  );
});

Deno.test("a path is escaped as deeply as the JSON around it", () => {
  check({
    on: LINUX,
    text: said('{\\"cwd\\":\\"/home/alice/a/b\\"}'),
    portable: said('{\\"cwd\\":\\"{{HOME:j2}}/a/b\\"}'),
    windows: said('{\\"cwd\\":\\"C:\\\\\\\\Users\\\\\\\\alice\\\\\\\\a\\\\\\\\b\\"}'),
  });
  check({
    on: LINUX,
    text: said('{\\"a\\":\\"{\\\\\\"cwd\\\\\\":\\\\\\"/home/alice/a\\\\\\"}\\"}'),
    portable: said('{\\"a\\":\\"{\\\\\\"cwd\\\\\\":\\\\\\"{{HOME:j3}}/a\\\\\\"}\\"}'),
    windows: said(
      `{\\"a\\":\\"{\\\\\\"cwd\\\\\\":\\\\\\"${
        ["C:", "Users", "alice", "a"].join("\\".repeat(8))
      }\\\\\\"}\\"}`,
    ),
  });
  check({
    on: WINDOWS,
    text: said('{\\"cwd\\":\\"D:\\\\\\\\work\\\\\\\\a\\"}'),
    portable: said('{\\"cwd\\":\\"{{PROJECTS:j2}}/a\\"}'),
    macos: said('{\\"cwd\\":\\"/Volumes/Daten & Bücher/it\'s \\\\\\"work\\\\\\"/a\\"}'),
  });
  // Prose in inner JSON, pretty-printed inner JSON, an inner list, the lines of a quoted transcript.
  const inner = [
    ['{\\"text\\":\\"in ', ' or so\\"}'],
    ['{\\n  \\"a\\": [\\n    \\"x\\",\\n    \\"', '\\"\\n  ]\\n}'],
    ['[\\"a\\",\\"', '\\"]'],
    ['[{\\"a\\":\\"', '\\"}]'],
    ['  12\\t{\\"cwd\\":\\"', '\\",\\"x\\":1}'],
    ['{\\r\\n\\t\\"a\\" : \\"', '\\"\\r\\n}\\r\\n'],
  ] as const;
  for (const [before, after] of inner) {
    check({
      on: LINUX,
      text: said(`${before}/home/alice/a${after}`),
      portable: said(`${before}{{HOME:j2}}/a${after}`),
      windows: said(`${before}C:\\\\\\\\Users\\\\\\\\alice\\\\\\\\a${after}`),
    });
  }
  check({
    on: LINUX,
    text: said('1 {\\"t\\":\\"in /home/alice/a and /home/alice/b\\"} in /home/alice/c'),
    portable: said('1 {\\"t\\":\\"in {{HOME:j2}}/a and {{HOME:j2}}/b\\"} in {{HOME}}/c'),
  });
  check({
    on: LINUX,
    text: said('{\\"cmd\\":\\"echo \\\\\\"hi\\\\\\" /home/alice/a\\"}'),
    portable: said('{\\"cmd\\":\\"echo \\\\\\"hi\\\\\\" {{HOME:j2}}/a\\"}'),
  });
  // Quotes that are no JSON.
  for (
    const [before, after] of [['cd \\"', '\\"'], ['x \\"y\\" ', ""], ["[", "]"], ["{", "}"], [
      '\\"\\" ',
      "",
    ]]
  ) {
    check({
      on: LINUX,
      text: said(`${before}/home/alice/a${after}`),
      portable: said(`${before}{{HOME}}/a${after}`),
      windows: said(`${before}C:\\\\Users\\\\alice\\\\a${after}`),
    });
  }
});

Deno.test("JSON in plain text is escaped too", () => {
  check({
    on: LINUX,
    codec: "text",
    text: 'see {"cwd": "/home/alice/a", "t": "in /home/alice/b"} in /home/alice/c',
    portable: 'see {"cwd": "{{HOME:j1}}/a", "t": "in {{HOME:j1}}/b"} in {{HOME}}/c',
    windows:
      'see {"cwd": "C:\\\\Users\\\\alice\\\\a", "t": "in C:\\\\Users\\\\alice\\\\b"} in C:\\Users\\alice\\c',
  });
  check({
    on: LINUX,
    codec: "json",
    text: '{\n  "cwd": "/home/alice/a",\n  "list": [\n    "/home/alice/b c/d"\n  ]\n}\n',
    portable: '{\n  "cwd": "{{HOME}}/a",\n  "list": [\n    "{{HOME}}/b c/d"\n  ]\n}\n',
    windows:
      '{\n  "cwd": "C:\\\\Users\\\\alice\\\\a",\n  "list": [\n    "C:\\\\Users\\\\alice\\\\b c\\\\d"\n  ]\n}\n',
  });
  check({
    on: WINDOWS,
    codec: "text",
    text: '{"cwd":"D:\\\\work\\\\a"} D:\\work\\b',
    portable: '{"cwd":"{{PROJECTS:j1}}/a"} {{PROJECTS}}/b',
  });
});

Deno.test("a JSON level that no tool writes is taken for the ordinary one", () => {
  const quote = "\\".repeat(2 ** 10 - 1) + '"';
  const text = said(`{${quote}cwd${quote}:${quote}/home/alice/a${quote}}`);
  assert.equal(carried(LINUX, LINUX, "jsonl", text), text);
});

Deno.test("the spellings of Windows tools keep their kind on Windows", () => {
  const rows = [
    ["C:/Users/alice/a", "{{HOME:fwd}}/a", "//srv/homes/alice/a"],
    ["c:\\\\Users\\\\alice\\\\a", "{{HOME:low}}/a", "\\\\\\\\srv\\\\homes\\\\alice\\\\a"],
    ["c:/Users/alice/a", "{{HOME:fwd-low}}/a", "//srv/homes/alice/a"],
    ["/c/Users/alice/a", "{{HOME:msys}}/a", "//srv/homes/alice/a"],
    ["/mnt/c/Users/alice/a", "{{HOME:wsl}}/a", "//srv/homes/alice/a"],
    ["/cygdrive/c/Users/alice/a", "{{HOME:cyg}}/a", "//srv/homes/alice/a"],
    ["file:///C:/Users/alice/a%20b", "file://{{HOME:url}}/a%20b", "file://srv/homes/alice/a%20b"],
    ["file:///c:/Users/alice/a", "file://{{HOME:url-low}}/a", "file://srv/homes/alice/a"],
    ["file:///c%3A/Users/alice/a", "file://{{HOME:url-low-pct}}/a", "file://srv/homes/alice/a"],
    ["file:///C%3A/Users/alice/a", "file://{{HOME:url-pct}}/a", "file://srv/homes/alice/a"],
    [
      "\\\\\\\\?\\\\C:\\\\Users\\\\alice\\\\a",
      "{{HOME:ext}}/a",
      "\\\\\\\\?\\\\UNC\\\\srv\\\\homes\\\\alice\\\\a",
    ],
    ["\\\\\\\\?\\\\D:\\\\work\\\\a", "{{PROJECTS:ext}}/a", "\\\\\\\\?\\\\P:\\\\a"],
    ["D:/work/a /d/work/b", "{{PROJECTS:fwd}}/a {{PROJECTS:msys}}/b", "P:/a /p/b"],
    ["file://D:/work/a", "file://{{PROJECTS:fwd}}/a", "file://P:/a"],
  ] as const;
  for (const [text, expected, server] of rows) {
    check({ on: WINDOWS, text: said(text), portable: said(expected), server: said(server) });
    const path = text.includes("%20") ? "/home/alice/a%20b" : "/home/alice/a";
    if (expected.includes("HOME")) {
      const linux = text.startsWith("file") ? `file://${path}` : path;
      assert.equal(carried(WINDOWS, LINUX, "jsonl", said(text)), said(linux));
    }
  }
});

Deno.test("a file server's path is found in its spellings, and not in a web address", () => {
  check({
    on: SERVER,
    text: said(
      "//srv/homes/alice/a file://srv/homes/alice/b \\\\\\\\?\\\\UNC\\\\srv\\\\homes\\\\alice\\\\c",
    ),
    portable: said("{{HOME:fwd}}/a file://{{HOME:url}}/b {{HOME:ext}}/c"),
    linux: said("/home/alice/a file:///home/alice/b /home/alice/c"),
    windows: said(
      "C:/Users/alice/a file:///C:/Users/alice/b \\\\\\\\?\\\\C:\\\\Users\\\\alice\\\\c",
    ),
  });
  for (const text of ["https://srv/homes/alice/a", "srv/homes/alice", "x://srv/homes/alice"]) {
    check({ on: SERVER, text: said(text), portable: said(text) });
  }
});

Deno.test("a file URL is percent-encoded on every machine", () => {
  check({
    on: MACOS,
    text: said("file:///Volumes/Daten%20&%20B%C3%BCcher/it's%20%22work%22/a"),
    portable: said("file://{{PROJECTS:url}}/a"),
    linux: said("file:///home/alice/projects/a"),
    windows: said("file:///D:/work/a"),
  });
  check({
    on: LINUX,
    text: said("file:///home/alice/projects/a%20b"),
    portable: said("file://{{PROJECTS:url}}/a%20b"),
    macos: said("file:///Volumes/Daten%20&%20B%C3%BCcher/it's%20%22work%22/a%20b"),
  });
});

Deno.test("the names of directories follow the project's root", () => {
  check({
    on: LINUX,
    text: said("/home/alice/.claude/projects/-home-alice-projects-my-app/x.jsonl"),
    portable: said("{{CLAUDE}}/projects/{{PROJECTS:dir}}-my-app/x.jsonl"),
    windows: said("C:\\\\Users\\\\alice\\\\.claude\\\\projects\\\\D--work-my-app\\\\x.jsonl"),
    server: said("\\\\\\\\srv\\\\homes\\\\alice\\\\.claude\\\\projects\\\\P--my-app\\\\x.jsonl"),
    macos: said("/Users/alice/.claude/projects/-Volumes-Daten---B-cher-it-s--work--my-app/x.jsonl"),
  });
  check({
    on: WINDOWS,
    text: said(
      "C:\\\\Users\\\\alice\\\\AppData\\\\Local\\\\Temp\\\\claude-0\\\\d--work-a\\\\s\\\\tasks\\\\x.output",
    ),
    portable: said("{{CLAUDE_TMP}}/{{PROJECTS:dir-low}}-a/s/tasks/x.output"),
    linux: said("/tmp/claude-1500/-home-alice-projects-a/s/tasks/x.output"),
  });
});

Deno.test("the rest of a path gets the reader's separators up to its end", () => {
  const rows = [
    ["/home/alice/a/b.ts:10:5 c/d", "C:\\\\Users\\\\alice\\\\a\\\\b.ts:10:5 c/d"],
    ["/home/alice/a/b, c/d", "C:\\\\Users\\\\alice\\\\a\\\\b, c/d"],
    ["/home/alice/a/b\\nc/d", "C:\\\\Users\\\\alice\\\\a\\\\b\\nc/d"],
    ["<x>/home/alice/a/b</x> c/d", "<x>C:\\\\Users\\\\alice\\\\a\\\\b</x> c/d"],
    ["`/home/alice/a b/c` d/e", "`C:\\\\Users\\\\alice\\\\a b\\\\c` d/e"],
    ['\\"/home/alice/a b/c\\" d/e', '\\"C:\\\\Users\\\\alice\\\\a b\\\\c\\" d/e'],
    ["'/home/alice/a b/c' d/e", "'C:\\\\Users\\\\alice\\\\a b\\\\c' d/e"],
    ['\\"/home/alice/a -x b/c\\" d/e', '\\"C:\\\\Users\\\\alice\\\\a -x b/c\\" d/e'],
    ['\\"/home/alice/a - b/c\\" d/e', '\\"C:\\\\Users\\\\alice\\\\a - b\\\\c\\" d/e'],
    ['\\"/home/alice/a; ls b/c\\" d/e', '\\"C:\\\\Users\\\\alice\\\\a; ls b/c\\" d/e'],
    [
      '\\"/home/alice/a /home/alice/b\\"',
      '\\"C:\\\\Users\\\\alice\\\\a C:\\\\Users\\\\alice\\\\b\\"',
    ],
    ["/home/alice/a/home/alice", "C:\\\\Users\\\\alice\\\\a\\\\home\\\\alice"],
    ["/home/alice/(app)/[id]/x", "C:\\\\Users\\\\alice\\\\(app)\\\\[id]\\\\x"],
    ["/home/alice/a/。b/c", "C:\\\\Users\\\\alice\\\\a\\\\。b/c"],
    ["/home/alice/ü/中文/x", "C:\\\\Users\\\\alice\\\\ü\\\\中文\\\\x"],
    ["'/home/alice/a b/isn't c", "'C:\\\\Users\\\\alice\\\\a b/isn't c"],
    ["it's /home/alice/a and it's b/c", "it's C:\\\\Users\\\\alice\\\\a and it's b/c"],
    ["'/home/alice/a isn't b/c", "'C:\\\\Users\\\\alice\\\\a isn't b/c"],
    ["/home/alice/a\\\\ b/c", "C:\\\\Users\\\\alice\\\\a\\\\ b/c"],
    ["/home/alice/**/*.ts", "C:\\\\Users\\\\alice\\\\**\\\\*.ts"],
    ["/home/alice/{{X}}/b", "C:\\\\Users\\\\alice\\\\{{X}}\\\\b"],
  ] as const;
  for (const [text, windows] of rows) {
    assert.equal(carried(LINUX, WINDOWS, "jsonl", said(text)), said(windows));
    assert.equal(carried(WINDOWS, WINDOWS, "jsonl", said(windows)), said(windows));
  }
});

Deno.test("a field that holds a path is one to its end", () => {
  const rows = [
    [
      '{"cwd":"/home/alice/` /home/alice/a"}',
      '{"cwd":"C:\\\\Users\\\\alice\\\\` \\\\home\\\\alice\\\\a"}',
    ],
    [
      '{"PATH":"/home/alice:/home/alice/a"}',
      '{"PATH":"C:\\\\Users\\\\alice:C:\\\\Users\\\\alice\\\\a"}',
    ],

    ['{"cwd":"/home/alice/a: b/c, d/e"}', '{"cwd":"C:\\\\Users\\\\alice\\\\a: b\\\\c, d\\\\e"}'],
    ['{"filePath": "/home/alice/a b/c"}', '{"filePath": "C:\\\\Users\\\\alice\\\\a b\\\\c"}'],
    ['{"x":{"/home/alice/a; b/c":{}}}', '{"x":{"C:\\\\Users\\\\alice\\\\a; b\\\\c":{}}}'],
    [
      '{"x":{"a":{},"/home/alice/a -b/c":{}}}',
      '{"x":{"a":{},"C:\\\\Users\\\\alice\\\\a -b\\\\c":{}}}',
    ],
    [
      '{"filenames":["/home/alice/a b/c","x"]}',
      '{"filenames":["C:\\\\Users\\\\alice\\\\a b\\\\c","x"]}',
    ],
    ['{"args":["/home/alice/run -x a/b"]}', '{"args":["C:\\\\Users\\\\alice\\\\run -x a/b"]}'],
    ['{"text":"/home/alice/a b/c"}', '{"text":"C:\\\\Users\\\\alice\\\\a b/c"}'],
    ['{"originalFile":"/home/alice/a b/c"}', '{"originalFile":"C:\\\\Users\\\\alice\\\\a b/c"}'],
  ] as const;
  for (const [text, windows] of rows) {
    assert.equal(carried(LINUX, WINDOWS, "jsonl", text), windows);
    assert.equal(carried(WINDOWS, LINUX, "jsonl", windows), text);
    assert.equal(carried(WINDOWS, WINDOWS, "jsonl", windows), windows);
  }
});

Deno.test("mixed separators come back as they were, and are slashes elsewhere", () => {
  const rows = [
    ["C:\\\\Users\\\\alice/a\\\\b", "{{HOME:.fb}}/a/b", "/home/alice/a/b"],
    ["C:/Users/alice\\\\a/b", "{{HOME:fwd.bf}}/a/b", "/home/alice/a/b"],
    ["C:\\\\Users\\\\alice\\\\\\\\a", "{{HOME}}//a", "/home/alice//a"],
    ["C:\\\\Users\\\\alice\\\\a\\\\", "{{HOME}}/a/", "/home/alice/a/"],
    ["c:\\\\Users\\\\alice/a", "{{HOME:low.f}}/a", "/home/alice/a"],
  ] as const;
  for (const [text, expected, linux] of rows) {
    check({ on: WINDOWS, text: said(text), portable: said(expected), linux: said(linux) });
  }
});

Deno.test("toPortable() names every separator where the reader could not know them", () => {
  // Two roots glued together: the escaping of the first is only known from where the second begins.
  const of = profile("windows", { A: "A:", B: "B:\\b" });
  const glued = said("A:\\\\\\\\?\\\\B:\\\\b\\\\x");
  const fine = '{"cwd":"B:\\\\b\\\\x"}';
  const text = `${fine}\n${glued}\n${fine}\n`;
  const lines = portable(of, "jsonl", text).split("\n");
  assert.deepEqual([lines[0], lines[2]], ['{"cwd":"{{B}}/x"}', '{"cwd":"{{B}}/x"}']);
  assert.match(lines[1] ?? "", /\{\{A:[^}]*\.[^}]*\}\}/);
  assert.equal(carried(of, of, "jsonl", text), text);
  const document = `${glued.slice(0, -1)},\n"cwd":"B:\\\\b\\\\x"}\n`;
  assert.match(
    portable(of, "json", document),
    /^[^\n]*\{\{A:[^}]*\.[^\n]*\n"cwd":"\{\{B\}\}\/x"\}\n$/,
  );
  assert.equal(carried(of, of, "json", document), document);
});

Deno.test("roots with every sort of character are found and written", () => {
  const names = [
    "a b",
    "it's",
    'q"t',
    "per%20cent",
    "50%",
    "ü",
    "中文",
    "😀",
    "a+b.c*",
    "(x)[y]{z}",
    "$HOME",
    "^a|b",
    "#1",
    "a\\b",
    "{{A}}",
  ];
  for (const name of names) {
    const of = profile("posix", { P: `/srv/${name}` });
    const native = JSON.stringify({ cwd: `/srv/${name}/x` });
    assert.equal(portable(of, "jsonl", native), '{"cwd":"{{P}}/x"}');
    assert.equal(local(of, "jsonl", '{"cwd":"{{P}}/x"}'), native);
    const nested = JSON.stringify({ text: native });
    assert.equal(portable(of, "jsonl", nested), '{"text":"{\\"cwd\\":\\"{{P:j2}}/x\\"}"}');
    const url = JSON.stringify({ text: new URL(`file:///srv/${encodeURIComponent(name)}/x`).href });
    assert.equal(carried(of, of, "jsonl", url), url);
    if (/["*|?<>]/.test(name) || name.includes("\\")) continue;
    const windows = profile("windows", { P: `C:\\srv\\${name}` });
    assert.equal(
      local(windows, "jsonl", '{"cwd":"{{P}}/x"}'),
      JSON.stringify({ cwd: `C:\\srv\\${name}\\x` }),
    );
    assert.equal(
      portable(windows, "jsonl", JSON.stringify({ cwd: `C:\\srv\\${name}\\x` })),
      '{"cwd":"{{P}}/x"}',
    );
  }
});
