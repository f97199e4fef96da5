/** System relations are nobody's to change, and nothing is made beside them. */
import { raise } from '../../base/errors.js';
import { findSystemTable } from '../bind/system.js';
import { as, type ast, stringOf } from '../parse/index.js';
import { systemSchemas } from '../system/index.js';
import { type DdlContext, shownName } from './context.js';

/** Raises 42501 for a statement that would change one, or make something in a schema of the system. */
export function refuseSystem({ bind }: DdlContext, node: ast.Node): void {
  for (const range of changed(node)) {
    const found = findSystemTable(bind, range);
    if (found === undefined) continue;
    const text = `permission denied: "${found.name}" is a system catalog`;
    raise('insufficient_privilege', text);
  }
  const { schemaname, relname = '' } = made(node) ?? {};
  if (schemaname === undefined || !systemSchemas.has(schemaname)) return;
  raise(
    'insufficient_privilege',
    `permission denied to create "${shownName(schemaname, relname)}"`,
    { detail: 'System catalog modifications are currently disallowed.' },
  );
}

/** The relations that a statement changes or takes away. */
function changed(node: ast.Node): readonly ast.RangeVar[] {
  const one =
    as(node, 'AlterTableStmt')?.relation ??
    as(node, 'IndexStmt')?.relation ??
    as(node, 'RenameStmt')?.relation ??
    as(node, 'AlterObjectSchemaStmt')?.relation;
  if (one !== undefined) return [one];
  const truncated = as(node, 'TruncateStmt')?.relations ?? [];
  const dropped = as(node, 'DropStmt');
  const isRelation =
    dropped?.removeType === 'OBJECT_TABLE' || dropped?.removeType === 'OBJECT_VIEW';
  const names = isRelation ? (dropped.objects ?? []) : [];
  return [
    ...truncated.flatMap((range) => as(range, 'RangeVar') ?? []),
    ...names.map((name) => rangeOf(as(name, 'List')?.items ?? [])),
  ];
}

function rangeOf(parts: readonly ast.Node[]): ast.RangeVar {
  const [name, schema] = parts.map(stringOf).reverse();
  return {
    ...(name !== undefined && { relname: name }),
    ...(schema !== undefined && { schemaname: schema }),
  };
}

function made(node: ast.Node): ast.RangeVar | undefined {
  return (
    as(node, 'CreateStmt')?.relation ??
    as(node, 'ViewStmt')?.view ??
    as(node, 'CreateSeqStmt')?.sequence ??
    as(node, 'CreateTableAsStmt')?.into?.rel
  );
}
