/** Temporary files of statements, below the data directory: what memory does not hold of their rows. */
import { closeSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../base/assert.js';
import { raise } from '../base/errors.js';
import type { SpillFile, SpillFiles } from '../sql/index.js';
import { ioOr } from './server-files.js';

/** Where a node keeps them. */
export function temporaryDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'temporary');
}

/** Removes what a process that died has left. Before any thread of the node makes files. */
export function removeTemporaryFiles(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

/** The files of one thread. */
export class TemporaryFiles implements SpillFiles {
  readonly #directory: string;
  readonly #limitBytes: number;
  #bytes = 0;
  #made = 0;

  /** `directory` is the thread's own; it is made with the first file. */
  constructor(directory: string, limitBytes: number) {
    assert(limitBytes > 0, 'a limit is positive', limitBytes);
    this.#directory = directory;
    this.#limitBytes = limitBytes;
  }

  create(): SpillFile {
    if (this.#made === 0) {
      ioOr('create', this.#directory, () => mkdirSync(this.#directory, { recursive: true }));
    }
    this.#made += 1;
    const path = join(this.#directory, String(this.#made));
    const file = ioOr('create', path, () => openSync(path, 'wx+'));
    return new TemporaryFile(path, file, (bytes) => this.#take(bytes));
  }

  /** Counts bytes; negative ones are given back. Raises 53400 over the limit. */
  #take(bytes: number): void {
    if (bytes > 0 && this.#bytes + bytes > this.#limitBytes) {
      const kilobytes = Math.floor(this.#limitBytes / 1024);
      raise(
        'configuration_limit_exceeded',
        `temporary file size exceeds limits.temporaryFileBytes (${kilobytes}kB)`,
      );
    }
    this.#bytes += bytes;
    assert(this.#bytes >= 0, 'more bytes were given back than taken', this.#bytes);
  }
}

class TemporaryFile implements SpillFile {
  readonly #path: string;
  readonly #file: number;
  readonly #take: (bytes: number) => void;
  #length = 0;
  #isOpen = true;

  constructor(path: string, file: number, take: (bytes: number) => void) {
    this.#path = path;
    this.#file = file;
    this.#take = take;
  }

  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    assert(this.#isOpen, 'the file is open');
    this.#take(bytes.length);
    ioOr('write to', this.#path, () => {
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(this.#file, bytes, at, bytes.length - at, this.#length + at);
      }
    });
    this.#length += bytes.length;
  }

  read(offset: number, length: number): Uint8Array {
    assert(this.#isOpen, 'the file is open');
    assert(offset + length <= this.#length, 'only what was written is read', offset, length);
    const bytes = Buffer.allocUnsafe(length);
    ioOr('read from', this.#path, () => {
      for (let at = 0; at < length; ) {
        const read = readSync(this.#file, bytes, at, length - at, offset + at);
        if (read === 0) raise('data_corrupted', `temporary file "${this.#path}" was cut short`);
        at += read;
      }
    });
    return bytes;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
    this.#take(-this.#length);
  }
}
