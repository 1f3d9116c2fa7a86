import assert from "node:assert/strict";
import { commandTable } from "../../../src/cli/program.ts";
import { tableOf } from "../../../src/cli/command_table.ts";
import { wantedAt } from "../../../src/cli/completion/resolve.ts";

const TABLE = tableOf(commandTable());

/** Returns what can stand at the end of a line: the words, or the kind of value with its prefix and suffix. */
function wantedIn(line: string): readonly string[] | string {
  const [, ...words] = line.split(" ");
  const wanted = wantedAt(TABLE, words.slice(0, -1), words.at(-1) ?? "");
  if (wanted.kind === "words") return wanted.words.map(({ value }) => value);
  return [wanted.prefix, wanted.kind, wanted.suffix].filter((part) => part !== "").join(" ");
}

Deno.test("wantedAt() knows commands, flags, choices, and what values stand for", () => {
  const cases: Readonly<Record<string, readonly string[] | string>> = {
    "ccsync re": ["resume"],
    "ccsync config ": [
      "show",
      "add-placeholder",
      "set-path",
      "remove-placeholder",
      "add-sync-dir",
      "remove-sync-dir",
      "edit",
    ],
    "ccsync help pu": ["push", "pull"],
    "ccsync daemon i": ["install"],
    "ccsync daemon install --dr": ["--dry-run"],
    "ccsync list --format ": ["table", "json"],
    "ccsync list --format=t": ["--format=table"],
    "ccsync completions ": ["bash", "zsh", "fish", "powershell"],
    "ccsync resume ": "sessions",
    "ccsync resume --latest ": "sessions",
    "ccsync --quiet resume ": "sessions",
    "ccsync lock release ": "locked sessions",
    "ccsync resume --from ": "machines",
    "ccsync resume --from=": "--from= machines",
    "ccsync resume --from laptop ": "sessions",
    "ccsync resume --dir ": "directories",
    "ccsync resume --dir=": "--dir= directories",
    "ccsync resume --dir=/a/b=c": "--dir= directories",
    "ccsync resume -- ": "files",
    "ccsync resume 01234567 -- --mod": "files",
    "ccsync init --remote ": "directories",
    "ccsync init --add-placeholder ": "placeholders =",
    "ccsync init --add-placeholder PROJECTS=": "PROJECTS= directories",
    "ccsync init --add-placeholder=PROJECTS=/": "--add-placeholder=PROJECTS= directories",
    "ccsync init --sync-dir /a --sync-d": ["--sync-dir"],
    "ccsync init --machine-id ": [],
    "ccsync config add-placeholder ": "placeholders =",
    "ccsync config add-placeholder A=/x": "A= directories",
    "ccsync config set-path ": "placeholders",
    "ccsync config set-path A ": "machines",
    "ccsync config set-path A laptop ": "directories",
    "ccsync undo --l": ["--list"],
    "ccsync pull --dry-run --dry": [],
    "ccsync nonsense --js": ["--json"],
    "ccsync resume --nonsense=": [],
  };
  for (const [line, expected] of Object.entries(cases)) {
    assert.deepEqual(wantedIn(line), expected, line);
  }
});

Deno.test("wantedAt() proposes flags where nothing else can stand", () => {
  const flags = wantedIn("ccsync pull ");
  for (const flag of ["--dry-run", "--force", "--all", "--json", "--help"]) {
    assert.ok(flags.includes(flag), flag);
  }
  assert.deepEqual(wantedIn("ccsync pull --f"), ["--force"]);
});

Deno.test("wantedAt() describes commands and flags, and hides what no person runs", () => {
  const wanted = wantedAt(TABLE, [], "");
  assert.ok(wanted.kind === "words");
  const names = wanted.words.map(({ value }) => value);
  assert.deepEqual(names.filter((name) => ["hook", "complete"].includes(name)), []);
  for (const { description, value } of wanted.words) assert.notEqual(description, "", value);
});
