/**
 * Gathers the facts about every session of this machine and the hub.
 *
 * @module
 */
import { dirname, join } from "node:path";
import type { LocalPath, PortablePath, SessionId } from "../brands.ts";
import { sidecarKind } from "../claude/kinds.ts";
import { projectsDir, transcriptPath } from "../claude/layout.ts";
import { isRecent } from "../claude/retention.ts";
import {
  type LocalFile,
  type LocalSidecar,
  type LocalTranscript,
  type Scan,
  scanSidecars,
  type Skipped,
  stampOf,
} from "../claude/scan.ts";
import { FileTrouble, messageOf } from "../errors.ts";
import type { Meta } from "../hub/format.ts";
import { lstatIfThere } from "../machine/files.ts";
import type { Base, CatalogueRow } from "../machine/state.ts";
import { type Document, examine, TRANSCRIPT } from "./document.ts";
import type { SessionFacts, SidecarFacts } from "./plan.ts";
import { earlierProfiles } from "./registration.ts";
import type { Workspace } from "./workspace.ts";

/** A session of this machine, the hub, or both. */
export interface SessionView {
  readonly id: SessionId;
  readonly facts: SessionFacts;
  readonly transcript: Document;
  /** All other files of the session, on either side. */
  readonly sidecars: readonly Document[];
  /** Older transcripts of the session in other projects' directories. */
  readonly copies: readonly LocalFile[];
  /** The project's directory here, where it is known. */
  readonly project?: LocalPath;
  /** Where the transcript is, or has to be. */
  readonly path?: LocalPath;
  /** What the hub says of it, in local form; read when asked for. */
  readonly meta: Meta | undefined;
  /** The same as the hub has it. */
  readonly portableMeta: string | undefined;
  /** Placeholders without a path here that the project needs. */
  readonly unmapped: readonly string[];
}

/** Which sessions are meant, besides those under the sync directories. */
export interface Scope {
  /** All of them. */
  readonly all: boolean;
  /** This one. */
  readonly also?: SessionId;
}

/** What was found on this machine. */
export interface Look {
  readonly scan: Scan;
  /** The sessions that are open in Claude Code. */
  readonly live: ReadonlySet<SessionId>;
  /** Receives what has to be passed over. */
  readonly skipped: Skipped[];
}

/**
 * Gathers the facts about sessions in scope.
 *
 * @param settled Those that need not be looked at
 */
export async function gatherFacts(
  workspace: Workspace,
  look: Look,
  scope: Scope,
  settled: ReadonlySet<SessionId>,
): Promise<SessionView[]> {
  const { state } = workspace;
  const { transcripts } = look.scan;
  const here = [...transcripts.keys()].filter((id) => !settled.has(id));
  const ids = [...new Set([...here, ...state.unsettledIds()])].sort();
  // Nothing is written where nothing is looked at: closing a state that was written to waits for the disk.
  if (ids.length === 0) return [];
  const turn = Number(state.fact("turn") ?? 0);
  state.setFact("turn", String(turn + 1));
  const gatherer = new Gatherer(workspace, look, turn, ids);
  await gatherer.lookBack(here);
  return ids.flatMap((id) => {
    const isMeant = scope.all || id === scope.also;
    const view = gatherer.view(id, transcripts.get(id), isMeant);
    return view === undefined ? [] : [view];
  });
}

/** Whether an error is about one file, so that the others can go on. */
export function isFileTrouble(error: unknown): boolean {
  return error instanceof FileTrouble || error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable ||
    OF_ONE_FILE.test(messageOf(error));
}

/** What systems say that Deno has no class for: a broken sector, a path that is too long, a file that is in use. */
const OF_ONE_FILE =
  /input\/output error|file ?name (?:or extension )?(?:is )?too long|another program has it open|not allowed on Windows/i;

class Gatherer {
  readonly #workspace: Workspace;
  readonly #catalogue: ReadonlyMap<SessionId, CatalogueRow>;
  readonly #bases: ReadonlyMap<SessionId, ReadonlyMap<string, Base>>;
  readonly #projects: () => ReadonlyMap<LocalPath, LocalPath>;
  readonly #live: ReadonlySet<SessionId>;
  readonly #scan: Scan;
  readonly #turn: number;
  readonly #skipped: Skipped[];
  readonly #places = new Map<PortablePath, ReturnType<Workspace["local"]>>();
  readonly #scope = new Map<LocalPath, boolean>();
  #earlier: readonly string[] = [];

