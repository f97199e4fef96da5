/** What a session tells of itself: a row of pg_stat_activity (https://www.postgresql.org/docs/15/monitoring-stats.html). */
import type { SessionReport } from '../system/index.js';
import type { SessionState } from './state.js';
import type { Wait } from './work.js';

/** What a session waits for, by PostgreSQL's types of wait events; undefined: it has work to do. */
const waits: Readonly<Record<Wait, readonly [string, string] | undefined>> = {
  turn: undefined,
  copy: ['Client', 'ClientRead'],
  credit: ['Client', 'ClientWrite'],
  gate: ['Lock', 'tuple'],
  lock: ['Lock', 'advisory'],
  read: ['IPC', 'RaftRead'],
  numbers: ['IPC', 'SequenceNumbers'],
  commit: ['IPC', 'RaftCommit'],
  notification: ['IPC', 'RaftApply'],
  parse: ['IPC', 'Parser'],
  admin: ['IPC', 'Administration'],
  gather: ['IPC', 'Gather'],
  sleep: ['Timeout', 'PgSleep'],
};

export function reportOf(
  state: SessionState,
  waiting: Wait | undefined,
  request: number | undefined,
  /** Characters of the statement's text that are told. */
  queryLengthMax: number,
): SessionReport {
  const { functions, transaction, failed, progress } = state;
  const wait = waiting === undefined ? (['Client', 'ClientRead'] as const) : waits[waiting];
  const status = failed
    ? 'idle in transaction (aborted)'
    : transaction?.explicit === true
      ? 'idle in transaction'
      : 'idle';
  const queryMs = progress.statement === undefined ? null : functions.statementMs;
  return {
    pid: progress.pid,
    node: progress.node,
    database: functions.database,
    user: state.roles.sessionName,
    applicationName: state.settings.get('application_name') ?? '',
    address: progress.address,
    startMs: progress.startMs,
    transactionMs: transaction === undefined ? null : functions.transactionMs,
    queryMs,
    stateMs: waiting === undefined ? progress.changedMs : functions.statementMs,
    waitType: wait?.[0] ?? null,
    wait: wait?.[1] ?? null,
    state: waiting === undefined ? status : 'active',
    query: state.statementText.slice(0, queryLengthMax),
    queryId: request === undefined ? null : progress.queryIdOf(request),
  };
}
