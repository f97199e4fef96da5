/** A sequence in FROM: one row with its state. */
import { must } from '../../base/assert.js';
import type { SequenceDescriptor } from '../catalogue/descriptor.js';
import { firstOid } from '../catalogue/index.js';
import type { ScalarFunction } from '../functions/index.js';
import type { Expression } from '../plan/expression.js';
import type { Relation } from '../plan/relation.js';
import type { FunctionContext, TypeName, Value } from '../types/index.js';
import { typeOf } from './coerce.js';
import type { BindContext } from './context.js';

type State = ReturnType<NonNullable<FunctionContext['sequences']>['state']>;

export function sequenceRelation(context: BindContext, sequence: SequenceDescriptor): Relation {
  const oid = sequence.object + firstOid;
  const value = (name: string, result: TypeName, of: (state: State) => Value): Expression => {
    const called: ScalarFunction = {
      name,
      form: 'function',
      parameters: [],
      result,
      modifier: -1,
      strict: true,
      volatility: 'volatile',
      usesContext: true,
      implementation: (functions) => {
        const { sequences } = functions as FunctionContext;
        return of(must(sequences, 'sequences are read within a session').state(oid));
      },
      commutator: undefined,
      negator: undefined,
      comparison: undefined,
    };
    return { kind: 'call', type: typeOf(result), function: called, arguments: [] };
  };
  const row = [
    value('last_value', 'int8', ({ lastValue }) => lastValue),
    // How many numbers PostgreSQL's log is ahead: nothing here is.
    value('log_cnt', 'int8', () => 0n),
    value('is_called', 'bool', ({ isCalled }) => isCalled),
  ];
  const names = ['last_value', 'log_cnt', 'is_called'];
  const columns = row.map(({ type }, i) => ({
    column: context.nextColumn(),
    name: names[i] ?? '',
    type,
  }));
  return { kind: 'values', columns, rows: [row] };
}
