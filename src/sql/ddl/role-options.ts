/** What CREATE ROLE and ALTER ROLE say of a role. */
import { raise } from '../../base/errors.js';
import type { RoleDescriptor } from '../catalogue/index.js';
import { as, type ast, fields, notSupported, the } from '../parse/index.js';
import { typeNamed } from '../types/index.js';
import type { DdlContext } from './context.js';

type Flag =
  | 'superuser'
  | 'inherit'
  | 'createRole'
  | 'createDatabase'
  | 'login'
  | 'replication'
  | 'bypassRowSecurity';

const flags: Readonly<Record<string, Flag>> = {
  superuser: 'superuser',
  inherit: 'inherit',
  createrole: 'createRole',
  createdb: 'createDatabase',
  canlogin: 'login',
  isreplication: 'replication',
  bypassrls: 'bypassRowSecurity',
};

/** What is absent was not said. */
export interface RoleOptions {
  readonly attributes: Partial<Pick<RoleDescriptor, Flag | 'connectionLimit' | 'validUntil'>>;
  /** Null: the password is taken away. */
  readonly password: string | null | undefined;
  /** IN ROLE; they and the members are looked up when the role is there. */
  readonly into: readonly ast.Node[];
  readonly members: readonly ast.Node[] | undefined;
  readonly admins: readonly ast.Node[];
}

export function roleOptions(
  context: DdlContext,
  nodes: readonly ast.Node[] | undefined,
): RoleOptions {
  const { bind } = context;
  const attributes: {
    -readonly [K in keyof RoleOptions['attributes']]: RoleOptions['attributes'][K];
  } = {};
  let password: string | null | undefined;
  let into: readonly ast.Node[] = [];
  let members: readonly ast.Node[] | undefined;
  let admins: readonly ast.Node[] = [];
  const said = new Set<string>();
  for (const node of nodes ?? []) {
    const option = the(node, 'DefElem');
    const { defname = '', arg } = fields(bind.source, 'DefElem', option, ['defname', 'arg']);
    if (said.has(defname)) {
      bind.raise(option.location, 'syntax_error', 'conflicting or redundant options');
    }
    said.add(defname);
    const flag = flags[defname];
    if (flag !== undefined) attributes[flag] = as(arg, 'Boolean')?.boolval === true;
    else if (defname === 'password')
      password = as(arg, 'String')?.sval ?? (arg === undefined ? null : '');
    else if (defname === 'validUntil') attributes.validUntil = timestampOf(context, arg);
    else if (defname === 'connectionlimit') attributes.connectionLimit = limitOf(arg);
    else if (defname === 'addroleto') into = as(arg, 'List')?.items ?? [];
    else if (defname === 'rolemembers') members = as(arg, 'List')?.items ?? [];
    else if (defname === 'adminmembers') admins = as(arg, 'List')?.items ?? [];
    else if (defname === 'sysid') context.notice('SYSID can no longer be specified');
    else notSupported(bind.source, `role option ${defname.toUpperCase()}`, option.location);
  }
  if (password === '') {
    context.notice('empty string is not a valid password, clearing password');
    password = null;
  }
  return { attributes, password, into, members, admins };
}

function limitOf(arg: ast.Node | undefined): number {
  const limit = as(arg, 'Integer')?.ival ?? 0;
  if (limit < -1) raise('invalid_parameter_value', `invalid connection limit: ${limit}`);
  return limit;
}

function timestampOf({ bind }: DdlContext, arg: ast.Node | undefined): bigint | undefined {
  const text = as(arg, 'String')?.sval;
  if (text === undefined) return undefined;
  return typeNamed('timestamptz').parse(text, -1, bind.functions) as bigint;
}
