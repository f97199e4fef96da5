/** The type that several expressions resolve to: chapter 10.5 of PostgreSQL's manual. */
import { raise } from '../../base/errors.js';
import type { TypeName } from '../types/index.js';
import {
  baseTypeName,
  collationOf,
  mergeCollations,
  typeNamed,
  withCollation,
} from '../types/index.js';
import { canCoerce } from './casts.js';

/**
 * The type that the branches of UNION, CASE, COALESCE, VALUES, IN, GREATEST... resolve to; `text`
 * when all are unknown. Raises 42804 `${construct} types integer and text cannot be matched`.
 */
export function resolveCommonType(types: readonly TypeName[], construct: string): TypeName {
  const common = commonType(types);
  if (typeof common === 'string') {
    const collation = mergeCollations(types.map(collationOf));
    return withCollation(common === 'unknown' ? 'text' : common, collation);
  }
  const [left, right] = common.conflict;
  raise(
    'datatype_mismatch',
    `${construct} types ${typeNamed(left).sqlName} and ${typeNamed(right).sqlName} cannot be matched`,
  );
}

/**
 * The common type of arguments of the family anycompatible; undefined when there is none or one of
 * them cannot become it.
 */
export function commonTypeOrNone(types: readonly TypeName[]): TypeName | undefined {
  const common = commonType(types);
  if (typeof common !== 'string') return undefined;
  return types.every((type) => canCoerce(type, common, 'implicit')) ? common : undefined;
}

interface Conflict {
  readonly conflict: readonly [TypeName, TypeName];
}

/** `unknown` when all are unknown. */
function commonType(types: readonly TypeName[]): TypeName | Conflict {
  const [first] = types;
  // A domain stays one only where all agree.
  if (first !== undefined && types.every((type) => type === first)) return first;
  let chosen: TypeName = 'unknown';
  for (const given of types) {
    const type = baseTypeName(given);
    if (type === 'unknown' || type === chosen) continue;
    if (chosen === 'unknown') {
      chosen = type;
      continue;
    }
    const current = typeNamed(chosen);
    if (current.category !== typeNamed(type).category) return { conflict: [chosen, type] };
    const widens = canCoerce(chosen, type, 'implicit') && !canCoerce(type, chosen, 'implicit');
    if (!current.preferred && widens) chosen = type;
  }
  return chosen;
}
