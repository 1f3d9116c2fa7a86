/**
 * The software bill of materials: what the executables are made of, in CycloneDX 1.6.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import config from "../../deno.json" with { type: "json" };
import type { BundledPackage } from "./packages.ts";

/**
 * Returns the bill as JSON. The same sources give the same bytes: it has no time and no serial number.
 *
 * @param denoVersion Version of the runtime
 */
export function billOfMaterials(
  packages: readonly BundledPackage[],
  denoVersion: string,
): string {
  const ccsync = {
    type: "application",
    "bom-ref": `ccsync@${config.version}`,
    name: "ccsync",
    version: config.version,
    licenses: [{ license: { id: "MIT" } }],
  };
  const components = [denoComponent(denoVersion), ...packages.map(packageComponent)];
  const bill = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: ccsync },
    components,
    dependencies: [
      { ref: ccsync["bom-ref"], dependsOn: components.map((component) => component["bom-ref"]) },
    ],
  };
  return `${JSON.stringify(bill, null, 2)}\n`;
}

function denoComponent(version: string) {
  const purl = `pkg:github/denoland/deno@v${version}`;
  return {
    type: "platform",
    "bom-ref": purl,
    name: "deno",
    version,
    licenses: [{ license: { id: "MIT" } }],
    purl,
  };
}

function packageComponent({ name, version, license, integrity }: BundledPackage) {
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  const [algorithm = "", digest = ""] = integrity.split(/-(.*)/s);
  const [scope, ownName] = name.startsWith("@") ? name.split("/") : [undefined, name];
  return {
    type: "library",
    "bom-ref": purl,
    group: scope,
    name: ownName,
    version,
    hashes: [{
      alg: algorithm.replace(/^sha/, "SHA-"),
      content: Buffer.from(digest, "base64").toString("hex"),
    }],
    licenses: [/\s/.test(license) ? { expression: license } : { license: { id: license } }],
    purl,
  };
}
