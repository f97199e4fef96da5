/** Values of rows as docs/protocol.md has them, for clients of this process: without JSON text. */
import type { Column } from '../sql/session/protocol.js';
import { type Row, typeNamed, type Value } from '../sql/types/index.js';
import { printContext } from './answers.js';
import type { FrameValue } from './protocol.js';

/** Gives the values of a row of one result. */
export type FrameValues = (row: Row) => FrameValue[];

/** How the rows of a result with these columns are given; `timeZone` is that of its texts. */
export function frameValuesOf(columns: readonly Column[], timeZone = 'UTC'): FrameValues {
  const context = printContext(timeZone);
  const converters = columns.map(({ type: name }) => {
    const type = typeNamed(name);
    return plainTypes.has(type.name)
      ? undefined
      : (value: Value): FrameValue => type.print(value, context);
  });
  return (row) =>
    converters.map((convert, i) => {
      const value = row[i] ?? null;
      return value === null || convert === undefined ? (value as FrameValue) : convert(value);
    });
}

/**
 * Types whose values are those of frames. NaN and infinities are numbers here: there is no JSON.
 * float4 is not among them: its text has fewer digits than the number that it is stored as.
 */
const plainTypes: ReadonlySet<string> = new Set([
  ...['bool', 'int2', 'int4', 'oid', 'float8'],
  ...['text', 'varchar', 'bpchar', 'name', 'unknown', 'json', 'uuid'],
]);
