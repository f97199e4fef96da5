/** Running DDL within the transaction of a session. */
import { raise } from '../../base/errors.js';
import { BindContext, ParameterTypes } from '../bind/index.js';
import { type DdlContext, ddlName, runDdl } from '../ddl/index.js';
import type { ParsedStatement } from '../parse/index.js';
import { answerQuestions } from './answer-questions.js';
import type { Query } from './planning.js';
import { preparedNamed } from './prepared.js';
import { takeNumbers } from './replica.js';
import { isInBlock, type Ran, type Run } from './run.js';
import type { Transaction } from './transaction.js';
import { ResultWriter, type Work } from './work.js';

/** Into the log, without passwords. */
export function noteRights(run: Run, change: string): void {
  const { functions, turn } = run.state;
  const { user, sessionUser } = functions;
  // In a block it may still be taken back: the audit table has what was committed.
  turn.log('info', 'rights.changed', { change, user, sessionUser, inBlock: isInBlock(run) });
}

/** Runs one statement; on an error, or with guessed numbers, all that it did is taken back. */
export function* runDefinition(run: Run, transaction: Transaction, query: Query): Work<Ran> {
  const { state } = run;
  const parsed = query.parsed();
  if (transaction.readOnly) {
    const text = `cannot execute ${ddlName(parsed.node)} in a read-only transaction`;
    raise('read_only_sql_transaction', text);
  }
  const prepared = (name: string): ParsedStatement =>
    preparedNamed(state, name).parse() ?? raise('syntax_error', 'the prepared text is empty');
  const notice: DdlContext['notice'] = (message, sqlstate = '00000', details = {}) => {
    const severity = /^(01|0LP)/.test(sqlstate) ? 'warning' : 'notice';
    state.notice(severity, sqlstate, message, details);
  };
  const changes: string[] = [];
  let tag: string;
  for (;;) {
    const mark = transaction.beginDefinition();
    const bind = new BindContext(
      parsed.source,
      state.lookupOf(transaction),
      state.functions,
      new ParameterTypes([]),
    );
    const { catalogue } = transaction;
    const execution = state.contextOf(transaction, []);
    let failure: unknown;
    tag = '';
    try {
      tag = yield* runDdl(
        {
          ...{ bind, catalogue, execution, prepared, notice },
          inBlock: isInBlock(run),
          noteRights: (change) => changes.push(change),
        },
        parsed,
      );
    } catch (error) {
      failure = error;
    }
    transaction.account();
    if (transaction.endDefinition(mark, failure)) break;
    state.notices.clear();
    changes.length = 0;
    yield* takeNumbers(state, run.self, transaction.numbers);
    yield* answerQuestions(state, run.self);
  }
  const none = { columns: undefined, timeZone: undefined };
  const writer = new ResultWriter(state, run.request, none, false);
  const complete = (): Work<void> => {
    for (const change of changes) noteRights(run, change);
    return writer.end({ tag, status: state.status }, run.last);
  };
  return { complete, table: undefined };
}
