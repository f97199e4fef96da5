/**
 * A disk of its own for a node, which a test can fill up: a small tmpfs where this user may mount one, else
 * the node is only told that there is no room (no-room.ts).
 */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const diskBytes = 256 * 1024 * 1024;

export class FillableDisk {
  /** Whether it is a real one. */
  readonly mounted: boolean;
  readonly #path: string;

  /** Mounts it at `path`, which need not exist. */
  constructor(path: string) {
    this.#path = path;
    mkdirSync(path, { recursive: true });
    const mount = ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'shardforge-test', path];
    this.mounted = spawnSync('mount', mount).status === 0;
  }

  /** Options of Node for a process that uses it. */
  get nodeOptions(): readonly string[] {
    return this.mounted ? [] : ['--import', new URL('./no-room.js', import.meta.url).pathname];
  }

  /** From now on there is no room. */
  fill(): void {
    if (!this.mounted) {
      writeFileSync(`${this.#path}.full`, '');
      return;
    }
    const ballast = join(this.#path, 'ballast');
    const { bavail, bsize } = statfsSync(this.#path);
    // Nothing is written for most of it: this process is the load on the cluster too, and must not stand still.
    spawnSync('fallocate', ['--length', String(bavail * bsize), ballast]);
    const file = openSync(ballast, 'a');
    const block = Buffer.alloc(4096);
    try {
      while (writeSync(file, block) === block.length);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
    closeSync(file);
  }

  /** There is room again. */
  free(): void {
    rmSync(this.mounted ? join(this.#path, 'ballast') : `${this.#path}.full`, { force: true });
  }

  /** Unmounts it; nobody may use it any more. */
  close(): void {
    this.free();
    if (this.mounted) spawnSync('umount', [this.#path]);
  }
}
