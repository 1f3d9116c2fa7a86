import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { cpSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync, unzipSync } from "fflate";
import { unpackTar } from "modern-tar";
import config from "../../deno.json" with { type: "json" };
import { completionScript, SCRIPT_FILES } from "../../src/cli/completion/scripts.ts";
import { SHELLS } from "../../src/cli/completion/shells.ts";
import { runToEnd } from "../support/process.ts";
import { build, embeddedIn, ROOT } from "./support.ts";

const HOST = Deno.build.target;
const WINDOWS = "x86_64-pc-windows-msvc";
const ARGS = [
  "--archive",
  ...[...new Set([HOST, WINDOWS])].flatMap((target) => ["--target", target]),
];

/** What a build made, by name. */
async function filesOf(paths: readonly string[]): Promise<Map<string, Buffer>> {
  return new Map(
    await Promise.all(paths.map(async (path) => {
      return [basename(path), Buffer.from((await Deno.readFile(path)).buffer)] as const;
    })),
  );
}

const made = await filesOf(await build(ARGS));

function file(name: string): Buffer {
  return made.get(name) ?? assert.fail(`${name} was not made`);
}

/** Returns an archive's files, by their path in its one folder. */
async function unpacked(
  target: string,
): Promise<Map<string, { bytes: Uint8Array; mode?: number }>> {
  const folder = `ccsync-${config.version}-${target}`;
  const inside = (path: string) => {
    assert.ok(path.startsWith(`${folder}/`), path);
    return path.slice(folder.length + 1);
  };
  if (target === WINDOWS) {
    const files = Object.entries(unzipSync(file(`${folder}.zip`)));
    return new Map(files.map(([path, bytes]) => [inside(path), { bytes }]));
  }
  const entries = await unpackTar(gunzipSync(file(`${folder}.tar.gz`)));
  return new Map(entries.map(({ header: { name, mode }, data = new Uint8Array() }) => {
    return [inside(name), { bytes: data, ...(mode !== undefined && { mode }) }];
  }));
}

Deno.test("archives hold the executable as it is, the licences, README.md, the manual page and completions", async () => {
  for (const target of new Set([HOST, WINDOWS])) {
    const files = await unpacked(target);
    const executable = target === WINDOWS ? "ccsync.exe" : "ccsync";
    const made = target === HOST ? executable : `ccsync-${target}.exe`;
    assert.ok(file(made).equals(files.get(executable)?.bytes ?? new Uint8Array()), target);
    const text = (name: string) => Buffer.from(files.get(name)?.bytes ?? []).toString();
    assert.equal(text("LICENSE"), await Deno.readTextFile(join(ROOT, "LICENSE")));
    const readme = await Deno.readTextFile(join(ROOT, "README.md"));
    assert.equal(text("README.md").split("\n").length, readme.split("\n").length);
    // Nothing that it could link to lies beside it.
    assert.doesNotMatch(text("README.md"), /\]\((?!https:\/\/|#)/);
    for (const shell of SHELLS) {
      const script = files.get(`completions/${SCRIPT_FILES[shell]}`)?.bytes;
      assert.equal(Buffer.from(script ?? []).toString(), completionScript(shell));
    }
    assert.match(Buffer.from(files.get("ccsync.1")?.bytes ?? []).toString(), /^\.TH CCSYNC 1/);
    assert.match(
      Buffer.from(files.get("THIRD_PARTY_LICENSES")?.bytes ?? []).toString(),
      /commander/,
    );
  }
});

Deno.test({
  name: "what is unpacked from the archive for this system runs",
  ignore: HOST === WINDOWS,
  fn: async () => {
    const { bytes, mode } = (await unpacked(HOST)).get("ccsync") ?? assert.fail();
    assert.equal(mode, 0o755);
    const folder = await Deno.makeTempDir();
    try {
      const path = join(folder, "ccsync");
      await Deno.writeFile(path, bytes, { mode });
      const { code, stdout } = await runToEnd(path, { args: ["--version"], cwd: folder, env: {} });
      assert.deepEqual([code, stdout.trim()], [0, config.version]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("SHA256SUMS has the checksum of each archive and of the bill", () => {
  const lines = file("SHA256SUMS").toString().trimEnd().split("\n");
  const published = [...made.keys()].filter((name) => /\.(?:tar\.gz|zip|json)$/.test(name));
  assert.deepEqual(lines.map((line) => line.split("  ")[1]), published.sort());
  for (const line of lines) {
    const [sum, name = ""] = line.split("  ");
    assert.equal(sum, createHash("sha256").update(file(name)).digest("hex"), name);
  }
});

Deno.test("the bill of materials names the packages that are in the executable", () => {
  const bill = JSON.parse(file(`ccsync-${config.version}.cdx.json`).toString());
  const named: string[] = bill.components.map(({ purl }: { purl: string }) =>
    decodeURIComponent(purl)
  )
    .filter((purl: string) => purl.startsWith("pkg:npm/"));
  const { bytes } = embeddedIn(file(HOST === WINDOWS ? "ccsync.exe" : "ccsync"));
  // Source maps name each file.
  const paths = bytes.toString("latin1").matchAll(/"npm\/((?:@[\w.-]+\/)?[\w.-]+)\/(\d[\w.-]*)\//g);
  const embedded = [...paths].map(([, name, version]) => `pkg:npm/${name}@${version}`);
  assert.ok(embedded.length > 0);
  assert.deepEqual(named.sort(), [...new Set(embedded)].sort());
});

Deno.test("a build elsewhere gives the same bytes", async () => {
  const folder = await Deno.makeTempDir();
  try {
    // At another depth than the repository: paths between it and the packages differ.
    const copy = join(folder, "some/where else/ccsync");
    const sources = [
      "deno.json",
      "deno.lock",
      "LICENSE",
      "main.ts",
      "packaging",
      "README.md",
      "scripts",
    ];
    for (const name of [...sources, "src"]) {
      cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    }
    // The test runtime, which was installed already.
    symlinkSync(join(ROOT, ".cache"), join(copy, ".cache"), "junction");
    const again = await filesOf(await build(ARGS, { root: copy }));
    assert.deepEqual([...again.keys()], [...made.keys()]);
    for (const [name, bytes] of again) assert.ok(bytes.equals(file(name)), name);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
