/** Statements that took long: written down where they end, kept for a day by who has the files. */
import type { SessionState } from './state.js';

/** One of them. */
export interface SlowStatement {
  /** When it began, milliseconds since 1970. */
  readonly atMs: number;
  readonly durationMs: number;
  readonly user: string;
  /** What errors and pg_stat_activity call the query; of a text of several statements all have the same. */
  readonly queryId: string;
  /** SQLSTATE, `00000` for success. */
  readonly sqlstate: string;
  /** Cut where it is long; without the parameters' values. */
  readonly text: string;
}

/** Keeps them, also when the node starts again. */
export interface SlowStatements {
  add(statement: SlowStatement): void;
  /** Those of the last day, the oldest first. */
  since(atMs: number): readonly SlowStatement[];
}

/** Characters of a text that are kept. */
const textMax = 4_000;
const dayMs = 86_400_000;

/** Notes a statement that has ended if it took as long as log_min_duration_statement says. */
export function noteSlow(
  state: SessionState,
  { startMs, sqlstate, text }: { startMs: number; sqlstate: string; text: () => string },
): void {
  const limitMs = state.settings.derived.slowStatementMs;
  const { nowMs, wallMs } = state.turn;
  const durationMs = nowMs - startMs;
  if (limitMs < 0 || durationMs < limitMs) return;
  const statement = {
    atMs: wallMs - durationMs,
    durationMs,
    user: state.functions.user,
    queryId: state.progress.queryIdOf(state.progress.request),
    sqlstate,
    text: text().slice(0, textMax),
  };
  state.turn.log('warn', 'slow statement', { ...statement });
  state.place.slowStatements?.add(statement);
}

/** Rows of the view: those of the last day. Texts of others are for whoever may read all statistics. */
export function slowStatementsOf(state: SessionState): readonly SlowStatement[] {
  const all = state.place.slowStatements?.since(state.turn.wallMs - dayMs) ?? [];
  if (state.roles.has('pg_read_all_stats')) return all;
  const { user } = state.functions;
  return all.map((one) => (one.user === user ? one : { ...one, text: '<insufficient privilege>' }));
}