  constructor(
    workspace: Workspace,
    { live, scan, skipped }: Look,
    turn: number,
    ids: readonly SessionId[],
  ) {
    this.#workspace = workspace;
    this.#catalogue = workspace.state.catalogue(ids);
    this.#bases = workspace.state.bases(ids);
    this.#projects = once(() => workspace.state.projects());
    this.#live = live;
    this.#scan = scan;
    this.#turn = turn;
    this.#skipped = skipped;
  }

  /** Returns where a project of the hub is here. Many sessions have the same. */
  #inHub(project: PortablePath): ReturnType<Workspace["local"]> {
    return remembered(this.#places, project, () => this.#workspace.local(project));
  }

  #isInScope(project: LocalPath): boolean {
    return remembered(this.#scope, project, () => this.#workspace.isInScope(project));
  }

  /** Looks up earlier placeholders where sessions that the hub knows have no base: the state was lost. */
  async lookBack(local: readonly SessionId[]): Promise<void> {
    const isLost = (id: SessionId) => this.#bases.get(id)?.has(TRANSCRIPT) !== true;
    if (!local.some((id) => this.#catalogue.has(id) && isLost(id))) return;
    this.#earlier = await earlierProfiles(this.#workspace);
  }

  /** Returns a session, `undefined` where it is out of scope, names no project, or cannot be read. */
  view(
    id: SessionId,
    local: LocalTranscript | undefined,
    isMeant: boolean,
  ): SessionView | undefined {
    try {
      return this.#view(id, local, isMeant);
    } catch (error) {
      if (local === undefined || !isFileTrouble(error)) throw error;
      this.#skipped.push({ what: local.path, why: `it cannot be read: ${messageOf(error)}` });
      return undefined;
    }
  }

  #view(
    id: SessionId,
    local: LocalTranscript | undefined,
    isMeant: boolean,
  ): SessionView | undefined {
    const bases = this.#bases.get(id) ?? new Map<string, Base>();
    const base = bases.get(TRANSCRIPT);
    if (local === undefined && this.#isHidden(base)) return undefined;
    const row = this.#catalogue.get(id);
    const place = this.#place(local, base, row);
    if (place === undefined) return undefined;
    const { project, unmapped } = place;
    // Sessions with placeholders unknown here are shown: the user has to be told how to map them.
    const isInScope = project === undefined ? unmapped.length > 0 : this.#isInScope(project);
    if (!isMeant && !isInScope) return undefined;
    const meta = once(() => row === undefined ? undefined : this.#workspace.localMeta(row.meta));
    const sides = sidesOf(local, row?.transcript, base);
    const transcript = examine(id, TRANSCRIPT, TRANSCRIPT_KIND, sides, this.#turn);
    const facts = this.#facts(transcript, row, place);
    const isLeft = base === undefined && local !== undefined && row !== undefined &&
      this.#isLeft(local, row.project);
    const isPlaced = facts.isPlaced || (base === undefined && !isLeft);
    const path = project === undefined
      ? undefined
      : this.#path(id, project, local, isPlaced || facts.isMoved);
    return {
      id,
      facts,
      transcript,
      sidecars: path === undefined ? [] : this.#sidecars(transcript, path, row, bases, meta),
      copies: this.#scan.copies.length === 0
        ? NONE
        : this.#scan.copies.filter((copy) => copy.id === id),
      unmapped,
      get meta() {
        return meta();
      },
      get portableMeta() {
        return row?.meta;
      },
      ...(project === undefined ? {} : { project }),
      ...(path === undefined ? {} : { path }),
    };
  }

  /** Whether it cannot be seen now if a session is here: it is not taken for gone. */
  #isHidden(base: Base | undefined): boolean {
    const { unreadable } = this.#scan;
    return unreadable.has(projectsDir(this.#workspace.env.claudeDir)) ||
      (base !== undefined && unreadable.has(dirname(base.path)));
  }

  /** Returns which project a session belongs to here: what the hub says, unless it moved on this machine. */
  #place(
    local: LocalTranscript | undefined,
    base: Base | undefined,
    row: CatalogueRow | undefined,
  ): Place | undefined {
    const inHub = row === undefined ? undefined : this.#inHub(row.project);
    const hubPath = inHub !== undefined && "path" in inHub ? inHub.path : undefined;
    // Most are where they were, and what they record need not be known.
    if (hubPath !== undefined && (local === undefined || local.path === base?.path)) {
      return { isMoved: false, unmapped: NONE, project: hubPath };
    }
    const recorded = local === undefined ? undefined : this.#recordedProject(local, base);
    // Nobody has said anything in it yet: it belongs to no project, and is looked at again each time.
    if (local !== undefined && recorded === undefined && row === undefined) return undefined;
    // Claude Code moves a transcript into another project's directory when the session moves.
    const isMoved = recorded !== undefined && base !== undefined && local !== undefined &&
      local.path !== base.path && dirname(local.path) !== dirname(base.path);
    const project = isMoved ? recorded : hubPath ?? recorded;
    const unmapped = inHub !== undefined && "unmapped" in inHub ? [...inHub.unmapped] : [];
    return { isMoved, unmapped, ...(project === undefined ? {} : { project }) };
  }

  #recordedProject(local: LocalTranscript, base: Base | undefined): LocalPath | undefined {
    const known = this.#projects().get(local.path);
    if (known !== undefined) return known;
    const project = this.#workspace.readings.project(local);
    // Cached only with a base: before that, the first lines may still be missing.
    if (project !== undefined && base !== undefined) {
      this.#workspace.state.setProject({ path: local.path, cwd: project });
    }
    return project;
  }

  #facts(
    { base, end, hubState, id, local, localState }: Document,
    row: CatalogueRow | undefined,
    { isMoved, unmapped }: Place,
  ): SessionFacts {
    // A placeholder that was taken from this machine: there is no better place, and no path to write.
    const isWaiting = local !== undefined && unmapped.length > 0;
    return {
      local: localState,
      hub: hubState,
      isAligned: base?.aligned ?? false,
      isPlaced: isWaiting ||
        (base?.profile === this.#workspace.profileKey && base.project === row?.project),
      isMoved,
      isTorn: local !== undefined && end < local.stamp.size,
      isLive: this.#live.has(id),
      isRecent: this.#isRecent(row),
    };
  }

  /** Whether a transcript lies where its project's was before placeholders moved. */
  #isLeft({ id, path }: LocalTranscript, project: PortablePath): boolean {
    const { env, profileKey } = this.#workspace;
    return this.#earlier.some((key) => {
      const before = key === profileKey ? undefined : this.#workspace.local(project, key);
      return before !== undefined && "path" in before &&
        transcriptPath(env.claudeDir, env.os, before.path, id) === path;
    });
  }

