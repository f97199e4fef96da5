/** GRANT and REVOKE of rights on objects. */
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import {
  bestGrantor,
  columnGrants,
  denied,
  granted,
  kindWords,
  revoked,
  rightOfWord,
  wordOfRight,
} from '../accounts/index.js';
import {
  allRights,
  columnRights,
  everyone,
  type Grant,
  type GrantableKind,
  grantableKind,
  grantsOn,
  type OwnedDescriptor,
  right,
  type TableDescriptor,
  type ViewDescriptor,
} from '../catalogue/index.js';
import { type ast, fields, stringsOf, the } from '../parse/index.js';
import { audited } from './audited.js';
import type { DdlContext } from './context.js';
import { grantedObjects } from './grant-objects.js';
import { principalOf } from './permission.js';
import { grantee, roleSpec } from './role-spec.js';
import { replaceInColumns } from './sequence.js';

/** What a statement gives or takes. */
export interface Change {
  readonly grants: boolean;
  /** WITH GRANT OPTION, or GRANT OPTION FOR. */
  readonly options: boolean;
  readonly cascade: boolean;
  readonly grantees: readonly ObjectId[];
}

/** The rights of a list; undefined for ALL, which is no list. */
export interface Asked {
  readonly rights: number | undefined;
  readonly columns: readonly {
    readonly rights: number | undefined;
    readonly names: readonly string[];
  }[];
}

export function grant(context: DdlContext, body: ast.GrantStmt): string {
  const { bind } = context;
  const read = fields(bind.source, 'GrantStmt', body, [
    ...(['is_grant', 'targtype', 'objtype', 'objects', 'privileges', 'grantees'] as const),
    ...(['grant_option', 'grantor', 'behavior'] as const),
  ]);
  const change = changeOf(context, read);
  if (read.grantor !== undefined) {
    const grantor = roleSpec(context, read.grantor);
    if (grantor.object !== principalOf(context).role) {
      raise('feature_not_supported', 'grantor must be current user');
    }
  }
  const { kind, objects } = grantedObjects(context, read);
  const asked = askedOf(read.privileges, kind);
  for (const object of objects) changeObject(context, object, asked, change, kind);
  audited(context, bind.source.text.trim());
  return change.grants ? 'GRANT' : 'REVOKE';
}

export function changeOf(context: DdlContext, body: ast.GrantStmt): Change {
  const grants = body.is_grant === true;
  const grantees = (body.grantees ?? []).map((node) => grantee(context, node));
  const options = body.grant_option === true;
  if (grants && options && grantees.includes(everyone)) {
    raise('invalid_grant_operation', 'grant options can only be granted to roles');
  }
  return { grants, options, grantees, cascade: body.behavior === 'DROP_CASCADE' };
}

/** Raises invalid_grant_operation for a right that there is not on the kind. */
export function askedOf(nodes: readonly ast.Node[] | undefined, kind: GrantableKind): Asked {
  if (nodes === undefined) return { rights: undefined, columns: [] };
  let rights: number | undefined = 0;
  const columns: { rights: number | undefined; names: readonly string[] }[] = [];
  for (const node of nodes) {
    const { priv_name: word, cols } = the(node, 'AccessPriv');
    if (cols !== undefined) {
      if (kind !== 'table') {
        raise('invalid_grant_operation', 'column privileges are only valid for relations');
      }
      const bit = word === undefined ? undefined : rightNamed(word);
      if (bit !== undefined) requireValid(bit, columnRights, 'column');
      columns.push({ rights: bit, names: stringsOf(cols) });
    } else if (word === undefined) rights = undefined;
    else {
      const bit = rightNamed(word);
      // GRANT without SEQUENCE is taken for sequences, which have USAGE beside the rights of tables.
      const valid = kind === 'table' ? allRights.table | allRights.sequence : allRights[kind];
      requireValid(bit, valid, kindWords[kind]);
      if (rights !== undefined) rights |= bit;
    }
  }
  return { rights, columns };
}

function rightNamed(word: string): number {
  const bit = rightOfWord(word);
  if (bit === undefined) raise('syntax_error', `unrecognized privilege type "${word}"`);
  return bit;
}

function requireValid(bit: number, valid: number, what: string): void {
  if ((bit & valid) !== 0) return;
  raise('invalid_grant_operation', `invalid privilege type ${wordOfRight(bit)} for ${what}`);
}

