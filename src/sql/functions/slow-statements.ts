/** What stands behind the view shardforge.slow_statements. */
import { type Row, timestampOfUnixMs } from '../types/index.js';
import { defineSet, type SetDefinition } from './set-definition.js';

export const slowStatementFunctions: readonly SetDefinition[] = [
  defineSet(
    'slow_statements(): setof (at timestamptz, duration_ms float8, user_name text, sqlstate text, statement text, query_id text)',
    (_values, { slowStatements }) =>
      (slowStatements?.() ?? []).map(
        ({ atMs, durationMs, user, queryId, sqlstate, text }): Row => [
          timestampOfUnixMs(Math.round(atMs)),
          durationMs,
          user,
          sqlstate,
          text,
          queryId,
        ],
      ),
    { volatility: 'volatile' },
  ),
];
