/**
 * Descriptors as they were stored, made whole: JSON leaves out what is undefined, and earlier versions
 * knew fewer fields. Format: what a missing field meant then.
 */
import { unreachable } from '../../base/assert.js';
import type { DatabaseId, ObjectId } from '../../base/ids.js';
import { bootstrapRole } from './built-in.js';
import type {
  CheckDescriptor,
  ColumnDescriptor,
  Descriptor,
  ForeignKeyDescriptor,
  IndexDescriptor,
  IndexKey,
  SequenceDescriptor,
  TableDescriptor,
  TypeDefinition,
} from './descriptor.js';
import type { Grant } from './grants.js';

/** What JSON may have left out. */
type Stored<T> = { readonly [K in keyof T]?: T[K] | undefined } & Partial<T>;

const int8Maximum = 9_223_372_036_854_775_807n;

export function completed(stored: Partial<Descriptor>): Descriptor {
  const given = stored as { readonly owner?: ObjectId; readonly privileges?: readonly Grant[] };
  // The first versions knew one user.
  const { owner = bootstrapRole, privileges } = given;
  const common = { ...stored, comment: stored.comment ?? undefined };
  const owned = { ...common, owner, privileges };
  // The first versions knew tables only and did not say so.
  const kind = stored.kind ?? 'table';
  switch (kind) {
    case 'table':
      return completeTable({ ...owned, kind } as Stored<TableDescriptor> as TableDescriptor);
    case 'sequence':
      return completeSequence(owned as SequenceDescriptor);
    case 'view':
      return { checkOption: undefined, securityInvoker: false, ...owned } as Descriptor;
    case 'type': {
      const { definition } = stored as { readonly definition: TypeDefinition };
      return { ...owned, definition: completeType(definition) } as Descriptor;
    }
    case 'function':
      return { securityDefiner: false, ...owned } as Descriptor;
    case 'schema':
    case 'database':
      return owned as Descriptor;
    case 'role':
      return { verifier: undefined, validUntil: undefined, ...common } as Descriptor;
    case 'index':
      return common as Descriptor;
    default:
      return unreachable(kind);
  }
}

function completeTable(stored: TableDescriptor): TableDescriptor {
  const given: Stored<TableDescriptor> = stored;
  return {
    ...stored,
    columns: stored.columns.map(completeColumn),
    lastPosition: given.lastPosition ?? Math.max(0, ...stored.columns.map((c) => c.position)),
    dropped: given.dropped ?? [],
    primaryKeyName: given.primaryKeyName,
    rowNumbers: given.rowNumbers && completeSequence(given.rowNumbers),
    indexes: (given.indexes ?? []).map(completeIndex),
    checks: (given.checks ?? []).map(completeCheck),
    foreignKeys: (given.foreignKeys ?? []).map(completeForeignKey),
    referencedBy: given.referencedBy ?? [],
    uses: given.uses ?? [],
    onCommit: given.onCommit ?? 'preserve',
    partitioning: given.partitioning,
    partitionOf: given.partitionOf,
  };
}

function completeColumn(stored: ColumnDescriptor): ColumnDescriptor {
  const given: Stored<ColumnDescriptor> = stored;
  const value = given.default;
  return {
    ...stored,
    default:
      value?.kind === 'sequence'
        ? { kind: 'sequence', sequence: completeSequence(value.sequence) }
        : value,
    identity: given.identity,
    generated: given.generated,
    collation: given.collation,
    comment: given.comment,
    privileges: given.privileges,
  };
}

/** The sequences of the first versions were parts of their tables and counted upwards from 1. */
function completeSequence(stored: SequenceDescriptor): SequenceDescriptor {
  const given: Stored<SequenceDescriptor> = stored;
  return {
    ...stored,
    kind: 'sequence',
    version: given.version ?? 1,
    database: given.database ?? (1 as DatabaseId),
    schema: given.schema ?? 'public',
    type: given.type ?? 'int8',
    minimum: given.minimum ?? 1n,
    maximum: given.maximum ?? int8Maximum,
    cycle: given.cycle ?? false,
    cache: given.cache ?? 1n,
    ownedBy: given.ownedBy,
    comment: given.comment,
    owner: given.owner ?? bootstrapRole,
    privileges: given.privileges,
  };
}

function completeIndex(stored: IndexDescriptor): IndexDescriptor {
  const given: Stored<IndexDescriptor> = stored;
  return {
    ...stored,
    keys: stored.keys.map(completeKey),
    predicate: given.predicate,
    partOf: given.partOf,
    constraint: given.constraint,
    comment: given.comment,
  };
}

function completeKey(stored: IndexKey): IndexKey {
  const given: Stored<IndexKey> = stored;
  const { column, expression, collation } = given;
  return { ...stored, column, expression, collation };
}

function completeCheck(stored: CheckDescriptor): CheckDescriptor {
  return { ...stored, comment: (stored as Stored<CheckDescriptor>).comment };
}

function completeForeignKey(stored: ForeignKeyDescriptor): ForeignKeyDescriptor {
  return { ...stored, comment: (stored as Stored<ForeignKeyDescriptor>).comment };
}

function completeType(stored: TypeDefinition): TypeDefinition {
  if (stored.form !== 'domain') return stored;
  const given: Stored<typeof stored> = stored;
  return {
    ...stored,
    default: given.default,
    collation: given.collation,
    checks: stored.checks.map(completeCheck),
  };
}
