/** Types as SQL names them. */
import { must } from '../../base/assert.js';
import { DatabaseError } from '../../base/errors.js';
import { as, fields, notSupported, raiseAt, type Source, stringsOf } from '../parse/index.js';
import type { ast } from '../parse/index.js';
import type { ExpressionType } from '../plan/expression.js';
import { typeNamed, types, type TypeName } from '../types/index.js';

/** An expression's type with the name in the registry. */
export interface BoundType extends ExpressionType {
  readonly name: TypeName;
}

/** PostgreSQL's types that are not there yet: they fail as not supported, not as unknown. */
const notYet = new Set(
  `bit varbit money inet cidr macaddr macaddr8 point line lseg box path polygon circle xml timetz
   tsvector tsquery int4range int8range numrange tsrange tstzrange daterange int4multirange
   int8multirange nummultirange tsmultirange tstzmultirange datemultirange regclass regtype regproc
   regprocedure regnamespace regrole regoper regoperator regconfig regdictionary regcollation char
   oidvector int2vector tid xid xid8 cid pg_lsn jsonpath record anyelement cstring refcursor
   txid_snapshot pg_snapshot`.split(/\s+/),
);

export function isTypeName(name: string): name is TypeName {
  return types.has(name as TypeName);
}

/** The type that a TypeName node names. Raises undefined_object, 0A000 and errors of its modifier. */
export function bindTypeName(source: Source, node: ast.TypeName | undefined): BoundType {
  const typeName = must(node, 'the grammar gives a type');
  const { names, typmods } = fields(source, 'TypeName', typeName, ['names', 'typmods', 'typemod']);
  const at = (typeName.location ?? 0) < 0 ? undefined : (typeName.location ?? 0);
  const path = stringsOf(names);
  const name = path.at(-1) ?? '';
  const schema = path.at(-2);
  if (schema !== undefined && schema !== 'pg_catalog') {
    raiseAt(source, at, 'undefined_object', `type "${path.join('.')}" does not exist`);
  }
  if (!isTypeName(name) || name === 'unknown' || name === 'void') {
    if (notYet.has(name)) notSupported(source, `type ${name}`, at);
    raiseAt(source, at, 'undefined_object', `type "${name}" does not exist`);
  }
  if (typmods === undefined) return { name, modifier: -1 };
  return { name, modifier: bindModifier(source, name, typmods, at) };
}

function bindModifier(
  source: Source,
  name: TypeName,
  nodes: readonly ast.Node[],
  at: number | undefined,
): number {
  const { modifierOf } = typeNamed(name);
  if (modifierOf === undefined) {
    raiseAt(source, at, 'syntax_error', `type modifier is not allowed for type "${name}"`);
  }
  const numbers = nodes.map((node) => {
    const integer = as(node, 'A_Const')?.ival;
    const minus = as(node, 'A_Expr');
    if (integer !== undefined) return integer.ival ?? 0;
    if (minus !== undefined && minus.lexpr === undefined) {
      return -(as(minus.rexpr, 'A_Const')?.ival?.ival ?? 0);
    }
    return raiseAt(source, at, 'syntax_error', 'type modifiers must be simple constants');
  });
  return placed(source, at, () => modifierOf(numbers));
}

/** Runs `work`; an error that it raises gets the position of the type's name. */
function placed<T>(source: Source, at: number | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    return raiseAt(source, at, error.kind, error.message, error.details);
  }
}
