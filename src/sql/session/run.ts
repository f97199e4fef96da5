/** Running statements: transactions around them, executions again, results. */
import type { Ref } from '../../actors/actor.js';
import { must } from '../../base/assert.js';
import { DatabaseError, raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import { noObjects } from '../catalogue/index.js';
import { isDdl } from '../ddl/index.js';
import { runDefinition } from './ddl.js';
import { as, type ast, kindOf } from '../parse/index.js';
import type { Statement } from '../plan/statement.js';
import { isAdminCall, runAdminCall } from './admin.js';
import { isCommand, runCommand } from './command.js';
import { agedExecutionsMax, executionsMax } from './limits.js';
import { CopyIn, copyWindow } from './copy-in.js';
import { isCursorStatement, runCursorStatement } from './cursor.js';
import type { StatementKind } from './metrics.js';
import { readParameters } from './parameters.js';
import { checkColumns } from './prepared.js';
import { bindWitnessed, planOf, type Query } from './planning.js';
import type { Plan } from './plan-cache.js';
import type { ContinueMessage, SessionInput } from './session.js';
import { noteSlow } from './slow-statements.js';
import { authorise } from './roles.js';
import type { SessionState } from './state.js';
import type { Transaction } from './transaction.js';
import { answerQuestions } from './answer-questions.js';
import { awaitSnapshot, commit, Refused, sees, takeNumbers } from './replica.js';
import type { CopyShape } from './protocol.js';
import { copyShapeOf, type Request, ResultWriter, type Work } from './work.js';

/** What running a statement needs beside it. */
export interface Run {
  readonly state: SessionState;
  readonly request: Request;
  /** Where proposals are answered to. */
  readonly self: Ref<SessionInput>;
  /** The statement is the whole text: outside of a block it may be executed again. */
  readonly alone: boolean;
  /** It is the last of its text. */
  readonly last: boolean;
  /** Outside of a block the transaction ends with it. */
  readonly commits: boolean;
}

/**
 * Whether the statement is one of several that end together: in a block, or in a text with others, which
 * PostgreSQL calls an implicit block.
 */
export function isInBlock({ state, alone, last, commits }: Run): boolean {
  return state.transaction?.explicit === true || (!alone && (commits || !last));
}

/** Runs one statement and counts it. On an error the transaction is aborted as PostgreSQL says. */
export function* runStatement(run: Run, query: Query): Work<void> {
  const { state } = run;
  const { metrics } = state.place;
  const startMs = state.turn.nowMs;
  const counted: { kind: StatementKind } = { kind: 'other' };
  const text = (): string => query.parsed().text;
  try {
    state.beginStatement();
    yield* dispatch(run, query, counted);
    metrics.ended(counted.kind, 'ok', (state.turn.nowMs - startMs) / 1000);
    noteSlow(state, { startMs, sqlstate: '00000', text });
  } catch (thrown) {
    const error = thrown instanceof Refused ? thrown.toError() : thrown;
    state.abort();
    const outcome = error instanceof DatabaseError ? error.sqlstate.slice(0, 2) : 'XX';
    metrics.ended(counted.kind, outcome, (state.turn.nowMs - startMs) / 1000);
    const sqlstate = error instanceof DatabaseError ? error.sqlstate : 'XX000';
    noteSlow(state, { startMs, sqlstate, text });
    throw error;
  } finally {
    state.questions.endStatement();
    state.copyIn = undefined;
    state.statementMemory.releaseAll();
  }
}

/** What is taken in a block that has failed. */
const endings: ReadonlySet<string> = new Set([
  ...['TRANS_STMT_COMMIT', 'TRANS_STMT_ROLLBACK', 'TRANS_STMT_ROLLBACK_TO'],
]);

/** Whether a block that has failed takes the statement. */
export function endsBlock(node: ast.Node): boolean {
  const ending = as(node, 'TransactionStmt')?.kind;
  return ending !== undefined && endings.has(ending);
}

export function raiseAborted(): never {
  const text = 'current transaction is aborted, commands ignored until end of transaction block';
  raise('in_failed_sql_transaction', text);
}

function* dispatch(run: Run, query: Query, counted: { kind: StatementKind }): Work<void> {
  const { state } = run;
  const plan = query.key === undefined ? undefined : state.place.plans.get(query.key);
  const node = plan === undefined ? query.parsed().node : undefined;
  if (state.failed && (node === undefined || !endsBlock(node))) raiseAborted();
  if (node !== undefined && isCommand(kindOf(node))) {
    counted.kind = kindOf(node) === 'TransactionStmt' ? 'transaction' : 'session';
    const { bound } = bindWitnessed(state, query.parsed(), query.types, noObjects);
    yield* runCommand(run, bound.statement);
    return;
  }
  if (node !== undefined && isCursorStatement(node)) {
    counted.kind = 'session';
    return yield* runCursorStatement(run, query);
  }
  if (node !== undefined && isAdminCall(node)) return yield* runAdminCall(run, query);
  const defines = node !== undefined && isDdl(node);
  if (defines) counted.kind = 'ddl';
  const reads = node === undefined ? plan?.writes === false : readsOnly(node);
  yield* runInTransaction(run, reads, (transaction) =>
    defines ? runDefinition(run, transaction, query) : runData(run, transaction, query, counted),
  );
}

/** What a statement that ran in a transaction leaves to be done when that is committed. */
export interface Ran {
  /** Sends the end of the statement. */
  readonly complete: () => Work<void>;
  /** The table that it changed. */
  readonly table: ObjectId | undefined;
}

/** Whether the statement leaves all tables as they are. */
export function readsOnly(node: ast.Node): boolean {
  const kind = kindOf(node);
  const tables = as(node, 'SelectStmt')?.withClause?.ctes ?? [];
  const changes = tables.some((table) => {
    const query = as(table, 'CommonTableExpr')?.ctequery;
    return query !== undefined && kindOf(query) !== 'SelectStmt';
  });
  const locks = as(node, 'SelectStmt')?.lockingClause !== undefined;
  return !changes && !locks && (kind === 'SelectStmt' || kind === 'ExplainStmt');
}

/**
 * Runs `work` in the open transaction or in one of its own, which ends with the text. `reads`: it
 * leaves all tables as they are.
 */
export function* runInTransaction(
  run: Run,
  reads: boolean,
  work: (transaction: Transaction) => Work<Ran>,
): Work<void> {
  const { state } = run;
  const waits = state.transaction === undefined && !sees(state);
  const stale = waits && (yield* awaitSnapshot(state, run.self, reads && run.alone));
  let refused: ObjectId | undefined;
  const pass = (): void => {
    const { number: request } = run.request;
    state.turn.send<ContinueMessage>(run.self, { kind: 'sql.continue', request });
  };
  const { gate } = state.place;
  try {
    for (let execution = 1; ; execution += 1) {
      const table = yield* attempt(run, work, { execution, stale });
      if (table === 'done') return;
      // Whoever leaves lets the next in: nobody waits inside for another table.
      if (table === refused || table === undefined) continue;
      if (refused !== undefined) gate.leave(refused, pass);
      refused = table;
      if (!gate.enter(table, pass)) yield 'gate';
    }
  } finally {
    if (refused !== undefined) gate.leave(refused, pass);
  }
}

/**
 * One execution; `done` when the statement has ended. One whose commit was refused in a transaction of
 * its own, or whose snapshot became too old, is executed again with a new snapshot as long as nothing
 * has left; then the table that it was about is given. It needs no leave to read again: the replica
 * tells of a refusal when it has applied its cause.
 */
function* attempt(
  run: Run,
  work: (transaction: Transaction) => Work<Ran>,
  { execution, stale }: { readonly execution: number; readonly stale: boolean },
): Work<ObjectId | undefined | 'done'> {
  const { state, request } = run;
  const transaction = state.open(false, stale);
  transaction.queried = true;
  let table: ObjectId | undefined;
  try {
    const ran = yield* work(transaction);
    table = ran.table;
    if (run.commits && !transaction.explicit) yield* commit(state, run.self);
    yield* ran.complete();
    return 'done';
  } catch (error) {
    const reason = retryReason(error, execution);
    if (reason === undefined || transaction.explicit || !run.alone || request.sent) throw error;
    if (state.transaction !== undefined) state.end(false);
    state.questions.endStatement();
    state.locks?.takeBackStatement();
    state.notices.clear();
    state.place.metrics.retried(reason);
    state.turn.probe(`session.retry.${reason}`);
    state.statementMemory.releaseAll();
    return table;
  }
}

/** Why another execution may succeed; undefined when there have been enough. */
function retryReason(error: unknown, execution: number): string | undefined {
  if (error instanceof Refused) return execution < executionsMax ? error.reason : undefined;
  const aged = error instanceof DatabaseError && error.kind === 'snapshot_too_old';
  return aged && execution < agedExecutionsMax ? 'snapshotTooOld' : undefined;
}

/** Runs a statement that reads or writes rows; gives the work that sends its end. */
export function* runData(
  run: Run,
  transaction: Transaction,
  query: Query,
  counted: { kind: StatementKind },
): Work<Ran> {
  const { state, request } = run;
  const plan = planOf(state, query, transaction);
  authorise(state, plan, transaction);
  const { statement, parameters: types } = plan.bound;
  if (query.prepared !== undefined) checkColumns(query.prepared, plan.columns);
  counted.kind = kindName(statement.kind);
  if (plan.writes && transaction.readOnly) refuseWrite(statement.kind);
  const parameters = readParameters(query.parameters, types, state.functions);
  const timeZone = plan.readsTimeZone ? state.functions.timeZone.name : undefined;
  // What is executed again, after a refusal or with other numbers, must not have left.
  const alone = run.alone && !transaction.explicit;
  const mayRepeat = alone || !state.access.givesNumbers;
  const { takesNumbers, asks } = plan.bound;
  const hold = asks || ((plan.writes || takesNumbers) && mayRepeat);
  if (statement.kind === 'insert' && statement.copy?.from === 'client') {
    beginCopy(run, mayRepeat, statement.copy);
  }
  const shape = { columns: plan.columns, timeZone, copy: copyShapeOf(statement) };
  for (;;) {
    const writer = new ResultWriter(state, request, shape, hold);
    const count = yield* execute(state, transaction, plan, parameters, writer);
    if (count === undefined) {
      state.statementMemory.releaseAll();
      state.copyIn?.restart();
      state.notices.clear();
      yield* takeNumbers(state, run.self, transaction.numbers);
      yield* answerQuestions(state, run.self);
      continue;
    }
    const tag = tagOf(statement, count);
    const stale = transaction.stale ? true : undefined;
    return {
      complete: () => writer.end({ tag, status: state.status, stale }, run.last),
      table: plan.writes ? targetOf(statement) : undefined,
    };
  }
}

/** Asks the client for the data of COPY FROM STDIN, the first time that it is executed. */
function beginCopy({ state, request }: Run, mayRepeat: boolean, copy: CopyShape): void {
  if (state.copyIn !== undefined) {
    state.copyIn.restart();
    return;
  }
  const grant = (credit: number): void =>
    state.turn.send(state.door, { kind: 'sql.copyIn', request: request.number, copy, credit });
  state.copyIn = new CopyIn(mayRepeat, state.statementMemory, () => grant(1));
  grant(copyWindow);
}

function targetOf(statement: Statement): ObjectId | undefined {
  switch (statement.kind) {
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
      return statement.table.object;
    default:
      return undefined;
  }
}

/** One execution: what it counts, or undefined when it is to be done again with more numbers. */
export function* execute(
  state: SessionState,
  transaction: Transaction,
  plan: Plan,
  parameters: Parameters<SessionState['contextOf']>[1],
  writer: Pick<ResultWriter, 'push' | 'isEnough'>,
): Work<number | undefined> {
  transaction.beginExecution();
  const context = state.contextOf(transaction, parameters);
  const { asks } = plan.bound;
  const execution = plan.compiled.start(asks ? { ...context, rowByRow: true } : context);
  let count = 0;
  try {
    for (;;) {
      const step = execution.step();
      transaction.account();
      if (step.kind === 'done') {
        count = step.count;
        break;
      }
      if (step.kind === 'pause') yield state.copyIn?.isStarved === true ? 'copy' : 'turn';
      else yield* writer.push(step.rows);
      // What writes has written by the time that its rows may leave.
      if (writer.isEnough && !plan.writes) break;
    }
  } catch (error) {
    transaction.endExecution(error);
    return undefined;
  } finally {
    execution.close();
  }
  return transaction.endExecution() ? count : undefined;
}

function refuseWrite(kind: Statement['kind']): never {
  const verb = kind === 'query' ? 'SELECT' : kind.toUpperCase();
  const text = `cannot execute ${verb} in a read-only transaction`;
  raise('read_only_sql_transaction', text);
}

function kindName(kind: Statement['kind']): StatementKind {
  switch (kind) {
    case 'query':
    case 'copyTo':
      return 'select';
    case 'insert':
    case 'update':
    case 'delete':
      return kind;
    default:
      return 'other';
  }
}

export function tagOf(statement: Statement, count: number): string {
  const { kind } = statement;
  switch (kind) {
    case 'query':
      return `SELECT ${count}`;
    case 'copyTo':
      return `COPY ${count}`;
    case 'insert':
      return statement.copy === undefined ? `INSERT 0 ${count}` : `COPY ${count}`;
    case 'update':
      return `UPDATE ${count}`;
    case 'delete':
      return `DELETE ${count}`;
    case 'merge':
      return `MERGE ${count}`;
    default:
      return must(kind === 'explain' ? 'EXPLAIN' : undefined, 'a statement of rows');
  }
}
