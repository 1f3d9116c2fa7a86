import assert from "node:assert/strict";
import type { Command } from "commander";
import { overviewHelp } from "../../src/cli/help.ts";
import { commandTable } from "../../src/cli/program.ts";

/** Returns what the parser library makes of the commands. */
function parserHelp(width: number): string {
  const program = commandTable() as unknown as Command;
  const help = program.createHelp();
  help.helpWidth = width;
  return help.formatHelp(program, help);
}

Deno.test("overviewHelp() is, at every width, what the parser library makes of the commands", () => {
  for (let width = 20; width <= 160; width++) {
    assert.equal(overviewHelp(width) + "\n", parserHelp(width), `${width} columns`);
  }
});

Deno.test("overviewHelp() fits into narrow terminals, too", () => {
  for (const width of [60, 80, 132]) {
    const lines = overviewHelp(width).split("\n");
    assert.deepEqual(lines.filter((line) => line.length > width), []);
    assert.ok(lines.some((line) => line.startsWith("  resume ")));
  }
});
