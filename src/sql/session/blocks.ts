/** Transaction blocks: BEGIN, COMMIT, ROLLBACK and SET TRANSACTION. */
import { raise } from '../../base/errors.js';
import type { Statement, TransactionModes } from '../plan/statement.js';
import { completed } from './command.js';
import { awaitSnapshot, commit } from './replica.js';
import type { Run } from './run.js';
import type { SessionState } from './state.js';
import type { Transaction } from './transaction.js';
import type { Work } from './work.js';

type Block = Extract<Statement, { kind: 'begin' | 'commit' | 'rollback' | 'setTransaction' }>;

export const unsaid: TransactionModes = {
  isolation: undefined,
  readOnly: undefined,
  deferrable: undefined,
};

export function runBlock(run: Run, statement: Block): Work<void> {
  switch (statement.kind) {
    case 'begin':
      return begin(run, statement);
    case 'commit':
    case 'rollback':
      return end(run, statement);
    default:
      return setTransaction(run, statement);
  }
}

function* begin(run: Run, { modes, tag }: Extract<Block, { kind: 'begin' }>): Work<void> {
  const { state } = run;
  if (state.transaction?.explicit === true) {
    const text = 'there is already a transaction in progress';
    state.notice('warning', '25001', text);
    setModes(state, state.transaction, modes);
  } else {
    yield* open(run, modes);
  }
  return yield* completed(run, tag);
}

/** Opens a block, or makes one of the implicit transaction of the text. */
function* open(run: Run, modes: TransactionModes): Work<void> {
  const { state } = run;
  const readOnly = modes.readOnly ?? state.readOnlyByDefault;
  const stale =
    state.transaction === undefined && (yield* awaitSnapshot(state, run.self, readOnly));
  const joins = state.transaction !== undefined;
  const transaction = state.open(true, stale, joins ? undefined : modes);
  if (joins) setModes(state, transaction, modes);
}

function* end(
  run: Run,
  { kind, chain }: Extract<Block, { kind: 'commit' | 'rollback' }>,
): Work<void> {
  const { state } = run;
  const word = kind.toUpperCase();
  const inBlock = state.failed || state.transaction?.explicit === true;
  if (!inBlock) {
    if (chain) {
      const text = `${word} AND CHAIN can only be used in transaction blocks`;
      raise('no_active_sql_transaction', text);
    }
    state.notice('warning', '25P01', 'there is no transaction in progress');
  }
  const { modes } = state;
  const commits = kind === 'commit' && !state.failed;
  if (commits) yield* commit(state, run.self);
  else state.end(false);
  if (chain) yield* open(run, modes);
  return yield* completed(run, commits ? 'COMMIT' : 'ROLLBACK');
}

function* setTransaction(
  run: Run,
  { modes, ofSession }: Extract<Block, { kind: 'setTransaction' }>,
): Work<void> {
  const { state } = run;
  if (ofSession) {
    for (const [name, value] of settingsOf(modes)) {
      state.settings.set(`default_${name}`, value, false);
    }
  } else if (state.transaction?.explicit === true) {
    setModes(state, state.transaction, modes);
  } else if (run.alone) {
    const text = 'SET TRANSACTION can only be used in transaction blocks';
    state.notice('warning', '25P01', text);
  } else {
    yield* openFor(run);
    if (state.transaction !== undefined) setModes(state, state.transaction, modes);
  }
  return yield* completed(run, 'SET');
}

/** What is said of the transaction to come in a text of several statements begins it. */
export function* openFor(run: Run): Work<void> {
  const { state } = run;
  if (state.transaction !== undefined) return;
  state.open(false, yield* awaitSnapshot(state, run.self, false));
}

function settingsOf(modes: TransactionModes): readonly (readonly [string, string])[] {
  const { isolation, readOnly, deferrable } = modes;
  const flag = (value: boolean): string => (value ? 'on' : 'off');
  return [
    ...(isolation === undefined ? [] : [['transaction_isolation', isolation] as const]),
    ...(readOnly === undefined ? [] : [['transaction_read_only', flag(readOnly)] as const]),
    ...(deferrable === undefined ? [] : [['transaction_deferrable', flag(deferrable)] as const]),
  ];
}

/** Changes the modes of the transaction that is open, where PostgreSQL lets them change. */
function setModes(
  state: SessionState,
  transaction: Transaction,
  { isolation, readOnly, deferrable }: TransactionModes,
): void {
  const inside = transaction.savepoints.length > 0;
  if (isolation !== undefined && isolation !== state.modes.isolation) {
    if (transaction.queried) {
      const text = 'SET TRANSACTION ISOLATION LEVEL must be called before any query';
      raise('active_sql_transaction', text);
    }
    if (inside) {
      const text = 'SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction';
      raise('active_sql_transaction', text);
    }
    transaction.isolation = isolation;
  }
  if (readOnly === false && transaction.readOnly) {
    if (inside) {
      const text = 'cannot set transaction read-write mode inside a read-only transaction';
      raise('active_sql_transaction', text);
    }
    if (transaction.queried) {
      const text = 'transaction read-write mode must be set before any query';
      raise('active_sql_transaction', text);
    }
  }
  transaction.readOnly = readOnly ?? transaction.readOnly;
  if (deferrable !== undefined) {
    if (inside) {
      const text = 'SET TRANSACTION [NOT] DEFERRABLE cannot be called within a subtransaction';
      raise('active_sql_transaction', text);
    }
    if (transaction.queried) {
      const text = 'SET TRANSACTION [NOT] DEFERRABLE must be called before any query';
      raise('active_sql_transaction', text);
    }
    transaction.deferrable = deferrable;
  }
  state.settings.touched();
}

/** Has the settings of the open transaction, such as `transaction_isolation`, shown and set as settings. */
export function computeModes(state: SessionState): void {
  const { settings } = state;
  const define = (
    name: 'isolation' | 'read_only' | 'deferrable',
    get: () => string,
    modesOf: (value: string) => TransactionModes,
  ): void => {
    settings.compute(`transaction_${name}`, {
      get,
      set(value) {
        const { transaction } = state;
        const given = value ?? settings.get(`default_transaction_${name}`) ?? '';
        if (transaction !== undefined) setModes(state, transaction, modesOf(given));
      },
    });
  };
  const shown = (on: boolean | undefined): string | undefined =>
    on === undefined ? undefined : on ? 'on' : 'off';
  const byDefault = (name: string): string => settings.get(`default_transaction_${name}`) ?? '';
  define(
    'isolation',
    () => state.transaction?.isolation ?? byDefault('isolation'),
    (isolation) => ({ ...unsaid, isolation }),
  );
  define(
    'read_only',
    () => shown(state.transaction?.readOnly) ?? byDefault('read_only'),
    (value) => ({ ...unsaid, readOnly: value === 'on' }),
  );
  define(
    'deferrable',
    () => shown(state.transaction?.deferrable) ?? byDefault('deferrable'),
    (value) => ({ ...unsaid, deferrable: value === 'on' }),
  );
}
