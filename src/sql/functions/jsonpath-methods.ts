/** Methods of jsonpath: type(), size(), double(), ceiling(), floor(), abs() and keyvalue(). */
import { unreachable } from '../../base/assert.js';
import { DatabaseError } from '../../base/errors.js';
import { isArray, isObject, jsonObject, type JsonNode, kindOfNode } from '../types/jsonb.js';
import { parseFloat8 } from '../types/float.js';
import type { PathMethod } from '../types/jsonpath.js';
import {
  absNumeric,
  ceilingNumeric,
  floorNumeric,
  Numeric,
  numericOfInteger,
} from '../types/numeric.js';
import { parseNumeric } from '../types/numeric-type.js';
import { Moment, type PathValue } from './jsonpath-datetime.js';
import { fail } from './jsonpath-failure.js';

/** The values of a method; in lax mode a scalar has a size. */
export function pathMethod(name: PathMethod, value: PathValue, lax: boolean): readonly PathValue[] {
  switch (name) {
    case 'type':
      return [value instanceof Moment ? value.typeName : kindOfNode(value)];
    case 'size':
      if (!(value instanceof Moment) && isArray(value)) return [numericOfInteger(value.length)];
      if (lax) return [numericOfInteger(1)];
      return refuse('sql_json_array_not_found', name, 'an array');
    case 'double':
      return [toDouble(value)];
    case 'ceiling':
      return [ceilingNumeric(numeric(name, value))];
    case 'floor':
      return [floorNumeric(numeric(name, value))];
    case 'abs':
      return [absNumeric(numeric(name, value))];
    case 'keyvalue':
      return keyValues(value);
    default:
      return unreachable(name);
  }
}

function refuse(kind: Parameters<typeof fail>[0], name: PathMethod, what: string): never {
  return fail(kind, `jsonpath item method .${name}() can only be applied to ${what}`);
}

function numeric(name: PathMethod, value: PathValue): Numeric {
  if (value instanceof Numeric) return value;
  return refuse('non_numeric_sql_json_item', name, 'a numeric value');
}

function toDouble(value: PathValue): Numeric {
  const isString = typeof value === 'string';
  if (!isString && !(value instanceof Numeric)) {
    return refuse('non_numeric_sql_json_item', 'double', 'a string or numeric value');
  }
  const number = floatOf(isString ? value : value.toString());
  if (number === undefined) {
    const problem = isString
      ? 'string argument of jsonpath item method .double() is not a valid representation of a double precision number'
      : 'numeric argument of jsonpath item method .double() is out of range for type double precision';
    return fail('non_numeric_sql_json_item', problem);
  }
  if (!Number.isFinite(number)) {
    const problem = 'NaN or Infinity is not allowed for jsonpath item method .double()';
    return fail('non_numeric_sql_json_item', problem);
  }
  return parseNumeric(String(number));
}

function floatOf(text: string): number | undefined {
  try {
    return parseFloat8(text);
  } catch (error) {
    if (error instanceof DatabaseError) return undefined;
    throw error;
  }
}

/** `id` tells objects of one result apart; PostgreSQL counts bytes, we give 0 to all. */
function keyValues(value: PathValue): JsonNode[] {
  if (value instanceof Moment || !isObject(value)) {
    return refuse('sql_json_object_not_found', 'keyvalue', 'an object');
  }
  return [...value].map(([key, member]) =>
    jsonObject([
      ['id', numericOfInteger(0)],
      ['key', key],
      ['value', member],
    ]),
  );
}
