/** Random aggregates. */
import type { Expressions, ExpressionScope } from './expressions.js';
import type { FuzzType } from './schema.js';
import { optional, render, sql, type Tree, tree } from './tree.js';

/** An aggregate that gives the type and does not depend on the order of its rows. */
export function aggregate(expressions: Expressions, scope: ExpressionScope, type: FuzzType): Tree {
  const argument = (of: FuzzType): Tree => expressions.expression(scope, of, 1);
  const filter =
    expressions.random.below(4) === 0
      ? optional(sql` FILTER (WHERE ${argument('bool')})`)
      : tree(['']);
  const distinct = expressions.random.below(4) === 0 ? optional(tree(['DISTINCT '])) : tree(['']);
  switch (type) {
    case 'int':
      return sql`${expressions.pick(['min', 'max', 'bit_or', 'bit_and'])}(${argument('int')})${filter}`;
    case 'bigint':
      return expressions.pick([
        () => sql`count(${distinct}${argument(expressions.plainType())})${filter}`,
        () => sql`sum(${distinct}${argument('int')})${filter}`,
        () => sql`count(*)${filter}`,
      ])();
    case 'numeric':
      return expressions.pick([
        () => sql`avg(${distinct}${argument('int')})${filter}`,
        () => sql`sum(${argument('numeric')})${filter}`,
        () => sql`round(var_samp(${argument('int')})${filter}, 8)`,
        () => sql`round(stddev_pop(${argument('int')})${filter}, 8)`,
      ])();
    case 'float':
      return expressions.pick([
        () => sql`sum(${argument('float')})${filter}`,
        () => sql`percentile_cont(0.5) WITHIN GROUP (ORDER BY ${argument('float')})${filter}`,
      ])();
    case 'text': {
      // One text: the order must stay that of the values when the statement is made small.
      const value = render(argument('text'));
      return sql`string_agg(${value}, ',' ORDER BY ${value})${filter}`;
    }
    case 'bool':
      return sql`${expressions.pick(['bool_and', 'bool_or', 'every'])}(${argument('bool')})${filter}`;
    case 'jsonb':
      return sql`to_jsonb(max(${argument('int')})${filter})`;
    case 'intArray': {
      const value = render(argument('int'));
      return sql`array_agg(${value} ORDER BY ${value})${filter}`;
    }
    case 'date':
    case 'timestamp':
      return sql`${expressions.pick(['min', 'max'])}(${argument(type)})${filter}`;
  }
}
