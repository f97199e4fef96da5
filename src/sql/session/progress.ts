/** Who a session is, what it does and since when: what it is asked for and what limits of time go by. */
import type { NodeId } from '../../base/ids.js';
import type { SessionArguments } from './protocol.js';

export class Progress {
  /** Unique among the sessions of the cluster. */
  readonly pid: number;
  readonly node: NodeId;
  /** Where the client is, `host:port`; null in the node's process. */
  readonly address: string | null;
  /** When the first message came, milliseconds since 1970; negative before it. */
  startMs = -1;
  /** What runs or ran last: a text, or the name of a prepared statement. */
  statement: { readonly text: string } | { readonly prepared: string } | undefined;
  /** The number of the request that is served. */
  request = 0;
  /** When the statement and the transaction began, and when nothing was left to do: monotonic. */
  statementStartMs = 0;
  transactionStartMs = 0;
  idleSinceMs = 0;
  /** The last again, in milliseconds since 1970. */
  changedMs = 0;
  /** The statement has been stopped for its time. */
  isExpired = false;

  constructor({ session, door, signIn }: SessionArguments) {
    this.pid = session;
    this.node = door.node;
    this.address = signIn?.address ?? null;
  }

  /** The session begins, or has nothing left to do. */
  noteIdle(nowMs: number, wallMs: number): void {
    if (this.startMs < 0) this.startMs = wallMs;
    this.idleSinceMs = nowMs;
    this.changedMs = wallMs;
  }

  /** A request is taken up. */
  beginRequest(request: number, nowMs: number): void {
    this.request = request;
    this.beginStatement(nowMs);
  }

  beginStatement(nowMs: number): void {
    this.statementStartMs = nowMs;
    this.isExpired = false;
  }

  /**
   * What a request is called in logs, errors and by whoever cancels it: when and as what the session
   * began, as PostgreSQL's %c, and its number. No other of the cluster is called so.
   */
  queryIdOf(request: number): string {
    return `${this.queryIds}.${request}`;
  }

  /** What the ids of its queries begin with. */
  get queryIds(): string {
    return `${Math.floor(this.startMs / 1000).toString(16)}.${this.pid.toString(16)}`;
  }
}

/** The session and the request of a query id; undefined for what is none. */
export function queryNamed(
  queryId: string,
): { readonly pid: number; readonly request: number } | undefined {
  const [, pid, request] = /^[0-9a-f]{1,12}\.([0-9a-f]{1,8})\.(\d{1,15})$/.exec(queryId) ?? [];
  if (pid === undefined) return undefined;
  return { pid: Number.parseInt(pid, 16), request: Number(request) };
}
