/** Comparisons of row values, which become comparisons of their entries. */
import { must } from '../../base/assert.js';
import { as, type ast, fields, notSupported } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import { bool } from './coerce.js';
import type { BindContext } from './context.js';
import type { Clause } from './expression.js';
import { bindBinary } from './operator.js';
import { bindEntry } from './record.js';

type Entries = readonly Expression[];

/** The entries of `(a, b)` or `ROW(a, b)`; undefined for any other node. */
export function bindRow(
  context: BindContext,
  clause: Clause,
  node: ast.Node | undefined,
): Entries | undefined {
  const row = as(node, 'RowExpr');
  if (row === undefined) return undefined;
  const { args = [] } = fields(context.source, 'RowExpr', row, ['args', 'row_format']);
  return args.flatMap((arg) => bindEntry(context, clause, arg));
}

/** The entries of the other side of a comparison with a row, which must be as many. */
export function bindOtherRow(
  context: BindContext,
  clause: Clause,
  node: ast.Node,
  count: number,
  at: number | undefined,
): Entries {
  const entries = must(bindRow(context, clause, node), 'the other side is a row');
  if (entries.length === count) return entries;
  context.raise(at, 'syntax_error', 'unequal number of entries in row expressions');
}

/** `left name right`: the first pair of entries that differ decides. */
export function compareRows(
  context: BindContext,
  name: string,
  left: Entries,
  right: Entries,
  at: number | undefined,
): Expression {
  const pairs = left.map((entry, i) => [entry, must(right[i], 'rows of equal length')] as const);
  const compare = (operator: string, [a, b]: readonly [Expression, Expression]): Expression =>
    bindBinary(context, operator, a, b, at);
  switch (name) {
    case '=':
      return joined(
        'and',
        pairs.map((pair) => compare('=', pair)),
      );
    case '<>':
      return joined(
        'or',
        pairs.map((pair) => compare('<>', pair)),
      );
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const strict = name.charAt(0);
      const cases = pairs.map((pair, i) => {
        const operator = i === pairs.length - 1 ? name : strict;
        const before = pairs.slice(0, i).map((earlier) => compare('=', earlier));
        return joined('and', [...before, compare(operator, pair)]);
      });
      return joined('or', cases);
    }
    default:
      return notSupported(context.source, `operator ${name} of row values`, at);
  }
}

/** `row IN (rows)`. */
export function rowIn(
  context: BindContext,
  row: Entries,
  list: readonly Entries[],
  negated: boolean,
  at: number | undefined,
): Expression {
  const comparisons = list.map((other) =>
    compareRows(context, negated ? '<>' : '=', row, other, at),
  );
  return joined(negated ? 'and' : 'or', comparisons);
}

export function joined(kind: 'and' | 'or', operands: readonly Expression[]): Expression {
  const [first] = operands;
  return operands.length === 1 && first !== undefined ? first : { kind, type: bool, operands };
}
