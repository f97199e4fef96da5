/** What the SDK does again by itself, and for how long. */
import type { ShardForgeError } from './errors.js';
import { retryPauseMsFirst, retryPauseMsMax } from './limits.js';

/**
 * Errors by which a node says that it cannot now and that nothing has happened: another node, or the
 * same one later, may. Not ready, shutting down, no majority, in no cluster, too many connections.
 */
const nodeCannot: ReadonlySet<string> = new Set(['57P03', '57P01', 'SF010', 'SF011', '53300']);

export function isNodeCannot(error: ShardForgeError): boolean {
  return nodeCannot.has(error.sqlstate);
}

/** Statements that change nothing, wherever they stop. */
const reading = /^\s*(select|show|values|table)\b/i;
/** What makes another of them: locks, new tables, functions that change something. */
const changing =
  /\bfor\s+(no\s+key\s+)?(update|share|key)\b|\binto\b|\b(nextval|setval|set_config)\b|\bpg_\w*(lock|notify|cancel|terminate)\w*\b|\bshardforge\s*\.|"shardforge"/i;

/** Whether the text is one statement, as far as it shows: COMMIT within a text ends what came before. */
export function isSingle(text: string): boolean {
  return !/;\s*\S/.test(text);
}

/** Whether the text only reads, so that nobody can tell how often it was executed. */
export function onlyReads(text: string): boolean {
  return reading.test(text) && !changing.test(text) && isSingle(text);
}

/** Milliseconds before a next attempt; doubles with each, half of it drawn, so that rivals do not meet again. */
export function pauseMs(attempt: number): number {
  const ceiling = Math.min(retryPauseMsMax, retryPauseMsFirst * 2 ** (attempt - 1));
  return ceiling / 2 + (Math.random() * ceiling) / 2;
}