function changeObject(
  context: DdlContext,
  given: OwnedDescriptor,
  asked: Asked,
  change: Change,
  said: GrantableKind,
): void {
  const { catalogue } = context;
  // A statement may name an object twice.
  const object = catalogue.object(given.object) as OwnedDescriptor;
  const kind = grantableKind(object);
  const all = allRights[kind];
  let rights = asked.rights ?? all;
  if (kind === 'sequence' && said === 'table' && (rights & ~all) !== 0) {
    const text = `sequence "${object.name}" only supports USAGE, SELECT, and UPDATE privileges`;
    context.notice(text, '0LP01');
    rights &= all;
  } else if (kind === 'table') requireTableRights(object, rights);
  let next = object;
  if (rights !== 0 || asked.columns.length === 0) {
    const before = grantsOn(object);
    const isAll = asked.rights === undefined;
    const { grantor, allowed } = grantorOf(context, object, before, rights, { ...change, isAll });
    next = { ...object, privileges: changed(context, object, before, allowed, grantor, change) };
    if (!change.grants && (allowed & columnRights) !== 0) {
      // What is taken of the whole is taken of each column.
      next = withColumns(context, next, allowed & columnRights, undefined, change, grantor);
    }
  }
  for (const { rights: bits = columnRights, names } of asked.columns) {
    next = withColumns(context, next, bits, names, change, undefined);
  }
  const put = { ...next, version: object.version + 1 } as OwnedDescriptor;
  catalogue.put(put, object);
  if (put.kind === 'sequence') replaceInColumns(context, put);
}

function requireTableRights(object: OwnedDescriptor, rights: number): void {
  const wrong = rights & ~allRights.table;
  if (wrong === 0) return;
  raise(
    'invalid_grant_operation',
    `invalid privilege type ${wordOfRight(right.usage & wrong)} for ${
      object.kind === 'view' ? 'relation' : 'table'
    }`,
  );
}

/**
 * Who grants, and what of the rights he may grant. Raises insufficient_privilege where he has no right
 * on the object at all.
 */
function grantorOf(
  context: DdlContext,
  object: OwnedDescriptor,
  grants: readonly Grant[],
  rights: number,
  how: Change & { readonly isAll: boolean; readonly column?: string },
): { readonly grantor: ObjectId; readonly allowed: number } {
  const principal = principalOf(context);
  const { grantor, options } = bestGrantor(grants, rights, { owner: object.owner, principal });
  if (options === 0) {
    const has = principal.rightsOf(grants) | principal.optionsOn(object, grants);
    if (has === 0) denied(object);
  }
  const allowed = rights & options;
  if (allowed !== rights) {
    const none = allowed === 0;
    const verb = how.grants ? 'granted' : 'revoked';
    const of = how.column === undefined ? '' : ` for column "${how.column}" of relation`;
    const where = how.column === undefined ? ` for "${object.name}"` : `${of} "${object.name}"`;
    const could = how.grants ? 'were' : 'could be';
    if (none) context.notice(`no privileges ${could} ${verb}${where}`, '01007');
    else if (!how.isAll) context.notice(`not all privileges ${could} ${verb}${where}`, '01007');
  }
  return { grantor, allowed };
}

/** The grants after the change. */
export function changed(
  context: DdlContext,
  { owner }: Pick<OwnedDescriptor, 'owner'>,
  before: readonly Grant[],
  rights: number,
  grantor: ObjectId,
  change: Change,
): readonly Grant[] {
  const scope = { owner, principal: principalOf(context) };
  let grants = before;
  for (const to of change.grantees) {
    if (change.grants) {
      const options = change.options ? rights : 0;
      grants = granted(grants, { grantee: to, grantor, rights, options }, scope);
    } else {
      const taken = { grantee: to, grantor, rights: change.options ? 0 : rights, options: rights };
      grants = revoked(grants, taken, scope, change.cascade);
    }
  }
  return grants;
}

/** The relation with other grants on columns: of those named, or of all. */
function withColumns(
  context: DdlContext,
  object: OwnedDescriptor,
  rights: number,
  names: readonly string[] | undefined,
  change: Change,
  grantor: ObjectId | undefined,
): OwnedDescriptor {
  if (object.kind !== 'table' && object.kind !== 'view') return object;
  for (const name of names ?? []) {
    if (object.columns.some((column) => column.name === name)) continue;
    const text = `column "${name}" of relation "${object.name}" does not exist`;
    raise('undefined_column', text);
  }
  const of = columnGrants(object);
  const next = (name: string, position: number): readonly Grant[] | undefined => {
    const own = of.get(position) ?? [];
    if (names === undefined ? own.length === 0 : !names.includes(name)) return of.get(position);
    const all = [...grantsOn(object), ...own];
    const found =
      grantor === undefined
        ? grantorOf(context, object, all, rights, { ...change, isAll: false, column: name })
        : { grantor, allowed: rights };
    const after = changed(context, object, own, found.allowed, found.grantor, change);
    return after.length === 0 ? undefined : after;
  };
  if (object.kind === 'table') {
    const columns = object.columns.map((column): TableDescriptor['columns'][number] => ({
      ...column,
      privileges: next(column.name, column.position),
    }));
    return { ...object, columns };
  }
  const columns = object.columns.map((column, i): ViewDescriptor['columns'][number] => ({
    ...column,
    privileges: next(column.name, i + 1),
  }));
  return { ...object, columns };
}
