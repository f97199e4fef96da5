/**
 * The frames of SQL over WebSocket, version 1, as docs/protocol.md specifies them. Types only: a
 * client imports this file and nothing else of the server.
 */

/** The WebSocket subprotocol. */
export type Subprotocol = 'shardforge.sql.v1';

/** A parameter: read by the type of its `$n`. int8, numeric, bytea, json and times are strings. */
export type FrameParameter = null | boolean | number | string;

/** A value of a result; docs/protocol.md tells which type is which. */
export type FrameValue = null | boolean | number | string;

export interface ExecuteFrame {
  readonly op: 'execute';
  /** 1 to 2^53 - 1, of no other request in flight on the connection. */
  readonly id: number;
  /** Exactly one of `sql` and `prepared`. */
  readonly sql?: string;
  readonly prepared?: string;
  readonly params?: readonly FrameParameter[];
  /** Names of types, null to infer one. With `sql` only. */
  readonly paramTypes?: readonly (string | null)[];
  /** Frames with rows that the node may send before it is granted more; without it, all. */
  readonly credit?: number;
}

export interface PrepareFrame {
  readonly op: 'prepare';
  readonly id: number;
  readonly name: string;
  readonly sql: string;
}

export interface CloseFrame {
  readonly op: 'close';
  readonly id: number;
  readonly name: string;
}

/** Grants more frames with rows to request `id`. */
export interface CreditFrame {
  readonly op: 'credit';
  readonly id: number;
  readonly credit: number;
}

/** Asks to end request `id`. */
export interface CancelFrame {
  readonly op: 'cancel';
  readonly id: number;
}

/** Data of COPY FROM STDIN, after a `copy` frame has asked for them: exactly one of `text` and `base64`. */
export interface CopyDataFrame {
  readonly op: 'copyData';
  readonly id: number;
  readonly text?: string;
  /** For the binary format. */
  readonly base64?: string;
}

/** The end of the data; with `failure` there are no more because of it and the statement fails. */
export interface CopyEndFrame {
  readonly op: 'copyEnd';
  readonly id: number;
  readonly failure?: string;
}

export interface PingFrame {
  readonly op: 'ping';
  readonly id: number;
}

export type RequestFrame =
  | ExecuteFrame
  | PrepareFrame
  | CloseFrame
  | CreditFrame
  | CancelFrame
  | CopyDataFrame
  | CopyEndFrame
  | PingFrame;

/** Where a session stands: no transaction, in one, in one that an error has ended. */
export type FrameStatus = 'idle' | 'open' | 'failed';

export interface FrameLimits {
  readonly requestsInFlight: number;
  readonly frameBytes: number;
  readonly statementBytes: number;
}

export interface HelloFrame {
  readonly op: 'hello';
  readonly protocol: 1;
  readonly version: string;
  readonly session: number;
  readonly status: FrameStatus;
  readonly limits: FrameLimits;
  /** The node's id in its cluster; absent where there is none. */
  readonly node?: number;
  /** Where the leader takes SQL, as far as this node knows; its own address when it leads. */
  readonly leader?: string;
}

export interface FrameColumn {
  readonly name: string;
  /** PostgreSQL's name of the type, such as `int4`. */
  readonly type: string;
}

export interface RowsFrame {
  readonly op: 'rows';
  readonly id: number;
  /** On the first frame of each result. */
  readonly columns?: readonly FrameColumn[];
  readonly rows: readonly (readonly FrameValue[])[];
  /** With `status` on the last frame of each result. */
  readonly tag?: string;
  readonly status?: FrameStatus;
  /** With `tag`: the result may be older than what is committed (`shardforge.stale_reads`). */
  readonly stale?: true;
  /** Another frame of this request follows. */
  readonly more?: true;
}

export interface CompleteFrame {
  readonly op: 'complete';
  readonly id: number;
  readonly tag: string;
  readonly status: FrameStatus;
  readonly more?: true;
}

export interface PreparedFrame {
  readonly op: 'prepared';
  readonly id: number;
  readonly paramTypes: readonly string[];
  /** Null when the statement gives no rows. */
  readonly columns: readonly FrameColumn[] | null;
}

export interface ClosedFrame {
  readonly op: 'closed';
  readonly id: number;
}

/** COPY FROM STDIN takes `credit` more frames of data. */
export interface CopyFrame {
  readonly op: 'copy';
  readonly id: number;
  readonly credit: number;
}

export interface PongFrame {
  readonly op: 'pong';
  readonly id: number;
  /** As in `hello`. */
  readonly leader?: string;
}

export interface ErrorFrame {
  readonly op: 'error';
  /** Null: an error of the connection, or of a frame whose id could not be read. */
  readonly id: number | null;
  readonly sqlstate: string;
  readonly name: string;
  readonly message: string;
  /** In characters counted from 1. */
  readonly position?: number;
  readonly detail?: string;
  readonly hint?: string;
  readonly schema?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  readonly context?: string;
  readonly retry: 'never' | 'statement' | 'transaction' | 'later' | 'unknown';
  readonly status?: FrameStatus;
}

/** A message for people beside the answer of a request; the request goes on. */
export interface NoticeFrame {
  readonly op: 'notice';
  /** Null: of no request. */
  readonly id: number | null;
  readonly severity: 'DEBUG' | 'LOG' | 'INFO' | 'NOTICE' | 'WARNING';
  /** `00000` where PostgreSQL gives no other. */
  readonly sqlstate: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly position?: number;
  readonly schema?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  readonly context?: string;
}

/** What NOTIFY has sent on a channel that the session listens on. */
export interface NotificationFrame {
  readonly op: 'notification';
  readonly channel: string;
  readonly payload: string;
  /** Of the session that has sent it: its pg_backend_pid(). */
  readonly pid: number;
}

export type AnswerFrame =
  | HelloFrame
  | NoticeFrame
  | NotificationFrame
  | RowsFrame
  | CompleteFrame
  | PreparedFrame
  | ClosedFrame
  | CopyFrame
  | PongFrame
  | ErrorFrame;
