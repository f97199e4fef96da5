/** The statements of a request, with their places in the cache of plans. */
import { raise } from '../../base/errors.js';
import { longNames, type ParsedStatement, parse } from '../parse/index.js';
import { planKey, type Query } from './planning.js';
import type { Execute } from './point.js';
import { preparedNamed, statedTypes } from './prepared.js';
import type { SessionState } from './state.js';

/** `given`: what another thread has parsed. Raises what parsing raises. */
export function queriesOf(
  state: SessionState,
  message: Execute,
  given: readonly ParsedStatement[] | undefined,
): readonly Query[] {
  const { statement, parameters } = message;
  const { limits, plans } = state.place;
  if ('prepared' in statement) {
    const prepared = preparedNamed(state, statement.prepared);
    const { key, parse: parseAgain, types } = prepared;
    if (plans.get(key) !== undefined) {
      return [{ key, types, parameters, prepared, parsed: () => parseAgain() ?? raiseGone() }];
    }
    const parsed = given === undefined ? parseAgain() : given[0];
    return parsed === undefined ? [] : [{ key, types, parameters, prepared, parsed: () => parsed }];
  }
  const { text } = statement;
  const types = statedTypes(message.parameterTypes);
  const key = planKey(text, types);
  if (plans.get(key) !== undefined) {
    return [{ key, types, parameters, parsed: () => parse(text, limits)[0] ?? raiseGone() }];
  }
  noteLongNames(state, text);
  const all = given ?? parse(text, limits);
  if (all.length > 1 && parameters.length > 0) {
    raise('syntax_error', 'cannot insert multiple commands into a prepared statement');
  }
  return all.map((one) => ({
    key: all.length === 1 ? key : undefined,
    types,
    parameters,
    parsed: () => one,
  }));
}

/** Says which names of a text are longer than what is kept of them. */
export function noteLongNames(state: SessionState, text: string): void {
  for (const { name, kept } of longNames(text)) {
    const message = `identifier "${name}" will be truncated to "${kept}"`;
    state.notice('notice', '42622', message);
  }
}

function raiseGone(): never {
  raise('internal_error', 'a statement was lost between its plan and its text');
}
