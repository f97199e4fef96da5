/** CREATE and ALTER DOMAIN. */
import { must } from '../../base/assert.js';
import { DatabaseError, raise } from '../../base/errors.js';
import { coerce, coerceToBool } from '../bind/coerce.js';
import { bindExpression, defaultClause } from '../bind/expression.js';
import { scopeOf } from '../bind/scope.js';
import { bindTypeName, type BoundType } from '../bind/type-name.js';
import {
  type CheckDescriptor,
  objectOfType,
  type TableDescriptor,
  type TypeDefinition,
  type TypeDescriptor,
} from '../catalogue/index.js';
import {
  type ast,
  bracketedText,
  expressionAround,
  expressionText,
  fields,
  locationOf,
  notSupported,
  the,
} from '../parse/index.js';
import { baseTypeName, printType, typeNamed } from '../types/index.js';
import { type DdlContext, type DdlWork, pathOf, shownName } from './context.js';
import { TableDraft } from './draft.js';
import { firstLocation } from './locations.js';
import { freeName } from './names.js';
import { requireOwner, requireType } from './permission.js';
import { saveWithRows } from './tasks.js';
import { createType, replaceType } from './type.js';

type Domain = Extract<TypeDefinition, { form: 'domain' }>;

export function createDomain(context: DdlContext, body: ast.CreateDomainStmt): string {
  const { bind } = context;
  const read = fields(bind.source, 'CreateDomainStmt', body, [
    ...(['domainname', 'typeName', 'constraints', 'collClause'] as const),
  ]);
  const base = bindTypeName(bind, read.typeName);
  requireType(context, base.name);
  if (typeNamed(base.name).category === 'P') {
    const { name } = pathOf(context, read.domainname);
    const shown = printType(base.name, base.modifier);
    raise('datatype_mismatch', `"${shown}" is not a valid base type for a domain`, {
      detail: name,
    });
  }
  let domain: Domain = {
    form: 'domain',
    base: base.name,
    baseModifier: base.modifier,
    notNull: false,
    default: undefined,
    checks: [],
    collation: undefined,
  };
  const { name } = pathOf(context, read.domainname);
  const all = (read.constraints ?? []).map((node) => the(node, 'Constraint'));
  let nullable = false;
  for (const constraint of all) {
    const at = locationOf(constraint);
    switch (constraint.contype) {
      case 'CONSTR_NULL':
        nullable = true;
        if (domain.notNull) conflicting(context, at);
        break;
      case 'CONSTR_NOTNULL':
        if (nullable) conflicting(context, at);
        domain = { ...domain, notNull: true };
        break;
      case 'CONSTR_DEFAULT': {
        if (domain.default !== undefined) {
          bind.raise(at, 'syntax_error', 'multiple default expressions');
        }
        const from = constraint.location ?? 0;
        const later = all.map((one) => one.location ?? 0).filter((one) => one > from);
        checkDefault(context, base, must(constraint.raw_expr, 'DEFAULT has an expression'));
        domain = { ...domain, default: expressionText(bind.source, from, Math.min(...later)) };
        break;
      }
      case 'CONSTR_CHECK':
        domain = withCheck(context, name, domain, constraint);
        break;
      default:
        notSupported(bind.source, `${constraint.contype} of a domain`, at);
    }
  }
  createType(context, read.domainname, domain);
  return 'CREATE DOMAIN';
}

function conflicting({ bind }: DdlContext, at: number | undefined): never {
  return bind.raise(at, 'syntax_error', 'conflicting NULL/NOT NULL constraints');
}

function checkDefault({ bind }: DdlContext, type: BoundType, node: ast.Node): void {
  const value = bindExpression(bind, defaultClause, node);
  if (coerce(bind, value, type, 'assignment') !== undefined) return;
  const text = `column "" is of type ${printType(type.name, -1)} but default expression is of type ${printType(value.type.name, -1)}`;
  raise('datatype_mismatch', text);
}

function withCheck(
  { bind }: DdlContext,
  name: string,
  domain: Domain,
  body: ast.Constraint,
): Domain {
  const read = fields(bind.source, 'Constraint', body, [
    ...(['contype', 'conname', 'raw_expr', 'skip_validation', 'initially_valid'] as const),
  ]);
  const type = { name: domain.base, modifier: domain.baseModifier };
  const scope = scopeOf([{ column: bind.nextColumn(), name: 'value', type }], undefined);
  const clause = { scope, name: 'check constraints', aggregates: undefined };
  const node = must(read.raw_expr, 'CHECK has a condition');
  coerceToBool(bind, bindExpression(bind, clause, node), 'CHECK');
  const isTaken = (one: string): boolean => domain.checks.some((check) => check.name === one);
  if (read.conname !== undefined && isTaken(read.conname)) {
    const text = `constraint "${read.conname}" for domain "${name}" already exists`;
    raise('duplicate_object', text);
  }
  const check: CheckDescriptor = {
    name: read.conname ?? freeName(name, undefined, 'check', isTaken),
    expression: bracketedText(bind.source, 'check', body.location ?? 0),
    validated: read.skip_validation !== true,
    comment: undefined,
  };
  return { ...domain, checks: [...domain.checks, check] };
}

