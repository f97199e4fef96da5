/** ALTER ROLE and ALTER DATABASE ... SET: first settings of sessions. */
import { raise } from '../../base/errors.js';
import { bindSet } from '../bind/command.js';
import type { InitialSetting, RoleDescriptor } from '../catalogue/index.js';
import { type ast, fields } from '../parse/index.js';
import { checkSetting, settingNamed } from '../settings/index.js';
import { audited } from './audited.js';
import type { DdlContext } from './context.js';
import { databaseNamed, principalOf, requireOwner } from './permission.js';
import { roleSpec } from './role-spec.js';

export function alterRoleSet(context: DdlContext, body: ast.AlterRoleSetStmt): string {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'AlterRoleSetStmt', body, ['role', 'database', 'setstmt']);
  const inDatabase = read.database !== undefined;
  if (read.database !== undefined) databaseNamed(context, read.database);
  const principal = principalOf(context);
  if (read.role === undefined) {
    if (!principal.isSuperuser && !inDatabase) {
      raise('insufficient_privilege', 'permission denied to alter setting', {
        detail: 'Only roles with the SUPERUSER attribute may alter settings globally.',
      });
    }
    if (inDatabase) requireOwner(context, catalogue.database);
    changeDatabase(context, read.setstmt ?? {}, inDatabase);
  } else {
    const role = roleSpec(context, read.role);
    checkRole(context, role);
    const settings = changed(context, role.settings, read.setstmt ?? {}, inDatabase);
    catalogue.put({ ...role, settings, version: role.version + 1 }, role);
  }
  audited(context, bind.source.text.trim());
  return 'ALTER ROLE';
}

function checkRole(context: DdlContext, role: RoleDescriptor): void {
  const principal = principalOf(context);
  if (principal.isSuperuser) return;
  const may = principal.descriptor?.createRole === true && principal.isAdminOf(role.object);
  if (!role.superuser && (may || role.object === principal.role)) return;
  const who = role.superuser
    ? 'Only roles with the SUPERUSER attribute may alter roles with the SUPERUSER attribute.'
    : `Only roles with the CREATEROLE attribute and the ADMIN option on role "${role.name}" may alter this role.`;
  raise('insufficient_privilege', 'permission denied to alter role', { detail: who });
}

export function alterDatabaseSet(context: DdlContext, body: ast.AlterDatabaseSetStmt): string {
  const { bind } = context;
  const read = fields(bind.source, 'AlterDatabaseSetStmt', body, ['dbname', 'setstmt']);
  requireOwner(context, databaseNamed(context, read.dbname ?? ''));
  changeDatabase(context, read.setstmt ?? {}, true);
  audited(context, bind.source.text.trim());
  return 'ALTER DATABASE';
}

function changeDatabase(context: DdlContext, body: ast.VariableSetStmt, inDatabase: boolean): void {
  const { catalogue } = context;
  const { database } = catalogue;
  const settings = changed(context, database.settings, body, inDatabase);
  catalogue.put({ ...database, settings, version: database.version + 1 }, database);
}

function changed(
  { bind }: DdlContext,
  before: readonly InitialSetting[],
  body: ast.VariableSetStmt,
  inDatabase: boolean,
): readonly InitialSetting[] {
  const said = bindSet(bind, body);
  if (said.kind === 'reset' && said.name === undefined) {
    return before.filter((one) => one.inDatabase !== inDatabase);
  }
  if (said.kind !== 'set' && said.kind !== 'reset') {
    return raise('feature_not_supported', 'SET TRANSACTION is no setting of a role');
  }
  const name = said.name ?? '';
  const others = before.filter(
    (one) => one.inDatabase !== inDatabase || one.name.toLowerCase() !== name.toLowerCase(),
  );
  const value = said.kind === 'set' ? said.value : undefined;
  if (value === undefined) return others;
  checkSetting(name, value);
  const setting = settingNamed(name.toLowerCase());
  if (setting?.context === 'superuser' && !bind.catalogue.principal.isSuperuser) {
    const text = `permission denied to set parameter "${setting.name}"`;
    raise('insufficient_privilege', text);
  }
  return [...others, { name: setting?.name ?? name, value, inDatabase }];
}
