/** Which statements are DDL, and who runs each. */
import {
  as,
  type ast,
  kindConstruct,
  kindOf,
  nodeNotSupported,
  type ParsedStatement,
} from '../parse/index.js';
import { alterTable } from './alter-table.js';
import { comment } from './comment.js';
import type { DdlContext, DdlWork } from './context.js';
import { createIndex } from './create-index.js';
import { createTable } from './create-table.js';
import { alterDomain, createDomain } from './domain.js';
import { drop } from './drop.js';
import { createFunction } from './function.js';
import { checkpoint, reindex, vacuum } from './maintenance.js';
import { rename, setSchema } from './rename.js';
import { createSchema } from './schema.js';
import { alterSequence, createSequence } from './sequence.js';
import { alterDefaultPrivileges } from './default-privileges.js';
import { grant } from './grant.js';
import { grantRole } from './membership.js';
import { alterOwner, dropOwned, reassignOwned } from './owner.js';
import { alterRole, createRole, dropRole } from './role.js';
import { alterDatabaseSet, alterRoleSet } from './role-settings.js';
import { refuseSystem } from './system-names.js';
import { createTableAs, selectInto } from './table-as.js';
import { truncate } from './truncate.js';
import { alterEnum, createComposite, createEnum } from './type.js';
import { createView } from './view.js';

type Runners = {
  readonly [K in ast.NodeKind]?: (
    context: DdlContext,
    body: ast.NodeOf<K>,
    parsed: ParsedStatement,
  ) => DdlWork | string;
};

const runners: Runners = {
  AlterDatabaseSetStmt: alterDatabaseSet,
  AlterDefaultPrivilegesStmt: alterDefaultPrivileges,
  AlterDomainStmt: alterDomain,
  AlterEnumStmt: alterEnum,
  AlterObjectSchemaStmt: setSchema,
  AlterOwnerStmt: alterOwner,
  AlterRoleSetStmt: alterRoleSet,
  AlterRoleStmt: alterRole,
  AlterSeqStmt: alterSequence,
  AlterTableStmt: alterTable,
  CheckPointStmt: checkpoint,
  CommentStmt: comment,
  CompositeTypeStmt: createComposite,
  CreateDomainStmt: createDomain,
  CreateEnumStmt: createEnum,
  CreateFunctionStmt: createFunction,
  CreateRoleStmt: createRole,
  CreateSchemaStmt: createSchema,
  CreateSeqStmt: createSequence,
  CreateStmt: createTable,
  CreateTableAsStmt: createTableAs,
  DropOwnedStmt: dropOwned,
  DropRoleStmt: dropRole,
  DropStmt: drop,
  GrantRoleStmt: grantRole,
  GrantStmt: grant,
  IndexStmt: createIndex,
  ReassignOwnedStmt: reassignOwned,
  ReindexStmt: reindex,
  RenameStmt: rename,
  TruncateStmt: truncate,
  VacuumStmt: vacuum,
  ViewStmt: createView,
};

/** Whether a statement changes the catalogue: also SELECT INTO. */
export function isDdl(node: ast.Node): boolean {
  return runners[kindOf(node)] !== undefined || intoOf(node) !== undefined;
}

/** The INTO of a SELECT, which stands in the leftmost one of a set operation. */
function intoOf(node: ast.Node): ast.IntoClause | undefined {
  let select = as(node, 'SelectStmt');
  while (select?.larg !== undefined) select = select.larg;
  return select?.intoClause;
}

/** Runs a statement; gives its tag. */
export function* runDdl(context: DdlContext, parsed: ParsedStatement): DdlWork {
  const kind = kindOf(parsed.node);
  const select = as(parsed.node, 'SelectStmt');
  const into = intoOf(parsed.node);
  if (select !== undefined && into !== undefined) return yield* selectInto(context, select, into);
  const run = runners[kind] as
    | ((context: DdlContext, body: unknown, parsed: ParsedStatement) => DdlWork | string)
    | undefined;
  if (run === undefined) return nodeNotSupported(context.bind.source, parsed.node);
  refuseSystem(context, parsed.node);
  const running = run(context, (parsed.node as Record<string, unknown>)[kind], parsed);
  return typeof running === 'string' ? running : yield* running;
}

const names: Partial<Record<ast.NodeKind, string>> = {
  AlterObjectSchemaStmt: 'ALTER TABLE',
  CreateStmt: 'CREATE TABLE',
  DropStmt: 'DROP TABLE',
  IndexStmt: 'CREATE INDEX',
  RenameStmt: 'ALTER TABLE',
  TruncateStmt: 'TRUNCATE TABLE',
};

/** What a statement is called before it has run: its tag, but of ALTER and DROP for tables. */
export function ddlName(node: ast.Node): string {
  if (intoOf(node) !== undefined) return 'SELECT INTO';
  const drop = as(node, 'DropStmt')?.removeType;
  if (drop !== undefined) return `DROP ${drop.replace('OBJECT_', '').replaceAll('_', ' ')}`;
  return names[kindOf(node)] ?? kindConstruct(kindOf(node));
}
