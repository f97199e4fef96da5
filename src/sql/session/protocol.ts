/**
 * The messages between a SQL session and the door that its client came in by (WebSocket, embedded,
 * later PostgreSQL's wire). They carry values, not texts: a door writes its own format.
 *
 * A session serves its requests one after the other in the order of their arrival. Each request is
 * answered by messages that carry its number, the last of them `sql.complete`, `sql.prepared`,
 * `sql.closed`, `sql.parked` or `sql.failed`.
 */
import type { Message, Ref } from '../../actors/actor.js';
import type { ErrorDetails, ErrorName } from '../../base/errors.js';
import type { Row } from '../types/value.js';

/** A column of a result. */
export interface Column {
  readonly name: string;
  /** PostgreSQL's name of the type, such as `int4`. */
  readonly type: string;
  /** PostgreSQL's OID of the type. */
  readonly typeOid: number;
  /** PostgreSQL's type modifier; -1 without. */
  readonly typeModifier: number;
  /** Where the column shows one of a table, view or system relation as it is: which (pg_class), and its number there. */
  readonly tableOid?: number;
  readonly tableColumn?: number;
}

/** Where a session stands after a request: as PostgreSQL's ReadyForQuery I, T and E. */
export type TransactionStatus = 'idle' | 'open' | 'failed';

/** A parameter as its client sent it: read by the parameter's type when the statement is bound. */
export type ParameterValue = null | boolean | number | bigint | string | Uint8Array;

export type SessionMessage =
  | {
      readonly kind: 'sql.execute';
      readonly request: number;
      /** The text, or the name of a prepared statement. */
      readonly statement: { readonly text: string } | { readonly prepared: string };
      readonly parameters: readonly ParameterValue[];
      /** Messages with rows that the door takes before it grants more by `sql.credit`. */
      readonly credit: number;
      /** Types of the parameters by name, where the client states them. */
      readonly parameterTypes?: readonly (string | null)[] | undefined;
      /**
       * More is to come that belongs to the same implicit transaction: outside of a block it stays open
       * until the end of a request without this (an empty text will do) or an error.
       */
      readonly joined?: true | undefined;
    }
  | {
      readonly kind: 'sql.prepare';
      readonly request: number;
      readonly name: string;
      readonly text: string;
      /** As in `sql.execute`. */
      readonly parameterTypes?: readonly (string | null)[];
      /** The client hears of the columns now and not with the rows: executing it fails rather than to give others. */
      readonly fixed?: true;
    }
  /** The door has refused something of the client: a transaction fails of it as of a statement's error. */
  | { readonly kind: 'sql.refuse'; readonly request: number; readonly error: ErrorFields }
  | { readonly kind: 'sql.close'; readonly request: number; readonly name: string }
  /** What the prepared statement of this name is; answered as `sql.prepare` is. */
  | { readonly kind: 'sql.describe'; readonly request: number; readonly name: string }
  /** Data of a request that was answered by `sql.copyIn`; void for any other. */
  | { readonly kind: 'sql.copyData'; readonly request: number; readonly data: Uint8Array }
  /** The end of its data, or why there will be no more. */
  | { readonly kind: 'sql.copyEnd'; readonly request: number; readonly failure?: string }
  | { readonly kind: 'sql.credit'; readonly request: number; readonly credit: number }
  /** The door wants no more rows: the request ends as if there were none. Rows that are parked are dropped. */
  | { readonly kind: 'sql.enough'; readonly request: number }
  /** The client wants no more rows for now: the session counts as idle until there is credit for more. */
  | { readonly kind: 'sql.rest'; readonly request: number }
  /**
   * The door wants other requests to be served before more rows of this one, which ends with `sql.parked`, or with
   * its last rows when those are on their way. What is parked is gone with its transaction.
   */
  | { readonly kind: 'sql.park'; readonly request: number }
  /** More rows of the request `parked`; they come without columns. */
  | {
      readonly kind: 'sql.fetch';
      readonly request: number;
      readonly parked: number;
      readonly credit: number;
    }
  /** Ends the request with 57014 if it has not ended yet; with 40003 in a commit that takes long. */
  | { readonly kind: 'sql.cancel'; readonly request: number }
  /** So many messages `sql.notification` have gone to the client: more may come. */
  | { readonly kind: 'sql.heard'; readonly count: number }
  /** The client has gone: roll back, release everything, stop. */
  | { readonly kind: 'sql.end' }
  | ParseAnswer;

/** What a session asks of the parser of long texts. */
export type ParseMessage =
  | {
      readonly kind: 'sql.parse';
      /** The session's own number, which the answers carry. */
      readonly parse: number;
      readonly text: string;
    }
  /** No answer is wanted any more. */
  | { readonly kind: 'sql.stopParsing'; readonly parse: number };

export type ParseAnswer =
  /** The pieces of `parsePieces`, in their order. */
  | {
      readonly kind: 'sql.parsed';
      readonly parse: number;
      readonly piece: string;
      readonly last: boolean;
    }
  | { readonly kind: 'sql.notParsed'; readonly parse: number; readonly error: ErrorFields };

/** The data of COPY from or to a client. */
export interface CopyShape {
  /** Whether they are in PostgreSQL's binary format, not lines of text or CSV. */
  readonly binary: boolean;
  /** Columns of each row. */
  readonly columns: number;
}

export interface Completion {
  /** PostgreSQL's command tag, such as `INSERT 0 3`. */
  readonly tag: string;
  readonly status: TransactionStatus;
  /** The result may be older than what is committed, as `shardforge.stale_reads` allows. */
  readonly stale?: true | undefined;
}

