/**
 * Reads PowerShell scripts with the grammar that editors use, for there is no PowerShell in Debian's packages. It
 * tells whether a script can be read, not what it does.
 *
 * Usage: `deno run powershell.ts FILE...`. Prints `FILE:LINE: TEXT` for each place that cannot be read.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
// Without an import of the package itself, its files are not there.
import "tree-sitter-powershell/package.json" with { type: "json" };
import { Language, type Node, Parser } from "web-tree-sitter";

function faultsIn(node: Node): string[] {
  if (node.isError || node.isMissing) {
    return [`${node.startPosition.row + 1}: ${node.text.split("\n")[0]}`];
  }
  return node.children.flatMap((child) => child === null ? [] : faultsIn(child));
}

await Parser.init();
const grammar = import.meta.resolve("tree-sitter-powershell/tree-sitter-powershell.wasm");
const parser = new Parser();
parser.setLanguage(await Language.load(fileURLToPath(grammar)));
for (const path of Deno.args) {
  const tree = parser.parse(Deno.readTextFileSync(path));
  if (tree === null) throw new Error(`the parser gave up on ${path}`);
  for (const fault of faultsIn(tree.rootNode)) console.log(`${path}:${fault}`);
}
