/** Types as SQL names them. */
import { must } from '../../base/assert.js';
import { DatabaseError } from '../../base/errors.js';
import { as, fields, notSupported, raiseAt, type Source, stringsOf } from '../parse/index.js';
import type { ast } from '../parse/index.js';
import type { ExpressionType } from '../plan/expression.js';
import { type CatalogueLookup, rowTypeNameOf, typeNameOf } from '../catalogue/index.js';
import {
  arrayTypeName,
  type FunctionContext,
  printType,
  systemTypeNames,
  typeNamed,
  types,
  type TypeName,
} from '../types/index.js';

/** An expression's type with the name in the registry. */
export interface BoundType extends ExpressionType {
  readonly name: TypeName;
}

/** PostgreSQL's types that are not there yet: they fail as not supported, not as unknown. */
const notYet = new Set(
  `money inet cidr macaddr macaddr8 point line lseg box path polygon circle xml
   tsvector tsquery int4range int8range numrange tsrange tstzrange daterange int4multirange
   int8multirange nummultirange tsmultirange tstzmultirange datemultirange regconfig regdictionary
   pg_lsn jsonpath cstring refcursor pg_node_tree
   txid_snapshot pg_snapshot`.split(/\s+/),
);

export function isTypeName(name: string): name is TypeName {
  return types.has(name as TypeName);
}

/** What names of types are looked up in. */
export interface TypeScope {
  readonly source: Source;
  readonly catalogue: CatalogueLookup;
  /** Where something is said of the type beside errors. */
  readonly functions?: Pick<FunctionContext, 'notice'>;
}

/** The type that a TypeName node names. Raises undefined_object, 0A000 and errors of its modifier. */
export function bindTypeName(scope: TypeScope, node: ast.TypeName | undefined): BoundType {
  const typeName = must(node, 'the grammar gives a type');
  const { source } = scope;
  const { names, typmods, arrayBounds } = fields(source, 'TypeName', typeName, [
    'names',
    'typmods',
    'typemod',
    // PostgreSQL forgets the number of dimensions and their lengths too.
    'arrayBounds',
  ]);
  const at = (typeName.location ?? 0) < 0 ? undefined : (typeName.location ?? 0);
  const path = stringsOf(names);
  const element = findType(scope, path, at);
  if (element === undefined) {
    const written = arrayBounds === undefined ? path.join('.') : `${path.join('.')}[]`;
    raiseAt(source, at, 'undefined_object', `type "${written}" does not exist`);
  }
  const modifier = typmods === undefined ? -1 : bindModifier(scope, element, typmods, at);
  return { name: arrayBounds === undefined ? element : arrayTypeName(element), modifier };
}

/** Types that values have but columns and casts do not name. */
const unnameable: ReadonlySet<string> = new Set(['unknown', 'void', ...systemTypeNames]);

/** The type of a name that may have a schema: a base type, a user's, or that of a table's rows. */
export function findType(
  { source, catalogue }: TypeScope,
  path: readonly string[],
  at: number | undefined,
): TypeName | undefined {
  const name = path.at(-1) ?? '';
  const schema = path.at(-2);
  if (schema === undefined || schema === 'pg_catalog') {
    if (isTypeName(name) && !unnameable.has(name)) return name;
    // An array by its own name: _int4.
    const element = name.slice(1);
    if (name.startsWith('_') && isTypeName(element)) return arrayTypeName(element);
    if (notYet.has(name)) notSupported(source, `type ${name}`, at);
    if (schema !== undefined) return undefined;
  }
  if (schema !== undefined && !catalogue.hasSchema(schema)) {
    raiseAt(source, at, 'invalid_schema_name', `schema "${schema}" does not exist`);
  }
  const made = catalogue.type(schema, name);
  if (made !== undefined) return typeNameOf(made);
  const relation = catalogue.relation(schema, name);
  return relation?.kind === 'table' ? rowTypeNameOf(relation) : undefined;
}

function bindModifier(
  { source, functions }: TypeScope,
  name: TypeName,
  nodes: readonly ast.Node[],
  at: number | undefined,
): number {
  const { modifierOf } = typeNamed(name);
  if (modifierOf === undefined) {
    const shown = isTypeName(name) ? name : printType(name, -1);
    raiseAt(source, at, 'syntax_error', `type modifier is not allowed for type "${shown}"`);
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
  // That of an interval stands behind the mask of its fields.
  const digits = (name === 'interval' ? numbers[1] : numbers.at(-1)) ?? 0;
  const word = timeWords[name];
  if (word !== undefined && digits > timeDigitsMax) {
    const [type, zone = ''] = word;
    const text = `${type}(${digits})${zone} precision reduced to maximum allowed, ${timeDigitsMax}`;
    functions?.notice?.('warning', '22023', text);
  }
  return placed(source, at, () => modifierOf(numbers));
}

/** Digits behind the point of a second. */
const timeDigitsMax = 6;

const timeWords: Readonly<Record<string, readonly [string, string?]>> = {
  interval: ['INTERVAL'],
  time: ['TIME'],
  timestamp: ['TIMESTAMP'],
  timestamptz: ['TIMESTAMP', ' WITH TIME ZONE'],
  timetz: ['TIME', ' WITH TIME ZONE'],
};

/** Runs `work`; an error that it raises gets the position of the type's name. */
function placed<T>(source: Source, at: number | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    return raiseAt(source, at, error.kind, error.message, error.details);
  }
}
