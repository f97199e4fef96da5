/**
 * A store: an LMDB environment and, in a folder `log` beside it, the log file.
 *
 * A store of format 1 has all its keys in LMDB; {@link upgradeStore} moves those of the log over.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { raise } from '../base/errors.js';
import { DiskRoom } from './disk-room.js';
import type { Engine, Put, Ticket } from './engine.js';
import { keySpace } from './keys.js';
import { LmdbEngine, mapBytesDefault } from './lmdb.js';
import { checkHeader, checkRoom } from './lmdb-header.js';
import { LogFile } from './log-file.js';
import { firstSegmentBytes, readLogFormat } from './log-segments.js';
import { StoreEngine } from './store-engine.js';

export interface StoreOptions {
  /** The folder of the store. */
  readonly path: string;
  /** Address space reserved for LMDB; the store cannot outgrow it. 1 TiB costs 12 KB of disk. */
  readonly mapBytes?: number;
  /** The largest that a segment of the log is made. */
  readonly segmentBytes?: number;
  /** Called before each flush of the log, which waits until `proceed` is called: tests hold flushes back. */
  readonly beforeFlush?: (proceed: () => void) => void;
}

/** What lies in LMDB in a store of format 1 and in the log file now. */
const movedKeys = { from: Buffer.of(keySpace.log), to: Buffer.of(keySpace.applied) };
const upgradeBytes = 1024 * 1024;
/** What the map may grow by while keys are removed from it. */
const upgradeSpareBytes = 64 * 1024 * 1024;

/** Makes an empty store. The log comes first: where there is an environment, there is a log. */
export async function makeStore(path: string, mapBytes: number): Promise<void> {
  const room = new DiskRoom(path);
  if (!room.take(firstSegmentBytes, 0)) raise('disk_full', `the disk of ${path} is full`);
  await LogFile.make(logFolder(path));
  checkRoom(path, mapBytes);
  await new LmdbEngine({ path, mapBytes }).close();
}

/** Whether the store has its log; raises `directory_damaged` when it is there and cannot be read. */
export function holdsLog(path: string): boolean {
  return readLogFormat(logFolder(path)) !== undefined;
}

/** Opens a store that was made. */
export async function openStoreEngine(options: StoreOptions): Promise<Engine> {
  const { path, mapBytes = mapBytesDefault, ...ofLog } = options;
  if (!checkHeader(path)) raise('directory_damaged', `${path} holds no store any more`);
  checkRoom(path, mapBytes);
  const room = new DiskRoom(path);
  const lmdb = new LmdbEngine({ path, mapBytes, room });
  try {
    return await StoreEngine.open(lmdb, { ...ofLog, folder: logFolder(path), room });
  } catch (error) {
    await lmdb.close();
    throw error;
  }
}

/**
 * Moves the log of a store of format 1 into the log file. Cut short at any point it is done again from
 * the start: LMDB gives its keys up when the log file has all of them.
 */
export async function upgradeStore(path: string): Promise<void> {
  const folder = logFolder(path);
  if (!holdsLog(path)) await LogFile.make(folder);
  const mapBytes = statSync(join(path, 'data.mdb')).size + upgradeSpareBytes;
  checkRoom(path, mapBytes);
  const room = new DiskRoom(path);
  const lmdb = new LmdbEngine({ path, mapBytes, room });
  const store = await StoreEngine.open(lmdb, { folder, room });
  try {
    const keys = await copyLog(lmdb, store);
    await settled(lmdb, lmdb.commit(keys.map((key) => ({ key, value: undefined }))));
  } finally {
    await store.close();
  }
}

async function copyLog(lmdb: LmdbEngine, store: Engine): Promise<readonly Uint8Array[]> {
  const keys: Uint8Array[] = [];
  let batch: Put[] = [];
  let bytes = 0;
  lmdb.scan(movedKeys, (key, value) => {
    keys.push(key);
    batch.push({ key, value: Buffer.from(value) });
    bytes += value.length;
    if (bytes > upgradeBytes) {
      store.commit(batch);
      batch = [];
      bytes = 0;
    }
    return true;
  });
  await settled(store, store.commit(batch));
  return keys;
}

function settled(engine: Engine, ticket: Ticket): Promise<void> {
  return new Promise((resolve, reject) => {
    engine.onDurable((failure) => {
      if (failure !== undefined) reject(failure);
      else if (engine.durableTicket >= ticket) resolve();
    });
  });
}

function logFolder(path: string): string {
  return join(path, 'log');
}
