/** Statements about the session itself: transaction blocks, settings, SQL's own PREPARE. */
import { unreachable } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { evaluateAll } from '../execute/index.js';
import type { ast } from '../parse/index.js';
import type { Statement } from '../plan/statement.js';
import { typeNamed } from '../types/index.js';
import type { Row } from '../types/index.js';
import type { Column } from './protocol.js';
import { planOf } from './planning.js';
import { setConstraints } from './deferred.js';
import { isLong, parseElsewhere } from './long-text.js';
import { forgetPrepared, keepPrepared, preparedNamed } from './prepared.js';
import { openFor, runBlock } from './blocks.js';
import { commit } from './replica.js';
import { readsOnly, type Run, runData, runInTransaction } from './run.js';
import { isRoleSetting } from './roles.js';
import { runOwn } from './savepoint.js';
import { runSetting } from './setting-commands.js';
import { ResultWriter, type Work } from './work.js';

const commands: ReadonlySet<ast.NodeKind> = new Set<ast.NodeKind>([
  'TransactionStmt',
  'ConstraintsSetStmt',
  'VariableSetStmt',
  'VariableShowStmt',
  'PrepareStmt',
  'ExecuteStmt',
  'DeallocateStmt',
  'DiscardStmt',
  'ListenStmt',
  'UnlistenStmt',
  'NotifyStmt',
]);

/** Whether statements of this kind need no tables. */
export function isCommand(kind: ast.NodeKind): boolean {
  return commands.has(kind);
}

export function* runCommand(run: Run, statement: Statement): Work<void> {
  const { state } = run;
  switch (statement.kind) {
    case 'begin':
    case 'commit':
    case 'rollback':
    case 'setTransaction':
      return yield* runBlock(run, statement);
    case 'savepoint':
    case 'release':
    case 'rollbackTo':
    case 'discard':
      return yield* runOwn(run, statement);
    case 'listen':
    case 'unlisten':
    case 'notify':
      return yield* runNotification(run, statement);
    case 'setConstraints':
      if (state.transaction?.explicit === true) {
        const { names, deferred } = statement;
        yield* setConstraints(state, state.transaction, names, deferred);
      } else if (run.alone) {
        const text = 'SET CONSTRAINTS can only be used in transaction blocks';
        state.notice('warning', '25P01', text);
      }
      return yield* completed(run, 'SET CONSTRAINTS');
    case 'set':
    case 'reset': {
      const key = statement.name?.toLowerCase() ?? '';
      if (!isRoleSetting(key)) return yield* runSetting(run, statement);
      yield* openFor(run);
      state.roles.check(key, statement.kind === 'set' ? statement.value : undefined);
      const local = statement.kind === 'set' && statement.local;
      // Another user begins without the role that the one before had taken.
      if (key === 'session_authorization') state.settings.set('role', undefined, local);
      return yield* runSetting(run, statement);
    }
    case 'show':
      return yield* runSetting(run, statement);
    case 'prepare': {
      const types = statement.types.map(({ name }) => typeNamed(name).name);
      keepPrepared(state, statement.name, statement.parsed, types);
      return yield* completed(run, 'PREPARE');
    }
    case 'execute':
      return yield* executePrepared(run, statement);
    case 'deallocate':
      if (statement.name === undefined) forgetPrepared(state);
      else if (!state.prepared.delete(statement.name)) preparedNamed(state, statement.name);
      return yield* completed(run, statement.name === undefined ? 'DEALLOCATE ALL' : 'DEALLOCATE');
    case 'query':
    case 'copyTo':
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
    case 'explain':
    case 'administer':
      return raise('internal_error', `${statement.kind} is no command`);
    default:
      return unreachable(statement);
  }
}

/** Ends a command; as the last of its text it ends the text's implicit transaction first. */
export function* completed(
  run: Run,
  tag: string,
  columns?: readonly Column[],
  rows: readonly Row[] = [],
): Work<void> {
  const { state } = run;
  if (run.commits && state.transaction?.explicit === false) yield* commit(state, run.self);
  const result = { columns, timeZone: undefined };
  const writer = new ResultWriter(state, run.request, result, false);
  yield* writer.push(rows);
  yield* writer.end({ tag, status: state.status }, run.last);
}

function* executePrepared(
  run: Run,
  statement: Extract<Statement, { kind: 'execute' }>,
): Work<void> {
  const prepared = preparedNamed(run.state, statement.name);
  const { key, text, parse, types } = prepared;
  const parsed = isLong(run.state, text) ? (yield* parseElsewhere(run.state, text))[0] : parse();
  if (parsed === undefined) return yield* completed(run, '');
  const values = evaluateAll(statement.arguments, run.state.pointContext);
  // The statement's own types read them, as they do what clients send.
  const parameters = statement.arguments.map(({ type }, i) => {
    const value = values[i] ?? null;
    return value === null ? null : typeNamed(type.name).print(value, run.state.functions);
  });
  const query = { key, parsed: () => parsed, types, parameters, prepared };
  yield* runInTransaction(run, readsOnly(parsed.node), (transaction) => {
    const wanted = planOf(run.state, query, transaction).bound.parameters.length;
    const given = statement.arguments.length;
    // What is given to a statement that takes nothing PostgreSQL does not look at.
    if (wanted === 0)
      return runData(run, transaction, { ...query, parameters: [] }, { kind: 'other' });
    if (wanted !== given) {
      const text = `wrong number of parameters for prepared statement "${statement.name}"`;
      const detail = `Expected ${wanted} parameters but got ${given}.`;
      raise('syntax_error', text, { detail });
    }
    return runData(run, transaction, query, { kind: 'other' });
  });
}

/** LISTEN, UNLISTEN and NOTIFY: what they say counts when the transaction commits. */
function* runNotification(
  run: Run,
  statement: Extract<Statement, { kind: 'listen' | 'unlisten' | 'notify' }>,
): Work<void> {
  yield* openFor(run);
  const { notifications } = run.state;
  if (statement.kind === 'listen') notifications.listen(statement.channel);
  else if (statement.kind === 'unlisten') notifications.unlisten(statement.channel);
  else notifications.notify(statement.channel, statement.payload);
  yield* completed(run, statement.kind.toUpperCase());
}
