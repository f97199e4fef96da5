/** The names of collations in COLLATE clauses. */
import { type ast, stringsOf } from '../parse/index.js';
import {
  baseTypeName,
  isCollation,
  printType,
  typeNamed,
  type TypeName,
  unknownCollation,
} from '../types/index.js';
import type { BindContext } from './context.js';

/** The collation of a clause for values of `type`. Raises 42704 or 42804. */
export function bindCollation(
  context: BindContext,
  nodes: readonly ast.Node[] | undefined,
  type: string,
  at: number | undefined,
): string {
  const name = stringsOf(nodes).at(-1) ?? '';
  if (typeNamed(baseTypeName(type as TypeName)).category !== 'S') {
    const text = `collations are not supported by type ${printType(type, -1)}`;
    context.raise(at, 'datatype_mismatch', text);
  }
  if (!isCollation(name)) context.at(at, () => unknownCollation(name));
  return name;
}
