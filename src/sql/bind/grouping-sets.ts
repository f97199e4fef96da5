/** GROUPING SETS, ROLLUP and CUBE as lists of sets (parse_agg.c of PostgreSQL). */
import { unreachable } from '../../base/assert.js';
import { as, type ast, fields, locationOf } from '../parse/index.js';
import type { BindContext } from './context.js';

/** What a node of GROUP BY stands for: sets of expressions, one of which a row is grouped by. */
type Sets<E> = readonly (readonly E[])[];

/** CUBE of more is refused, as are more sets than this. */
const cubeMax = 12;
const setsMax = 4096;

/**
 * The grouping sets of a GROUP BY clause, short ones first; `bind` gives the expression of a node.
 * Several nodes combine: each set of the one with each of the other.
 */
export function groupingSets<E>(
  context: BindContext,
  nodes: readonly ast.Node[],
  distinct: boolean,
  bind: (node: ast.Node) => E,
): Sets<E> {
  let sets: Sets<E> = [[]];
  for (const node of nodes) {
    const next = setsOf(context, node, bind);
    if (sets.length * next.length > setsMax) tooMany(context);
    sets = sets.flatMap((set) => next.map((other) => [...new Set([...set, ...other])]));
  }
  const ordered = sets.toSorted((a, b) => a.length - b.length);
  if (!distinct) return ordered;
  return ordered.filter((set, i) => ordered.findIndex((other) => isSame(set, other)) === i);
}

function isSame<E>(a: readonly E[], b: readonly E[]): boolean {
  return a.length === b.length && a.every((one) => b.includes(one));
}

function tooMany(context: BindContext): never {
  const text = `too many grouping sets present (maximum ${setsMax})`;
  context.raise(undefined, 'statement_too_complex', text);
}

function setsOf<E>(context: BindContext, node: ast.Node, bind: (node: ast.Node) => E): Sets<E> {
  const set = as(node, 'GroupingSet');
  if (set === undefined) return [elementOf(node, bind)];
  const { kind, content = [] } = fields(context.source, 'GroupingSet', set, ['kind', 'content']);
  switch (kind) {
    case 'GROUPING_SET_EMPTY':
    case undefined:
      return [[]];
    case 'GROUPING_SET_SIMPLE':
      return [content.flatMap((one) => elementOf(one, bind))];
    case 'GROUPING_SET_SETS':
      return content.flatMap((one) => setsOf(context, one, bind));
    case 'GROUPING_SET_ROLLUP': {
      const elements = content.map((one) => elementOf(one, bind));
      return [...elements.keys(), elements.length]
        .toReversed()
        .map((count) => elements.slice(0, count).flat());
    }
    case 'GROUPING_SET_CUBE': {
      if (content.length > cubeMax) {
        const text = `CUBE is limited to ${cubeMax} elements`;
        context.raise(locationOf(set), 'too_many_columns', text);
      }
      const elements = content.map((one) => elementOf(one, bind));
      const count = 2 ** elements.length;
      return Array.from({ length: count }, (_, i) =>
        elements.filter((_element, at) => ((count - 1 - i) >> at) % 2 === 1).flat(),
      );
    }
    default:
      return unreachable(kind);
  }
}

/** `(a, b)` counts as one element of ROLLUP and CUBE. */
function elementOf<E>(node: ast.Node, bind: (node: ast.Node) => E): readonly E[] {
  const row = as(node, 'RowExpr');
  if (row?.row_format !== 'COERCE_IMPLICIT_CAST') return [bind(node)];
  return (row.args ?? []).flatMap((arg) => elementOf(arg, bind));
}
