/** Columns of CREATE TABLE and ALTER TABLE ADD COLUMN. */
import { must } from '../../base/assert.js';
import { coerce } from '../bind/coerce.js';
import { bindCollation } from '../bind/collation.js';
import { bindExpression, defaultClause } from '../bind/expression.js';
import { tableColumnsMax } from '../bind/limits.js';
import { bindTypeName, type BoundType } from '../bind/type-name.js';
import type { ColumnDescriptor } from '../catalogue/index.js';
import {
  as,
  type ast,
  bracketedText,
  expressionText,
  fields,
  locationOf,
  notSupported,
  stringsOf,
  the,
} from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import { printType } from '../types/index.js';
import { addColumnConstraint } from './constraint.js';
import type { TableDraft } from './draft.js';
import { ownershipOf } from './ownership.js';
import { requireType } from './permission.js';
import { checkGenerated } from './generated.js';
import { emptySequence } from './new-sequence.js';
import { sequenceOptions } from './sequence-options.js';
import { usedWithin } from './uses.js';

const serials: Readonly<Record<string, 'int2' | 'int4' | 'int8'>> = {
  smallserial: 'int2',
  serial2: 'int2',
  serial: 'int4',
  serial4: 'int4',
  bigserial: 'int8',
  serial8: 'int8',
};

export function addColumn(draft: TableDraft, body: ast.ColumnDef): ColumnDescriptor {
  const { bind } = draft.context;
  const read = fields(bind.source, 'ColumnDef', body, [
    ...(['colname', 'typeName', 'constraints', 'collClause'] as const),
    // How values are kept is not the client's to say here.
    ...(['storage_name', 'compression'] as const),
  ]);
  const name = read.colname ?? '';
  const path = stringsOf(read.typeName?.names);
  const serial = path.length === 1 ? serials[path[0] ?? ''] : undefined;
  const type: BoundType =
    serial === undefined ? bindTypeName(bind, read.typeName) : { name: serial, modifier: -1 };
  requireType(draft.context, type.name);
  const column = appendColumn(draft, {
    name,
    type: type.name,
    typeModifier: type.modifier,
    notNull: serial !== undefined,
    collation: collationOf(draft, read.collClause, type),
  });
  if (serial !== undefined) addSequence(draft, column, {});
  const constraints = (read.constraints ?? []).map((node) => the(node, 'Constraint'));
  addConstraints(draft, column.position, constraints);
  return draft.columnAt(column.position);
}

/** Adds a column behind the others. Raises duplicate_column and too_many_columns. */
export function appendColumn(
  draft: TableDraft,
  given: Pick<ColumnDescriptor, 'name' | 'type' | 'typeModifier'> & Partial<ColumnDescriptor>,
): ColumnDescriptor {
  const { bind } = draft.context;
  const { name } = given;
  if (draft.column(name) !== undefined) {
    const text =
      draft.before === undefined
        ? `column "${name}" specified more than once`
        : `column "${name}" of relation "${draft.table.name}" already exists`;
    bind.raise(undefined, 'duplicate_column', text);
  }
  refuseSystemName(draft, name);
  const { columns } = draft.table;
  if (columns.length >= tableColumnsMax) {
    const text = `tables can have at most ${tableColumnsMax} columns`;
    bind.raise(undefined, 'too_many_columns', text);
  }
  const position = draft.table.lastPosition + 1;
  const column: ColumnDescriptor = {
    notNull: false,
    default: undefined,
    identity: undefined,
    generated: undefined,
    collation: undefined,
    comment: undefined,
    privileges: undefined,
    ...given,
    position,
  };
  draft.set({ columns: [...columns, column], lastPosition: position });
  return column;
}

const systemColumns: ReadonlySet<string> = new Set([
  ...['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid'],
]);

export function refuseSystemName(draft: TableDraft, name: string): void {
  if (!systemColumns.has(name)) return;
  const text = `column name "${name}" conflicts with a system column name`;
  draft.context.bind.raise(undefined, 'duplicate_column', text);
}

