/**
 * The directory of a node:
 *
 *     shardforge.json   what the directory is: format, node, cluster, number of stores; never changes
 *     run.json          the incarnation (one more with each start) and whether it ended cleanly
 *     lock/             who has the directory open (lmdb-lock.ts)
 *     store-0/ ...      one LMDB environment per store
 *
 * Opening it yields a number that no earlier start had, durable before it is used; ids made from it
 * are never given twice. After a crash each store is read by a child process before this one maps it,
 * because a damaged LMDB page can crash the process that reads it (pitfall 23).
 */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { assert } from '../base/assert.js';
import { DatabaseError, raise } from '../base/errors.js';
import type { NodeId } from '../base/ids.js';
import { type DirectoryLock, lockDirectory, lockFolder } from './lmdb-lock.js';
import { makeFolder, writeDurably } from './durable-file.js';
import { LmdbEngine, type LmdbEngineOptions, mapBytesDefault } from './lmdb.js';
import { checkHeader, checkRoom } from './lmdb-header.js';
import { probeStore } from './probe.js';

/** The format that this version writes and reads. */
export const directoryFormat = 1;

export interface DirectoryOptions {
  /** How many stores a new directory gets; an existing one keeps its number. */
  readonly stores: number;
  /** The node that a new directory belongs to. */
  readonly nodeId: NodeId;
  /** The version of the package, written into a new directory. */
  readonly createdBy: string;
  /** The cluster that a new directory belongs to, a UUID; made up when absent. */
  readonly clusterId?: string;
}

interface FormatFile {
  readonly product: 'shardforge';
  readonly format: number;
  readonly nodeId: number;
  readonly clusterId: string;
  readonly stores: number;
  readonly createdBy: string;
}

interface RunFile {
  readonly incarnation: number;
  readonly running: boolean;
}

const formatName = 'shardforge.json';
const runName = 'run.json';
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
/** Transaction ids have 21 bits for it (base/ids.ts). */
const incarnationMax = 2 ** 21 - 1;

/** An open directory; it stays locked until closed. */
export class Directory {
  readonly path: string;
  readonly nodeId: NodeId;
  readonly clusterId: string;
  readonly stores: number;
  /** The version of ShardForge that made the directory. */
  readonly createdBy: string;
  /** The number of this start, counted from 1. */
  readonly incarnation: number;
  /** The last start did not end by {@link close}. */
  readonly afterCrash: boolean;
  readonly #lock: DirectoryLock;

  /** Made by {@link openDirectory}. */
  constructor(path: string, format: FormatFile, run: RunFile, lock: DirectoryLock) {
    this.path = path;
    this.nodeId = format.nodeId as NodeId;
    this.clusterId = format.clusterId;
    this.stores = format.stores;
    this.createdBy = format.createdBy;
    this.incarnation = run.incarnation + 1;
    this.afterCrash = run.running;
    this.#lock = lock;
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
 * Opens a store of an open directory. Raises `directory_damaged` when it is no sound LMDB environment,
 * `directory_unwritable` or `disk_full`.
 */
export function openStore(options: LmdbEngineOptions): LmdbEngine {
  try {
    checkHeader(options.path);
    checkRoom(options.path, options.mapBytes ?? mapBytesDefault);
    return new LmdbEngine(options);
  } catch (error) {
    const failure = describeFailure(options.path, error);
    if (failure instanceof DatabaseError) throw failure;
    const reason = error instanceof Error ? error.message : String(error);
    raise('directory_damaged', `store ${options.path} cannot be opened: ${reason}`);
  }
}

async function open(path: string, options: DirectoryOptions): Promise<Directory> {
  makeFolder(path);
  // Looked at before the lock is made, so that a foreign directory gets nothing written into it.
  const before = readFormat(path);
  const lock = await lockDirectory(path);
  try {
    const format = before ?? readFormat(path) ?? (await make(path, options));
    checkStores(path, format.stores);
    const run = readRun(path);
    if (run.incarnation >= incarnationMax) {
      raise(
        'program_limit_exceeded',
        `${path} was started ${run.incarnation} times, the most it can`,
      );
    }
    if (run.running) await probe(path, format.stores);
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
function checkStores(path: string, stores: number): void {
  for (let index = 0; index < stores; index += 1) {
    const store = storePath(path, index);
    if (!checkHeader(store)) raise('directory_damaged', `${store} holds no store any more`);
  }
}

/**
 * The format file comes last: where there is one, incarnations are being counted and stores are there.
 */
async function make(path: string, options: DirectoryOptions): Promise<FormatFile> {
  const format: FormatFile = {
    product: 'shardforge',
    format: directoryFormat,
    nodeId: options.nodeId,
    clusterId: options.clusterId ?? randomUUID(),
    stores: options.stores,
    createdBy: options.createdBy,
  };
  writeRun(path, { incarnation: 0, running: false });
  for (let index = 0; index < format.stores; index += 1) {
    makeFolder(storePath(path, index));
    await openStore({ path: storePath(path, index), mapBytes: firstMapBytes }).close();
  }
  writeDurably(join(path, formatName), `${JSON.stringify(format, undefined, 2)}\n`);
  return format;
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
  const { format, nodeId, clusterId, stores, createdBy } = file;
  if (isWhole(format, directoryFormat + 1)) {
    raise(
      'directory_newer',
      `${path} has format ${format}, made by ShardForge ${createdBy}; this version reads ${directoryFormat}`,
    );
  }
  if (
    !isWhole(format, 1) ||
    !isWhole(nodeId, 1) ||
    !isWhole(stores, 1) ||
    typeof clusterId !== 'string' ||
    !/^[0-9a-f-]{36}$/.test(clusterId) ||
    typeof createdBy !== 'string'
  ) {
    raise('directory_damaged', `${join(path, formatName)} has fields missing or out of range`);
  }
  return { product: 'shardforge', format, nodeId, clusterId, stores, createdBy };
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
