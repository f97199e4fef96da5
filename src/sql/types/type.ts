/** What a type can do. Every value handed in is a value of the type and not NULL. */
import type { ByteReader, ByteWriter } from '../../base/bytes.js';
import type { Random } from '../../base/random.js';
import type { Collation } from './collation.js';
import type { RecordShape } from './record.js';
import type { NotificationAccess } from './notification-access.js';
import type { Question } from './question.js';
import type { NamedOid } from './registered.js';
import type { SequenceAccess } from './sequence-access.js';
import type { SystemAccess } from './system-access.js';
import type { Value } from './value.js';
import type { TimeZone } from './zone.js';

/** The types that are always there, by the names of pg_type. */
export type BaseTypeName =
  | 'bool'
  | 'int2'
  | 'int4'
  | 'int8'
  | 'oid'
  | 'float4'
  | 'float8'
  | 'numeric'
  | 'text'
  | 'varchar'
  | 'bpchar'
  | 'name'
  | 'unknown'
  | 'bytea'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'interval'
  | 'json'
  | 'jsonb'
  | 'jsonpath'
  | 'uuid'
  | 'char'
  | 'timetz'
  | 'bit'
  | 'varbit'
  | SystemTypeName
  | RegisteredTypeName
  | 'record'
  | 'void';

/** Types that system relations have columns of. */
export type SystemTypeName =
  | 'int2vector'
  | 'oidvector'
  | 'tid'
  | 'xid'
  | 'cid'
  | 'xid8'
  | 'pg_node_tree'
  | 'aclitem'
  | 'inet'
  | 'pg_lsn'
  | 'anyarray'
  | 'pg_ndistinct'
  | 'pg_dependencies'
  | 'pg_mcv_list';

/** Types whose values are OIDs that print as the names of objects. */
export type RegisteredTypeName =
  | 'regclass'
  | 'regtype'
  | 'regproc'
  | 'regprocedure'
  | 'regoper'
  | 'regoperator'
  | 'regnamespace'
  | 'regrole'
  | 'regcollation';

/**
 * The name of a type, which says all there is to know of it: pg_type's for a base type, `_` and the
 * element's for an array, and what `nameOfUserType` gives for the types that users make.
 */
export type TypeName =
  | BaseTypeName
  | `_${string}`
  | `enum:${string}`
  | `domain:${string}`
  | `composite:${string}`
  | `collated:${string}`;

/** One of the values of an enum. */
export interface EnumLabel {
  /** What rows store; never given twice in a type. */
  readonly id: number;
  /** Labels sort by it. */
  readonly order: number;
  readonly label: string;
}

/** What a type that is no base type is made of. */
export type TypeForm =
  | { readonly kind: 'array'; readonly element: TypeName }
  | { readonly kind: 'enum'; readonly labels: readonly EnumLabel[] }
  | {
      readonly kind: 'domain';
      /** The type under all domains. */
      readonly base: TypeName;
      readonly modifier: number;
      readonly notNull: boolean;
      /** In the order in which they are checked. */
      readonly checks: readonly DomainCheck[];
    }
  | { readonly kind: 'composite'; readonly shape: RecordShape }
  /** Texts that sort otherwise than those of `base`. */
  | { readonly kind: 'collated'; readonly base: TypeName; readonly collation: Collation };

export interface DomainCheck {
  readonly name: string;
  /** An expression over VALUE. */
  readonly sql: string;
}

/** What functions, input and output read from the statement instead of the world. */
export interface FunctionContext {
  /** Microseconds since 2000-01-01 UTC at the start of the statement. */
  readonly statementTimestamp: bigint;
  /** Microseconds since 2000-01-01 UTC at the start of the transaction: what now() gives. */
  readonly transactionTimestamp: bigint;
  /** Microseconds since 2000-01-01 UTC at the moment of the call. */
  readonly clockTimestamp: () => bigint;
  /** The session's TimeZone. */
  readonly timeZone: TimeZone;
  readonly random: Random;
  readonly user: string;
  /** session_user, where it may differ. */
  readonly sessionUser?: string | undefined;
  readonly database: string;
  /** The first schema of the search path; undefined when there is none. */
  readonly schema: string | undefined;
  /** What version() gives. */
  readonly version: string;
  /**
   * Raises 23502 or 23514 for a value that is not one of the domain. Absent where nobody can evaluate
   * the checks: reading a value of a domain that has some is refused there.
   */
  readonly checkDomain?: ((domain: TypeName, value: Value) => void) | undefined;
  /** Objects by name; absent where there is no catalogue. */
  readonly names?: NameLookup | undefined;
  /** The value of a setting by its name in lower case; undefined for an unknown one. */
  readonly setting: (name: string) => string | undefined;
  /** Schemas of the search path that are there. */
  readonly schemas?: readonly string[];
  /** What SET and SET LOCAL do; gives the value as it is kept. Undefined outside of a session. */
  readonly changeSetting?: (name: string, value: string | undefined, local: boolean) => string;
  /** Sequences of the catalogue; undefined outside of a session. */
  readonly sequences?: SequenceAccess | undefined;
  /** What the catalogue says of its objects; absent outside of a session. */
  readonly system?: SystemAccess | undefined;
  /** The session's answer, or `guess` while it has none. Undefined outside of a session. */
  readonly ask?: ((question: Question, guess: Value) => Value) | undefined;
  /** Says something beside the statement's answer: severity, SQLSTATE, text. Undefined outside of a session. */
  readonly notice?:
    | ((severity: 'notice' | 'warning', sqlstate: string, text: string) => void)
    | undefined;
  /** What pg_backend_pid() gives; undefined outside of a session. */
  readonly pid?: number | undefined;
  /** NOTIFY and its like; undefined outside of a session. */
  readonly notifications?: NotificationAccess | undefined;
  /** Statements of the last day that took long, the oldest first. */
  readonly slowStatements?: (() => readonly SlowEntry[]) | undefined;
}

