import assert from "node:assert/strict";
import { appendToLog } from "../../src/machine/log.ts";
import { Folder } from "../support/folder.ts";

Deno.test("appendToLog() writes a line with its time", () => {
  using folder = new Folder();
  appendToLog(folder.at("x.log"), 0, "one\n  two");
  appendToLog(folder.at("x.log"), 1000, "three");
  assert.equal(
    Deno.readTextFileSync(folder.at("x.log")),
    "1970-01-01T00:00:00.000Z one; two\n1970-01-01T00:00:01.000Z three\n",
  );
});

Deno.test("appendToLog() keeps three files of about a mebibyte, the youngest lines in them", () => {
  using folder = new Folder();
  for (let i = 0; i < 2000; i++) appendToLog(folder.at("x.log"), 0, `${i} ${"x".repeat(9000)}`);
  assert.deepEqual(folder.names(), ["x.log", "x.log.1", "x.log.2"]);
  for (const name of folder.names()) {
    assert.ok(Deno.statSync(folder.at(name)).size < 1024 * 1024 + 5000, name);
  }
  assert.ok(Deno.readTextFileSync(folder.at("x.log")).includes("Z 1999 x"));
});
