/** Statements that make and fill TPC-H's tables. */
import type { TpchRow, TpchTable } from './generate.js';

/** Rows of one INSERT: their text stays below what is parsed elsewhere. */
const rowsPerInsert = 400;

export function* loadStatements(table: TpchTable): Generator<string> {
  yield table.create;
  let rows: TpchRow[] = [];
  for (const row of table.rows) {
    rows.push(row);
    if (rows.length < rowsPerInsert) continue;
    yield insert(table.name, rows);
    rows = [];
  }
  if (rows.length > 0) yield insert(table.name, rows);
}

function insert(name: string, rows: readonly TpchRow[]): string {
  const texts = rows.map((row) => `(${row.map(literal).join(',')})`);
  return `INSERT INTO ${name} VALUES ${texts.join(',')}`;
}

function literal(value: string | number): string {
  return typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
}