export function collationOf(
  draft: TableDraft,
  clause: ast.CollateClause | undefined,
  type: BoundType,
): string | undefined {
  if (clause === undefined) return undefined;
  const { bind } = draft.context;
  const { collname } = fields(bind.source, 'CollateClause', clause, ['collname']);
  const name = bindCollation(bind, collname, type.name, locationOf(clause));
  return name === 'default' ? undefined : name;
}

/** A sequence of the column's own gives its default. */
export function addSequence(
  draft: TableDraft,
  column: ColumnDescriptor,
  options: { readonly nodes?: readonly ast.Node[] | undefined; readonly identity?: boolean },
): void {
  const { bind, catalogue } = draft.context;
  const { database, schema, object } = draft.table;
  const nodes = (options.nodes ?? []).filter(
    (node) => as(node, 'DefElem')?.defname !== 'sequence_name',
  );
  const given = (options.nodes ?? []).find((node) => !nodes.includes(node));
  const named = stringsOf(as(as(given, 'DefElem')?.arg, 'List')?.items).at(-1);
  const name = named === undefined ? draft.makeName(column.name, 'seq') : draft.takeName(named);
  const read = sequenceOptions(bind, nodes, { identity: column.type });
  // It belongs to whoever the table belongs to.
  const { privileges } = ownershipOf(draft.context, 'sequence', schema);
  const ownership = { owner: draft.table.owner, privileges };
  const sequence = {
    ...emptySequence(catalogue, { database, schema, name }, ownership),
    ...read.options,
    type: column.type,
    ownedBy: { table: object, position: column.position },
  };
  draft.sequences.push(sequence);
  draft.setColumn(column.position, { default: { kind: 'sequence', sequence } });
}

export function addConstraints(
  draft: TableDraft,
  position: number,
  constraints: readonly ast.Constraint[],
): void {
  const { bind } = draft.context;
  for (const [i, constraint] of constraints.entries()) {
    const column = draft.columnAt(position);
    switch (constraint.contype) {
      case 'CONSTR_NULL':
        fields(bind.source, 'Constraint', constraint, ['contype']);
        draft.nullable.add(column.name);
        if (column.notNull) conflictingNull(draft, column.name, locationOf(constraint));
        break;
      case 'CONSTR_NOTNULL':
        // A name of NOT NULL is taken and, as in PostgreSQL 15, not kept.
        fields(bind.source, 'Constraint', constraint, ['contype', 'conname']);
        setNotNull(draft, column, locationOf(constraint));
        break;
      case 'CONSTR_DEFAULT':
        setDefault(draft, column, constraint, constraints);
        break;
      case 'CONSTR_IDENTITY':
        setIdentity(draft, column, constraint);
        break;
      case 'CONSTR_GENERATED':
        setGenerated(draft, column, constraint);
        break;
      default:
        addColumnConstraint(draft, column, constraint, constraints.slice(i + 1));
    }
  }
}

export function setNotNull(
  draft: TableDraft,
  column: ColumnDescriptor,
  at: number | undefined,
): void {
  if (draft.nullable.has(column.name)) conflictingNull(draft, column.name, at);
  draft.setColumn(column.position, { notNull: true });
}

function conflictingNull(draft: TableDraft, column: string, at: number | undefined): never {
  const text = `conflicting NULL/NOT NULL declarations for column "${column}" of table "${draft.table.name}"`;
  draft.context.bind.raise(at, 'syntax_error', text);
}

function setDefault(
  draft: TableDraft,
  column: ColumnDescriptor,
  body: ast.Constraint,
  all: readonly ast.Constraint[],
): void {
  const { bind } = draft.context;
  const { raw_expr } = fields(bind.source, 'Constraint', body, ['contype', 'raw_expr']);
  const from = body.location ?? 0;
  refuseSecond(draft, column, 'default', from);
  const node = must(raw_expr, 'DEFAULT has an expression');
  bindDefault(draft, column, node);
  const later = all.map((one) => one.location ?? 0).filter((location) => location > from);
  const sql = expressionText(bind.source, from, Math.min(...later));
  draft.setColumn(column.position, { default: { kind: 'expression', sql } });
}

