/** The size of rows on their way to a door. */
import type { Row } from '../types/index.js';

/** Approximate bytes of a row as a door writes it. */
export function rowBytes(row: Row): number {
  let bytes = 8 * row.length;
  for (const value of row) {
    if (typeof value === 'string') bytes += value.length;
    else if (value instanceof Uint8Array) bytes += value.length;
    else if (typeof value === 'object' && value !== null) bytes += 32;
  }
  return bytes;
}
