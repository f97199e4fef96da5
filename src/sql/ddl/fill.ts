/** Statements over descriptors that DDL runs to bring rows into a table. */
import type { BindContext } from '../bind/context.js';
import { bindWriteRules } from '../bind/table-rules.js';
import type { TableDescriptor } from '../catalogue/index.js';
import type { Relation } from '../plan/relation.js';
import type { DataStatement } from '../plan/statement.js';

/** Puts the rows of `input`, which has the table's columns but generated ones in order, into the table. */
export function fillTable(
  bind: BindContext,
  table: TableDescriptor,
  input: Relation,
): Extract<DataStatement, { kind: 'insert' }> {
  bind.used.set(table.object, table);
  return {
    kind: 'insert',
    table,
    rules: bindWriteRules(bind, table),
    input,
    positions: table.columns
      .filter(({ generated }) => generated === undefined)
      .map(({ position }) => position),
    defaults: [],
    onConflict: undefined,
    returning: undefined,
  };
}
