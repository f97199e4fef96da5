/** Statements over descriptors that DDL runs to bring rows into a table. */
import type { BindContext } from '../bind/context.js';
import { bindWriteRules } from '../bind/table-rules.js';
import type { TableDescriptor } from '../catalogue/index.js';
import type { Relation } from '../plan/relation.js';
import type { DataStatement } from '../plan/statement.js';
import type { WriteRules } from '../plan/table-rules.js';

type Insert = Extract<DataStatement, { kind: 'insert' }>;

/** Puts the rows of `input`, which has the table's columns but generated ones in order, into the table. */
export function fillTable(bind: BindContext, table: TableDescriptor, input: Relation): Insert {
  return insertInto(bind, bindWriteRules(bind, table), input);
}

/** The same with the rows that the table had before: errors speak of rows that are there. */
export function refillTable(bind: BindContext, table: TableDescriptor, input: Relation): Insert {
  const { target, tables } = bindWriteRules(bind, table);
  const rebuilt = { ...target, rebuilt: true };
  const rules = { target: rebuilt, tables: new Map(tables).set(table.object, rebuilt) };
  return insertInto(bind, rules, input);
}

function insertInto(bind: BindContext, rules: WriteRules, input: Relation): Insert {
  const { table } = rules.target;
  bind.used.set(table.object, table);
  return {
    kind: 'insert',
    table,
    rules,
    input,
    positions: table.columns
      .filter(({ generated }) => generated === undefined)
      .map(({ position }) => position),
    defaults: [],
    onConflict: undefined,
    returning: undefined,
  };
}
