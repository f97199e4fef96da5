/** What PostgreSQL has and we do not: it fails with 0A000 and its name instead of "does not exist". */
import { raise } from '../../base/errors.js';
import type { TypeName } from '../types/index.js';
import { typeNamed } from '../types/index.js';

/** Text search and JSON paths. */
const operators: ReadonlySet<string> = new Set(['@@', '@?']);

const functions: ReadonlySet<string> = new Set(
  `
  xmlagg nextval currval setval lastval to_tsvector to_tsquery plainto_tsquery ts_rank ts_headline
  setseed
  `
    .trim()
    .split(/\s+/),
);

/** Raises 0A000 for an operator on texts that PostgreSQL has and we do not. */
export function refuseKnownOperator(name: string, argumentTypes: readonly TypeName[]): void {
  const texts = argumentTypes.every((type) => 'SX'.includes(typeNamed(type).category));
  if (texts && operators.has(name)) {
    raise('feature_not_supported', `operator ${name} is not supported`);
  }
}

/** Raises 0A000 for a function that PostgreSQL has and we do not. */
export function refuseKnownFunction(name: string): void {
  if (functions.has(name)) raise('feature_not_supported', `function ${name} is not supported`);
}
