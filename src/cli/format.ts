/** Results as text: tables for people, CSV and JSON for programs. */
import Table from 'cli-table3';
import type { Column, Result, Value } from '../client/index.js';

export const formats = ['table', 'csv', 'json', 'vertical'] as const;
export type Format = (typeof formats)[number];

/** The types whose values stand at the right of a column. */
const numeric: ReadonlySet<string> = new Set([
  ...['int2', 'int4', 'int8', 'oid', 'numeric', 'float4', 'float8'],
]);

/** The rows of `result`, whose values are texts, numbers and booleans as the node sent them. */
export function formatResult(result: Result<Value[]>, format: Format): string {
  switch (format) {
    case 'table':
      return formatTable(result);
    case 'csv':
      return formatCsv(result);
    case 'json':
      return formatJson(result);
    case 'vertical':
      return formatVertical(result);
  }
}

function formatTable(result: Result<Value[]>): string {
  const { columns } = result;
  const rows = `(${result.length} ${result.length === 1 ? 'row' : 'rows'})\n`;
  if (columns.length === 0) return rows;
  const head = columns.map(({ name, type }) => ({ name, right: numeric.has(type) }));
  return tableOf(
    head,
    result.map((row) => row.map(printed)),
  ).concat(rows);
}

/** A table for people, each line with its end. */
export function tableOf(
  columns: readonly { readonly name: string; readonly right?: boolean }[],
  rows: readonly (readonly string[])[],
): string {
  const table = new Table({
    head: columns.map(({ name }) => name),
    colAligns: columns.map(({ right }) => (right === true ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
    chars: plainBorders,
  });
  for (const row of rows) table.push([...row]);
  // The table pads the last column too: nobody wants that in a file.
  const lines = table.toString().split('\n');
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

const plainBorders = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', right: '', 'right-mid': '' },
  ...{ mid: '-', 'mid-mid': '+', middle: '|' },
} as const;

/** RFC 4180 with \n; NULL is empty and an empty text is quoted, as PostgreSQL's COPY has it. */
function formatCsv(result: Result<Value[]>): string {
  const cell = (value: Value): string => {
    if (value === null) return '';
    const text = printed(value);
    return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [
    result.columns.map((column) => cell(column.name)),
    ...result.map((r) => r.map(cell)),
  ];
  return lines.map((line) => `${line.join(',')}\n`).join('');
}

/** An array with one object per line. Numbers keep all their digits. */
function formatJson(result: Result<Value[]>): string {
  const names = result.columns.map((column) => JSON.stringify(column.name));
  const lines = result.map((row) => {
    const members = row.map((value, i) => `${names[i]}: ${jsonOf(value, result.columns[i])}`);
    return `{${members.join(', ')}}`;
  });
  return lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`;
}

function jsonOf(value: Value, column: Column | undefined): string {
  if (value === null) return 'null';
  const text = printed(value);
  const type = column?.type ?? '';
  if (type === 'json' || type === 'jsonb') return text;
  if (numeric.has(type) && /^-?\d/.test(text)) return text;
  return typeof value === 'boolean' ? text : JSON.stringify(text);
}

function formatVertical(result: Result<Value[]>): string {
  const width = Math.max(0, ...result.columns.map((column) => column.name.length));
  return result
    .map((row, i) => {
      const head = `-[ ${i + 1} ]${'-'.repeat(width)}\n`;
      const line = (value: Value, j: number): string => {
        const name = (result.columns[j]?.name ?? '').padEnd(width);
        return `${name} | ${printed(value)}`.trimEnd().concat('\n');
      };
      return head + row.map(line).join('');
    })
    .join('');
}

/** One value as text; NULL shows as itself. */
function printed(value: Value): string {
  if (value === null) return 'NULL';
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  return Object.is(value, -0) ? '-0' : String(value);
}