export interface ErrorFields {
  readonly kind: ErrorName;
  readonly message: string;
  readonly details: ErrorDetails;
}

/** A message for people beside an answer, as PostgreSQL's NOTICE and WARNING. */
export interface Notice {
  readonly severity: 'DEBUG' | 'LOG' | 'INFO' | 'NOTICE' | 'WARNING';
  /** `00000` where PostgreSQL gives no other. */
  readonly sqlstate: string;
  readonly message: string;
  readonly details: ErrorDetails;
}

export type SessionAnswer =
  /**
   * What the session listens for, of no request. One that comes while a request is served belongs behind its
   * results; `sql.heard` says that it was taken.
   */
  | {
      readonly kind: 'sql.notification';
      readonly request: 0;
      readonly pid: number;
      readonly channel: string;
      readonly payload: string;
    }
  /** Comes before the end of its request; of none when that is 0. */
  | { readonly kind: 'sql.notice'; readonly request: number; readonly notice: Notice }
  /** Settings that clients are told of, where they are not as told before. Before the end of the request. */
  | {
      readonly kind: 'sql.settings';
      readonly request: number;
      readonly values: Readonly<Record<string, string>>;
      /** What logs call the session's queries: this, a dot and the number of the request. */
      readonly queryIds: string;
    }
  | {
      /** Rows of a result; a text of several statements gives one result after the other. */
      readonly kind: 'sql.rows';
      readonly request: number;
      /** Set on the first message of a result, also when it has no rows. */
      readonly columns?: readonly Column[];
      /** Comes with `columns` where the text of a value depends on it; UTC when absent. */
      readonly timeZone?: string | undefined;
      /** Comes with `columns`: settings of printing by lower-case name where they are not the first ones. */
      readonly style?: Readonly<Record<string, string>> | undefined;
      /** Comes with `columns` where the rows are data of COPY TO STDOUT, in one column. */
      readonly copy?: CopyShape | undefined;
      readonly rows: readonly Row[];
      /** Set on the last message of a result. The request goes on unless `last` is set too. */
      readonly completion?: Completion | undefined;
      /** True when this message ends the request. */
      readonly last: boolean;
    }
  | {
      /** The end of a statement without rows. */
      readonly kind: 'sql.complete';
      readonly request: number;
      readonly completion: Completion;
      readonly last: boolean;
    }
  | {
      readonly kind: 'sql.prepared';
      readonly request: number;
      readonly parameterTypes: readonly { readonly type: string; readonly typeOid: number }[];
      readonly columns: readonly Column[] | undefined;
      /** The statement is COPY TO STDOUT. */
      readonly copy?: CopyShape | undefined;
      /** The statement ends a block, also one that has failed. */
      readonly endsBlock?: true;
    }
  | { readonly kind: 'sql.closed'; readonly request: number }
  /** The answer to `sql.park`: the rest can be had by `sql.fetch`. */
  | { readonly kind: 'sql.parked'; readonly request: number }
  | {
      /** COPY FROM STDIN takes `credit` more messages of data. */
      readonly kind: 'sql.copyIn';
      readonly request: number;
      readonly copy: CopyShape;
      readonly credit: number;
    }
  | {
      readonly kind: 'sql.failed';
      readonly request: number;
      readonly error: ErrorFields;
      readonly status: TransactionStatus;
      /** The session has ended with it; `request` is 0 when it served none. */
      readonly fatal?: true;
    };

/** A value of JSON: what administration takes and gives. */
export type AdminValue =
  | null
  | boolean
  | number
  | string
  | readonly AdminValue[]
  | { readonly [name: string]: AdminValue };

/**
 * A call of a function of schema `shardforge`, such as `SELECT shardforge.cluster_status()`: what
 * concerns node and cluster is not the session's to know. It works before SQL is served.
 */
export interface AdminMessage extends Message {
  readonly kind: 'sql.admin';
  /** The session's own number, which the answer carries. */
  readonly call: number;
  readonly name: string;
  readonly arguments: readonly AdminValue[];
  readonly replyTo: Ref<AdminAnswer>;
}

export interface AdminAnswer extends Message {
  readonly kind: 'sql.adminAnswer';
  readonly call: number;
  /** One of the two. */
  readonly value?: AdminValue;
  readonly error?: ErrorFields;
}

/** As whom somebody was let in, and how. */
export interface SignedIn {
  readonly role: string;
  /** Of `auth.rules`, or `token`. */
  readonly method: string;
  /** `host:port`. */
  readonly address: string;
}

/** How a session actor (kind `session`) is spawned at the place of its shard. */
export interface SessionArguments {
  readonly door: Ref<SessionAnswer & Message>;
  /**
   * Who parses long texts on another thread. Without it all texts are parsed in the session's turn:
   * the simulator has no threads.
   */
  readonly parser?: Ref<ParseMessage & Message>;
  /** Who answers functions of schema `shardforge`; without it there are none. */
  readonly admin?: Ref<AdminMessage>;
  /** The session's number, which no other of the cluster has: what pg_backend_pid() gives. */
  readonly session: number;
  readonly user: string;
  /** Absent where nobody had to sign in: who opened the node in this process may do everything. */
  readonly signIn?: SignedIn;
  readonly database: string;
  /** First settings, such as `application_name` or `TimeZone`. */
  readonly settings: Readonly<Record<string, string>>;
}
