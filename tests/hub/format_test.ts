import assert from "node:assert/strict";
import { asSessionId, type SessionId } from "../../src/brands.ts";
import { CcsyncError } from "../../src/errors.ts";
import {
  checkFormat,
  entryOf,
  forkId,
  FORMAT,
  formatPlaceholders,
  type HubEntry,
  isForkId,
  machinePath,
  metaPath,
  parseMachine,
  parseMeta,
  parsePlaceholders,
  segmentPath,
  sessionPath,
  sidecarSegmentPath,
} from "../../src/hub/format.ts";

const ID = "ab111111-1111-4111-8111-111111111111" as SessionId;
const HOME = `sessions/ab/${ID}`;

function errorOf(work: () => unknown): CcsyncError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof CcsyncError);
    return error;
  }
  return assert.fail("nothing was thrown");
}

Deno.test("forkId() is a session's id of its own, the same on every machine", () => {
  const fork = forkId(ID, "917bfc86-511b-459c-83f9-7f5c8bd546da");
  assert.equal(fork, "9f2ad133-b651-8e1b-8d68-293969dad703");
  assert.equal(asSessionId(fork), fork);
  assert.ok(isForkId(fork) && !isForkId(ID));
  assert.notEqual(forkId(fork, "917bfc86-511b-459c-83f9-7f5c8bd546da"), fork);
  assert.notEqual(forkId(ID, "another"), fork);
});

Deno.test("entryOf() knows what ccsync writes", () => {
  const cases: readonly [path: string, entry: HubEntry][] = [
    ["ccsync.json", { kind: "format" }],
    ["shared_placeholders.json", { kind: "placeholders" }],
    ["machines", { kind: "directory" }],
    ["sessions", { kind: "directory" }],
    ["sessions/ab", { kind: "directory" }],
    [HOME, { kind: "directory" }],
    [sessionPath(ID), { kind: "directory" }],
    [machinePath("ubuntu-work"), { kind: "machine", id: "ubuntu-work" }],
    [machinePath("a.json"), { kind: "machine", id: "a.json" }],
    [metaPath(ID), { kind: "meta", id: ID }],
    [`${HOME}/transcript`, { kind: "transcript", id: ID }],
    [segmentPath(ID, 0), { kind: "segment", id: ID, index: 0 }],
    [segmentPath(ID, 999_999), { kind: "segment", id: ID, index: 999_999 }],
    [`${HOME}/files`, { kind: "directory" }],
    [`${HOME}/files/plans/x.md`, { kind: "sidecar", id: ID, name: "plans/x.md" }],
    [
      sidecarSegmentPath(ID, "plans/x.md", 12),
      { kind: "sidecar-segment", id: ID, name: "plans/x.md", index: 12 },
    ],
    ["README.md", { kind: "other" }],
    ["memory/x/MEMORY.md", { kind: "foreign" }],
  ];
  for (const [path, entry] of cases) assert.deepEqual(entryOf(path), entry, path);
});

Deno.test("entryOf() takes every name that ccsync does not write for a foreign one", () => {
  const foreign = [
    "machines/../evil.json",
    "machines/a/b.json",
    "machines/.json",
    "machines/.hidden.json",
    "machines/a..b.json",
    "machines/-rf.json",
    "machines/a b.json",
    "machines/a\n.json",
    "machines/a\u001b[2J.json",
    "machines/a.lock.json",
    `machines/${"x".repeat(65)}.json`,
    "machines/laptop",
    "machines/laptop.JSON",
    "sessions/",
    "sessions/zz",
    "sessions/AB",
    "sessions/..",
    "sessions/../ccsync.json",
    "sessions/ab/..",
    "sessions/ab/x",
    "sessions/ab/link.jsonl",
    // Under another prefix, upper case, too short, too long.
    `sessions/cd/${ID}`,
    `sessions/cd/${ID}/meta.json`,
    `sessions/AB/${ID.toUpperCase()}/meta.json`,
    `sessions/ab/${ID.toUpperCase()}`,
    `sessions/ab/${ID.slice(0, -1)}`,
    `sessions/ab/${ID}1`,
    `sessions/ab/${ID.replaceAll("-", "1")}`,
    `sessions/ab/${ID}\n/meta.json`,
    `${HOME}/`,
    `${HOME}/meta.json/x`,
    `${HOME}/META.json`,
    `${HOME}/other.json`,
    `${HOME}/transcript/0.jsonl`,
    `${HOME}/transcript/0000000.jsonl`,
    `${HOME}/transcript/00000a.jsonl`,
    `${HOME}/transcript/000000.json`,
    `${HOME}/transcript/000000.jsonl\n`,
    `${HOME}/transcript/../meta.json`,
    `${HOME}/transcript/sub/000000.jsonl`,
    `${HOME}/filesystem`,
    `${HOME}/files/`,
  ];
  for (const path of foreign) {
    assert.equal(entryOf(path).kind, "foreign", JSON.stringify(path));
  }
});

const META = {
  project: "{{PROJECTS}}/app",
  title: "t",
  firstPrompt: "f",
  lastPrompt: "l",
  lastAnswer: "a",
  branch: "main",
  createdBy: "laptop",
  lastEditedBy: "desk",
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-02T00:00:00.000Z",
  lines: 3,
  bytes: 4,
  headless: true,
};

