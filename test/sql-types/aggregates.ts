/** Aggregates over short lists of values, ours and PostgreSQL's. */
import { DatabaseError } from '#src/base/errors.js';
import { resolveFunction } from '#src/sql/functions/index.js';
import { type FunctionContext, type TypeName, typeNamed } from '#src/sql/types/index.js';
import type { Answer } from './evaluator.js';
import type { Oracle } from './oracle.js';

export interface AggregateCase {
  readonly name: string;
  readonly type: TypeName;
  /** Texts of the type; null for NULL. */
  readonly values: readonly (string | null)[];
}

const statistics = [
  'sum',
  'avg',
  'variance',
  'var_pop',
  'stddev',
  'stddev_pop',
  'min',
  'max',
  'count',
];
const extremes = ['min', 'max', 'count', 'any_value', 'json_agg', 'jsonb_agg'];

const lists: readonly (readonly [readonly string[], TypeName, readonly (string | null)[]])[] = [
  [statistics, 'int2', ['1', '2', '4', null]],
  [statistics, 'int4', ['2147483647', '2147483647', '-5']],
  [statistics, 'int4', []],
  [statistics, 'int4', [null]],
  [statistics, 'int4', ['7']],
  [statistics, 'int8', ['9223372036854775807', '9223372036854775807', '1']],
  [statistics, 'numeric', ['1.10', '2.205', '-3', null]],
  [statistics, 'numeric', ['0.00', '0.0']],
  [statistics, 'numeric', ['NaN', '1']],
  [statistics, 'numeric', ['Infinity', '-Infinity']],
  [statistics, 'numeric', ['1e20', '3.333']],
  [statistics, 'float4', ['1.1', '2.2', '3.3']],
  [statistics, 'float8', ['0.1', '0.2', '0.3', null]],
  [statistics, 'float8', ['1e308', '1e308']],
  [statistics, 'float8', ['NaN', '1', 'Infinity']],
  [['sum', 'avg', 'min', 'max'], 'interval', ['1 day', '2 mons 3:00', '-5 days']],
  [extremes, 'text', ['b', null, 'a', '😀', '～']],
  [extremes, 'date', ['2020-01-02', '2020-01-01', 'infinity']],
  [extremes, 'timestamptz', ['2020-01-02 10:00+01', '2020-01-01']],
  [extremes, 'time', ['10:00', '09:00']],
  [extremes, 'bpchar', ['b ', 'a']],
  [extremes, 'bytea', ['\\x01', '\\x0100']],
  [['bool_and', 'bool_or', 'every', 'count', 'json_agg'], 'bool', ['t', 'f', null]],
  [['bool_and', 'bool_or'], 'bool', ['t', null]],
  [['bool_and', 'bool_or'], 'bool', []],
  [['bit_and', 'bit_or', 'bit_xor'], 'int4', ['12', '10', null]],
  [['bit_and', 'bit_or', 'bit_xor'], 'int8', ['12', '10']],
  [['json_agg', 'jsonb_agg'], 'numeric', ['1.50', null]],
  [['json_agg', 'jsonb_agg'], 'jsonb', ['{"a": [1]}', 'null']],
  [['sum', 'max', 'string_agg'], 'bool', ['t']],
  [['sum', 'min'], 'text', ['1']],
  [['min'], 'jsonb', ['1']],
  [['max'], 'varchar', ['a', 'b']],
];

export const aggregateCases: readonly AggregateCase[] = lists.flatMap(([names, type, values]) =>
  names.map((name) => ({ name, type, values })),
);

export function runAggregate(
  name: string,
  type: TypeName,
  values: readonly (string | null)[],
  context: FunctionContext,
): Answer {
  try {
    const resolved = resolveFunction(name, [type]);
    if (resolved.kind !== 'aggregate') throw new Error(`${name} is no aggregate`);
    const aggregate = resolved.function;
    let state = aggregate.init();
    for (const text of values) {
      if (text === null && aggregate.strict) continue;
      const value = text === null ? null : typeNamed(type).parse(text, -1, context);
      state = aggregate.step(state, value, null, context);
    }
    if (aggregate.sizeOf(state) <= 0) throw new Error('a state without size');
    const result = aggregate.final(state, context, []);
    const { oid, print } = typeNamed(aggregate.result);
    return { oid, text: result === null ? null : print(result, context) };
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    return { sqlstate: error.sqlstate, message: error.message };
  }
}

export async function askAggregate(
  oracle: Oracle,
  name: string,
  type: TypeName,
  values: readonly (string | null)[],
): Promise<Answer> {
  const rows = values.map((text) => (text === null ? '(null)' : `('${text}')`));
  const from =
    rows.length === 0 ? 'from (select null where false) v(x)' : `from (values ${rows.join()}) v(x)`;
  return oracle.ask(`${name}(x::${type}) ${from}`);
}
