import assert from "node:assert/strict";
import { isAside, parseTransfer } from "../../src/hub/transfer.ts";

const LINES: Readonly<Record<string, ReturnType<typeof parseTransfer>>> = {
  "Writing objects:  30% (91/302), 16.80 MiB | 33.46 MiB/s": {
    what: "sending to the hub",
    share: 0.3,
    bytes: 17_616_077,
  },
  "Receiving objects: 100% (302/302), 57.25 MiB | 106.78 MiB/s, done.": {
    what: "fetching from the hub",
    share: 1,
    bytes: 60_030_976,
  },
  "Receiving objects:   5% (16/302)": { what: "fetching from the hub", share: 0.05 },
  "Writing objects: 100% (3/3), 216 bytes | 216.00 KiB/s, done.": {
    what: "sending to the hub",
    share: 1,
    bytes: 216,
  },
  "remote: Compressing objects:  50% (1/2)        ": { what: "the hub compresses", share: 0.5 },
  "Receiving objects:  50% (1/2), 1.00 parsecs | 2.00 KiB/s": {
    what: "fetching from the hub",
    share: 0.5,
  },
  "remote: Enumerating objects: 302, done.": undefined,
  "fatal: the remote end hung up unexpectedly": undefined,
  "remote: constructor:  50% (1/2)": undefined,
  "": undefined,
};

for (const [line, expected] of Object.entries(LINES)) {
  Deno.test(`parseTransfer() of "${line.trim()}"`, () => {
    assert.deepEqual(parseTransfer(line), expected);
  });
}

Deno.test("isAside() knows what git says of every transfer, and nothing that tells of a failure", () => {
  const asides = [
    "Enumerating objects: 302, done.",
    "remote: Enumerating objects: 302, done.        ",
    "Delta compression using up to 2 threads",
    "remote: Total 302 (delta 0), reused 302 (delta 0), pack-reused 0        ",
    "From file:///srv/hub",
    " * [new branch]      main       -> refs/hub/main",
    "   1234567..89abcde  main       -> refs/hub/main",
    " + 1234567...89abcde main       -> refs/hub/main  (forced update)",
  ];
  assert.deepEqual(asides.filter((line) => !isAside(line)), []);
  const others = [
    "fatal: early EOF",
    "error: cannot lock ref",
    "remote: no more room",
    "",
    "remote: ",
  ];
  assert.deepEqual(others.filter(isAside), []);
});
