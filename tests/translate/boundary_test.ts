import assert from "node:assert/strict";
import { LINUX, local, portable, profile, WINDOWS } from "./support.ts";

const POSIX = profile("posix", { P: "/home/u/projects" });
const DRIVE = profile("windows", { P: "C:\\projects" });

/** `@` marks the root; a text that has it is expected to be translated there, all others not at all. */
function check(of: typeof POSIX, root: string, marked: string): void {
  const text = marked.replaceAll("§", root);
  assert.equal(portable(of, "text", text), marked.replaceAll("§", "{{P}}"));
  assert.equal(local(of, "text", portable(of, "text", text)), text);
}

const FOUND: Readonly<Record<string, readonly string[]>> = {
  "alone": ["§", "§/", "§/app", "§//app", "§/../x"],
  "between white space": [" § ", "a § b", "\t§\n", "a\n§\r\nb"],
  "in quotes and brackets": ['"§"', "'§'", "`§`", "(§)", "[§]", "{§}", "<§>", "x(§/a)"],
  "in a list": ["a,§,b", "PATH=/usr/bin:§/bin:/bin", "§;§", "§|§"],
  "in an assignment or option": ["P=§", "--path=§/a", "key:§", "@§/a.ts", "#!§/bin/x", "!§", "^§$"],
  "at a compiler flag": ["-I§/include", "cc -L§ x", '"-I§"'],
  "in a diff": ["+§/a", "-§/a", "\n+§", "\\n-§"],
  "in Markdown": ["[x](§/a)", "**§/a**", "`§`", "> §", "- §", "<§>"],
  "in a Markdown link's text": ["[§/a](§/a)"],
  "before a full stop": ["in §.", "in §. Then", "§...", "(§.)", '"§."', "§.\n"],
  "before other punctuation": ["§, and", "§: no", "§; x", "§? yes", "§! x", "§*", "§:12:5"],
  "behind an escaped line end": ["a\\n§", "a\\t§\\n", "\\r\\n§", "a\\\\n§"],
  "behind another escape": ["\\u003e§\\u003c", "\\u0022§\\u0022", "\\u001b[32m§", "\\u0000§"],
  "in colours": ["\x1b[1;32m§\x1b[0m", "\x1b[K§", "\\x1b[0m§", "\\033[1m§", "\\e[m§"],
  "in prose without spaces": ["请看§/app。", "在§,里", "「§」", "，§，", "見る：§"],
  "at a no-break space": ["in\u00a0§\u00a0x"],
  "behind a symbol": ["📁§", "a→§", "… §", "✓ §", "│§"],
  "in a regular expression": ["^§/", "(§|/x)", "§$"],
  "in globs": ["§/*", "§/**/*.ts", "§*", "§?"],
  "in XML": ["<output-file>§/x</output-file>", "<a b='§'/>"],
  "at the byte-order mark": ["\ufeff§"],
};

const NOT_FOUND: Readonly<Record<string, readonly string[]>> = {
  "in a longer name": [
    "§2",
    "§-old",
    "§_old",
    "§.old",
    "§.d/x",
    "§s",
    "§é",
    "§%20x",
    "§+",
    "§~",
    "§@v1",
    "§#1",
  ],
  "in a name that a shell escapes": ["§\\ old/app"],
  "below another directory": ["/mnt§", "x§", "x/y§/a", "..§", ".§", "~§", "1§", "_§"],
  "behind a closing bracket": ["$(pwd)§", "${ROOT}§", "[x]§"],
  "behind a variable": ["$ROOT§", "%ROOT%§", "$§"],
  "in a URL": ["http://host§/x", "https://host:80§", "ssh://u@h§", "http://[::1]§"],
  "on another host": ["git@github.com:§", "bob@srv:§/a", "rsync x bob@10.0.0.1:§"],
  "below a directory that is not ASCII": ["/données§", "/中文§", "x中§"],
  "behind several asterisks or flags": ["***§", "x-I§", "--I§", "x+§"],
};

for (const [what, texts] of Object.entries(FOUND)) {
  Deno.test(`toPortable() finds a root ${what}`, () => {
    for (const text of texts) check(POSIX, "/home/u/projects", text);
  });
}

for (const [what, texts] of Object.entries(NOT_FOUND)) {
  Deno.test(`toPortable() does not find a root ${what}`, () => {
    for (const text of texts) {
      const real = text.replaceAll("§", "/home/u/projects");
      assert.equal(portable(POSIX, "text", real), real);
    }
  });
}

