/**
 * Nothing is ignored in silence: whoever handles a node names the fields that it reads, and a field
 * with a value that nobody named fails with 0A000 and the name of its construct.
 */
import { raise } from '../../base/errors.js';
import {
  type IntoClause,
  kindOf,
  locationOf,
  type Node,
  type NodeKind,
  type NodeOf,
} from './ast.js';
import { fieldConstruct, kindConstruct } from './constructs.js';
import { raiseAt, type Source } from './parse.js';

/** Values that say no more than absence does, for fields that the tree always gives. */
const ordinary: Readonly<Record<string, unknown>> = {
  'SelectStmt.limitOption': 'LIMIT_OPTION_DEFAULT',
  'SelectStmt.op': 'SETOP_NONE',
  'RangeVar.inh': true,
  'RangeVar.relpersistence': 'p',
  'FuncCall.funcformat': 'COERCE_EXPLICIT_CALL',
  'CreateStmt.oncommit': 'ONCOMMIT_NOOP',
  'ColumnDef.is_local': true,
  'Constraint.is_enforced': true,
  'Constraint.initially_valid': true,
  'DefElem.defaction': 'DEFELEM_UNSPEC',
  'DropStmt.behavior': 'DROP_RESTRICT',
  'InsertStmt.override': 'OVERRIDING_NOT_SET',
  'IndexElem.ordering': 'SORTBY_DEFAULT',
  'IndexElem.nulls_ordering': 'SORTBY_NULLS_DEFAULT',
  'RowExpr.row_format': 'COERCE_EXPLICIT_CALL',
  'TypeName.typemod': -1,
};

/**
 * The fields `read` of a node of `kind`. Raises feature_not_supported when another one is set.
 * `location` need not be named.
 */
export function fields<K extends NodeKind, const F extends keyof NodeOf<K> & string>(
  source: Source,
  kind: K,
  body: NodeOf<K>,
  read: readonly F[],
): Pick<NodeOf<K>, F> {
  for (const field in body) {
    if (field === 'location' || (read as readonly string[]).includes(field)) continue;
    if (ordinary[`${kind}.${field}`] === body[field]) continue;
    if (kind === 'SelectStmt' && field === 'intoClause')
      refuseInto(source, body as { intoClause?: IntoClause });
    notSupported(source, fieldConstruct(kind, field), location(body));
  }
  return body;
}

/** INTO that its statement does not take: PostgreSQL calls it an error of syntax. */
function refuseInto(source: Source, { intoClause }: { intoClause?: IntoClause }): never {
  const at = intoClause?.rel === undefined ? undefined : locationOf(intoClause.rel);
  raiseAt(source, at, 'syntax_error', 'SELECT ... INTO is not allowed here');
}

/** Raises feature_not_supported for a construct. */
export function notSupported(source: Source, construct: string, at: number | undefined): never {
  raiseAt(source, at, 'feature_not_supported', `${construct} is not supported`);
}

/** Raises feature_not_supported for a whole node. */
export function nodeNotSupported(source: Source, node: Node): never {
  const kind = kindOf(node);
  const body = (node as Record<string, unknown>)[kind];
  if (typeof body !== 'object' || body === null) {
    raise('feature_not_supported', `${kindConstruct(kind)} is not supported`);
  }
  notSupported(source, kindConstruct(kind), location(body));
}

/** Where a node begins; undefined for kinds of nodes whose place the grammar does not record. */
function location(body: object): number | undefined {
  return 'location' in body ? locationOf(body as { location?: number }) : undefined;
}
