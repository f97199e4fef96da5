/** What stands behind the view shardforge.slow_statements. */
import type { Row } from '../types/index.js';
import { defineSet, type SetDefinition } from './set-definition.js';

/** Microseconds from 1970 to 2000. */
const epochMicros = 946_684_800_000_000n;

export const slowStatementFunctions: readonly SetDefinition[] = [
  defineSet(
    'slow_statements(): setof (at timestamptz, duration_ms float8, user_name text, sqlstate text, statement text, query_id text)',
    (_values, { slowStatements }) =>
      (slowStatements?.() ?? []).map(
        ({ atMs, durationMs, user, queryId, sqlstate, text }): Row => [
          BigInt(Math.round(atMs)) * 1000n - epochMicros,
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
