/** What the tests of the log file share. */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogIndex, ShardId } from '#src/base/ids.js';
import type { Random } from '#src/base/random.js';
import { DiskRoom } from '#src/storage/disk-room.js';
import type { Batch, Put } from '#src/storage/index.js';
import { groupKey, logKey, printKey } from '#src/storage/keys.js';
import { LogFile, type LogFileOptions } from '#src/storage/log-file.js';
import { everything, folder, type Test } from './place.js';

export const tinyBytes = 8192;

export function openLog(path: string, options: Partial<LogFileOptions> = {}): Promise<LogFile> {
  return LogFile.open({
    folder: path,
    room: new DiskRoom(path),
    redo: () => Promise.resolve(),
    redone: 0,
    segmentBytes: tinyBytes,
    ...options,
  });
}

/** A log with segments so small that they are used again all the time. */
export async function tinyLog(t: Test): Promise<{ readonly path: string; readonly log: LogFile }> {
  const path = join(folder(t), 'log');
  await LogFile.make(path, tinyBytes);
  return { path, log: await openLog(path) };
}

export function durably(log: LogFile, batch: Batch): Promise<void> {
  return new Promise((resolve, reject) => {
    const ticket = log.commit(batch);
    log.onDurable((failure) => {
      if (failure !== undefined) reject(failure);
      else if (log.durableTicket >= ticket) resolve();
    });
  });
}

/** All that the log holds, `key=value` in order. */
export function listLog(log: LogFile, reverse = false): string[] {
  const lines: string[] = [];
  const visit = (key: Uint8Array, value: Uint8Array): boolean =>
    lines.push(`${printKey(key)}=${Buffer.from(value).toString('latin1')}`) > 0;
  log.scan(everything, visit, reverse);
  return lines;
}

export const record = (group: number, last: number): Uint8Array =>
  logKey(group as ShardId, last as LogIndex);
export const state = (group: number): Uint8Array => groupKey('hardState', group as ShardId);
export const put = (key: Uint8Array, value: string | undefined): Put => ({
  key,
  value: value === undefined ? undefined : Buffer.from(value, 'latin1'),
});

/** What a map would hold after the batches, as {@link listLog} prints it. */
export class LogModel {
  #pairs = new Map<string, { readonly key: Uint8Array; readonly value: string }>();

  clone(): LogModel {
    const model = new LogModel();
    model.#pairs = new Map(this.#pairs);
    return model;
  }

  apply(batch: Batch): void {
    for (const { key, value } of batch) {
      const name = printKey(key);
      if (value === undefined) this.#pairs.delete(name);
      else this.#pairs.set(name, { key, value: Buffer.from(value).toString('latin1') });
    }
  }

  list(): string[] {
    const pairs = [...this.#pairs].sort(([, a], [, b]) => Buffer.compare(a.key, b.key));
    return pairs.map(([name, { value }]) => `${name}=${value}`);
  }

  get keys(): Uint8Array[] {
    return [...this.#pairs.values()].map(({ key }) => key);
  }
}

export function randomBatch(random: Random, model: LogModel): Batch {
  return Array.from({ length: random.between(1, 6) }, () => {
    const group = random.between(1, 3);
    const keys = model.keys;
    const old = keys[random.below(keys.length + 1)];
    if (keys.length > 30 || (old !== undefined && random.chance(0.4))) {
      return { key: old ?? state(group), value: undefined };
    }
    const key = random.chance(0.2) ? state(group) : record(group, random.between(1, 40));
    const length = random.chance(0.02) ? 3 * tinyBytes : random.below(400);
    return { key, value: Buffer.alloc(length, random.below(256)) };
  });
}

/** The files of a log by name; segments may come and go meanwhile. */
export function readFiles(path: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const name of readdirSync(path)) {
    if (!existsSync(join(path, name))) continue;
    files.set(name, readFileSync(join(path, name)));
  }
  return files;
}

/** A copy of the log in which `files` have other contents. */
export function copyWith(t: Test, path: string, files: ReadonlyMap<string, Buffer>): string {
  const copy = join(folder(t), 'log');
  cpSync(path, copy, { recursive: true });
  for (const [name, content] of files) writeFileSync(join(copy, name), content);
  return copy;
}
