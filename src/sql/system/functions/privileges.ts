/** has_table_privilege and its kin, pg_has_role, aclitem: what roles may do. */
import { raise } from '../../../base/errors.js';
import type { ObjectId } from '../../../base/ids.js';
import {
  columnGrants,
  grantOfText,
  grantText,
  rightOfWord,
  singleRights,
  wordOfRight,
} from '../../accounts/index.js';
import {
  allRights,
  columnRights,
  defaultGrants,
  everyone,
  type GrantableKind,
  objectOfOid,
  oidOf,
  type OwnedDescriptor,
  Principal,
  right,
} from '../../catalogue/index.js';
import {
  ArrayValue,
  type NamedOid,
  type RegisteredTypeName,
  type Row,
  type Value,
} from '../../types/index.js';
import { classByOid } from '../relations/class.js';
import type { SystemCatalogue } from '../system-catalogue.js';
import type { SystemFunction, SystemSet } from './index.js';

/** System relations that only superusers read. */
const hidden: ReadonlySet<string> = new Set([
  ...['pg_authid', 'pg_shadow', 'pg_statistic', 'pg_subscription', 'pg_user_mapping'],
]);

/** A role by name or OID; `public` is everyone. */
function roleOf({ catalogue }: SystemCatalogue, given: Value): Principal {
  if (given === 'public' || given === 0) return new Principal(everyone, catalogue);
  if (typeof given !== 'string') return new Principal(objectOfOid(given as number), catalogue);
  const role = catalogue.role(given);
  if (role === undefined) raise('undefined_object', `role "${given}" does not exist`);
  return new Principal(role.object, catalogue);
}

interface Asked {
  readonly right: number;
  /** WITH GRANT OPTION. */
  readonly option: boolean;
}

/** The rights of a list: one of them is enough. */
function askedOf(text: string, valid: number): readonly Asked[] {
  return text.split(',').map((part) => {
    const [, word = '', option] =
      /^\s*(\w+(?:\s+(?!with\b)\w+)*?)(\s+with\s+grant\s+option)?\s*$/i.exec(part) ?? [];
    const bit = rightOfWord(word);
    if (bit !== undefined && (bit & valid) !== 0)
      return { right: bit, option: option !== undefined };
    return raise('invalid_parameter_value', `unrecognized privilege type: "${part.trim()}"`);
  });
}

function has(principal: Principal, object: OwnedDescriptor, asked: readonly Asked[]): boolean {
  const rights = principal.rightsOn(object);
  return asked.some(({ right: bit, option }) =>
    option ? (principal.optionsOn(object) & bit) !== 0 : (rights & bit) !== 0,
  );
}

/** Role, object and the rest of the arguments: without a role it is the current one. */
function parts(
  view: SystemCatalogue,
  values: readonly (Value | undefined)[],
  count: number,
): { readonly principal: Principal; readonly rest: readonly Value[] } {
  const given = values.filter((one) => one !== undefined);
  if (given.length === count) return { principal: view.lookup.principal, rest: given };
  return { principal: roleOf(view, given[0] ?? null), rest: given.slice(1) };
}

function oidNamed(view: SystemCatalogue, type: RegisteredTypeName, given: Value): number {
  if (typeof given !== 'string') return given as number;
  const { names } = view.home.functions;
  if (names === undefined) return raise('feature_not_supported', 'there are no names here');
  const named: NamedOid = names.registered(type, given);
  return named.oid;
}

/** What is behind an OID, or what holds for something of the system. */
type Target = OwnedDescriptor | { readonly kind: 'system'; readonly rights: number } | undefined;

function relation(view: SystemCatalogue, given: Value): Target {
  const oid = oidNamed(view, 'regclass', given);
  const [item] = classByOid(view, oid);
  if (item?.kind === 'system') {
    return { kind: 'system', rights: hidden.has(item.of.name) ? 0 : right.select };
  }
  return owned(view, oid);
}

function owned(view: SystemCatalogue, oid: number): OwnedDescriptor | undefined {
  const object = view.object(oid);
  return object === undefined || object.kind === 'role' || object.kind === 'index'
    ? undefined
    : object;
}