  #isRecent(row: CatalogueRow | undefined): boolean {
    const at = Date.parse(row?.updatedAt ?? "");
    const { env, retentionDays } = this.#workspace;
    return Number.isNaN(at) || isRecent(at, env.now(), retentionDays);
  }

  /**
   * Returns where the transcript has to be: where Claude Code looks for it; but a file that is here already
   * stays where it is unless its project moved or got another path here.
   */
  #path(
    id: SessionId,
    project: LocalPath,
    local: LocalTranscript | undefined,
    stays: boolean,
  ): LocalPath {
    const { claudeDir, os } = this.#workspace.env;
    return local !== undefined && stays ? local.path : transcriptPath(claudeDir, os, project, id);
  }

  #sidecars(
    transcript: Document,
    path: LocalPath,
    row: CatalogueRow | undefined,
    bases: ReadonlyMap<string, Base>,
    meta: () => Meta | undefined,
  ): readonly Document[] {
    const { id, local } = transcript;
    const here = local?.path ?? path;
    const slug = this.#slugOf(transcript, row, meta);
    const { claudeDir } = this.#workspace.env;
    const found = this.#filesBeside(transcript, path, slug);
    const isAlone = found.length === 0 && (row?.files.size ?? 0) === 0;
    if (isAlone && (bases.size === 0 || (bases.size === 1 && bases.has(TRANSCRIPT)))) return NONE;
    const files = new Map<string, LocalFile>(found.map((file) => [file.name, file]));
    for (const { name, path } of bases.values()) {
      const isElsewhere = name.startsWith("session/") && !files.has(name) && !isBeside(path, here);
      const left = isElsewhere ? fileLeft(claudeDir, path) : undefined;
      if (left !== undefined) files.set(name, left);
    }
    const names = new Set([...files.keys(), ...row?.files.keys() ?? []]);
    return [...names].sort().flatMap((name) => {
      const kind = sidecarKind(name);
      if (kind === undefined) return [];
      const sides = sidesOf(files.get(name), row?.files.get(name), bases.get(name));
      return [examine(id, name, kind, sides, this.#turn)];
    });
  }

  /** Returns the files beside a transcript; where it has to move, those that a cut short move took ahead, too. */
  #filesBeside({ id, local }: Document, path: LocalPath, slug: string | undefined): LocalSidecar[] {
    const { claudeDir } = this.#workspace.env;
    const scan = (transcript: LocalPath) =>
      scanSidecars(claudeDir, transcript, id, slug, this.#skipped, this.#scan.names);
    const here = local?.path ?? path;
    return here === path ? scan(here) : [...scan(path), ...scan(here)];
  }

  /** Returns the name of the session's plan: what the hub knows, or what new lines say. */
  #slugOf(
    { end, local, localState }: Document,
    row: CatalogueRow | undefined,
    meta: () => Meta | undefined,
  ): string | undefined {
    const isNew = local !== undefined && (localState === "grown" || localState === "unknown");
    return isNew ? this.#workspace.readings.summary(local, end, meta()).slug : row?.slug;
  }
}

