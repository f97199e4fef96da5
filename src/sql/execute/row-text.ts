/** Rows and keys as PostgreSQL shows them in the details of errors. */
import { must } from '../../base/assert.js';
import type { TableDescriptor } from '../catalogue/descriptor.js';
import { type FunctionContext, type Row, typeNamed, type Value } from '../types/index.js';

export function slotOfPosition(table: TableDescriptor, position: number): number {
  const slot = table.columns.findIndex((column) => column.position === position);
  return must(slot < 0 ? undefined : slot, `the table has no position ${position}`);
}

/** `1, null, text`: a whole row. */
export function rowText(table: TableDescriptor, row: Row, functions: FunctionContext): string {
  return table.columns
    .map(({ type }, slot) => clip(valueText(type, row[slot] ?? null, functions)))
    .join(', ');
}

/** `(a, b)=(1, 2)`. */
export function keyText(
  names: readonly string[],
  values: readonly { readonly type: string; readonly value: Value }[],
  functions: FunctionContext,
): string {
  const shown = values.map(({ type, value }) => valueText(type, value, functions));
  return `(${names.join(', ')})=(${shown.join(', ')})`;
}

function valueText(type: string, value: Value, functions: FunctionContext): string {
  return value === null ? 'null' : typeNamed(type).print(value, functions);
}

/** PostgreSQL shows at most 64 bytes of a value in a message. */
const shownBytes = 64;

function clip(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= shownBytes) return text;
  let end = shownBytes;
  // Never between the bytes of one character: those after its first begin with the bits 10.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString('utf8', 0, end)}...`;
}
