/** With what a process ends when its node cannot start or go on; docs/operations.md lists the same. */
import { DatabaseError, type ErrorName } from '../base/errors.js';

/** Any error that has no code of its own: a bug, or a broken machine. */
export const exitCodeOfCrash = 1;

/** Codes up to 19 are left alone: Node gives some of them a meaning. */
export const exitCodes: Readonly<Partial<Record<ErrorName, number>>> = {
  config_invalid: 2,
  directory_locked: 20,
  directory_foreign: 21,
  directory_unwritable: 22,
  directory_damaged: 23,
  directory_newer: 24,
  address_in_use: 25,
  disk_full: 26,
  io_error: 27,
  data_corrupted: 28,
};

export function exitCodeOf(error: unknown): number {
  if (error instanceof DatabaseError) return exitCodes[error.kind] ?? exitCodeOfCrash;
  return exitCodeOfCrash;
}