Deno.test("parseMeta() reads what was written, and keeps keys of later versions", () => {
  const later = { ...META, slug: "a-b-c", color: { name: "red" } };
  const meta = parseMeta(JSON.stringify(later));
  for (const [key, value] of Object.entries(later)) {
    assert.deepEqual(Object.entries(meta ?? {}).find(([name]) => name === key)?.[1], value, key);
  }
});

Deno.test("parseMeta() replaces what cannot be used by what says nothing", () => {
  const cases: readonly [broken: Readonly<Record<string, unknown>>, key: string, value: unknown][] =
    [
      [{ title: 5 }, "title", ""],
      [{ title: null }, "title", ""],
      [{ title: "x".repeat(100_001) }, "title", ""],
      [{ lastPrompt: ["x"] }, "lastPrompt", ""],
      [{ updatedAt: {} }, "updatedAt", ""],
      [{ lines: -1 }, "lines", 0],
      [{ lines: 1.5 }, "lines", 0],
      [{ bytes: "many" }, "bytes", 0],
      [{ headless: "yes" }, "headless", false],
    ];
  for (const [broken, key, value] of cases) {
    const meta = parseMeta(JSON.stringify({ ...META, ...broken }));
    const found = Object.entries(meta ?? {}).find(([name]) => name === key);
    assert.deepEqual(found, [key, value], JSON.stringify(broken).slice(0, 50));
  }
});

Deno.test("parseMeta() takes the project alone for enough, and nothing less", () => {
  const { lines, project, title } = parseMeta('{"project": "/x"}') ?? {};
  assert.deepEqual({ lines, project, title }, { lines: 0, project: "/x", title: "" });
  const without = [
    "",
    "{",
    "null",
    "[]",
    "7",
    '"x"',
    "{}",
    '{"project": 5}',
    '{"title": "x"}',
    JSON.stringify({ project: "/" + "x".repeat(100_001) }),
    '{"project": ""}',
    '{"project": "relative"}',
    '{"project": "{{PROJECTS}}/../evil"}',
    '{"project": "{{PROJECTS}}\\\\..\\\\evil"}',
    '{"project": "/x/.."}',
    '{"project": "/x\\u0000"}',
  ];
  for (const json of without) assert.equal(parseMeta(json), undefined, json.slice(0, 50));
});

Deno.test("parsePlaceholders() reads the table, without names and machines that break the rules", () => {
  const table = parsePlaceholders(JSON.stringify({
    PROJECTS: { "ubuntu-work": "/home/u/projects", "../evil": "/x", "": "/x" },
    "lower": { macbook: "/x" },
    "A}}": { macbook: "/x" },
    EMPTY: {},
  }));
  assert.deepEqual(
    table,
    new Map([
      ["PROJECTS", new Map([["ubuntu-work", "/home/u/projects"]])],
      ["EMPTY", new Map()],
    ]),
  );
  assert.equal(parsePlaceholders("{}").size, 0);
});

Deno.test("parsePlaceholders() refuses what is no such table", () => {
  for (
    const json of [
      "",
      "{",
      "null",
      "7",
      "[]",
      '{"A": "/x"}',
      '{"A": {"m": 5}}',
      '{"A": {"m": null}}',
    ]
  ) {
    const { hints, kind } = errorOf(() => parsePlaceholders(json));
    assert.equal(kind, "setup", json);
    assert.equal(hints.length, 1);
  }
});

Deno.test("formatPlaceholders() writes equal tables alike, and parsePlaceholders() reads them", () => {
  const one = new Map([["B", new Map([["x", "/1"], ["a", "C:\\2"]])], [
    "A",
    new Map([["m", "/会"]]),
  ]]);
  const other = new Map([["A", new Map([["m", "/会"]])], [
    "B",
    new Map([["a", "C:\\2"], ["x", "/1"]]),
  ]]);
  assert.equal(formatPlaceholders(one), formatPlaceholders(other));
  assert.deepEqual(parsePlaceholders(formatPlaceholders(one)), other);
  assert.equal(formatPlaceholders(new Map()), "{}\n");
});

Deno.test("parseMachine() reads a record, however little it says", () => {
  const { hostname, installation, os } = parseMachine('{"os": "linux", "hostname": 5}') ?? {};
  assert.deepEqual({ hostname, installation, os }, { hostname: "", installation: "", os: "linux" });
  for (const json of ["", "null", "7", "{"]) assert.equal(parseMachine(json), undefined, json);
});

Deno.test("checkFormat() lets this version's format pass, with keys of later versions", () => {
  checkFormat(JSON.stringify({ format: FORMAT }));
  checkFormat(JSON.stringify({ format: FORMAT, since: "2026" }));
});

Deno.test("checkFormat() refuses newer formats and broken files", () => {
  const cases: readonly [json: string, why: RegExp, hint: RegExp][] = [
    ['{"format": 2}', /has format 2, this version knows 1/, /newest ccsync/],
    ['{"format": 99.5}', /has format 99\.5/, /newest ccsync/],
    ['{"format": 0}', /names no format/, /config show/],
    ['{"format": "1"}', /names no format/, /config show/],
    ['{"format": "2"}', /names no format/, /config show/],
    ["{}", /names no format/, /config show/],
    ["[]", /names no format/, /config show/],
    ["null", /names no format/, /config show/],
    ["", /names no format/, /config show/],
  ];
  for (const [json, why, hint] of cases) {
    const { hints, kind, message } = errorOf(() => checkFormat(json));
    assert.equal(kind, "setup", json);
    assert.match(message, why);
    assert.match(hints.join(), hint);
  }
});
