/** Methods of jsonpath: type(), size(), double(), ceiling(), floor(), abs() and keyvalue(). */
import { unreachable } from '../../base/assert.js';
import { DatabaseError } from '../../base/errors.js';
import { isArray, isObject, jsonObject, type JsonNode } from '../types/jsonb.js';
import type { PathMethod } from '../types/jsonpath.js';
import {
  absNumeric,
  ceilingNumeric,
  floorNumeric,
  Numeric,
  numericOfInteger,
} from '../types/numeric.js';
import { parseNumeric } from '../types/numeric-type.js';
import { Moment } from './jsonpath-datetime.js';
import { fail, type PathValue } from './jsonpath-execute.js';

/** The values of a method; in lax mode a scalar has a size. */
export function pathMethod(name: PathMethod, value: PathValue, lax: boolean): readonly PathValue[] {
  switch (name) {
    case 'type':
      return [typeOf(value)];
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

function typeOf(value: PathValue): string {
  if (value instanceof Moment) return value.typeName;
  if (value === null) return 'null';
  if (value instanceof Numeric) return 'number';
  if (isArray(value)) return 'array';
  return isObject(value) ? 'object' : typeof value;
}

function numeric(name: PathMethod, value: PathValue): Numeric {
  if (value instanceof Numeric) return value;
  return refuse('non_numeric_sql_json_item', name, 'a numeric value');
}

function toDouble(value: PathValue): Numeric {
  if (value instanceof Numeric || typeof value === 'string') {
    const number = Number(typeof value === 'string' ? value.trim() : value.toString());
    const text = typeof value === 'string' ? value.trim() : '';
    if (/^[+-]?(nan|inf(inity)?)$/i.test(text) || !Number.isFinite(number)) {
      if (/^[+-]?(nan|inf(inity)?)$/i.test(text)) {
        const problem = 'NaN or Infinity is not allowed for jsonpath item method .double()';
        fail('non_numeric_sql_json_item', problem);
      }
      const problem =
        typeof value === 'string'
          ? 'string argument of jsonpath item method .double() is not a valid representation of a double precision number'
          : 'numeric argument of jsonpath item method .double() is out of range for type double precision';
      fail('non_numeric_sql_json_item', problem);
    }
    try {
      return parseNumeric(String(number));
    } catch (error) {
      if (error instanceof DatabaseError) return fail(error.kind, error.message);
      throw error;
    }
  }
  return refuse('non_numeric_sql_json_item', 'double', 'a string or numeric value');
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
