/** Bounds of a session and of what the sessions of a place share. */
export interface SessionLimits {
  /** The text of a statement, bytes of UTF-8. */
  readonly statementBytes: number;
  /** Memory of one statement, bytes. */
  readonly statementMemoryBytes: number;
  /** Memory of one session, with the writes of its open transaction, bytes. */
  readonly sessionMemoryBytes: number;
  /** Memory of all statements and sessions of a place, bytes. */
  readonly nodeMemoryBytes: number;
  /** Named prepared statements of one session. */
  readonly preparedStatements: number;
  /** Plans that the sessions of a place keep, bytes. */
  readonly planCacheBytes: number;
  /** Requests that wait behind the one that a session serves. */
  readonly queuedRequests: number;
  /** Notifications that a session has heard and its client has not taken, bytes; one with more is ended. */
  readonly notificationBytes: number;
}

const mebibyte = 1024 * 1024;

export const defaultSessionLimits: SessionLimits = {
  statementBytes: mebibyte,
  statementMemoryBytes: 64 * mebibyte,
  sessionMemoryBytes: 128 * mebibyte,
  nodeMemoryBytes: 512 * mebibyte,
  preparedStatements: 1000,
  planCacheBytes: 32 * mebibyte,
  queuedRequests: 1024,
  notificationBytes: 4 * mebibyte,
};

/** Characters of a text whose plan is kept; longer ones, such as INSERTs of many rows, are hardly ever sent twice. */
export const cachedTextMax = 16_384;

/** Characters of a text that is parsed in the session's turn; longer ones go to another thread. */
export const parsedInTurnMax = 131_072;

/** Cursors that a session has open. */
export const cursorsMax = 1000;

/** Executions of one autocommit statement before its conflict is reported. */
export const executionsMax = 100;

/** Executions of one statement whose snapshot becomes too old each time. */
export const agedExecutionsMax = 5;

/** Milliseconds that a commit on its way may take after its cancel; then its outcome is reported as unknown. */
export const cancelledCommitMs = 1_000;

/** Characters of a statement that pg_stat_activity shows. */
export const queryLengthLimit = 4_096;

/** The same of all sessions of a node together. */
export const reportedCharactersMax = 1_048_576;

/** Milliseconds that other nodes have to tell of their sessions. */
export const gatherMs = 1_000;

/** Milliseconds between looks whether a session is gone that was ended. */
export const terminationLookMs = 10;

/** Rows of one message to a door. */
export const messageRowsMax = 1024;

/** Bytes after which a message with rows is sent, roughly. */
export const messageBytes = 65_536;

/** Requests that were waiting and are begun in one turn. */
export const requestsPerTurn = 32;

/** Domains whose checks a session keeps compiled. */
export const domainChecksMax = 100;

/** Notifications that a door has got and not said to have taken. */
export const notificationWindow = 64;
