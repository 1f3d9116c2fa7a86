/**
 * Opens a file in the user's editor.
 *
 * @module
 */
import { CcsyncError } from "../errors.ts";
import type { Environment } from "./environment.ts";

/**
 * Opens a file in the editor that `VISUAL` or `EDITOR` names, and waits until it is closed.
 *
 * @throws {CcsyncError} kind "failed" when the editor does not start, or says that it failed
 */
export async function openEditor({ editor, os }: Environment, path: string): Promise<void> {
  // Both variables hold a command line, `code --wait`, as git reads them.
  const [program, args] = os === "windows"
    ? ["cmd", ["/c", ...editor.split(" "), path]] as const
    : ["sh", ["-c", `${editor} "$1"`, "sh", path]] as const;
  const { code } = await new Deno.Command(program, {
    args: [...args],
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  if (code === 0) return;
  throw new CcsyncError("failed", `cannot edit "${path}": "${editor}" ended with code ${code}`, {
    hints: ["name another editor: EDITOR=nano ccsync config edit; nothing was changed"],
  });
}
