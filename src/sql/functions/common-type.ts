/** The type that several expressions resolve to: chapter 10.5 of PostgreSQL's manual. */
import { raise } from '../../base/errors.js';
import type { TypeName } from '../types/index.js';
import { typeNamed } from '../types/index.js';
import { canCoerce } from './casts.js';

/**
 * The type that the branches of UNION, CASE, COALESCE, VALUES, IN, GREATEST... resolve to; `text`
 * when all are unknown. Raises 42804 `${construct} types integer and text cannot be matched`.
 */
export function resolveCommonType(types: readonly TypeName[], construct: string): TypeName {
  let chosen: TypeName = 'unknown';
  for (const type of types) {
    if (type === 'unknown' || type === chosen) continue;
    if (chosen === 'unknown') {
      chosen = type;
      continue;
    }
    const current = typeNamed(chosen);
    const next = typeNamed(type);
    if (current.category !== next.category) {
      raise(
        'datatype_mismatch',
        `${construct} types ${current.sqlName} and ${next.sqlName} cannot be matched`,
      );
    }
    const widens = canCoerce(chosen, type, 'implicit') && !canCoerce(type, chosen, 'implicit');
    if (!current.preferred && widens) chosen = type;
  }
  return chosen === 'unknown' ? 'text' : chosen;
}
