/** The boot module of a node: what each thread starts for the stores that are placed on it. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Booted, BootSetup, PlaceId } from '../actors/index.js';
import { DatabaseError } from '../base/errors.js';
import type { NodeId } from '../base/ids.js';
import type { ReplicaArguments } from '../shard/index.js';
import { loadParser, type SessionLimits } from '../sql/index.js';
import { type Engine, MemoryEngine, openStore } from '../storage/index.js';
import { type ComposedPlace, composePlace, registerKinds, shardPlace } from './place.js';
import { serverFiles } from './server-files.js';
import { KeptSlowStatements } from './slow-statements.js';
import { TemporaryFiles } from './temporary-files.js';

/** What every thread is told: plain data. */
export interface BootOptions {
  readonly node: NodeId;
  /** Undefined while the node belongs to no cluster. */
  readonly replica: ReplicaArguments | undefined;
  /** Where the stores lie, by number; undefined for a node in memory. */
  readonly storePaths: readonly string[] | undefined;
  readonly mapSizeBytes: number;
  readonly limits: Partial<SessionLimits>;
  /** Where statements put what memory does not hold; undefined for a node in memory. */
  readonly temporary: { readonly directory: string; readonly limitBytes: number } | undefined;
  /** Directories whose files COPY may read and write. */
  readonly copyDirectories: readonly string[];
  /** Where slow statements are kept; undefined for a node in memory. */
  readonly slowStatementsFile: string | undefined;
}

/** How the places of a thread do, as plain data. */
export interface BootReport {
  readonly stores: readonly { readonly store: number; readonly ready: boolean }[];
}

export async function boot(setup: BootSetup): Promise<Booted> {
  const { dispatcher, placeIds } = setup;
  const options = setup.options as BootOptions;
  const sessions = registerKinds(dispatcher, options.limits, {
    files: serverFiles(options.copyDirectories),
    slowStatements: new KeptSlowStatements(options.slowStatementsFile),
    spill: temporaryFiles(options, placeIds),
    secretBytes: randomBytes,
  });
  if (placeIds.includes(shardPlace)) await loadParser();
  const engines: Engine[] = [];
  const places: ComposedPlace[] = [];
  try {
    for (const id of placeIds) {
      const engine = await openEngine(id, options);
      engines.push(engine);
      places.push(composePlace(dispatcher, id, { ...options, engine }));
    }
  } catch (error) {
    await Promise.all(engines.map((engine) => engine.close()));
    throw portable(error);
  }
  return {
    metrics: () => [...sessions.snapshot(), ...places.flatMap((place) => place.metrics())],
    report: () => report(places),
    stop: async () => {
      await Promise.all(engines.map((engine) => engine.close()));
    },
  };
}

/** Each thread has a directory of its own. */
function temporaryFiles(
  { temporary }: BootOptions,
  placeIds: readonly PlaceId[],
): TemporaryFiles | undefined {
  if (temporary === undefined) return undefined;
  const { directory, limitBytes } = temporary;
  return new TemporaryFiles(join(directory, placeIds.join('-')), limitBytes);
}

async function openEngine(id: PlaceId, { storePaths, mapSizeBytes }: BootOptions): Promise<Engine> {
  const path = storePaths?.[id - shardPlace];
  return path === undefined ? new MemoryEngine() : openStore({ path, mapBytes: mapSizeBytes });
}

/** Reads of each store, so that an answer shows more than that the thread lives. */
function report(places: readonly ComposedPlace[]): BootReport {
  const probe = Buffer.of(0xff);
  return {
    stores: places.map(({ id, engine, ready }) => {
      engine.get(probe);
      return { store: id - shardPlace, ready: ready() };
    }),
  };
}

/** Only name, message and stack of an error come through between threads: the name says the kind. */
function portable(error: unknown): unknown {
  if (!(error instanceof DatabaseError)) return error;
  return Object.assign(new Error(error.message), { name: error.kind });
}
