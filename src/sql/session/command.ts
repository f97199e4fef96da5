/** Statements about the session itself: transaction blocks, settings, prepared statements. */
import { unreachable } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { ast } from '../parse/index.js';
import type { Statement } from '../plan/statement.js';
import type { Row } from '../types/index.js';
import type { Column } from './protocol.js';
import { setConstraints } from './deferred.js';
import { executePrepared, prepare } from './prepare-commands.js';
import { forgetPrepared, preparedNamed } from './prepared.js';
import { openFor, runBlock } from './blocks.js';
import { commit } from './replica.js';
import type { Run } from './run.js';
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
    case 'prepare':
      return yield* prepare(run, statement);
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
