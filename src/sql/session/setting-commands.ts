/** SET, RESET and SHOW. */
import type { Statement } from '../plan/statement.js';
import { typeNamed } from '../types/index.js';
import { openFor } from './blocks.js';
import { completed } from './command.js';
import type { Column } from './protocol.js';
import type { Run } from './run.js';
import type { SessionState } from './state.js';
import type { Work } from './work.js';

type SettingCommand = Extract<Statement, { kind: 'set' | 'reset' | 'show' }>;

export function runSetting(run: Run, statement: SettingCommand): Work<void> {
  switch (statement.kind) {
    case 'set':
      return set(run, statement);
    case 'reset':
      return reset(run, statement.name);
    default:
      return show(run, statement.name);
  }
}

function* set(run: Run, statement: Extract<Statement, { kind: 'set' }>): Work<void> {
  const { state } = run;
  const { name, value, local } = statement;
  const inBlock = state.transaction?.explicit === true;
  if (local && !inBlock && run.alone) {
    state.notice('warning', '25P01', 'SET LOCAL can only be used in transaction blocks');
    // It has no effect, but what is wrong with it is told.
    state.settings.check(name, value);
    return yield* completed(run, 'SET');
  }
  if (local && !inBlock) yield* openFor(run);
  state.settings.set(name, value, local);
  return yield* completed(run, 'SET');
}

function* reset(run: Run, name: string | undefined): Work<void> {
  const { settings, transaction } = run.state;
  if (name === 'transaction_isolation' && transaction?.explicit !== true && run.alone) {
    const text = 'RESET TRANSACTION can only be used in transaction blocks';
    run.state.notice('warning', '25P01', text);
  }
  if (name === undefined) settings.resetAll();
  else settings.set(name, undefined, false);
  return yield* completed(run, 'RESET');
}

function textColumn(name: string): Column {
  return { name, type: 'text', typeOid: typeNamed('text').oid, typeModifier: -1 };
}

function* show(run: Run, name: string): Work<void> {
  const { settings } = run.state;
  const columns = columnsOfShow(run.state, name);
  const rows = isAll(name) ? settings.all() : [[settings.show(name).value]];
  return yield* completed(run, 'SHOW', columns, rows);
}

function isAll(name: string): boolean {
  return name.toLowerCase() === 'all';
}

/** The columns of SHOW. Raises for an unknown setting. */
export function columnsOfShow(state: SessionState, name: string): readonly Column[] {
  const names = isAll(name) ? ['name', 'setting', 'description'] : [state.settings.show(name).name];
  return names.map(textColumn);
}