function schema(view: SystemCatalogue, given: Value): Target {
  const oid = oidNamed(view, 'regnamespace', given);
  const found = owned(view, oid);
  if (found !== undefined) return found;
  // The schemas of the system are for everyone to use.
  return oid < 16_384 && oid > 0 ? { kind: 'system', rights: right.usage } : undefined;
}

function database({ catalogue, home }: SystemCatalogue, given: Value): Target {
  const { database: found } = catalogue;
  if (typeof given !== 'string')
    return objectOfOid(given as number) === found.object ? found : undefined;
  if (given === home.functions.database) return found;
  return raise('invalid_catalog_name', `database "${given}" does not exist`);
}

/** Functions and types of the system are for everyone. */
const ofEveryone =
  (type: RegisteredTypeName, bit: number) =>
  (view: SystemCatalogue, given: Value): Target => {
    const oid = oidNamed(view, type, given);
    return owned(view, oid) ?? (oid < 16_384 ? { kind: 'system', rights: bit } : undefined);
  };

const targets: Readonly<
  Partial<Record<GrantableKind, (view: SystemCatalogue, given: Value) => Target>>
> = {
  table: relation,
  sequence: relation,
  database,
  schema,
  function: ofEveryone('regprocedure', right.execute),
  type: ofEveryone('regtype', right.usage),
};

function answer(principal: Principal, target: Target, asked: readonly Asked[]): Value {
  if (target === undefined) return null;
  if (target.kind !== 'system') return has(principal, target, asked);
  return (
    principal.isSuperuser || asked.some((one) => (target.rights & one.right) !== 0 && !one.option)
  );
}

const inquiry =
  (kind: GrantableKind): SystemFunction =>
  (view, ...values) => {
    const { principal, rest } = parts(view, values, 2);
    const [object = null, text] = rest;
    const target = targets[kind]?.(view, object);
    if (kind === 'sequence' && target !== undefined && target.kind !== 'sequence') {
      return raise('wrong_object_type', `"${String(object)}" is not a sequence`);
    }
    return answer(principal, target, askedOf(text as string, allRights[kind]));
  };

/** Whether a right holds on the relation or on a column of it. */
function onColumns(
  principal: Principal,
  target: Target,
  asked: readonly Asked[],
  positions: readonly number[] | 'any',
): Value {
  const whole = answer(principal, target, asked);
  if (whole !== false || target === undefined || target.kind === 'system') return whole;
  for (const [position, grants] of columnGrants(target)) {
    if (positions !== 'any' && !positions.includes(position)) continue;
    const rights = principal.rightsOf(grants);
    const options = principal.optionsOn(target, grants ?? []);
    if (asked.some((one) => ((one.option ? options : rights) & one.right) !== 0)) return true;
  }
  return false;
}

/** The position of a column; undefined for a number that none has. */
function positionOf(view: SystemCatalogue, target: Target, given: Value): number | undefined {
  if (target === undefined) return undefined;
  if (target.kind === 'system') return 1;
  if (target.kind !== 'table' && target.kind !== 'view') return undefined;
  const columns = target.columns.map((column, i) => ({
    name: column.name,
    position: 'position' in column ? column.position : i + 1,
  }));
  if (typeof given !== 'string') return columns.find((one) => one.position === given)?.position;
  const found = columns.find(({ name }) => name === given);
  return found === undefined ? view.raiseColumn(given, target.name) : found.position;
}

const onColumn: SystemFunction = (view, ...values) => {
  const { principal, rest } = parts(view, values, 3);
  const [object = null, column = null, text] = rest;
  const target = relation(view, object);
  const asked = askedOf(text as string, columnRights);
  const position = positionOf(view, target, column);
  return position === undefined ? null : onColumns(principal, target, asked, [position]);
};

const onAnyColumn: SystemFunction = (view, ...values) => {
  const { principal, rest } = parts(view, values, 2);
  const [object = null, text] = rest;
  const asked = askedOf(text as string, columnRights);
  return onColumns(principal, relation(view, object), asked, 'any');
};

/** Of what there is none of here: superusers may do everything with it. */
const nothing: SystemFunction = (view, ...values) => parts(view, values, 2).principal.isSuperuser;