/** A statement that took long. */
export interface SlowEntry {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly durationMs: number;
  readonly user: string;
  readonly queryId: string;
  readonly sqlstate: string;
  readonly text: string;
}

/** What a text names, as the session's transaction and search path mean it. */
export interface NameLookup {
  /** A type with its modifier, such as `numeric(3,1)[]` or `mood`; undefined when there is none. */
  type(text: string): { readonly name: TypeName; readonly modifier: number } | undefined;
  /** Raises 42P01, 42704, 3F000 or 0A000. */
  registered(type: RegisteredTypeName, text: string): NamedOid;
}

/** A primitive that is equal for equal values; NaN and -0 are normalised. For keys of a Map. */
export type HashKey = string | number | bigint | boolean;

/**
 * A type. Names are pg_type's; `modifier` is -1 or what pg_attribute.atttypmod would hold.
 *
 * Hash keys are comparable between the types of a family: int2, int4, int8 and oid; float4 and
 * float8; text, varchar and name. Between other types, cast first.
 */
export interface Type {
  readonly name: TypeName;
  /** Undefined for a base type. */
  readonly form?: TypeForm;
  readonly oid: number;
  readonly arrayOid: number;
  /** The name in SQL, which error messages show: `integer`, `character varying`. */
  readonly sqlName: string;
  /** pg_type.typlen: bytes, or -1 for a variable length. */
  readonly length: number;
  /** pg_type.typcategory. */
  readonly category: string;
  /** The preferred type of its category. */
  readonly preferred: boolean;
  /** True when the text of a value depends on the context (time zone, now). */
  readonly textDependsOnContext: boolean;
  /** Reads the numbers in parentheses after the type's name. Raises `invalid_parameter_value`. */
  readonly modifierOf: ((numbers: readonly number[]) => number) | undefined;
  /** Prints a modifier, such as `(10,2)`. */
  readonly printModifier: ((modifier: number) => string) | undefined;
  /**
   * Reads PostgreSQL's input text; raises its errors (22P02, 22003, 22007, 22008, ...). A modifier
   * is applied as on assignment: varchar(3) refuses a longer text.
   */
  parse(text: string, modifier: number, context: FunctionContext): Value;
  /** PostgreSQL's output text, byte for byte. */
  print(value: Value, context: FunctionContext): string;
  /** Undefined for types without order (json, unknown, void). Negative, 0, positive. */
  readonly compare: ((a: Value, b: Value) => number) | undefined;
  /** Undefined for types without equality (json, unknown, void). */
  readonly equals: ((a: Value, b: Value) => boolean) | undefined;
  readonly hashKey: ((value: Value) => HashKey) | undefined;
  /** Approximate bytes of memory that the value holds. */
  sizeOf(value: Value): number;
  /** How the value stands in a key; undefined for types that cannot be part of a key. */
  readonly key: KeyCodec | undefined;
  /** Writes the value of a column, self-delimiting, losing nothing. */
  encode(writer: ByteWriter, value: Value): void;
  decode(reader: ByteReader): Value;
}

/**
 * Bytes that sort as the values do. No encoding is a prefix of another of the same type, and equal
 * values have equal bytes.
 */
export interface KeyCodec {
  /**
   * False where equal values may differ (numeric 1.0 and 1.00, -0, blanks of bpchar, intervals):
   * the row must then keep the value itself beside its key.
   */
  readonly lossless: boolean;
  encode(writer: ByteWriter, value: Value): void;
  decode(reader: ByteReader): Value;
}
