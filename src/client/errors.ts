/** The one class of error that the SDK throws, and the errors that it finds itself. */
import type { ErrorFrame } from '../net/protocol.js';

/**
 * Who may try again, and what. `never`: the same request fails again until something is changed.
 * `statement`: the statement may be sent again. `transaction`: the whole transaction may be run
 * again. `later`: the request may succeed when the node or the load has changed. `unknown`: it may
 * or may not have happened; look before trying again.
 */
export type Retry = ErrorFrame['retry'];

/** What an error says; see {@link ShardForgeError}. */
export interface ShardForgeErrorFields {
  readonly sqlstate: string;
  readonly condition: string;
  readonly message: string;
  readonly retry: Retry;
  readonly position?: number | undefined;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  readonly constraint?: string | undefined;
}

/**
 * Every error that the SDK throws, whether the node or the SDK found it. docs/errors.md lists all.
 *
 * @example
 * try {
 *   await db.sql`insert into account values (${id}, ${balance})`;
 * } catch (error) {
 *   if (error instanceof ShardForgeError && error.sqlstate === '23505') return 'exists already';
 *   throw error;
 * }
 */
export class ShardForgeError extends Error {
  override readonly name = 'ShardForgeError';
  /** PostgreSQL's five characters, such as `23505`. */
  readonly sqlstate: string;
  /** PostgreSQL's name of the condition, such as `unique_violation`. */
  readonly condition: string;
  readonly retry: Retry;
  /** Where in the statement, in characters counted from 1. */
  readonly position: number | undefined;
  readonly detail: string | undefined;
  /** What to do about it. */
  readonly hint: string | undefined;
  readonly schema: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;
  readonly constraint: string | undefined;

  constructor(fields: ShardForgeErrorFields, options?: ErrorOptions) {
    super(fields.message, options);
    this.sqlstate = fields.sqlstate;
    this.condition = fields.condition;
    this.retry = fields.retry;
    this.position = fields.position;
    this.detail = fields.detail;
    this.hint = fields.hint;
    this.schema = fields.schema;
    this.table = fields.table;
    this.column = fields.column;
    this.constraint = fields.constraint;
  }
}

/** The conditions that the SDK itself finds, as the node's catalogue has them; a test compares. */
export const clientConditions = {
  invalid_parameter_value: ['22023', 'never'],
  feature_not_supported: ['0A000', 'never'],
  object_not_in_prerequisite_state: ['55000', 'never'],
  active_sql_transaction: ['25001', 'never'],
  in_failed_sql_transaction: ['25P02', 'transaction'],
  statement_completion_unknown: ['40003', 'unknown'],
  program_limit_exceeded: ['54000', 'never'],
  configuration_limit_exceeded: ['53400', 'later'],
  query_canceled: ['57014', 'statement'],
  connection_failure: ['08006', 'unknown'],
  connection_does_not_exist: ['08003', 'later'],
  sqlclient_unable_to_establish_sqlconnection: ['08001', 'later'],
  protocol_violation: ['08P01', 'never'],
} as const satisfies Record<string, readonly [string, Retry]>;

export type ClientCondition = keyof typeof clientConditions;

/** An error that the SDK found itself. */
export function clientError(
  condition: ClientCondition,
  message: string,
  more: { readonly hint?: string; readonly retry?: Retry; readonly cause?: unknown } = {},
): ShardForgeError {
  const [sqlstate, retry] = clientConditions[condition];
  return new ShardForgeError(
    { sqlstate, condition, message, retry: more.retry ?? retry, hint: more.hint },
    more.cause === undefined ? undefined : { cause: more.cause },
  );
}

/** An error that the node sent. */
export function errorOfFrame(frame: ErrorFrame): ShardForgeError {
  return new ShardForgeError({ ...frame, condition: frame.name });
}
