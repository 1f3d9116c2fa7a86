import assert from "node:assert/strict";
import { manPage } from "../../scripts/man.ts";
import { commandTable } from "../../src/cli/program.ts";
import { type CommandInfo, tableOf } from "../../src/cli/command_table.ts";
import { EXIT_CODES } from "../../src/errors.ts";
import { Folder } from "../support/folder.ts";
import { runToEnd } from "../support/process.ts";
import { missing, testUnless } from "../support/programs.ts";

/** Returns the flags of a command and of all below it. */
function flagsIn({ commands, options }: CommandInfo): string[] {
  return [...options.flatMap(({ flags }) => flags), ...commands.flatMap(flagsIn)];
}

function namesIn(command: CommandInfo, above: string): string[] {
  const name = `${above} ${command.name}`.trim();
  return command.commands.length === 0
    ? [name]
    : command.commands.flatMap((below) => namesIn(below, name));
}

Deno.test("manPage() has every command, option, exit code and section", () => {
  const page = manPage().replaceAll("\\-", "-");
  const table = tableOf(commandTable());
  const bold = (text: string) => assert.ok(page.includes(`\\fB${text}\\fR`), text);
  namesIn(table, "").forEach(bold);
  flagsIn(table).forEach(bold);
  Object.values(EXIT_CODES).forEach((code) => bold(String(code)));
  for (const title of ["NAME", "SYNOPSIS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES"]) {
    assert.ok(page.includes(`\n.SH ${title}\n`), title);
  }
  bold("CCSYNC_HOME");
});

Deno.test("manPage() is the same every time, and plain ASCII", () => {
  assert.equal(manPage(), manPage());
  assert.match(manPage(), /^[\n\x20-\x7e]*$/);
});

/** Programs that find fault with manual pages, and what they say of one without a date, which this is. */
const JUDGES = [
  { program: "mandoc", args: ["-Tlint", "-Wwarning"], allowed: /missing date, using "": TH$/ },
  { program: "groff", args: ["-ww", "-man", "-Tutf8", "-z"], allowed: /^$/ },
] as const;

for (const { allowed, args, program } of JUDGES) {
  testUnless(
    missing(program),
    `${program} finds no fault with the manual page`,
    async () => {
      using folder = new Folder();
      const judged = async (page: string) => {
        const result = await runToEnd(program, {
          args: [...args, folder.write("ccsync.1", page)],
          cwd: folder.path,
        });
        return (result.stdout + result.stderr).split("\n").filter((line) =>
          line !== "" && !allowed.test(line)
        );
      };
      assert.deepEqual(await judged(manPage()), []);
      assert.notDeepEqual(await judged(`${manPage()}.RE\n.NONSENSE\n`), []);
    },
  );
}
