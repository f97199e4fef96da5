/** What the tests of storage share. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from '#src/base/assert.js';
import {
  type Engine,
  openStore,
  type Overlay,
  type Span,
  type StoreOptions,
  type Ticket,
} from '#src/storage/index.js';
import { makeStore } from '#src/storage/store.js';

/** A test that undoes what was done for it. */
export interface Test {
  teardown(undo: () => void): void;
}

export const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();
export const bytes = (value: string): Uint8Array => Buffer.from(value);
export const everything: Span = { from: Buffer.of(0), to: Buffer.alloc(9, 0xff) };

export function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'shardforge-storage-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A store of its own, freshly made. */
export async function newStore(t: Test, options: Partial<StoreOptions> = {}): Promise<Engine> {
  const path = folder(t);
  await makeStore(path, 1024 * 1024);
  return openStore({ path, ...options });
}

/** Resolves when the engine's durable ticket has reached `ticket`; rejects with its failure. */
export function durable(engine: Engine, ticket: Ticket): Promise<void> {
  if (engine.durableTicket >= ticket) return Promise.resolve();
  return new Promise((resolve, reject) => {
    engine.onDurable((failure) => {
      if (failure !== undefined) reject(failure);
      else if (engine.durableTicket >= ticket) resolve();
    });
  });
}

export function contents(engine: Engine | Overlay, span = everything, reverse = false): string[] {
  const seen: string[] = [];
  const visit = (key: Uint8Array, value: Uint8Array): boolean => {
    seen.push(`${text(key)}=${text(value)}`);
    return true;
  };
  engine.scan(span, visit, reverse);
  return seen;
}

/** A disk of its own for the test; `size` as mount takes it. */
export function smallDisk(t: Test, size: string): string {
  const path = folder(t);
  t.teardown(() => spawnSync('umount', ['-l', path]));
  assert(mount(path, size), 'a tmpfs can be mounted');
  return path;
}

function mount(path: string, size: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]).status === 0;
}

function canMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), 'shardforge-mount-'));
  const mounted = mount(path, '64k');
  if (mounted) spawnSync('umount', ['-l', path]);
  rmSync(path, { recursive: true, force: true });
  return mounted;
}

/** Whether tests that need a small disk are skipped, and why. */
export const skipMounts = canMount() ? false : 'a tmpfs can be mounted by root only';
