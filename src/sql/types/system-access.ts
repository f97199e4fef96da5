/** What functions ask of the system catalogues, by OIDs as system relations show them. */
import type { NamedOid } from './registered.js';
import type { RegisteredTypeName } from './type.js';
import type { Row, Value } from './value.js';

export interface SystemAccess {
  /** The answer of a function that needs the catalogue; arguments as it was called with. */
  call(name: string, values: readonly Value[]): Value;
  /** The same of a function that returns a set. */
  rows(name: string, values: readonly Value[]): Iterable<Value | Row>;
  /** What a text names. Raises what such names raise. */
  registered(type: Exclude<RegisteredTypeName, 'regclass' | 'regtype'>, text: string): NamedOid;
  /** An OID with the name of what it stands for. */
  named(type: RegisteredTypeName, oid: number): NamedOid;
}
