import assert from "node:assert/strict";
import width from "fast-string-width";
import { terminalTest } from "../../support/tmux.ts";
import { ask } from "./terminal.ts";

/** Returns the rows of the list, without the pointer's column. */
function rowsOf(screen: string): string[] {
  const lines = screen.split("\n");
  const first = lines.findIndex((line) => line.startsWith("  TITLE")) + 1;
  return lines.slice(first, lines.indexOf("", first)).map((line) => line.slice(2));
}

terminalTest(
  "the picker returns the session that Enter was pressed on, and leaves no trace",
  async () => {
    await using terminal = await ask("pick 12");
    await terminal.waitFor("12 of 12");
    await terminal.press("Down", "Down", "Enter");
    const screen = await terminal.waitFor("ended with 0");
    assert.match(screen, /^answer: 00000002-0000-4000-8000-000000000000$/m);
    assert.doesNotMatch(screen, /TITLE|12 of 12/);
  },
);

terminalTest("the picker shows a session a line, aligned whatever the script", async () => {
  for (const columns of [90, 40]) {
    await using terminal = await ask("pick 8", { columns });
    const screen = await terminal.waitFor("8 of 8");
    const rows = rowsOf(screen);
    assert.equal(rows.length, 8);
    for (const line of screen.split("\n")) assert.ok(width(line) < columns, line);
    const ages = rows.flatMap((row) => {
      const at = /(?:just now|\d+ [hd] ago)/.exec(row)?.index;
      // This version of tmux cuts long emoji sequences short.
      return at === undefined || row.includes("\u200d") ? [] : [width(row.slice(0, at))];
    });
    assert.ok(ages.length >= 7, screen);
    assert.equal(new Set(ages).size, 1, screen);
    assert.match(screen, /支払い処理/);
  }
});

terminalTest(
  "the picker narrows the list while one types, and stays where nothing matches",
  async () => {
    await using terminal = await ask("pick 12");
    await terminal.waitFor("12 of 12");
    await terminal.type("MONO keep");
    await terminal.waitFor("0 of 12");
    await terminal.press("Enter");
    await terminal.press("Up");
    await terminal.press("C-w");
    const screen = await terminal.waitFor("1 of 12");
    assert.deepEqual(rowsOf(screen).map((row) => row.slice(0, 17)), ["Move the build to"]);
    assert.match(screen, /^> MONO$/m);
    await terminal.press("C-u");
    await terminal.type("決済");
    await terminal.waitFor(/^❯ 支払い/m);
    await terminal.press("Enter");
    await terminal.waitFor("answer: 00000001-");
  },
);

terminalTest("the picker moves by lines, pages and to the ends", async () => {
  await using terminal = await ask("pick 5000");
  await terminal.waitFor("5,000 of 5,000");
  await terminal.press("End");
  await terminal.waitFor(/^❯ Session 4999/m);
  await terminal.press("PageUp", "Up");
  await terminal.waitFor(/^❯ Session 4985/m);
  await terminal.press("PageDown");
  await terminal.waitFor(/^❯ Session 4998/m);
  await terminal.press("Home");
  await terminal.waitFor(/^❯ Fix the flaky/m);
  // Keys that move leave the filter's own cursor at its end.
  await terminal.type("session 12");
  await terminal.press("Home");
  await terminal.type("34");
  await terminal.waitFor(/^> session 1234$/m);
  await terminal.waitFor(/^❯ Session 1234/m);
});

terminalTest("the picker takes no more of a filter than its line has room for", async () => {
  await using terminal = await ask("pick 12", { columns: 30 });
  await terminal.waitFor("12 of 12");
  await terminal.type("支".repeat(40));
  const screen = await terminal.waitFor("> " + "支".repeat(13));
  assert.match(screen, /^Which session\?/);
  assert.match(screen, /^> 支{13}$/m);
  await terminal.press("BSpace");
  await terminal.waitFor(/^> 支{12}$/m);
});

terminalTest("the picker fits itself to a terminal that changes", async () => {
  await using terminal = await ask("pick 50");
  await terminal.waitFor("50 of 50");
  for (const [columns, rows] of [[40, 16], [120, 30], [60, 7], [90, 24]] as const) {
    await using fresh = await ask("pick 50", { columns, rows });
    await fresh.waitFor("50 of 50");
    const expected = await fresh.waitFor(rows < 8 ? "❯" : "TITLE");
    await terminal.resize(columns, rows);
    assert.equal(await terminal.waitFor(expected), expected);
  }
});

terminalTest("the picker has no colours where NO_COLOR or --no-color forbids them", async () => {
  const cases: readonly [what: string, env: Record<string, string>, hasColor: boolean][] = [
    ["pick 12", {}, true],
    ["pick 12", { NO_COLOR: "1" }, false],
    ["pick 12 --no-color", {}, false],
  ];
  for (const [what, env, hasColor] of cases) {
    await using terminal = await ask(what, { env });
    await terminal.waitFor("12 of 12");
    assert.equal((await terminal.screen({ isStyled: true })).includes("\u001b["), hasColor, what);
  }
});

terminalTest("a signal ends the picker, with the screen as it was before", async () => {
  // The program sends itself one as soon as it has painted.
  await using terminal = await ask("paint 5000");
  assert.equal(await terminal.exitCode(), 0);
  assert.match(await terminal.screen(), /^answer: \d+ ms$/m);
  assert.equal(await terminal.ask("#{cursor_flag} #{alternate_on}"), "1 0");
});
