/**
 * The room on a store's disk, as its two writers share it: nothing is begun that would not fit. LMDB
 * must not meet a full disk (decision 5), so what the log file is about to take counts as taken.
 */
import { statfsSync } from 'node:fs';
import { assert } from '../base/assert.js';

/** Space that is left to others: to the files of the directory, to whoever frees some. */
const freeBytesMin = 4 * 1024 * 1024;
/** How old what is known about the space left may be. */
const ageMsMax = 100;

export class DiskRoom {
  readonly #path: string;
  #roomBytes = 0;
  #lookedMs = Number.NEGATIVE_INFINITY;
  /** Of what is being written outside of LMDB. */
  #promisedBytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Sets `bytes` aside for a write that begins now; false when they do not fit. */
  take(bytes: number, nowMs: number): boolean {
    if (bytes > this.#roomBytes / 2 || nowMs - this.#lookedMs > ageMsMax) {
      this.#look();
      this.#lookedMs = nowMs;
      if (bytes > this.#roomBytes) return false;
    }
    this.#roomBytes -= bytes;
    return true;
  }

  /** As {@link take}, for a write that lasts until {@link keep}; leaves as much again to others. */
  promise(bytes: number): boolean {
    this.#look();
    if (bytes * 2 > this.#roomBytes) return false;
    this.#promisedBytes += bytes;
    this.#roomBytes -= bytes;
    return true;
  }

  /** What was promised is on the disk, or given up. */
  keep(bytes: number): void {
    this.#promisedBytes -= bytes;
    assert(this.#promisedBytes >= 0, 'more was kept than promised', bytes);
    this.#lookedMs = Number.NEGATIVE_INFINITY;
  }

  #look(): void {
    const { bavail, bsize } = statfsSync(this.#path);
    this.#roomBytes = bavail * bsize - freeBytesMin - this.#promisedBytes;
  }
}
