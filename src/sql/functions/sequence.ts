/** The functions on sequences (PostgreSQL's chapter 9.17). */
import { must } from '../../base/assert.js';
import type { FunctionContext, NamedOid, SequenceAccess } from '../types/index.js';
import { define, type Definition, type DefinitionOptions } from './definition.js';

const volatile: DefinitionOptions = { volatility: 'volatile', usesContext: true };

function sequencesOf({ sequences }: FunctionContext): SequenceAccess {
  return must(sequences, 'sequences are used within a session');
}

export const sequenceFunctions: readonly Definition[] = [
  define(
    'nextval(regclass): int8',
    (context: FunctionContext, { oid }: NamedOid) => sequencesOf(context).next(oid),
    volatile,
  ),
  define(
    'currval(regclass): int8',
    (context: FunctionContext, { oid }: NamedOid) => sequencesOf(context).current(oid),
    volatile,
  ),
  define('lastval(): int8', (context: FunctionContext) => sequencesOf(context).last(), volatile),
  define(
    'setval(regclass, int8): int8',
    (context: FunctionContext, { oid }: NamedOid, value: bigint) =>
      sequencesOf(context).set(oid, value, true),
    volatile,
  ),
  define(
    'setval(regclass, int8, bool): int8',
    (context: FunctionContext, { oid }: NamedOid, value: bigint, called: boolean) =>
      sequencesOf(context).set(oid, value, called),
    volatile,
  ),
];
