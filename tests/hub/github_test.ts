import assert from "node:assert/strict";
import { addressOf, ghEnvironment, parseRepository, repositoryOf } from "../../src/hub/github.ts";

Deno.test("repositoryOf() knows GitHub's addresses, and nobody else's", () => {
  const rows: [string, string | undefined][] = [
    ["https://github.com/you/sessions.git", "github.com you sessions https"],
    ["https://github.com/you/sessions", "github.com you sessions https"],
    ["https://GitHub.com/you/sessions/", "github.com you sessions https"],
    ["git@github.com:you/sessions.git", "github.com you sessions ssh"],
    ["ssh://git@github.com/you/a.b-c_d.git", "github.com you a.b-c_d ssh"],
    ["ssh://git@github.com:22/you/sessions", "github.com you sessions ssh"],
    ["https://ghe.example.com/you/sessions", "ghe.example.com you sessions https"],
    ["https://github.com.example.com/you/sessions", undefined],
    ["https://example.com/github.com/you", undefined],
    ["https://github.com/you", undefined],
    ["https://github.com/you/x/y", undefined],
    ["/github.com/you/sessions", undefined],
    ["/home/you/github.com:you/sessions", undefined],
    ["http://github.com/you/sessions", undefined],
    ["file:///github.com/you/sessions", undefined],
    ["https://github.com/you/..", undefined],
  ];
  for (const [address, expected] of rows) {
    const found = repositoryOf(address, "ghe.example.com");
    const { host, isHttps, name, owner } = found ?? {};
    const actual = found && `${host} ${owner} ${name} ${isHttps === true ? "https" : "ssh"}`;
    assert.equal(actual, expected, address);
  }
});

Deno.test("addressOf() makes an address that repositoryOf() reads", () => {
  const repository = { host: "github.com", owner: "you", name: "sessions" };
  assert.deepEqual(repositoryOf(addressOf(repository)), { ...repository, isHttps: true });
});

Deno.test("parseRepository() reads OWNER/NAME and NAME, and refuses the rest", () => {
  assert.deepEqual(parseRepository("you/a.b"), { owner: "you", name: "a.b" });
  assert.deepEqual(parseRepository("sessions.git"), { owner: undefined, name: "sessions" });
  for (const text of ["", "/", "you/", "/x", "a/b/c", "you/..", "-x/y", "y o/x", "https://x"]) {
    assert.throws(() => parseRepository(text), /it is not OWNER\/NAME/, text);
  }
});

Deno.test("ghEnvironment() keeps who and where, and nothing that changes what gh prints", () => {
  const env = ghEnvironment({
    ...{ PATH: "/bin", GH_TOKEN: "t", GH_HOST: "h", GH_CONFIG_DIR: "c", HTTPS_PROXY: "p" },
    ...{ GH_DEBUG: "api", GH_REPO: "a/b", GH_FORCE_TTY: "1", LD_PRELOAD: "x" },
  });
  assert.deepEqual(Object.keys(env).sort(), [
    ...["CLICOLOR_FORCE", "GH_CONFIG_DIR", "GH_HOST", "GH_NO_UPDATE_NOTIFIER", "GH_PAGER"],
    ...["GH_PROMPT_DISABLED", "GH_TOKEN", "HTTPS_PROXY", "NO_COLOR", "PATH"],
  ]);
});
