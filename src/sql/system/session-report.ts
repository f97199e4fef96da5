/** What a session tells of itself, for pg_stat_activity and shardforge.sessions. */

/** Times in milliseconds since 1970. */
export interface SessionReport {
  readonly pid: number;
  readonly node: number;
  readonly database: string;
  readonly user: string;
  readonly applicationName: string;
  /** `host:port`; null where the client is in the node's process. */
  readonly address: string | null;
  readonly startMs: number;
  readonly transactionMs: number | null;
  readonly queryMs: number | null;
  readonly stateMs: number;
  readonly waitType: string | null;
  readonly wait: string | null;
  readonly state: 'active' | 'idle' | 'idle in transaction' | 'idle in transaction (aborted)';
  /** The statement that runs, or ran last. */
  readonly query: string;
  /** Of the request that is served; null when none is. */
  readonly queryId: string | null;
}
