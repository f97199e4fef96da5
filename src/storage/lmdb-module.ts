/**
 * lmdb, loaded when the first store is opened: a database in memory does without it, and it takes
 * a third of the time in which such a database is ready. Its CommonJS form is one file.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export function lmdb(): typeof import('lmdb') {
  return require('lmdb') as typeof import('lmdb');
}
