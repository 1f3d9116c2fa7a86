import assert from "node:assert/strict";
import { withAbsoluteLinks } from "../../scripts/markdown.ts";

Deno.test("withAbsoluteLinks() changes links and images to files of the repository, and nothing else", () => {
  const cases: Readonly<Record<string, string>> = {
    "[guide](docs/guide.md#backups)": "[guide](https://host/docs/guide.md#backups)",
    "![shown](docs/demo.svg) and [all](LICENSE)":
      "![shown](https://host/docs/demo.svg) and [all](https://host/LICENSE)",
    "[here](#daily-use)": "[here](#daily-use)",
    "[git](https://git-scm.com) [mail](mailto:a@b)":
      "[git](https://git-scm.com) [mail](mailto:a@b)",
    "`f(x)`, [not] (a link)": "`f(x)`, [not] (a link)",
  };
  for (const [document, expected] of Object.entries(cases)) {
    assert.equal(withAbsoluteLinks(document, "https://host/"), expected);
  }
});
