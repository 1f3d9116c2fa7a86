/**
 * From the archive that the build makes to a program that runs: the install script and `ccsync upgrade` find in it
 * what they look for.
 *
 * @module
 */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { unpack } from "../../src/machine/installation.ts";
import { VERSION } from "../../src/version.ts";
import { Folder } from "../support/folder.ts";
import { described, runToEnd } from "../support/process.ts";
import { build, ROOT } from "./support.ts";

const isUnix = Deno.build.os !== "windows";

Deno.test({
  name: "the install script installs what the build makes, and upgrade can unpack it",
  ignore: !isUnix,
  fn: async () => {
    using folder = new Folder();
    const made = await build(["--archive", "--output", folder.at("dist", "ccsync")]);
    const files = new Map(made.map((path) => [`/latest/download/${basename(path)}`, path]));
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => undefined },
      async ({ url }) => {
        const path = files.get(new URL(url).pathname);
        if (path === undefined) return new Response("no such file", { status: 404 });
        return new Response((await Deno.open(path)).readable);
      },
    );
    const [home, bin] = [folder.at("home"), folder.at("home/.local/bin")];
    Deno.mkdirSync(home);
    const run = async (program: string, ...args: readonly string[]) => {
      const result = await runToEnd(program, {
        args,
        cwd: home,
        env: {
          HOME: home,
          PATH: `${bin}:${Deno.env.get("PATH")}`,
          CCSYNC_BASE_URL: `http://127.0.0.1:${server.addr.port}`,
        },
      });
      assert.equal(result.code, 0, described(result));
      return result.stdout;
    };
    const told = await run("sh", `${ROOT}install.sh`, "--completions");
    assert.match(told, new RegExp(`^installed ccsync ${RegExp.escape(VERSION)} into `, "m"));
    assert.equal(await run("claude-session-sync", "--version"), `${VERSION}\n`);
    const completion = folder.at("home/.local/share/bash-completion/completions/ccsync");
    assert.match(Deno.readTextFileSync(completion), /^complete -F _ccsync ccsync/m);
    assert.match(Deno.readTextFileSync(folder.at("home/.local/share/man/man1/ccsync.1")), /^\.TH /);
    const removed = await run("sh", `${ROOT}install.sh`, "--uninstall");
    assert.match(removed, /^removed ccsync/);
    assert.deepEqual([...Deno.readDirSync(bin)], []);

    const name = `ccsync-${VERSION}-${Deno.build.target}`;
    const system = { os: Deno.build.os, searchPath: [] };
    const next = await unpack(system, folder.at("dist"), `${name}.tar.gz`, `${name}/ccsync`);
    assert.equal(await run(next, "--version"), `${VERSION}\n`);
  },
});