/** Two of DEFAULT, identity and generation expression cannot be. */
function refuseSecond(
  draft: TableDraft,
  column: ColumnDescriptor,
  what: 'default' | 'identity' | 'generation expression',
  at: number | undefined,
): void {
  const { bind } = draft.context;
  const has =
    column.identity !== undefined
      ? 'identity'
      : column.generated !== undefined
        ? 'generation expression'
        : column.default === undefined
          ? undefined
          : 'default';
  if (has === undefined) return;
  const of = `for column "${column.name}" of table "${draft.table.name}"`;
  const repeated = {
    default: `multiple default values specified ${of}`,
    identity: `multiple identity specifications ${of}`,
    'generation expression': `multiple generation clauses specified ${of}`,
  } as const;
  const order = ['default', 'identity', 'generation expression'];
  const [one, other] = [has, what].sort((a, b) => order.indexOf(a) - order.indexOf(b));
  bind.raise(
    at,
    'syntax_error',
    has === what ? repeated[what] : `both ${one} and ${other} specified ${of}`,
  );
}

/** Binds a default, to see that it can be one; gives it in the column's type. */
export function bindDefault(
  draft: TableDraft,
  column: ColumnDescriptor,
  node: ast.Node,
): Expression {
  const { bind } = draft.context;
  const type: BoundType = { name: column.type as BoundType['name'], modifier: column.typeModifier };
  const { value: bound, uses } = usedWithin(bind, (inner) => {
    const value = bindExpression(inner, defaultClause, node);
    return { value, coerced: coerce(inner, value, type, 'assignment') };
  });
  draft.set({ uses: [...new Set([...draft.table.uses, ...uses])] });
  const { value, coerced } = bound;
  if (coerced !== undefined) return coerced;
  const wanted = printType(column.type, -1);
  const given = printType(value.type.name, -1);
  const text = `column "${column.name}" is of type ${wanted} but default expression is of type ${given}`;
  return bind.raise(undefined, 'datatype_mismatch', text, {
    hint: 'You will need to rewrite or cast the expression.',
  });
}

export function setIdentity(
  draft: TableDraft,
  column: ColumnDescriptor,
  body: ast.Constraint,
): void {
  const { bind } = draft.context;
  const read = fields(bind.source, 'Constraint', body, [
    ...(['contype', 'conname', 'generated_when', 'options'] as const),
  ]);
  if (!['int2', 'int4', 'int8'].includes(column.type)) {
    const text = 'identity column type must be smallint, integer, or bigint';
    bind.raise(undefined, 'invalid_parameter_value', text);
  }
  refuseSecond(draft, column, 'identity', locationOf(body));
  if (draft.nullable.has(column.name)) conflictingNull(draft, column.name, undefined);
  const identity = read.generated_when === 'a' ? 'always' : 'byDefault';
  draft.setColumn(column.position, { identity, notNull: true });
  addSequence(draft, draft.columnAt(column.position), { nodes: read.options, identity: true });
}

function setGenerated(draft: TableDraft, column: ColumnDescriptor, body: ast.Constraint): void {
  const { bind } = draft.context;
  const { raw_expr, generated_kind } = fields(bind.source, 'Constraint', body, [
    ...(['contype', 'conname', 'raw_expr', 'generated_when', 'generated_kind'] as const),
  ]);
  if (generated_kind === 'v') {
    notSupported(bind.source, 'a VIRTUAL generated column', locationOf(body));
  }
  refuseSecond(draft, column, 'generation expression', locationOf(body));
  const sql = bracketedText(bind.source, 'as', body.location ?? 0);
  draft.setColumn(column.position, { generated: sql });
  // Columns that come later can be named: it is bound when all are there.
  const node = must(raw_expr, 'a generated column has an expression');
  draft.later.push(() => {
    checkGenerated(draft, draft.columnAt(column.position), node);
  });
}
