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
import { keepPrepared, preparedNamed } from './prepared.js';
import { awaitSnapshot, commit } from './replica.js';
import { readsOnly, type Run, runData, runInTransaction } from './run.js';
import { runOwn } from './savepoint.js';
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
]);

/** Whether statements of this kind need no tables. */
export function isCommand(kind: ast.NodeKind): boolean {
  return commands.has(kind);
}

export function* runCommand(run: Run, statement: Statement): Work<void> {
  const { state } = run;
  switch (statement.kind) {
    case 'begin': {
      const readOnly = statement.readOnly ?? state.readOnlyByDefault;
      const stale =
        state.transaction === undefined && (yield* awaitSnapshot(state, run.self, readOnly));
      state.open(true, stale, statement.readOnly);
      return yield* completed(run, 'BEGIN');
    }
    case 'commit': {
      if (state.failed) {
        state.end(false);
        return yield* completed(run, 'ROLLBACK');
      }
      yield* commit(state, run.self);
      return yield* completed(run, 'COMMIT');
    }
    case 'rollback':
      state.end(false);
      return yield* completed(run, 'ROLLBACK');
    case 'savepoint':
    case 'release':
    case 'rollbackTo':
    case 'discard':
      return yield* runOwn(run, statement);
    case 'setConstraints':
      // Outside of a block it has no effect, as PostgreSQL warns.
      if (state.transaction?.explicit === true) {
        const { names, deferred } = statement;
        yield* setConstraints(state, state.transaction, names, deferred);
      }
      return yield* completed(run, 'SET CONSTRAINTS');
    case 'setTransaction':
      if (state.transaction?.explicit === true && statement.readOnly !== undefined) {
        setReadOnly(run, statement.readOnly);
      }
      return yield* completed(run, 'SET');
    case 'set':
    case 'reset':
      return yield* set(run, statement);
    case 'show':
      return yield* show(run, statement.name);
    case 'prepare': {
      const types = statement.types.map(({ name }) => typeNamed(name).name);
      keepPrepared(state, statement.name, statement.parsed, types);
      return yield* completed(run, 'PREPARE');
    }
    case 'execute':
      return yield* executePrepared(run, statement);
    case 'deallocate':
      if (statement.name === undefined) state.prepared.clear();
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

function* set(run: Run, statement: Extract<Statement, { kind: 'set' | 'reset' }>): Work<void> {
  const { settings, transaction } = run.state;
  if (statement.kind === 'reset') {
    if (statement.name === undefined) settings.resetAll();
    else settings.set(statement.name, undefined, false);
    return yield* completed(run, 'RESET');
  }
  // Outside of a block SET LOCAL has no effect, as PostgreSQL warns.
  if (!statement.local || transaction !== undefined) {
    settings.set(statement.name, statement.value, statement.local);
  }
  return yield* completed(run, 'SET');
}

function setReadOnly({ state }: Run, readOnly: boolean): void {
  const transaction = state.transaction;
  if (transaction === undefined) return;
  if (transaction.readOnly && !readOnly && !transaction.buffer.isEmpty) {
    const text = 'transaction read-write mode must be set before any query';
    raise('active_sql_transaction', text);
  }
  transaction.readOnly = readOnly;
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

function textColumn(name: string): Column {
  return { name, type: 'text', typeOid: typeNamed('text').oid, typeModifier: -1 };
}

function* show(run: Run, name: string): Work<void> {
  const { state } = run;
  if (name.toLowerCase() === 'all') {
    const columns = ['name', 'setting'].map(textColumn);
    return yield* completed(run, 'SHOW', columns, state.settings.all());
  }
  if (name.toLowerCase() === 'transaction_read_only' && state.transaction !== undefined) {
    const value = state.transaction.readOnly ? 'on' : 'off';
    return yield* completed(run, 'SHOW', [textColumn('transaction_read_only')], [[value]]);
  }
  const shown = state.settings.show(name);
  return yield* completed(run, 'SHOW', [textColumn(shown.name)], [[shown.value]]);
}

function* executePrepared(
  run: Run,
  statement: Extract<Statement, { kind: 'execute' }>,
): Work<void> {
  const { key, text, parse, types } = preparedNamed(run.state, statement.name);
  const parsed = isLong(run.state, text) ? (yield* parseElsewhere(run.state, text))[0] : parse();
  if (parsed === undefined) return yield* completed(run, '');
  const values = evaluateAll(statement.arguments, run.state.pointContext);
  // The statement's own types read them, as they do what clients send.
  const parameters = statement.arguments.map(({ type }, i) => {
    const value = values[i] ?? null;
    return value === null ? null : typeNamed(type.name).print(value, run.state.functions);
  });
  const query = { key, parsed: () => parsed, types, parameters };
  yield* runInTransaction(run, readsOnly(parsed.node), (transaction) => {
    const wanted = planOf(run.state, query, transaction).bound.parameters.length;
    const given = statement.arguments.length;
    if (wanted !== given) {
      const text = `wrong number of parameters for prepared statement "${statement.name}"`;
      const detail = `Expected ${wanted} parameters but got ${given}.`;
      raise('syntax_error', text, { detail });
    }
    return runData(run, transaction, query, { kind: 'other' });
  });
}