Deno.test("toPortable() finds a Windows root between the same neighbours", () => {
  const neighbours = [
    "alone",
    "between white space",
    "in quotes and brackets",
    "in XML",
    "in a diff",
  ];
  for (const text of neighbours.flatMap((what) => FOUND[what] ?? [])) {
    if (!text.includes("/")) check(DRIVE, "C:\\projects", text);
  }
  for (const text of ["§2", "§-old", "x§", "1§", "D§", "\\\\?§", "/§", "é§x"]) {
    const real = text.replaceAll("§", "C:\\projects");
    assert.equal(portable(DRIVE, "text", real), real);
  }
});

Deno.test("toPortable() takes the most specific root that is bounded", () => {
  const rows = [
    ["/home/alice/projects/app", "{{PROJECTS}}/app"],
    ["/home/alice/projects2/app", "{{HOME}}/projects2/app"],
    ["/home/alice/.claude", "{{CLAUDE}}"],
    ["/home/alice/.claude.json", "{{HOME}}/.claude.json"],
    ["/home/alice.", "{{HOME}}."],
    ["/home/alice2/projects", "/home/alice2/projects"],
  ] as const;
  for (const [text, expected] of rows) assert.equal(portable(LINUX, "text", text), expected);
});

Deno.test("toPortable() lets a name go on to the end of a field or of quotes", () => {
  const rows = [
    ['{"cwd":"/home/alice/projects (old)/x"}', '{"cwd":"{{HOME}}/projects (old)/x"}'],
    ['{"cwd":"/home/alice/projects"}', '{"cwd":"{{PROJECTS}}"}'],
    ['{"file_path":"/home/alice/projects, x"}', '{"file_path":"{{HOME}}/projects, x"}'],
    ['{"file_path":"/home/alice (1)"}', '{"file_path":"/home/alice (1)"}'],
    ['{"cwd":"/home/alice."}', '{"cwd":"/home/alice."}'],
    ['{"a":{"/home/alice/projects old/x":1}}', '{"a":{"{{HOME}}/projects old/x":1}}'],
    ['{"text":"/home/alice/projects (old)/x"}', '{"text":"{{PROJECTS}} (old)/x"}'],
    [
      '{"text":"cd \\"/home/alice/projects old/x\\""}',
      '{"text":"cd \\"{{HOME}}/projects old/x\\""}',
    ],
    ['{"text":"cd \'/home/alice/projects old\'"}', '{"text":"cd \'{{HOME}}/projects old\'"}'],
    ['{"text":"P=\\"/home/alice/projects:/bin\\""}', '{"text":"P=\\"{{PROJECTS}}:/bin\\""}'],
    ['{"text":"\'/home/alice/projects && ls\'"}', '{"text":"\'{{PROJECTS}} && ls\'"}'],
    ['{"text":"\\"/home/alice/projects -l\\""}', '{"text":"\\"{{PROJECTS}} -l\\""}'],
    ['{"text":"don\'t /home/alice/projects won\'t"}', '{"text":"don\'t {{PROJECTS}} won\'t"}'],
  ] as const;
  for (const [text, expected] of rows) assert.equal(portable(LINUX, "jsonl", text), expected);
});

Deno.test("toPortable() finds a directory name only inside a path", () => {
  const rows = [
    ["/x/-home-alice-projects-app/y", "/x/{{PROJECTS:dir}}-app/y"],
    ["/x/-home-alice-projects", "/x/{{PROJECTS:dir}}"],
    ["/x/-home-alice-projects2", "/x/{{HOME:dir}}-projects2"],
    ["/x/-home-alice2", "/x/-home-alice2"],
    ["-home-alice", "-home-alice"],
    ["x-home-alice", "x-home-alice"],
    ["/x/-home-alice_x", "/x/-home-alice_x"],
    ["/x/y-home-alice", "/x/y-home-alice"],
    ["/x/-home-alice.", "/x/{{HOME:dir}}."],
    ["/x/-home-alice.tar", "/x/-home-alice.tar"],
    ["C:\\x\\-home-alice-y", "C:\\x\\{{HOME:dir}}-y"],
  ] as const;
  for (const [text, expected] of rows) assert.equal(portable(LINUX, "text", text), expected);
  assert.equal(
    portable(WINDOWS, "text", "C:\\x\\C--Users-alice-a\\c--Users-alice D--work"),
    "C:\\x\\{{HOME:dir}}-a\\{{HOME:dir-low}} D--work",
  );
});
