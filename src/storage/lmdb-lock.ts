/**
 * The lock of a directory: one process at a time, freed by the operating system when the process
 * ends, however it ends.
 *
 * Node has no file locks of its own, but LMDB has: each environment keeps a table of its readers, and
 * each reading process holds a record lock of the kernel that tells the living from the dead, whatever
 * pid is used again since. So the lock is a small environment of its own: enter as a reader, then
 * look. Whoever sees another reader leaves. Two who enter together both leave and try again after
 * a random pause.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RootDatabase } from 'lmdb';
import { DatabaseError, raise } from '../base/errors.js';
import { makeFolder } from './durable-file.js';
import { checkHeader, checkRoom } from './lmdb-header.js';
import { lmdb } from './lmdb-module.js';

const attempts = 4;
const pauseMsMax = 100;
const mapBytes = 1024 * 1024;

export interface DirectoryLock {
  release(): Promise<void>;
}

/** The folder of the lock within a directory. */
export const lockFolder = 'lock';

/**
 * Raises `directory_locked` when another process, or this one, has the directory open. Throws what
 * the file system throws when the lock cannot be written.
 */
export async function lockDirectory(path: string): Promise<DirectoryLock> {
  const folder = join(path, lockFolder);
  makeFolder(folder);
  forgetDamaged(folder);
  checkRoom(folder, mapBytes);
  let others: readonly number[] = [];
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const table = lmdb().open({ path: folder, mapSize: mapBytes, overlappingSync: false });
    await enter(table, path);
    others = otherReaders(table);
    if (others.length === 0) return { release: () => table.close() };
    await table.close();
    await sleep(Math.random() * pauseMsMax);
  }
  raise('directory_locked', `${path} is in use by process ${others.join(', ')}`);
}

/** Nothing is kept in the environment, only its table of readers counts. */
function forgetDamaged(folder: string): void {
  try {
    checkHeader(folder);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    rmSync(join(folder, 'data.mdb'));
  }
}

/** A process of another pid namespace may have our pid; the kernel's record lock then refuses us. */
async function enter(table: RootDatabase, path: string): Promise<void> {
  try {
    table.doesExist('any key');
  } catch (error) {
    await table.close();
    if (!(error instanceof Error) || !error.message.includes('temporarily unavailable'))
      throw error;
    raise('directory_locked', `${path} is in use by a process of another container`);
  }
}

/** The pids of living readers except one of this process, which is us. */
function otherReaders(table: RootDatabase): readonly number[] {
  table.readerCheck();
  const lines = String(table.readerList()).split('\n');
  const pids = lines.map((line) => Number.parseInt(line, 10)).filter(Number.isInteger);
  const own = pids.indexOf(process.pid);
  return pids.filter((_pid, at) => at !== own);
}
