/**
 * The directory of a node:
 *
 *     shardforge.json   what the directory is: format, node, instance, number of stores
 *     cluster.json      the cluster that the node belongs to, when it was formed or joined
 *     run.json          the incarnation (one more with each start) and whether it ended cleanly
 *     lock/             who has the directory open (lmdb-lock.ts)
 *     store-0/ ...      the stores (store.ts)
 *
 * Opening it yields a number that no earlier start had, durable before it is used; ids made from it
 * are never given twice. After a crash each store is read by a child process before this one maps it,
 * because a damaged LMDB page can crash the process that reads it (pitfall 23).
 *
 * Format 2 has a log file in each store, and an instance. A directory of format 1 becomes one at its
 * first open: the format rises first, so that an older version refuses the directory from then on, and
 * the upgrade goes on at the next open if it is cut short.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AssertionError, assert } from '../base/assert.js';
import { DatabaseError, raise } from '../base/errors.js';
import type { NodeId } from '../base/ids.js';
import { type DirectoryLock, lockDirectory, lockFolder } from './lmdb-lock.js';
import { makeFolder, writeDurably } from './durable-file.js';
import type { Engine } from './engine.js';
import { checkHeader } from './lmdb-header.js';
import { probeStore } from './probe.js';
import { holdsLog, makeStore, openStoreEngine, type StoreOptions, upgradeStore } from './store.js';

/** The format that this version writes; it reads those before, too. */
export const directoryFormat = 2;

export interface DirectoryOptions {
  /** How many stores a new directory gets; an existing one keeps its number. */
  readonly stores: number;
  /** The node that a new directory belongs to. */
  readonly nodeId: NodeId;
  /** The version of the package, written into a new directory. */
  readonly createdBy: string;
  /** The cluster that a new directory belongs to, a UUID; made up when absent. */
  readonly clusterId?: string;
  /** A new directory belongs to no cluster yet: its node will join one. */
  readonly unformed?: boolean;
}

interface FormatFile {
  readonly product: 'shardforge';
  readonly format: number;
  readonly nodeId: number;
  readonly instance: string;
  readonly clusterId?: string;
  readonly stores: number;
  readonly createdBy: string;
  /** The stores are of this format still, some or all of them. */
  readonly upgradingFrom?: number;
}

interface RunFile {
  readonly incarnation: number;
  readonly running: boolean;
}

const formatName = 'shardforge.json';
const runName = 'run.json';
const formationName = 'cluster.json';
/** What may lie in a directory that is still to be made: ours from a start cut short, or a mount's. */
const allowedInNew = new Set([
  lockFolder,
  runName,
  `${runName}.new`,
  `${formatName}.new`,
  'lost+found',
]);
/** Enough to make a store; who opens it says how large it may become. */
const firstMapBytes = 1024 * 1024;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Transaction ids have 21 bits for it (base/ids.ts). */
const incarnationMax = 2 ** 21 - 1;

/** An open directory; it stays locked until closed. */
export class Directory {
  readonly path: string;
  readonly nodeId: NodeId;
  /** UUID made with the directory: tells it from any other, also of the same node. */
  readonly instance: string;
  /** UUID of the cluster that the directory was made for; undefined when it was made to join one. */
  readonly clusterId: string | undefined;
  readonly stores: number;
  /** The version of ShardForge that made the directory. */
  readonly createdBy: string;
  /** The number of this start, counted from 1. */
  readonly incarnation: number;
  /** The last start did not end by {@link close}. */
  readonly afterCrash: boolean;
  readonly #lock: DirectoryLock;
  #formation: unknown;

  /** Made by {@link openDirectory}. */
  constructor(path: string, format: FormatFile, run: RunFile, lock: DirectoryLock) {
    this.path = path;
    this.nodeId = format.nodeId as NodeId;
    this.instance = format.instance;
    this.clusterId = format.clusterId;
    this.stores = format.stores;
    this.createdBy = format.createdBy;
    this.incarnation = run.incarnation + 1;
    this.afterCrash = run.running;
    this.#lock = lock;
    this.#formation = readFormation(path);
  }

  /** What {@link writeFormation} wrote last, as plain JSON; undefined before. */
  get formation(): unknown {
    return this.#formation;
  }

  /** Keeps what the node knows of its cluster; it is durable when the call returns. */
  writeFormation(value: unknown): void {
    try {
      writeDurably(join(this.path, formationName), `${JSON.stringify(value, undefined, 2)}\n`);
    } catch (error) {
      throw describeFailure(this.path, error);
    }
    this.#formation = readFormation(this.path);
  }

