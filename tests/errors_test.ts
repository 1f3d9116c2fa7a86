import assert from "node:assert/strict";
import { FileTrouble, firstFailure, inEnglish, systemFailure } from "../src/errors.ts";

Deno.test("inEnglish() tells what Windows says in the user's language by its number", () => {
  const cases: readonly [said: string, english: string][] = [
    [
      "別のプロセスがファイルにアクセスできないため、アクセスできません。 (os error 32): open 'C:\\a'",
      "another program has it open (os error 32): open 'C:\\a'",
    ],
    ["Zugriff verweigert (os error 5)", "permission denied (os error 5)"],
    ["Nicht genug Speicher (os error 112): write", "no space left on device (os error 112): write"],
    ["Etwas anderes (os error 4711): open", "Etwas anderes (os error 4711): open"],
    [
      "cannot do it: Zugriff verweigert (os error 5)",
      "cannot do it: Zugriff verweigert (os error 5)",
    ],
    ["no number", "no number"],
  ];
  for (const [said, english] of cases) {
    assert.equal(inEnglish(said, "windows"), english);
    assert.equal(inEnglish(said, "linux"), said);
  }
});

Deno.test("systemFailure() explains failures of the computer, and no others", () => {
  const full = systemFailure(new Error("No space left on device (os error 28): write '/x'"));
  assert.equal(full?.message, "cannot go on: the disk is full: write '/x'");
  const inUse = systemFailure(new Error("another program has it open (os error 32): open 'C:\\x'"));
  assert.equal(inUse?.message, "cannot go on: another program has a file open: open 'C:\\x'");
  assert.equal(systemFailure(new FileTrouble("it changed"))?.message, "cannot go on: it changed");
  assert.equal(systemFailure(new TypeError("Cannot read properties of undefined")), undefined);
});

Deno.test("firstFailure() returns what went wrong before anything was put away", () => {
  const first = new Error("first");
  const second = new SuppressedError(new Error("second"), first);
  assert.equal(firstFailure(new SuppressedError(new Error("third"), second)), first);
  assert.equal(firstFailure(first), first);
});
