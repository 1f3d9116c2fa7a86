/**
 * What Windows shows of an executable: its icon, its name and version.
 *
 * @module
 */
import { Data, NtExecutable, NtExecutableResource, Resource } from "resedit";
import config from "../../deno.json" with { type: "json" };

const ICON = new URL("../../packaging/ccsync.ico", import.meta.url);

/** English (United States), and text in UTF-16. */
const LANGUAGE = { lang: 0x409, codepage: 1200 } as const;

/**
 * Adds them to an executable, in place.
 *
 * `deno compile --icon` would add the icon alone.
 */
export async function addWindowsDetails(path: string): Promise<void> {
  const executable = NtExecutable.from(await Deno.readFile(path));
  const resources = NtExecutableResource.from(executable);
  const icon = Data.IconFile.from((await Deno.readFile(ICON)).buffer);
  Resource.IconGroupEntry.replaceIconsForResource(
    resources.entries,
    1,
    LANGUAGE.lang,
    icon.icons.map(({ data }) => data),
  );
  versionInfo().outputToResourceEntries(resources.entries);
  resources.outputResource(executable);
  await Deno.writeFile(path, new Uint8Array(executable.generate()));
}

function versionInfo(): Resource.VersionInfo {
  const info = Resource.VersionInfo.createEmpty();
  // Numbers only: what follows a hyphen has no place there.
  const [major = 0, minor = 0, patch = 0] = config.version.split(/[.-]/).map(Number);
  info.setFileVersion(major, minor, patch, 0, LANGUAGE.lang);
  info.setProductVersion(major, minor, patch, 0, LANGUAGE.lang);
  info.setStringValues(LANGUAGE, {
    FileDescription: "ccsync: Claude Code conversations on all your machines",
    FileVersion: config.version,
    InternalName: "ccsync",
    LegalCopyright: "MIT License",
    OriginalFilename: "ccsync.exe",
    ProductName: "ccsync",
    ProductVersion: config.version,
  });
  return info;
}
