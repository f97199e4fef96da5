/** Which parts of a table name a function or sequence in their texts. */
import { raise } from '../../base/errors.js';
import { bindExpression, defaultClause } from '../bind/expression.js';
import type { Descriptor, TableDescriptor } from '../catalogue/index.js';
import { parseExpression } from '../parse/index.js';
import type { DdlContext } from './context.js';
import { describe } from './describe.js';
import { TableDraft } from './draft.js';
import { usedWithin } from './uses.js';

interface Use {
  readonly what: string;
  readonly drop: (draft: TableDraft) => void;
}

export function columnUses(
  context: DdlContext,
  table: TableDescriptor,
  cause: Descriptor,
): readonly Use[] {
  if (!table.uses.includes(cause.object)) return [];
  const draft = TableDraft.alter(context, table);
  const shown = describe(context, table);
  const names = (sql: string, alone: boolean): boolean => {
    const { node, source } = parseExpression(sql, { statementBytes: Number.MAX_SAFE_INTEGER });
    const clause = alone ? defaultClause : { ...defaultClause, name: 'DDL', scope: draft.scope() };
    const bind = context.bind.within(source);
    return usedWithin(bind, (inner) => bindExpression(inner, clause, node)).uses.includes(
      cause.object,
    );
  };
  const found: Use[] = [];
  for (const column of table.columns) {
    const { position } = column;
    const given = column.default?.kind === 'expression' ? column.default.sql : undefined;
    if (given !== undefined && names(given, true)) {
      const drop = (one: TableDraft): void => one.setColumn(position, { default: undefined });
      found.push({ what: `default value for column ${column.name} of ${shown}`, drop });
    }
    if (column.generated !== undefined && names(column.generated, false)) {
      const drop = (): never =>
        raise(
          'feature_not_supported',
          'DROP ... CASCADE of what a generated column calls is not supported',
        );
      found.push({ what: `column ${column.name} of ${shown}`, drop });
    }
  }
  for (const check of table.checks) {
    if (!names(check.expression, false)) continue;
    const drop = (one: TableDraft): void => {
      one.set({ checks: one.table.checks.filter(({ name }) => name !== check.name) });
    };
    found.push({ what: `constraint ${check.name} on ${shown}`, drop });
  }
  for (const index of table.indexes) {
    const texts = [index.predicate, ...index.keys.map(({ expression }) => expression)];
    if (!texts.some((text) => text !== undefined && names(text, false))) continue;
    const drop = (one: TableDraft): void => {
      one.set({ indexes: one.table.indexes.filter(({ object }) => object !== index.object) });
    };
    found.push({ what: `index ${index.name}`, drop });
  }
  return found;
}