export function* alterDomain(context: DdlContext, body: ast.AlterDomainStmt): DdlWork {
  const { bind } = context;
  const read = fields(bind.source, 'AlterDomainStmt', body, [
    ...(['subtype', 'typeName', 'name', 'def', 'behavior', 'missing_ok'] as const),
  ]);
  const { schema, name } = pathOf(context, read.typeName);
  const type = bind.catalogue.type(schema, name);
  if (type === undefined) {
    return raise('undefined_object', `type "${shownName(schema, name)}" does not exist`);
  }
  requireOwner(context, type);
  const { definition } = type;
  if (definition.form !== 'domain') {
    return raise('wrong_object_type', `${shownName(schema, name)} is not a domain`);
  }
  const changed = altered(context, type, definition, read);
  if (changed === undefined) return 'ALTER DOMAIN';
  replaceType(context, type, { definition: changed });
  const stricter =
    changed.notNull !== definition.notNull || changed.checks.length > definition.checks.length;
  if (stricter) yield* checkColumns(context, type);
  return 'ALTER DOMAIN';
}

function altered(
  context: DdlContext,
  { name: domain }: TypeDescriptor,
  definition: Domain,
  read: Pick<ast.AlterDomainStmt, 'subtype' | 'name' | 'def' | 'missing_ok'>,
): Domain | undefined {
  const { source } = context.bind;
  // In PostgreSQL 18's tree the kinds have names; their first letters were enough before.
  switch (read.subtype as string | undefined) {
    case 'T':
    case 'AD_AlterDefault': {
      if (read.def === undefined) return { ...definition, default: undefined };
      const base: BoundType = {
        name: definition.base as BoundType['name'],
        modifier: definition.baseModifier,
      };
      checkDefault(context, base, read.def);
      const sql = expressionAround(source, 'default', firstLocation(read.def));
      return { ...definition, default: sql };
    }
    case 'N':
    case 'AD_DropNotNull':
      return { ...definition, notNull: false };
    case 'O':
    case 'AD_SetNotNull':
      return { ...definition, notNull: true };
    case 'C':
    case 'AD_AddConstraint': {
      const constraint = the(read.def, 'Constraint');
      if (constraint.contype === 'CONSTR_NOTNULL') return { ...definition, notNull: true };
      return withCheck(context, domain, definition, constraint);
    }
    case 'X':
    case 'AD_DropConstraint': {
      const checks = definition.checks.filter(({ name }) => name !== read.name);
      if (checks.length < definition.checks.length) return { ...definition, checks };
      const text = `constraint "${read.name}" of domain "${domain}" does not exist`;
      if (read.missing_ok !== true) raise('undefined_object', text);
      context.notice(`${text}, skipping`);
      return undefined;
    }
    case 'V':
    case 'AD_ValidateConstraint':
      return {
        ...definition,
        checks: definition.checks.map((one) =>
          one.name === read.name ? { ...one, validated: true } : one,
        ),
      };
    default:
      return notSupported(source, 'this form of ALTER DOMAIN', undefined);
  }
}

/** Holds the values that are there to the domain: each is cast to it again. */
function* checkColumns(context: DdlContext, type: TypeDescriptor): DdlWork<void> {
  const { bind, catalogue } = context;
  const tables = catalogue
    .dependents(type.object)
    .filter((one): one is TableDescriptor => one.kind === 'table');
  for (const table of tables) {
    const columns = table.columns.filter((column) => objectOfType(column.type) === type.object);
    if (columns.length === 0) continue;
    const draft = TableDraft.alter(context, catalogue.object(table.object) as TableDescriptor);
    for (const column of columns) {
      const target: BoundType = { name: column.type as BoundType['name'], modifier: -1 };
      draft.rewrite(column.position, (relation) => {
        const at = relation.positions.indexOf(column.position);
        const { column: id } = must(relation.columns[at], 'the column is there');
        const plain = { name: baseTypeName(target.name), modifier: -1 };
        const value = { kind: 'column' as const, type: plain, column: id };
        return coerce(bind, value, target, 'explicit') ?? value;
      });
    }
    yield* saving(draft, columns[0]?.name ?? '');
  }
}

/** Saves; what a value breaks is told of the column. */
function* saving(draft: TableDraft, column: string): DdlWork<void> {
  try {
    yield* saveWithRows(draft);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    const { name: table, schema } = draft.table;
    const where = { schema, table, column };
    if (error.kind === 'check_violation') {
      const text = `column "${column}" of table "${table}" contains values that violate the new constraint`;
      raise('check_violation', text, where);
    }
    if (error.kind !== 'not_null_violation') throw error;
    raise(
      'not_null_violation',
      `column "${column}" of table "${table}" contains null values`,
      where,
    );
  }
}