  /** Where store `index`, counted from 0, lies; any thread of the process may open it there. */
  storePath(index: number): string {
    assert(index >= 0 && index < this.stores, 'no such store', index);
    return storePath(this.path, index);
  }

  /** Call it when all stores are closed: the next start then trusts them without probing. */
  async close(): Promise<void> {
    try {
      writeRun(this.path, { incarnation: this.incarnation, running: false });
    } finally {
      await this.#lock.release();
    }
  }
}

/**
 * Opens the directory at `path`, making it when it is absent or empty. Raises `directory_foreign`,
 * `directory_newer`, `directory_damaged`, `directory_locked`, `directory_unwritable` or `disk_full`;
 * a directory that is refused was not changed.
 */
export async function openDirectory(path: string, options: DirectoryOptions): Promise<Directory> {
  const absolute = resolve(path);
  assert(options.stores >= 1, 'a node has at least one store', options.stores);
  try {
    return await open(absolute, options);
  } catch (error) {
    throw describeFailure(absolute, error);
  }
}

/**
 * Opens a store of an open directory. Raises `directory_damaged` when it is not sound,
 * `directory_unwritable` or `disk_full`.
 */
export async function openStore(options: StoreOptions): Promise<Engine> {
  try {
    return await openStoreEngine(options);
  } catch (error) {
    throw describeStoreFailure(options.path, error);
  }
}

function describeStoreFailure(path: string, error: unknown): unknown {
  const failure = describeFailure(path, error);
  if (failure instanceof DatabaseError || failure instanceof AssertionError) return failure;
  const reason = error instanceof Error ? error.message : String(error);
  return new DatabaseError('directory_damaged', `store ${path} cannot be opened: ${reason}`);
}

