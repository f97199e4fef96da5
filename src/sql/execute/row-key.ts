/** Keys of maps and sets for values of several columns: equal exactly when the values are. */
import { raise } from '../../base/errors.js';
import type { ExpressionType } from '../plan/expression.js';
import { type HashKey, type Row, typeNamed, type Value } from '../types/index.js';

/**
 * Gives the key of a row whose values have these types. NULLs are equal to each other here; who
 * joins asks `hasNull` first. Raises 42883 for a type without equality.
 */
export function compileRowKey(types: readonly ExpressionType[]): (values: Row) => HashKey | null {
  const hashKeys = types.map(({ name }) => hashKeyOf(name));
  const [only] = hashKeys;
  if (only !== undefined && hashKeys.length === 1) {
    return (values) => {
      const value = values[0] as Value;
      return value === null ? null : only(value);
    };
  }
  return (values) => {
    let key = '';
    for (let i = 0; i < hashKeys.length; i += 1) {
      const value = values[i] as Value;
      key += value === null ? 'n' : partOf((hashKeys[i] as (value: Value) => HashKey)(value));
    }
    return key;
  };
}

function hashKeyOf(type: string): (value: Value) => HashKey {
  // A literal that nothing has given a type is a text.
  const { hashKey, sqlName } = typeNamed(type === 'unknown' ? 'text' : type);
  if (hashKey !== undefined) return hashKey;
  raise('undefined_function', `could not identify an equality operator for type ${sqlName}`);
}

/** A text says its length first, so that no two lists of parts give one key. */
function partOf(part: HashKey): string {
  return typeof part === 'string' ? `${part.length}:${part}` : `${part};`;
}

export function hasNull(values: Row): boolean {
  for (const value of values) if (value === null) return true;
  return false;
}

/** V8's share of an entry of a Map, bytes, with its key. */
export const mapEntryBytes = 64;
