/**
 * What the catalogue says of its objects. Descriptors are immutable: a change makes a new one with a
 * higher version.
 */
import type { DatabaseId, ObjectId, StorageId } from '../../base/ids.js';
import type { EnumLabel } from '../types/index.js';
import type { Grant } from './grants.js';

export type ColumnDefault =
  /** An expression in SQL, bound again with each plan. */
  | { readonly kind: 'expression'; readonly sql: string }
  /** The next number of a sequence of the table's own: SERIAL and IDENTITY. */
  | { readonly kind: 'sequence'; readonly sequence: SequenceDescriptor };

/** What every object of the catalogue has. */
interface CatalogueObject {
  readonly object: ObjectId;
  /** Rises with each change; proposals name that of tables. */
  readonly version: number;
  readonly database: DatabaseId;
  readonly schema: string;
  readonly name: string;
  /** COMMENT ON. */
  readonly comment: string | undefined;
}

/** An object that belongs to a role. */
interface OwnedObject extends CatalogueObject {
  /** The role that it belongs to. */
  readonly owner: ObjectId;
  /** Undefined as long as nothing was granted or revoked: then `defaultGrants` hold. */
  readonly privileges: readonly Grant[] | undefined;
}

export interface SequenceDescriptor extends OwnedObject {
  readonly kind: 'sequence';
  /** The sequence's last value lies under its only row key. */
  readonly storage: StorageId;
  /** int2, int4 or int8. */
  readonly type: string;
  readonly start: bigint;
  /** Never 0; a negative one descends. */
  readonly increment: bigint;
  readonly minimum: bigint;
  readonly maximum: bigint;
  readonly cycle: boolean;
  readonly cache: bigint;
  /** The table whose column it goes with: SERIAL, IDENTITY and OWNED BY. */
  readonly ownedBy: { readonly table: ObjectId; readonly position: number } | undefined;
}

export interface ColumnDescriptor {
  /** Counted from 1, never given twice in a table; rows are stored by it. */
  readonly position: number;
  readonly name: string;
  /** The type's name, such as `int4`; that of a user's type carries its whole definition. */
  readonly type: string;
  readonly typeModifier: number;
  readonly notNull: boolean;
  readonly default: ColumnDefault | undefined;
  readonly identity: 'always' | 'byDefault' | undefined;
  /** GENERATED ALWAYS AS (...) STORED: the expression in SQL over the table's columns. */
  readonly generated: string | undefined;
  /** COLLATE's name other than the default. */
  readonly collation: string | undefined;
  readonly comment: string | undefined;
  /** Granted on it alone, beside what holds for the table. */
  readonly privileges: readonly Grant[] | undefined;
}

/** When a constraint is checked: not deferrable, INITIALLY IMMEDIATE or INITIALLY DEFERRED. */
export type ConstraintTiming = 'immediate' | 'deferrable' | 'deferred';

