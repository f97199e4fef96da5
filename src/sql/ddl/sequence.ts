/** CREATE and ALTER SEQUENCE. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { firstOid, type SequenceDescriptor, type TableDescriptor } from '../catalogue/index.js';
import { type ast, fields } from '../parse/index.js';
import { type DdlContext, placeOfRelation, shownName } from './context.js';
import { emptySequence } from './new-sequence.js';
import { ownershipOf } from './ownership.js';
import { requireOwner } from './permission.js';
import { type ReadOptions, sequenceOptions } from './sequence-options.js';

export function createSequence(context: DdlContext, body: ast.CreateSeqStmt): string {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'CreateSeqStmt', body, [
    ...(['sequence', 'options', 'if_not_exists'] as const),
  ]);
  const place = placeOfRelation(context, must(read.sequence, 'CREATE SEQUENCE names one'));
  if (catalogue.relation(place.database, place.schema, place.name) !== undefined) {
    const text = `relation "${place.name}" already exists`;
    if (read.if_not_exists !== true) raise('duplicate_table', text);
    context.notice(`${text}, skipping`, '42P07');
    return 'CREATE SEQUENCE';
  }
  const { options, owner } = sequenceOptions(bind, read.options);
  const ownership = ownershipOf(context, 'sequence', place.schema);
  const sequence = { ...emptySequence(catalogue, place, ownership), ...options };
  catalogue.put({ ...sequence, ownedBy: ownerOf(context, sequence, owner) });
  return 'CREATE SEQUENCE';
}

export function alterSequence(context: DdlContext, body: ast.AlterSeqStmt): string {
  const { bind } = context;
  const read = fields(bind.source, 'AlterSeqStmt', body, [
    ...(['sequence', 'options', 'missing_ok', 'for_identity'] as const),
  ]);
  const { schemaname, relname = '' } = fields(
    bind.source,
    'RangeVar',
    must(read.sequence, 'ALTER SEQUENCE names one'),
    ['schemaname', 'relname'],
  );
  const found = bind.catalogue.relation(schemaname, relname);
  if (found === undefined) {
    const text = `relation "${shownName(schemaname, relname)}" does not exist`;
    if (read.missing_ok !== true) raise('undefined_table', text);
    context.notice(`${text}, skipping`);
    return 'ALTER SEQUENCE';
  }
  if (found.kind !== 'sequence') {
    return raise('wrong_object_type', `"${relname}" is not a sequence`);
  }
  requireOwner(context, found);
  replaceInColumns(context, changedSequence(context, found, read.options));
  return 'ALTER SEQUENCE';
}

/** Changes a sequence; a table whose column's default it is gets the result from the caller. */
export function changedSequence(
  context: DdlContext,
  before: SequenceDescriptor,
  nodes: readonly ast.Node[] | undefined,
): SequenceDescriptor {
  const { bind } = context;
  const { options, restart, owner } = sequenceOptions(bind, nodes, { before });
  const column = ownerColumn(context, before);
  if (owner !== undefined && column?.identity !== undefined) {
    const table = must(before.ownedBy, 'a column owns it').table;
    const { name } = context.catalogue.object(table);
    raise('feature_not_supported', 'cannot change ownership of identity sequence', {
      detail: `Sequence "${before.name}" is linked to table "${name}".`,
    });
  }
  const changed = { ...before, ...options, version: before.version + 1 };
  const ownedBy = owner === undefined ? before.ownedBy : ownerOf(context, before, owner);
  const after = { ...changed, ownedBy };
  checkLast(context, before, after, restart);
  context.catalogue.put(after, before);
  if (restart !== undefined) setTo(context, after, restart, false);
  return after;
}

function setTo(
  { execution }: DdlContext,
  sequence: SequenceDescriptor,
  value: bigint,
  called: boolean,
): void {
  const { sequences } = execution.functions;
  must(sequences, 'sequences are altered in a session').set(
    sequence.object + firstOid,
    value,
    called,
  );
}

/** The number given last must lie within new bounds. */
function checkLast(
  { execution }: DdlContext,
  before: SequenceDescriptor,
  after: SequenceDescriptor,
  restart: bigint | undefined,
): void {
  if (restart !== undefined) return;
  const { sequences } = execution.functions;
  const { lastValue } = must(sequences, 'in a session').state(before.object + firstOid);
  if (lastValue < after.minimum) {
    const text = `RESTART value (${lastValue}) cannot be less than MINVALUE (${after.minimum})`;
    raise('invalid_parameter_value', text);
  }
  if (lastValue > after.maximum) {
    const text = `RESTART value (${lastValue}) cannot be greater than MAXVALUE (${after.maximum})`;
    raise('invalid_parameter_value', text);
  }
}

/** Restarts where it began: TRUNCATE ... RESTART IDENTITY. */
export function restartSequence(context: DdlContext, sequence: SequenceDescriptor): void {
  setTo(context, sequence, sequence.start, false);
}

/** Tables whose columns' defaults are numbers of the sequence have it as it is now. */
export function replaceInColumns({ catalogue }: DdlContext, sequence: SequenceDescriptor): void {
  for (const dependent of catalogue.dependents(sequence.object)) {
    if (dependent.kind !== 'table') continue;
    const columns = dependent.columns.map((column) =>
      column.default?.kind === 'sequence' && column.default.sequence.object === sequence.object
        ? { ...column, default: { kind: 'sequence' as const, sequence } }
        : column,
    );
    catalogue.put({ ...dependent, columns, version: dependent.version + 1 }, dependent);
  }
}

function ownerColumn({ catalogue }: DdlContext, { ownedBy }: SequenceDescriptor) {
  if (ownedBy === undefined) return undefined;
  const table = catalogue.object(ownedBy.table) as TableDescriptor;
  return table.columns.find(({ position }) => position === ownedBy.position);
}

const plurals = { view: 'views', sequence: 'sequences', index: 'indexes' } as const;

function ownerOf(
  { bind }: DdlContext,
  sequence: SequenceDescriptor,
  owner: ReadOptions['owner'],
): SequenceDescriptor['ownedBy'] {
  if (owner === undefined || owner === 'none') return undefined;
  const column = owner.at(-1) ?? '';
  const [schema, name = ''] = [owner.at(-3), owner.at(-2)];
  const table = bind.catalogue.relation(schema, name);
  if (table === undefined) {
    return raise('undefined_table', `relation "${shownName(schema, name)}" does not exist`);
  }
  if (table.kind !== 'table') {
    return raise('wrong_object_type', `sequence cannot be owned by relation "${name}"`, {
      detail: `This operation is not supported for ${plurals[table.kind]}.`,
    });
  }
  if (table.owner !== sequence.owner) {
    const text = 'sequence must have same owner as table it is linked to';
    raise('object_not_in_prerequisite_state', text);
  }
  if (table.schema !== sequence.schema) {
    const text = 'sequence must be in same schema as table it is linked to';
    raise('object_not_in_prerequisite_state', text);
  }
  const found = table.columns.find((one) => one.name === column);
  if (found === undefined) {
    const text = `column "${column}" of relation "${name}" does not exist`;
    return raise('undefined_column', text);
  }
  return { table: table.object, position: found.position };
}
