/** Parameters as clients send them, read by their types. */
import { raise } from '../../base/errors.js';
import type { ExpressionType } from '../plan/expression.js';
import { type FunctionContext, Numeric, typeNamed, type Value } from '../types/index.js';
import type { ParameterValue } from './protocol.js';

const none: readonly Value[] = [];

/** Raises protocol_violation unless there is one for each type, and what reading a value raises. */
export function readParameters(
  given: readonly ParameterValue[],
  types: readonly ExpressionType[],
  functions: FunctionContext,
): readonly Value[] {
  if (given.length < types.length) {
    raise('undefined_parameter', `there is no parameter $${given.length + 1}`);
  }
  if (given.length !== types.length) {
    raise(
      'protocol_violation',
      `${given.length} parameters were sent, but the statement takes ${types.length}`,
    );
  }
  if (given.length === 0) return none;
  const values = new Array<Value>(given.length);
  for (let i = 0; i < given.length; i += 1) {
    values[i] = readParameter(given[i] ?? null, (types[i] as ExpressionType).name, functions);
  }
  return values;
}

function readParameter(given: ParameterValue, type: string, functions: FunctionContext): Value {
  if (given === null) return null;
  switch (typeof given) {
    case 'number':
      // The values that need no text: whole numbers in range, floats.
      if (type === 'int4' && (given | 0) === given) return given;
      if (type === 'int2' && (given << 16) >> 16 === given) return given;
      if (type === 'int8' && Number.isSafeInteger(given)) return BigInt(given);
      if (type === 'float8') return given;
      if (type === 'numeric' && Number.isSafeInteger(given)) return new Numeric(BigInt(given), 0);
      // JSON has rounded it already: the number that was meant is gone.
      if ((type === 'int8' || type === 'numeric') && Number.isInteger(given)) {
        if (!Number.isSafeInteger(given)) {
          raise(
            'numeric_value_out_of_range',
            'a whole number beyond 2^53 must be sent as a string',
          );
        }
      }
      break;
    case 'bigint':
      if (type === 'int8' && BigInt.asIntN(64, given) === given) return given;
      break;
    case 'boolean':
      if (type === 'bool') return given;
      break;
    case 'object':
      if (type === 'bytea') return given;
      raise('invalid_text_representation', `a parameter of type ${type} cannot be given as bytes`);
      break;
    default:
  }
  return typeNamed(type).parse(String(given), -1, functions);
}
