/** GENERATED ALWAYS AS (...) STORED. */
import { raise } from '../../base/errors.js';
import { coerce } from '../bind/coerce.js';
import type { BindContext } from '../bind/context.js';
import { bindExpression } from '../bind/expression.js';
import type { BoundType } from '../bind/type-name.js';
import type { ColumnDescriptor } from '../catalogue/index.js';
import type { ast } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import { columnsRead, walk } from '../rewrite/expressions.js';
import { printType } from '../types/index.js';
import type { TableDraft } from './draft.js';
import { usedWithin } from './uses.js';

/** Positions of the columns of a draft's table that an expression over it reads. */
export function positionsRead(
  { relation }: ReturnType<TableDraft['scope']>,
  expression: Expression,
): readonly number[] {
  const read = columnsRead(expression);
  return relation.positions.filter((_, i) => {
    const column = relation.columns[i];
    return column !== undefined && read.has(column.column);
  });
}

/** Whether it gives the same for the same row, for ever. */
export function isImmutable(expression: Expression): boolean {
  let immutable = true;
  walk(expression, (part) => {
    if (part.kind === 'nextValue') immutable = false;
    if (part.kind === 'call' && part.function.volatility !== 'immutable') immutable = false;
  });
  return immutable;
}

function refuseGenerated(
  draft: TableDraft,
  inner: BindContext,
  { relation }: ReturnType<TableDraft['scope']>,
  expression: Expression,
): void {
  walk(expression, (part) => {
    if (part.kind !== 'column') return;
    const at = relation.columns.findIndex(({ column }) => column === part.column);
    const position = relation.positions[at];
    const read = position === undefined ? undefined : draft.columnAt(position);
    if (read?.generated === undefined) return;
    const text = `cannot use generated column "${read.name}" in column generation expression`;
    inner.raise(inner.locationOf(part), 'invalid_object_definition', text, {
      detail: 'A generated column cannot reference another generated column.',
    });
  });
}

export function checkGenerated(draft: TableDraft, column: ColumnDescriptor, node: ast.Node): void {
  const { bind } = draft.context;
  const scope = draft.scope();
  const clause = { scope, name: 'column generation expressions', aggregates: undefined };
  const { value, uses } = usedWithin(bind, (inner) => {
    const expression = bindExpression(inner, clause, node);
    refuseGenerated(draft, inner, scope, expression);
    return expression;
  });
  draft.set({ uses: [...new Set([...draft.table.uses, ...uses])] });
  const type: BoundType = { name: column.type as BoundType['name'], modifier: column.typeModifier };
  const coerced = coerce(bind, value, type, 'assignment');
  if (coerced === undefined) {
    const wanted = printType(column.type, -1);
    const given = printType(value.type.name, -1);
    const text = `column "${column.name}" is of type ${wanted} but default expression is of type ${given}`;
    raise('datatype_mismatch', text, {
      hint: 'You will need to rewrite or cast the expression.',
    });
  }
  if (!isImmutable(coerced)) {
    raise('invalid_object_definition', 'generation expression is not immutable');
  }
}