const hasRole: SystemFunction = (view, ...values) => {
  const { principal, rest } = parts(view, values, 2);
  const [role = null, text] = rest;
  const { role: object } = roleOf(view, role);
  return String(text)
    .split(',')
    .some((part) => {
      const word = part.trim().toUpperCase().replaceAll(/\s+/g, ' ');
      if (/^(MEMBER|USAGE|SET) WITH (ADMIN|GRANT) OPTION$/.test(word)) {
        return principal.isAdminOf(object);
      }
      if (word === 'MEMBER') return principal.isMemberOf(object);
      if (word === 'USAGE') return principal.hasPrivilegesOf(object);
      if (word === 'SET') return principal.maySetRole(object);
      return raise('invalid_parameter_value', `unrecognized privilege type: "${part.trim()}"`);
    });
};

const userById: SystemFunction = (view, oid = null) => {
  const found = view.object(oid as number);
  return found?.kind === 'role' ? found.name : `unknown (OID=${String(oid)})`;
};

/** Letters of acldefault's first argument. */
const kinds: Readonly<Record<string, GrantableKind>> = {
  r: 'table',
  s: 'sequence',
  d: 'database',
  f: 'function',
  n: 'schema',
  T: 'type',
};

const shown =
  (view: SystemCatalogue) =>
  (role: ObjectId): string =>
    view.roleName(role);

const byDefault: SystemFunction = (view, letter = null, owner = null) => {
  if (letter === 'c') return ArrayValue.of([]);
  const kind = kinds[String(letter)];
  if (kind === undefined) {
    return raise(
      'invalid_parameter_value',
      `unrecognized object type abbreviation: ${String(letter)}`,
    );
  }
  const grants = defaultGrants(kind, objectOfOid(owner as number));
  return ArrayValue.of(grants.map((grant) => grantText(grant, shown(view))));
};

const everyRight = Object.values(right).reduce((all, bit) => all | bit, 0);

const makeItem: SystemFunction = (
  view,
  grantee = null,
  grantor = null,
  text = null,
  option = null,
) => {
  const asked = askedOf(text as string, everyRight);
  const rights = asked.reduce((all, one) => all | one.right, 0);
  const to = grantee === 0 ? everyone : objectOfOid(grantee as number);
  const grant = {
    grantee: to,
    grantor: objectOfOid(grantor as number),
    rights,
    options: option === true ? rights : 0,
  };
  return grantText(grant, shown(view));
};

const readGrant = (view: SystemCatalogue, text: Value) =>
  grantOfText(text as string, (name) => {
    const role = view.catalogue.role(name);
    return role?.object ?? raise('undefined_object', `role "${name}" does not exist`);
  });

const contains: SystemFunction = (view, items = null, item = null) => {
  const wanted = readGrant(view, item);
  return (items as ArrayValue).elements.some((one) => {
    const { grantee, grantor, rights, options } = readGrant(view, one);
    const same = grantee === wanted.grantee && grantor === wanted.grantor;
    return same && (wanted.rights & ~rights) === 0 && (wanted.options & ~options) === 0;
  });
};

export const privilegeFunctions: Readonly<Record<string, SystemFunction>> = {
  has_table_privilege: inquiry('table'),
  has_sequence_privilege: inquiry('sequence'),
  has_database_privilege: inquiry('database'),
  has_schema_privilege: inquiry('schema'),
  has_function_privilege: inquiry('function'),
  has_type_privilege: inquiry('type'),
  has_any_column_privilege: onAnyColumn,
  has_column_privilege: onColumn,
  has_language_privilege: () => true,
  has_tablespace_privilege: nothing,
  has_foreign_data_wrapper_privilege: nothing,
  has_server_privilege: nothing,
  pg_has_role: hasRole,
  pg_get_userbyid: userById,
  acldefault: byDefault,
  makeaclitem: makeItem,
  aclcontains: contains,
};

const explode: SystemSet = function* (view, items = null) {
  for (const item of (items as ArrayValue).elements) {
    const { grantee, grantor, rights, options } = readGrant(view, item);
    const to = grantee === everyone ? 0 : oidOf(grantee);
    for (const bit of singleRights(rights)) {
      const row: Row = [oidOf(grantor), to, wordOfRight(bit), (options & bit) !== 0];
      yield row;
    }
  }
};

export const privilegeSets: Readonly<Record<string, SystemSet>> = { aclexplode: explode };