const NONE: readonly never[] = [];

/** Returns a function that finds a value when it is called first. */
function once<T>(find: () => T): () => T {
  let found: { readonly value: T } | undefined;
  return () => (found ??= { value: find() }).value;
}

function remembered<K, V>(known: Map<K, V>, key: K, find: () => V): V {
  const before = known.get(key);
  if (before !== undefined) return before;
  const value = find();
  known.set(key, value);
  return value;
}

interface Place {
  readonly project?: LocalPath;
  readonly unmapped: readonly string[];
  readonly isMoved: boolean;
}

/** Source: Claude Code only ever appends to transcripts (observed with client 2.1.197). */
const TRANSCRIPT_KIND = { codec: "jsonl", merge: "append" } as const;

function sidesOf(
  local: Document["local"],
  hub: Document["hub"],
  base: Base | undefined,
): Pick<Document, "local" | "hub" | "base"> {
  return {
    ...(local === undefined ? {} : { local }),
    ...(hub === undefined ? {} : { hub }),
    ...(base === undefined ? {} : { base }),
  };
}

/** Whether a file lies in the directory of a session, which is beside its transcript. */
function isBeside(path: LocalPath, transcript: LocalPath): boolean {
  return path.startsWith(join(transcript.replace(/\.jsonl$/, ""), "/"));
}

/** Returns a file that a move which was cut short has put, or left, where its session is not. */
function fileLeft(claudeDir: LocalPath, path: LocalPath): LocalFile | undefined {
  const info = lstatIfThere(path);
  if (info?.isFile !== true || !path.startsWith(join(projectsDir(claudeDir), "/"))) {
    return undefined;
  }
  for (let at = dirname(path); at !== projectsDir(claudeDir); at = dirname(at)) {
    if (lstatIfThere(at)?.isSymlink !== false) return undefined;
  }
  return { path, stamp: stampOf(info) };
}

/** Returns the facts about a sidecar. */
export function sidecarFacts({ facts, path }: SessionView, document: Document): SidecarFacts {
  const { base, hubState, local, localState, merge, name } = document;
  const isInPlace = local === undefined || path === undefined || !name.startsWith("session/") ||
    isBeside(local.path, path);
  return {
    local: localState,
    hub: hubState,
    merge,
    hasBase: base !== undefined,
    isAligned: base?.aligned ?? false,
    isPlaced: facts.isPlaced && isInPlace,
  };
}
