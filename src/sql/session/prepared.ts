/** Prepared statements of a session. */
import { raise } from '../../base/errors.js';
import { kindOf, type ParsedStatement, parse } from '../parse/index.js';
import { type TypeName, typeOfText } from '../types/index.js';
import { isAdminCall, isTypeName } from '../bind/index.js';
import { planKey } from './planning.js';
import type { Column } from './protocol.js';
import type { Prepared, SessionState } from './state.js';

/** The statement; raises invalid_sql_statement_name. */
export function preparedNamed(state: SessionState, name: string): Prepared {
  const prepared = state.prepared.get(name);
  if (prepared !== undefined) return prepared;
  raise('invalid_sql_statement_name', `prepared statement "${name}" does not exist`);
}

function keep(state: SessionState, name: string, prepared: Prepared): void {
  if (name !== '' && state.prepared.has(name)) {
    const text = `prepared statement "${name}" already exists`;
    raise('duplicate_prepared_statement', text);
  }
  const { preparedStatements } = state.place.limits;
  if (name !== '' && state.prepared.size >= preparedStatements) {
    const text = `a session has at most ${preparedStatements} prepared statements`;
    raise('configuration_limit_exceeded', text, {
      hint: 'Close some, or raise the limit preparedStatements.',
    });
  }
  state.prepared.set(name, prepared);
}

/** SQL's PREPARE: the statement is a part of a text. */
export function keepPrepared(
  state: SessionState,
  name: string,
  parsed: ParsedStatement,
  types: readonly TypeName[],
): void {
  const key = planKey(parsed.text, types);
  keep(state, name, {
    ...{ key, text: undefined, parse: () => parsed, types, isFixed: true, fromSql: true },
    preparedMs: state.turn.wallMs,
  });
}

/** The protocol's prepare: the text is parsed again when its plan has left the cache. */
export function keepText(
  state: SessionState,
  name: string,
  text: string,
  statements: readonly ParsedStatement[],
  { types, isFixed }: Pick<Prepared, 'types' | 'isFixed'>,
): void {
  const { limits } = state.place;
  if (statements.length > 1) {
    raise('syntax_error', 'cannot insert multiple commands into a prepared statement');
  }
  const [first] = statements;
  keep(state, name, {
    key: planKey(text, types),
    text,
    parse: () => (first === undefined ? undefined : parse(text, limits)[0]),
    ...{ types, isFixed, fromSql: false },
    preparedMs: state.turn.wallMs,
  });
}

/** Raises 0A000 when the rows would be others than clients were told once, before anything is executed. */
export function checkColumns(prepared: Prepared, columns: readonly Column[] | undefined): void {
  const { told } = prepared;
  if (told === columns) return;
  const isSame = told === undefined || (columns !== undefined && areSame(told, columns));
  if (prepared.isFixed && !isSame) {
    raise('feature_not_supported', 'cached plan must not change result type');
  }
  prepared.told = columns;
}

function areSame(told: readonly Column[], columns: readonly Column[]): boolean {
  if (told.length !== columns.length) return false;
  return told.every(({ name, typeOid, typeModifier }, i) => {
    const now = columns[i];
    return name === now?.name && typeOid === now.typeOid && typeModifier === now.typeModifier;
  });
}

/** What SQL's PREPARE takes. */
const preparable: ReadonlySet<string> = new Set([
  ...['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'],
]);

/**
 * Raises 0A000 for what SQL's EXECUTE does not execute: by the protocol all statements are prepared, under
 * any name, an EXECUTE of its own too.
 */
export function checkExecutable(parsed: ParsedStatement | undefined): void {
  if (parsed === undefined) return;
  const { node } = parsed;
  if (preparable.has(kindOf(node)) && !isAdminCall(node)) return;
  const kind = isAdminCall(node) ? 'call of schema shardforge' : kindOf(node).replace(/Stmt$/, '');
  raise('feature_not_supported', `EXECUTE of a prepared ${kind} is not supported`);
}

/** SQL's DEALLOCATE ALL: all but the unnamed one. */
export function forgetPrepared({ prepared }: SessionState): void {
  for (const name of [...prepared.keys()]) if (name !== '') prepared.delete(name);
}

/** Types as a client states them; raises undefined_object for unknown ones. */
export function statedTypes(
  names: readonly (string | null)[] | undefined,
): readonly (TypeName | undefined)[] {
  return (names ?? []).map((name) => {
    if (name === null) return undefined;
    if (isTypeName(name) && name !== 'unknown') return name;
    if (name.startsWith('_') && isTypeName(name.slice(1))) return `_${name.slice(1)}` as const;
    const written = typeOfText(name);
    if (written !== undefined) return written.name;
    return raise('undefined_object', `type "${name}" does not exist`);
  });
}
