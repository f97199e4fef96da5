/** What a statement that is prepared takes and gives, told without executing it. */
import type { Ref } from '../../actors/actor.js';
import { raise } from '../../base/errors.js';
import { noObjects } from '../catalogue/index.js';
import { isDdl } from '../ddl/index.js';
import { as, kindOf, type ParsedStatement } from '../parse/index.js';
import type { TypeName } from '../types/index.js';
import { isAdminCall } from './admin.js';
import { isCommand } from './command.js';
import { isCursorStatement } from './cursor.js';
import { bindWitnessed, columnsOf, planKey, planOf } from './planning.js';
import { checkExecutable, preparedNamed } from './prepared.js';
import type { Column, CopyShape } from './protocol.js';
import { awaitSnapshot } from './replica.js';
import { columnsOfShow } from './setting-commands.js';
import { endsBlock, raiseAborted } from './run.js';
import type { SessionInput } from './session.js';
import { copyShapeOf, type Work } from './work.js';
import type { SessionState } from './state.js';

export interface Description {
  readonly parameters: readonly string[];
  readonly columns: readonly Column[] | undefined;
  readonly copy?: CopyShape | undefined;
}

const nothing: Description = { parameters: [], columns: undefined };

/** Raises what binding the statement raises. An implicit transaction that is open stays so. */
export function* describe(
  state: SessionState,
  self: Ref<SessionInput>,
  parsed: ParsedStatement | undefined,
  types: readonly (TypeName | undefined)[],
): Work<Description> {
  if (parsed === undefined) return nothing;
  const { node } = parsed;
  if (state.failed && !endsBlock(node)) raiseAborted();
  if (isCommand(kindOf(node))) return yield* describeCommand(state, self, parsed);
  if (isCursorStatement(node)) {
    const fetch = as(node, 'FetchStmt');
    if (fetch === undefined || fetch.ismove) return nothing;
    const cursor = state.cursors.get(fetch.portalname ?? '');
    if (cursor !== undefined) return { parameters: [], columns: cursor.plan.columns };
    return raise('invalid_cursor_name', `cursor "${fetch.portalname ?? ''}" does not exist`);
  }
  state.beginStatement();
  if (isAdminCall(node)) {
    const { bound } = bindWitnessed(state, parsed, types, noObjects);
    const parameters = bound.parameters.map(({ name }) => name);
    return { parameters, columns: bound.columns && columnsOf(bound.columns) };
  }
  if (isDdl(node)) return nothing;
  const opens = state.transaction === undefined;
  const stale = opens && (yield* awaitSnapshot(state, self, true));
  const query = {
    key: planKey(parsed.text, types),
    ...{ types, parameters: [], parsed: () => parsed },
  };
  const { bound, columns } = planOf(state, query, state.open(false, stale));
  if (opens && state.transaction?.explicit === false) state.end(true);
  const parameters = bound.parameters.map(({ name }) => name);
  return { parameters, columns, copy: copyShapeOf(bound.statement) };
}

function* describeCommand(
  state: SessionState,
  self: Ref<SessionInput>,
  parsed: ParsedStatement,
): Work<Description> {
  const { statement } = bindWitnessed(state, parsed, [], noObjects).bound;
  if (statement.kind === 'show') {
    return { parameters: [], columns: columnsOfShow(state, statement.name) };
  }
  if (statement.kind !== 'execute') return nothing;
  const { parse, types } = preparedNamed(state, statement.name);
  const inner = parse();
  checkExecutable(inner);
  return { ...(yield* describe(state, self, inner, types)), parameters: [] };
}