async function open(path: string, options: DirectoryOptions): Promise<Directory> {
  makeFolder(path);
  // Looked at before the lock is made, so that a foreign directory gets nothing written into it.
  readFormat(path);
  const lock = await lockDirectory(path);
  try {
    let format = readFormat(path) ?? (await make(path, options));
    checkStores(path, format);
    const run = readRun(path);
    if (run.incarnation >= incarnationMax) {
      raise(
        'program_limit_exceeded',
        `${path} was started ${run.incarnation} times, the most it can`,
      );
    }
    if (run.running) await probe(path, format.stores);
    if (format.upgradingFrom !== undefined) format = await upgrade(path, format);
    const directory = new Directory(path, format, run, lock);
    writeRun(path, { incarnation: directory.incarnation, running: true });
    return directory;
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function probe(path: string, stores: number): Promise<void> {
  for (let index = 0; index < stores; index += 1) {
    const failure = await probeStore(storePath(path, index));
    if (failure !== undefined) {
      raise('directory_damaged', `store ${index} of ${path} is damaged: ${failure}`);
    }
  }
}

/** A store that is gone must not come back empty. */
function checkStores(path: string, { stores, upgradingFrom }: FormatFile): void {
  for (let index = 0; index < stores; index += 1) {
    const store = storePath(path, index);
    if (!checkHeader(store)) raise('directory_damaged', `${store} holds no store any more`);
    if (upgradingFrom === undefined && !holdsLog(store)) {
      raise('directory_damaged', `${store} holds no log any more`);
    }
  }
}

/**
 * The format file comes last: where there is one, incarnations are being counted and stores are there.
 */
async function make(path: string, options: DirectoryOptions): Promise<FormatFile> {
  const { nodeId, stores, createdBy, unformed = false, clusterId } = options;
  assert(!unformed || clusterId === undefined, 'an unformed directory has no cluster');
  const format: FormatFile = {
    product: 'shardforge',
    format: directoryFormat,
    nodeId,
    instance: randomUUID(),
    ...(unformed ? {} : { clusterId: clusterId ?? randomUUID() }),
    stores,
    createdBy,
  };
  writeRun(path, { incarnation: 0, running: false });
  for (let index = 0; index < stores; index += 1) {
    makeFolder(storePath(path, index));
    await makeStore(storePath(path, index), firstMapBytes).catch((error: unknown) => {
      throw describeStoreFailure(storePath(path, index), error);
    });
  }
  writeFormat(path, format);
  return format;
}

/** The format that was read is noted as the one to upgrade from before anything is changed. */
async function upgrade(path: string, format: FormatFile): Promise<FormatFile> {
  writeFormat(path, format);
  for (let index = 0; index < format.stores; index += 1) {
    await upgradeStore(storePath(path, index));
  }
  const { upgradingFrom, ...done } = format;
  assert(upgradingFrom !== undefined, 'there was something to upgrade from');
  writeFormat(path, done);
  return done;
}

function storePath(path: string, index: number): string {
  return join(path, `store-${index}`);
}

/** Undefined when the directory is still to be made. */
function readFormat(path: string): FormatFile | undefined {
  const names = readdirSync(path);
  if (!names.includes(formatName)) {
    const strange = names.find((name) => !allowedInNew.has(name) && !/^store-\d+$/.test(name));
    if (strange === undefined) return undefined;
    raise('directory_foreign', `${path} holds ${strange} but no ${formatName}`);
  }
  const file = readJson(path, formatName);
  if (file.product !== 'shardforge') {
    raise('directory_foreign', `${join(path, formatName)} was not made by ShardForge`);
  }
  return checkFormat(path, file);
}

function checkFormat(path: string, file: Record<string, unknown>): FormatFile {
  const { format, nodeId, instance, clusterId, stores, createdBy, upgradingFrom } = file;
  if (isWhole(format, directoryFormat + 1)) {
    raise(
      'directory_newer',
      `${path} has format ${format}, made by ShardForge ${createdBy}; this version reads ${directoryFormat}`,
    );
  }
  const isUuid = (value: unknown): value is string => typeof value === 'string' && uuid.test(value);
  if (
    !isWhole(format, 1) ||
    !isWhole(nodeId, 1) ||
    !isWhole(stores, 1) ||
    !(isUuid(clusterId) || (format > 1 && clusterId === undefined)) ||
    !(isUuid(instance) || format === 1) ||
    !(upgradingFrom === undefined || upgradingFrom === 1) ||
    typeof createdBy !== 'string'
  ) {
    raise('directory_damaged', `${join(path, formatName)} has fields missing or out of range`);
  }
  const from = format === 1 ? 1 : upgradingFrom;
  return {
    product: 'shardforge',
    format: directoryFormat,
    nodeId,
    instance: isUuid(instance) ? instance : randomUUID(),
    ...(clusterId === undefined ? {} : { clusterId }),
    stores,
    createdBy,
    ...(from === undefined ? {} : { upgradingFrom: from }),
  };
}

function readFormation(path: string): unknown {
  if (!existsSync(join(path, formationName))) return undefined;
  return readJson(path, formationName);
}

function writeFormat(path: string, format: FormatFile): void {
  writeDurably(join(path, formatName), `${JSON.stringify(format, undefined, 2)}\n`);
}

function readRun(path: string): RunFile {
  const { incarnation, running } = readJson(path, runName);
  if (!isWhole(incarnation, 0) || typeof running !== 'boolean') {
    raise('directory_damaged', `${join(path, runName)} has fields missing or out of range`);
  }
  return { incarnation, running };
}

function writeRun(path: string, run: RunFile): void {
  writeDurably(join(path, runName), `${JSON.stringify(run)}\n`);
}

function readJson(path: string, name: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(join(path, name), 'utf8'));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== undefined && code !== 'ENOENT') throw error;
  }
  raise('directory_damaged', `${join(path, name)} is missing or cannot be read as JSON`);
}

function isWhole(value: unknown, least: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

/** What the file system or lmdb said, as an error of the catalogue where one fits. */
function describeFailure(path: string, error: unknown): unknown {
  if (error instanceof DatabaseError || !(error instanceof Error)) return error;
  const { code, message } = error as Error & { code?: string | number };
  const says = (name: string, number: number, phrase: string): boolean =>
    code === name || code === number || message.includes(phrase);
  if (says('ENOSPC', 28, 'No space left') || says('EDQUOT', 122, 'quota exceeded')) {
    return new DatabaseError('disk_full', `the disk of ${path} is full: ${message}`);
  }
  if (
    says('EACCES', 13, 'Permission denied') ||
    says('EROFS', 30, 'Read-only file system') ||
    says('EPERM', 1, 'not permitted') ||
    says('ENOENT', 2, 'No such file') ||
    says('ENOTDIR', 20, 'Not a directory') ||
    says('EEXIST', 17, 'File exists')
  ) {
    return new DatabaseError('directory_unwritable', `${path} cannot be written: ${message}`);
  }
  return error;
}
