/** Results as docs/protocol.md has them, for clients of this process: without JSON text. */
import type { Column } from '../sql/session/protocol.js';
import { type Row, shortTypeName, typeNamed, type Value } from '../sql/types/index.js';
import { printContext, printingKey, type PrintStyle } from './answers.js';
import type { FrameColumn, FrameValue } from './protocol.js';

/** How the rows of a result are given. */
export interface FrameLayout {
  readonly columns: readonly FrameColumn[];
  readonly values: (row: Row) => FrameValue[];
}

/** All results of a plan share the columns of the plan. */
const layouts = new WeakMap<readonly Column[], { printing: string; layout: FrameLayout }>();

/** The layout of a result with these columns; `timeZone` is that of its texts. */
export function frameLayoutOf(
  columns: readonly Column[],
  timeZone = 'UTC',
  style?: PrintStyle,
): FrameLayout {
  const known = layouts.get(columns);
  const printing = printingKey(timeZone, style);
  if (known?.printing === printing) return known.layout;
  const converters = columns.map((column) => converterOf(column, timeZone, style));
  const layout: FrameLayout = {
    columns: columns.map(({ name, type }) => ({ name, type: shortTypeName(type) })),
    values: (row) =>
      converters.map((convert, i) => {
        const value = row[i] ?? null;
        return value === null || convert === undefined ? (value as FrameValue) : convert(value);
      }),
  };
  layouts.set(columns, { printing, layout });
  return layout;
}

/**
 * Types whose values are those of frames. NaN and infinities are numbers here: there is no JSON.
 * float4 is not among them: its text has fewer digits than the number that it is stored as.
 */
const plainTypes: ReadonlySet<string> = new Set([
  ...['bool', 'int2', 'int4', 'oid', 'float8'],
  ...['text', 'varchar', 'bpchar', 'name', 'unknown', 'json', 'uuid'],
]);

/** Undefined where the value is what a frame carries. */
function converterOf(
  column: Column,
  timeZone: string,
  style: PrintStyle | undefined,
): ((value: Value) => string) | undefined {
  const type = typeNamed(column.type);
  if (plainTypes.has(type.name)) return undefined;
  if (type.name === 'int8') return String;
  const context = printContext(timeZone, style);
  return (value) => type.print(value, context);
}
