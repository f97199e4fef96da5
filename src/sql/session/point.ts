/**
 * The short way for a kept plan that reads one row by its key outside of a transaction: no snapshot is
 * opened, as the read ends within the turn.
 */
import { DatabaseError } from '../../base/errors.js';
import type { Row } from '../types/index.js';
import { readParameters } from './parameters.js';
import type { Plan } from './plan-cache.js';
import type { SessionAnswer, SessionMessage } from './protocol.js';
import type { SessionState } from './state.js';

export type Execute = Extract<SessionMessage, { kind: 'sql.execute' }>;

/** The plan of a statement that may go this way; undefined for others. */
export function pointPlan(state: SessionState, message: Execute): Plan | undefined {
  const plan = keptPlan(state, message);
  if (plan?.compiled.point === undefined || message.credit < 1) return undefined;
  if (state.transaction !== undefined || state.failed) return undefined;
  const isCurrent = plan.catalogueVersion === state.access.catalogueVersion;
  if (!isCurrent || !namesArePlain(state)) return undefined;
  return plan.allowed === state.roles.current ? plan : undefined;
}

/** Not when that cannot be looked up: the long way meets it again, and tells. */
function namesArePlain(state: SessionState): boolean {
  try {
    return state.namesArePlain;
  } catch (error) {
    if (error instanceof DatabaseError) return false;
    throw error;
  }
}

function keptPlan(state: SessionState, { statement, parameterTypes }: Execute): Plan | undefined {
  const { plans } = state.place;
  if (parameterTypes !== undefined && parameterTypes.length > 0) return undefined;
  if ('text' in statement) return plans.get(statement.text);
  const prepared = state.prepared.get(statement.prepared);
  const plan = prepared && plans.get(prepared.key);
  // Other columns than clients were told of, or none yet: the long way looks closer.
  return plan?.columns === prepared?.told ? plan : undefined;
}

const noRow = { tag: 'SELECT 0', status: 'idle' } as const;
const oneRow = { tag: 'SELECT 1', status: 'idle' } as const;

/** The whole answer. Raises what reading parameters and evaluating raise. */
export function answerPoint(
  state: SessionState,
  message: Execute,
  plan: Plan,
  stale: boolean,
): SessionAnswer {
  const context = state.pointContext;
  context.parameters = readParameters(message.parameters, plan.bound.parameters, state.functions);
  const row = plan.compiled.point?.(context);
  const rows: readonly Row[] = row === undefined ? [] : [row];
  const fresh = row === undefined ? noRow : oneRow;
  const completion = stale ? ({ ...fresh, stale } as const) : fresh;
  const { request } = message;
  const columns = plan.columns ?? [];
  const timeZone = plan.readsTimeZone ? state.functions.timeZone.name : undefined;
  const answer = { kind: 'sql.rows', request, columns, rows, completion, last: true } as const;
  const { style } = state.settings.derived;
  if (style !== undefined) return { ...answer, style, ...(timeZone !== undefined && { timeZone }) };
  return timeZone === undefined ? answer : { ...answer, timeZone };
}
