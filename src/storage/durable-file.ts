/** Folders, and small files that are either the old one or the new one, whole, also after a power failure. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Replaces the file at `path`; returns when the new one is on stable storage. */
export function writeDurably(path: string, text: string): void {
  const temporary = `${path}.new`;
  const file = openSync(temporary, 'w');
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** Makes what was created or renamed in a folder durable. */
export function syncFolder(path: string): void {
  // Windows cannot sync a folder and needs not.
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * Makes the folder and those above it. Node's own `recursive` never ends where a file system answers
 * ENOENT below a folder that exists (/proc does).
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path);
    syncFolder(dirname(path));
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    makeFolder(dirname(path));
    makeFolder(path);
  }
}
