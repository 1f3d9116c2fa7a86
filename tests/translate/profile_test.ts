import assert from "node:assert/strict";
import type { LocalPath, PlaceholderName } from "../../src/brands.ts";
import {
  makeProfile,
  normalRoot,
  type PathStyle,
  profileKey,
  rootFault,
} from "../../src/translate/profile.ts";
import { profile } from "./support.ts";

Deno.test("rootFault() refuses what cannot be a root", () => {
  const rows: readonly (readonly [PathStyle, string, RegExp])[] = [
    ["posix", "", /not an absolute path/],
    ["posix", "home/u", /not an absolute path/],
    ["posix", "~/x", /not an absolute path/],
    ["posix", "/", /root of the file system/],
    ["posix", "//", /root of the file system/],
    ["posix", "/a/..", /root of the file system/],
    ["posix", "/a\nb", /control characters/],
    ["posix", "/a\0", /control characters/],
    ["posix", "/a\ud800", /not valid Unicode/],
    ["windows", "/home/u", /drive letter/],
    ["windows", "C:x", /drive letter/],
    ["windows", "\\x", /drive letter/],
    ["windows", "\\\\srv", /drive letter/],
    ["windows", "\\\\?\\C:\\x", /does not allow/],
    ["windows", "C:\\a*b", /does not allow/],
    ["windows", 'C:\\a"b', /does not allow/],
  ];
  for (const [style, path, why] of rows) assert.match(rootFault(style, path) ?? "", why);
});

Deno.test("normalRoot() gives a root its one spelling", () => {
  const rows: readonly (readonly [PathStyle, string, string])[] = [
    ["posix", "/home/u/", "/home/u"],
    ["posix", "//home//u/./x/..//", "/home/u"],
    ["posix", "/a b\\c", "/a b\\c"],
    ["windows", "c:\\a\\", "C:\\a"],
    ["windows", "c:/a//b\\.\\c\\..", "C:\\a\\b"],
    ["windows", "d:", "D:"],
    ["windows", "d:\\", "D:"],
    ["windows", "d:/", "D:"],
    ["windows", "//srv/share/", "\\\\srv\\share"],
    ["windows", "\\\\srv\\share\\a\\", "\\\\srv\\share\\a"],
  ];
  for (const [style, path, expected] of rows) {
    assert.equal(rootFault(style, path), undefined);
    assert.equal(normalRoot(style, path), expected);
    assert.equal(normalRoot(style, expected), expected);
  }
});

Deno.test("makeProfile() sorts by length, and takes the first of two roots for one name", () => {
  const name = "A" as PlaceholderName;
  const of = makeProfile("posix", [
    { name, root: "/a" as LocalPath },
    { name: "B" as PlaceholderName, root: "/a/b/" as LocalPath },
    { name, root: "/c" as LocalPath },
    { name: "C" as PlaceholderName, root: "/a" as LocalPath },
  ]);
  assert.deepEqual(of.placeholders.map((p) => [p.name, p.root]), [
    ["B", "/a/b"],
    ["A", "/a"],
    ["C", "/a"],
  ]);
});

Deno.test("makeProfile() throws for a root that has a fault", () => {
  assert.throws(
    () => profile("posix", { A: "x" }),
    /Cannot use "x" for A: it is not an absolute path/,
  );
});

Deno.test("profileKey() is equal for equal profiles alone", () => {
  const a = profileKey(profile("posix", { A: "/a", B: "/b/c" }));
  assert.equal(a, profileKey(profile("posix", { B: "/b/c/", A: "/a" })));
  assert.notEqual(a, profileKey(profile("posix", { A: "/a", B: "/b/d" })));
  assert.notEqual(a, profileKey(profile("posix", { A: "/a", C: "/b/c" })));
});