export interface IndexKey {
  /** The column's position; undefined for an expression. */
  readonly column: number | undefined;
  /** In SQL over the table's columns; undefined for a column. */
  readonly expression: string | undefined;
  readonly type: string;
  readonly typeModifier: number;
  readonly collation: string | undefined;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** An index beside the order of the rows themselves, which is that of `primaryKey`. */
export interface IndexDescriptor {
  readonly object: ObjectId;
  /** Its entries are rows of kind `index` there. */
  readonly storage: StorageId;
  readonly name: string;
  readonly unique: boolean;
  readonly nullsNotDistinct: boolean;
  readonly keys: readonly IndexKey[];
  /** Positions of the columns of INCLUDE. */
  readonly include: readonly number[];
  /** WHERE in SQL over the table's columns. */
  readonly predicate: string | undefined;
  /**
   * The PRIMARY KEY of a table whose rows are in another order: it was added later or is DEFERRABLE.
   * Then `primaryKey` of the table is empty.
   */
  readonly primary: boolean;
  /** The index of the partitioned parent that it is the part of for this partition. */
  readonly partOf: ObjectId | undefined;
  /** Set when a UNIQUE or PRIMARY KEY constraint of the same name made it. */
  readonly constraint: ConstraintTiming | undefined;
  readonly comment: string | undefined;
}

export interface CheckDescriptor {
  readonly name: string;
  /** The condition in SQL over the table's columns. */
  readonly expression: string;
  /** False while NOT VALID: rows that were there before are not known to satisfy it. */
  readonly validated: boolean;
  readonly comment: string | undefined;
}

export type ForeignKeyAction = 'noAction' | 'restrict' | 'cascade' | 'setNull' | 'setDefault';

export interface ForeignKeyDescriptor {
  readonly name: string;
  /** Positions of the referencing columns. */
  readonly columns: readonly number[];
  /** The table referenced, possibly its own. */
  readonly references: ObjectId;
  /** Positions of the columns referenced, in the order of `columns`: a primary key or unique index. */
  readonly referencedColumns: readonly number[];
  readonly match: 'simple' | 'full';
  readonly onUpdate: ForeignKeyAction;
  readonly onDelete: ForeignKeyAction;
  /** The columns that ON DELETE SET NULL or SET DEFAULT sets, by position; all of `columns` as a rule. */
  readonly onDeleteColumns: readonly number[];
  readonly timing: ConstraintTiming;
  readonly validated: boolean;
  readonly comment: string | undefined;
}

/** One column or expression by which a table is divided. */
export interface PartitionKey {
  /** The column's position; undefined for an expression. */
  readonly column: number | undefined;
  /** In SQL over the table's columns; undefined for a column. */
  readonly expression: string | undefined;
  readonly type: string;
  readonly typeModifier: number;
  readonly collation: string | undefined;
}

/** PARTITION BY: the table's rows lie in its partitions, and none in its own storage. */
export interface Partitioning {
  readonly strategy: 'list' | 'range' | 'hash';
  readonly keys: readonly PartitionKey[];
  /** In the order in which they came. */
  readonly partitions: readonly ObjectId[];
}

/** One end of a range: a text that the key's type reads, or beyond all of its values. */
export type RangeDatum = { readonly text: string } | 'minvalue' | 'maxvalue';

/** FOR VALUES. Texts are as the key's type prints its values; null is NULL. */
export type PartitionBound =
  | { readonly kind: 'default' }
  | { readonly kind: 'list'; readonly values: readonly (string | null)[] }
  /** From and with `from`, up to and without `to`: compared key by key. */
  | {
      readonly kind: 'range';
      readonly from: readonly RangeDatum[];
      readonly to: readonly RangeDatum[];
    }
  | { readonly kind: 'hash'; readonly modulus: number; readonly remainder: number };

export interface TableDescriptor extends OwnedObject {
  readonly kind: 'table';
  readonly storage: StorageId;
  readonly columns: readonly ColumnDescriptor[];
  /** The highest position that a column ever had. */
  readonly lastPosition: number;
  /** Columns that were dropped: rows keep their places. */
  readonly dropped: readonly { readonly position: number; readonly type: string }[];
  /** Positions of the key columns in key order, all NOT NULL. */
  readonly primaryKey: readonly number[];
  readonly primaryKeyName: string | undefined;
  /**
   * Numbers the rows of a table without PRIMARY KEY; their key is that number as int8, which no
   * column shows.
   */
  readonly rowNumbers: SequenceDescriptor | undefined;
  readonly indexes: readonly IndexDescriptor[];
  readonly checks: readonly CheckDescriptor[];
  readonly foreignKeys: readonly ForeignKeyDescriptor[];
  /** Tables with foreign keys to this one, each once; this one too if it references itself. */
  readonly referencedBy: readonly ObjectId[];
  /** Sequences and functions that defaults, checks, generated columns and indexes name. */
  readonly uses: readonly ObjectId[];
  /** What COMMIT does with a temporary table. */
  readonly onCommit: 'preserve' | 'delete' | 'drop';
  readonly partitioning: Partitioning | undefined;
  /** Its columns have the names and types of the parent's, in any order. */
  readonly partitionOf: { readonly parent: ObjectId; readonly bound: PartitionBound } | undefined;
}

/** An object that a stored text names, as it was named when the text was stored. */
export interface Reference {
  readonly object: ObjectId;
  /** As the text says it. */
  readonly schema: string | undefined;
  readonly name: string;
  /** A relation's columns and their names at that time. */
  readonly columns: readonly { readonly position: number; readonly name: string }[];
}

export interface ViewColumn {
  readonly name: string;
  readonly type: string;
  readonly typeModifier: number;
  /** Granted on it alone. */
  readonly privileges?: readonly Grant[] | undefined;
}

export interface ViewDescriptor extends OwnedObject {
  readonly kind: 'view';
  readonly columns: readonly ViewColumn[];
  /** The query in SQL; its names mean what `references` says, whatever is called so today. */
  readonly query: string;
  readonly references: readonly Reference[];
  readonly checkOption: 'local' | 'cascaded' | undefined;
  /** The rights of whoever reads it count, not those of its owner. */
  readonly securityInvoker: boolean;
}

/** A name that is taken by an index of a table. */
export interface IndexName extends CatalogueObject {
  readonly kind: 'index';
  readonly table: ObjectId;
}

export type RelationDescriptor = TableDescriptor | ViewDescriptor | SequenceDescriptor | IndexName;

export interface SchemaDescriptor extends OwnedObject {
  readonly kind: 'schema';
}

/** CREATE TYPE and CREATE DOMAIN. */
export interface TypeDescriptor extends OwnedObject {
  readonly kind: 'type';
  readonly definition: TypeDefinition;
}

export type TypeDefinition =
  /**
   * Labels in order. Values are stored by ids, keys by `order`: neither ever changes, and a label that
   * is put between two others gets an order between theirs.
   */
  | {
      readonly form: 'enum';
      readonly labels: readonly EnumLabel[];
    }
  | {
      readonly form: 'domain';
      readonly base: string;
      readonly baseModifier: number;
      readonly notNull: boolean;
      readonly default: string | undefined;
      /** Conditions in SQL over VALUE. */
      readonly checks: readonly CheckDescriptor[];
      readonly collation: string | undefined;
    }
  | {
      readonly form: 'composite';
      readonly attributes: readonly {
        readonly name: string;
        readonly type: string;
        readonly typeModifier: number;
      }[];
    };

export interface FunctionParameter {
  readonly name: string | undefined;
  readonly mode: 'in' | 'out' | 'inout' | 'variadic' | 'table';
  readonly type: string;
  /** In SQL. */
  readonly default: string | undefined;
}

/** CREATE FUNCTION ... LANGUAGE SQL. */
export interface FunctionDescriptor extends OwnedObject {
  readonly kind: 'function';
  readonly parameters: readonly FunctionParameter[];
  readonly returns: string;
  readonly returnsSet: boolean;
  readonly strict: boolean;
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  /** The statements of the body; the last one gives the result. */
  readonly body: string;
  /** SECURITY DEFINER: the rights of its owner count in the body, not those of the caller. */
  readonly securityDefiner: boolean;
}

/** That a role is a member of another: at most one for each role and grantor. */
export interface Membership {
  readonly role: ObjectId;
  readonly grantor: ObjectId;
  /** It may be granted on. */
  readonly admin: boolean;
  /** Its rights count without SET ROLE. */
  readonly inherit: boolean;
  /** SET ROLE may be used. */
  readonly set: boolean;
}

/** ALTER ROLE ... SET and ALTER DATABASE ... SET: a first setting of sessions. */
export interface InitialSetting {
  readonly name: string;
  readonly value: string;
  /** IN DATABASE: only there. */
  readonly inDatabase: boolean;
}

/** ALTER DEFAULT PRIVILEGES: what objects that the role makes have at once. */
export interface DefaultPrivileges {
  /** Undefined: in all schemas, in the place of what holds by default; else beside that. */
  readonly schema: ObjectId | undefined;
  readonly kind: 'table' | 'sequence' | 'function' | 'schema' | 'type';
  readonly privileges: readonly Grant[];
}

/** CREATE ROLE. Roles belong to no schema. */
export interface RoleDescriptor extends CatalogueObject {
  readonly kind: 'role';
  readonly superuser: boolean;
  readonly inherit: boolean;
  readonly createRole: boolean;
  readonly createDatabase: boolean;
  readonly login: boolean;
  readonly replication: boolean;
  readonly bypassRowSecurity: boolean;
  /** Sessions at once; -1 without a limit. */
  readonly connectionLimit: number;
  /** Of the password: `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`. */
  readonly verifier: string | undefined;
  /** After it the password is refused: a timestamptz. */
  readonly validUntil: bigint | undefined;
  readonly memberOf: readonly Membership[];
  readonly settings: readonly InitialSetting[];
  readonly defaultPrivileges: readonly DefaultPrivileges[];
}

/** What is granted and set on the database. */
export interface DatabaseDescriptor extends OwnedObject {
  readonly kind: 'database';
  readonly settings: readonly InitialSetting[];
}

/** What belongs to a role and may be used by others. */
export type OwnedDescriptor =
  | TableDescriptor
  | ViewDescriptor
  | SequenceDescriptor
  | SchemaDescriptor
  | TypeDescriptor
  | FunctionDescriptor
  | DatabaseDescriptor;

export type Descriptor =
  | RelationDescriptor
  | SchemaDescriptor
  | TypeDescriptor
  | FunctionDescriptor
  | RoleDescriptor
  | DatabaseDescriptor;
