/** Savepoints, and DISCARD. */
import { raise } from '../../base/errors.js';
import type { Statement } from '../plan/statement.js';
import { completed } from './command.js';
import { closeCursors, rollBackCursors } from './cursor.js';
import { rollBackParked } from './parked.js';
import { forgetPrepared } from './prepared.js';
import { isInBlock, type Run } from './run.js';
import type { Work } from './work.js';

type Savepoint = Extract<Statement, { kind: 'savepoint' | 'release' | 'rollbackTo' }>;
type Own = Savepoint | Extract<Statement, { kind: 'discard' }>;

export function runOwn(run: Run, statement: Own): Work<void> {
  return statement.kind === 'discard' ? discard(run, statement.what) : runSavepoint(run, statement);
}

/** DISCARD: what the session has of its own is as at its beginning. */
function* discard(run: Run, what: Extract<Statement, { kind: 'discard' }>['what']): Work<void> {
  const { state } = run;
  if (what !== 'PLANS' && what !== 'SEQUENCES' && isInBlock(run)) {
    raise('active_sql_transaction', `DISCARD ${what} cannot run inside a transaction block`);
  }
  if (what === 'ALL') {
    state.settings.resetAll();
    for (const name of ['session_authorization', 'role']) {
      state.settings.set(name, undefined, false);
    }
    forgetPrepared(state);
    closeCursors(state);
    state.notifications.unlistenNow();
    state.locks?.unlockAll();
  }
  if (what === 'ALL' || what === 'SEQUENCES') state.sequences.forget();
  if (what === 'ALL' || what === 'TEMP') state.temporary.clear();
  return yield* completed(run, `DISCARD ${what}`);
}

const savepointTags = {
  savepoint: 'SAVEPOINT',
  release: 'RELEASE',
  rollbackTo: 'ROLLBACK',
} as const;

function* runSavepoint(run: Run, { kind, name }: Savepoint): Work<void> {
  const { state } = run;
  const { transaction } = state;
  if (!state.failed && transaction?.explicit !== true) {
    const what = {
      savepoint: 'SAVEPOINT',
      release: 'RELEASE SAVEPOINT',
      rollbackTo: 'ROLLBACK TO SAVEPOINT',
    }[kind];
    const text = `${what} can only be used in transaction blocks`;
    raise('no_active_sql_transaction', text);
  }
  if (kind === 'savepoint') {
    transaction?.addSavepoint(name, state.locks?.mark ?? 0);
    state.settings.mark(name);
  } else {
    const found = transaction?.endSavepoint(name, kind === 'release') === true;
    if (!found) raise('invalid_savepoint_specification', `savepoint "${name}" does not exist`);
    state.settings.endMark(name, kind === 'release');
    if (kind === 'rollbackTo') {
      const count = transaction?.savepoints.length ?? 0;
      rollBackCursors(state, count);
      rollBackParked(state, count);
      state.locks?.takeBack(transaction?.savepoints.at(-1)?.locks ?? 0);
    }
    state.failed = false;
  }
  return yield* completed(run, savepointTags[kind]);
}
