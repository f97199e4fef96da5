/** Functions of schema `shardforge`: the session reads their arguments and passes them on. */
import { assert } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { isAdminCall } from '../bind/index.js';
import { noObjects } from '../catalogue/index.js';
import { evaluateAll } from '../execute/index.js';
import type { Expression } from '../plan/expression.js';
import { type Row, typeNamed, type Value } from '../types/index.js';
import { callInTransaction, tokenCalls } from './api-tokens.js';
import { completed } from './command.js';
import { readParameters } from './parameters.js';
import { noteRights } from './ddl.js';
import { bindWitnessed, columnsOf, type Query } from './planning.js';
import type { AdminMessage, AdminValue, ParameterValue } from './protocol.js';
import { type Run, runInTransaction } from './run.js';
import { queryNamed } from './progress.js';
import { gatherSessions, signal } from './signals.js';
import type { SessionState } from './state.js';
import type { Work } from './work.js';

export { isAdminCall };

/** Runs `SELECT shardforge.name(...)`: outside of every transaction, also before SQL is served. */
export function* runAdminCall(run: Run, query: Query): Work<void> {
  const { state } = run;
  const { bound } = bindWitnessed(state, query.parsed(), query.types, noObjects);
  const { statement, parameters: types } = bound;
  assert(statement.kind === 'administer', 'a call of administration', statement.kind);
  const parameters = readParameters(query.parameters, types, state.functions);
  const context = { ...state.pointContext, parameters };
  const values = evaluateAll(statement.arguments, context);
  const columns = columnsOf(bound.columns ?? []);
  if (Object.hasOwn(tokenCalls, statement.name)) {
    const call = { name: statement.name, args: values };
    yield* runInTransaction(run, false, function* (transaction) {
      const { value, change } = callInTransaction(run, transaction, call);
      const complete = (): Work<void> => {
        noteRights(run, change);
        return completed(run, 'SELECT 1', columns, [[value]]);
      };
      return { complete, table: undefined };
    });
    return;
  }
  const args = statement.arguments.map((argument, i) =>
    adminValue(state, argument, values[i] ?? null, query.parameters),
  );
  const own = sessionCalls[statement.name];
  const value = own === undefined ? yield* call(run, statement.name, args) : yield* own(run, args);
  const row: Row = [typeNamed('jsonb').parse(JSON.stringify(value), -1, state.functions)];
  yield* completed(run, 'SELECT 1', columns, [row]);
}

/** Those that are about sessions, which the session asks for itself. */
const sessionCalls: Readonly<
  Record<string, (run: Run, args: readonly AdminValue[]) => Work<AdminValue>>
> = {
  *session_list({ state, self }) {
    const sees = state.roles.has('pg_read_all_stats');
    const { user } = state.functions;
    return (yield* gatherSessions(state, self)).map((report) =>
      sees || report.user === user
        ? { ...report }
        : { ...report, query: '<insufficient privilege>' },
    );
  },
  session_cancel: (run, args) => endSession(run, 'cancel', args),
  session_terminate: (run, args) => endSession(run, 'terminate', args),
  *cancel_query({ state, self }, [id]) {
    const target = typeof id === 'string' ? queryNamed(id) : undefined;
    if (target === undefined) {
      raise(
        'invalid_parameter_value',
        'cancel_query takes the id of a query, as logs and errors have it',
      );
    }
    const sessions = yield* gatherSessions(state, self);
    // Its session may have the number of one that is gone: the whole id must be the same.
    if (!sessions.some(({ queryId }) => queryId === id)) return false;
    const outcome = yield* signal(state, self, { what: 'cancel', ...target, waitMs: 0 });
    return outcome === 'done';
  },
};

function* endSession(
  { state, self }: Run,
  what: 'cancel' | 'terminate',
  [pid]: readonly AdminValue[],
): Work<AdminValue> {
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid < 0) {
    raise('invalid_parameter_value', `session_${what} takes the pid of a session`);
  }
  const outcome = yield* signal(state, self, { what, pid, request: 0, waitMs: 0 });
  return { outcome };
}

function* call(run: Run, name: string, args: readonly AdminValue[]): Work<AdminValue> {
  const { state } = run;
  const { admin } = state;
  if (admin === undefined) {
    raise('feature_not_supported', 'this node has no functions of schema shardforge');
  }
  if (!state.roles.mayAdminister(name)) {
    raise('insufficient_privilege', `permission denied for function shardforge.${name}`, {
      hint: 'Superusers may call it.',
    });
  }
  const message: AdminMessage = {
    kind: 'sql.admin',
    call: state.nextToken(),
    ...{ name, arguments: args, replyTo: run.self },
  };
  state.turn.send(admin, message);
  const answer = yield 'admin';
  if (answer?.kind === 'actor.refused') {
    raise('cannot_connect_now', 'administration of this node is not there');
  }
  assert(answer?.kind === 'sql.adminAnswer', 'resumed by administration', answer?.kind);
  const { error, value } = answer;
  if (error !== undefined) raise(error.kind, error.message, error.details);
  return value ?? null;
}

/** An argument as JSON has it. A parameter that nothing gave a type is what its client sent. */
function adminValue(
  state: SessionState,
  argument: Expression,
  value: Value,
  sent: readonly ParameterValue[],
): AdminValue {
  if (value === null) return null;
  const type = typeNamed(argument.type.name);
  if (argument.kind === 'parameter' && type.name === 'text') {
    const raw = sent[argument.number - 1];
    if (typeof raw === 'number' || typeof raw === 'boolean') return raw;
  }
  const text = (): string => type.print(value, state.functions);
  switch (type.name) {
    case 'bool':
      return value === true;
    case 'int2':
    case 'int4':
    case 'int8':
    case 'oid':
    case 'numeric':
    case 'float4':
    case 'float8': {
      const number = Number(text());
      if (Number.isFinite(number)) return number;
      return raise('numeric_value_out_of_range', `${text()} cannot be an argument`);
    }
    case 'json':
    case 'jsonb':
      return JSON.parse(text()) as AdminValue;
    default:
      return text();
  }
}
