/**
 * The error catalogue: every error that a user can meet, with its SQLSTATE, who may retry and what
 * to do. docs/errors.md lists the same; a test keeps the two equal. Names and codes are
 * PostgreSQL's (https://www.postgresql.org/docs/15/errcodes-appendix.html); those of class SF are ours.
 */
import type { ErrorKind, Retry } from './error-kind.js';
import { statementErrors } from './statement-errors.js';

export type { ErrorKind, Retry } from './error-kind.js';

const catalogue = {
  ...statementErrors,
  // Transactions
  serialization_failure: {
    sqlstate: '40001',
    retry: 'transaction',
    advice: 'Roll back and run the whole transaction again.',
  },
  statement_completion_unknown: {
    sqlstate: '40003',
    retry: 'unknown',
    advice: 'Check whether the change is there before sending it again.',
  },
  in_failed_sql_transaction: {
    sqlstate: '25P02',
    retry: 'transaction',
    advice: 'Send ROLLBACK; commands are ignored until then.',
  },
  active_sql_transaction: {
    sqlstate: '25001',
    retry: 'never',
    advice: 'Run the command outside a transaction block.',
  },
  no_active_sql_transaction: {
    sqlstate: '25P01',
    retry: 'never',
    advice: 'Start a transaction with BEGIN first.',
  },
  read_only_sql_transaction: {
    sqlstate: '25006',
    retry: 'never',
    advice: 'Use a transaction that may write.',
  },
  snapshot_too_old: {
    sqlstate: '72000',
    retry: 'transaction',
    advice: 'Run the transaction again; keep transactions short.',
  },
  // Limits
  out_of_memory: {
    sqlstate: '53200',
    retry: 'later',
    advice: 'Let the statement touch fewer rows or raise the memory limit named.',
  },
  disk_full: {
    sqlstate: '53100',
    retry: 'later',
    advice: 'Free space on the disk and restart the node; nothing acknowledged is lost.',
  },
  invalid_authorization_specification: {
    sqlstate: '28000',
    retry: 'never',
    advice: 'Sign in as a role that exists, in a way that a rule of auth.rules allows.',
  },
  invalid_password: {
    sqlstate: '28P01',
    retry: 'never',
    advice: 'Sign in with the password of the role; the log says why it was refused.',
  },
  too_many_connections: {
    sqlstate: '53300',
    retry: 'later',
    advice: 'Close connections or raise the limit named.',
  },
  configuration_limit_exceeded: {
    sqlstate: '53400',
    retry: 'later',
    advice: 'Send fewer requests at once or raise the limit named.',
  },
  program_limit_exceeded: {
    sqlstate: '54000',
    retry: 'never',
    advice: 'Stay below the limit named.',
  },
  statement_too_complex: {
    sqlstate: '54001',
    retry: 'never',
    advice: 'Nest the expression less deeply or split the statement.',
  },
  too_many_columns: { sqlstate: '54011', retry: 'never', advice: 'Use fewer columns.' },
  too_many_arguments: {
    sqlstate: '54023',
    retry: 'never',
    advice: 'Pass fewer arguments or parameters.',
  },
  // Operation
  query_canceled: {
    sqlstate: '57014',
    retry: 'statement',
    advice: 'The statement was cancelled as asked.',
  },
  deadlock_detected: {
    sqlstate: '40P01',
    retry: 'transaction',
    advice:
      'Roll back and run the whole transaction again; take locks in the same order everywhere.',
  },
  lock_not_available: {
    sqlstate: '55P03',
    retry: 'transaction',
    advice: 'Somebody else holds the lock: try again, or allow more time by lock_timeout.',
  },
  idle_in_transaction_session_timeout: {
    sqlstate: '25P03',
    retry: 'never',
    advice: 'End transactions in time, or allow more by idle_in_transaction_session_timeout.',
  },
  transaction_timeout: {
    sqlstate: '25P04',
    retry: 'never',
    advice: 'Make the transaction shorter, or allow more time by transaction_timeout.',
  },
  idle_session_timeout: {
    sqlstate: '57P05',
    retry: 'later',
    advice: 'Connect again when there is something to do, or allow more by idle_session_timeout.',
  },
  admin_shutdown: {
    sqlstate: '57P01',
    retry: 'later',
    advice: 'Connect again when the node is back.',
  },
  cannot_connect_now: {
    sqlstate: '57P03',
    retry: 'later',
    advice: 'Wait until the node is ready.',
  },
  connection_failure: {
    sqlstate: '08006',
    retry: 'unknown',
    advice: 'Connect again; check whether the last change is there.',
  },
  sqlclient_unable_to_establish_sqlconnection: {
    sqlstate: '08001',
    retry: 'later',
    advice: 'Check the address and that the node is running.',
  },
  connection_does_not_exist: { sqlstate: '08003', retry: 'later', advice: 'Connect first.' },
  protocol_violation: {
    sqlstate: '08P01',
    retry: 'never',
    advice: 'Send messages as docs/protocol.md describes.',
  },
  undefined_file: {
    sqlstate: '58P01',
    retry: 'never',
    advice: 'Correct the path: it is one of the node that the session is connected to.',
  },
  io_error: {
    sqlstate: '58030',
    retry: 'later',
    advice: 'Check the disk; the node stops and recovers when restarted.',
  },
  data_corrupted: {
    sqlstate: 'XX001',
    retry: 'never',
    advice: 'Stop the node, keep a copy of the directory, restore from a backup or a replica.',
  },
  internal_error: {
    sqlstate: 'XX000',
    retry: 'later',
    advice: 'This is a bug of ShardForge: report it with the log.',
  },
  // Cluster
  no_quorum: {
    sqlstate: 'SF010',
    retry: 'later',
    advice:
      'Wait until a majority of the voters is back; docs/operations.md says what not to do meanwhile.',
  },
  not_in_cluster: {
    sqlstate: 'SF011',
    retry: 'later',
    advice: 'Form a cluster with `shardforge cluster init` or have the node join one.',
  },
  cluster_change_refused: {
    sqlstate: 'SF012',
    retry: 'later',
    advice: 'Look at `shardforge cluster status` and mend what the message names.',
  },
  node_refused: {
    sqlstate: 'SF013',
    retry: 'never',
    advice: 'Give the node another id and an empty directory, and join it anew.',
  },
  // Start-up
  config_invalid: {
    sqlstate: 'F0000',
    retry: 'never',
    advice: 'Correct the option named; docs/config.md lists all.',
  },
  directory_locked: {
    sqlstate: 'SF001',
    retry: 'later',
    advice: 'Stop the other process that uses the directory or choose another directory.',
  },
  directory_foreign: {
    sqlstate: 'SF002',
    retry: 'never',
    advice: 'Choose an empty directory or one that ShardForge made.',
  },
  directory_unwritable: {
    sqlstate: 'SF003',
    retry: 'never',
    advice: 'Give the process the right to write there or choose another directory.',
  },
  directory_damaged: {
    sqlstate: 'SF004',
    retry: 'never',
    advice: 'Keep a copy of the directory and restore it from a backup.',
  },
  directory_newer: {
    sqlstate: 'SF005',
    retry: 'never',
    advice: 'Start it with the version of ShardForge that made it, or a newer one.',
  },
  address_in_use: {
    sqlstate: 'SF006',
    retry: 'never',
    advice: 'Stop the other process at the address or choose another port.',
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorName = keyof typeof catalogue;

/** The catalogue, for documents, tests and protocols. */
export const errorCatalogue: Readonly<Record<ErrorName, ErrorKind>> = catalogue;

export interface ErrorDetails {
  /** Where in the statement, in characters counted from 1. */
  readonly position?: number;
  readonly detail?: string;
  readonly hint?: string;
  readonly schema?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  /** Where in the data that a statement reads, such as the line of COPY. */
  readonly context?: string;
  /** What logs and pg_stat_activity call the statement that failed. */
  readonly queryId?: string;
}

/** An error of the catalogue. Everything a client sees is one of these. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  readonly kind: ErrorName;
  readonly details: ErrorDetails;

  constructor(kind: ErrorName, message: string, details: ErrorDetails = {}) {
    super(message);
    this.kind = kind;
    this.details = details;
  }

  get sqlstate(): string {
    return catalogue[this.kind].sqlstate;
  }

  get retry(): Retry {
    return catalogue[this.kind].retry;
  }
}

/** Throws the error. */
export function raise(kind: ErrorName, message: string, details: ErrorDetails = {}): never {
  throw new DatabaseError(kind, message, details);
}
