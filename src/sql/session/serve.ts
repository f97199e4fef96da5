/** What a request does, from its message to the end of its answer. */
import type { Ref } from '../../actors/actor.js';
import { unreachable } from '../../base/assert.js';
import { DatabaseError, raise } from '../../base/errors.js';
import { type ParsedStatement, parse } from '../parse/index.js';
import { typeNamed, type TypeName } from '../types/index.js';
import { answer, fail, reportSettings } from './answers.js';
import { describe } from './describe.js';
import { isLong, parseElsewhere } from './long-text.js';
import type { Query } from './planning.js';
import type { Plan } from './plan-cache.js';
import { fetchParked } from './parked.js';
import { answerPoint, type Execute, pointPlan } from './point.js';
import { keepText, preparedNamed, statedTypes } from './prepared.js';
import type { SessionMessage } from './protocol.js';
import { noteLongNames, queriesOf } from './queries.js';
import { awaitSnapshot, commit, Refused } from './replica.js';
import { endsBlock, runStatement } from './run.js';
import type { SessionInput } from './session.js';
import type { SessionState } from './state.js';
import { type Request, ResultWriter, type Work } from './work.js';

type Prepare = Extract<SessionMessage, { kind: 'sql.prepare' }>;
/** What is answered, one after the other. */
export type Asking = Extract<
  SessionMessage,
  {
    kind: 'sql.execute' | 'sql.prepare' | 'sql.describe' | 'sql.fetch' | 'sql.close' | 'sql.refuse';
  }
>;

/** Whose work it is: its state, and where answers to it go. */
interface Server {
  readonly state: SessionState;
  readonly self: Ref<SessionInput>;
}

export function* serve(
  state: SessionState,
  self: Ref<SessionInput>,
  message: Asking,
  request: Request,
): Work<void> {
  try {
    switch (message.kind) {
      case 'sql.execute':
        return yield* execute({ state, self }, message, request);
      case 'sql.prepare':
        return yield* prepare({ state, self }, message);
      case 'sql.describe': {
        const { parse: parsed, types } = preparedNamed(state, message.name);
        return yield* tell({ state, self }, message, parsed(), types);
      }
      case 'sql.fetch':
        return yield* fetchParked(state, message, request);
      case 'sql.close':
        state.prepared.delete(message.name);
        answer(state, { kind: 'sql.closed', request: message.request });
        return;
      case 'sql.refuse': {
        const { kind, message: text, details } = message.error;
        return raise(kind, text, details);
      }
      default:
        return unreachable(message);
    }
  } catch (error) {
    // What fails before it is executed fails the block that it came in like every other error.
    if (message.kind !== 'sql.execute') state.abort();
    fail(state, message.request, error);
  } finally {
    state.textMemory.releaseAll();
  }
}

function* execute({ state, self }: Server, message: Execute, request: Request): Work<void> {
  const isPoint = pointPlan(state, message) !== undefined;
  if (isPoint && (yield* executePointLater({ state, self }, message))) return;
  const text = longText(state, message);
  const parsed = text === undefined ? undefined : yield* parseLong(state, text);
  const queries = queriesOrAbort(state, message, parsed);
  const joined = message.joined === true;
  if (queries.length === 0) {
    if (!joined) yield* commitJoined({ state, self });
    const none = { columns: undefined, timeZone: undefined };
    const writer = new ResultWriter(state, request, none, false);
    yield* writer.end({ tag: '', status: state.status }, true);
    return;
  }
  const alone = queries.length === 1 && !joined && state.transaction === undefined;
  // What is set by one of several goes with the others when one of them fails.
  if (!alone) state.settings.begin();
  for (const [i, query] of queries.entries()) {
    const last = i === queries.length - 1;
    const commits = last && !joined;
    yield* runStatement({ state, request, self, alone, last, commits }, query);
  }
  if (!joined && state.transaction === undefined && !state.failed) state.settings.end(true);
}

/** Ends the transaction that joined requests have left open. */
function* commitJoined({ state, self }: Server): Work<void> {
  if (state.transaction === undefined && !state.failed) state.settings.end(true);
  if (state.transaction?.explicit !== false) return;
  try {
    yield* commit(state, self);
  } catch (thrown) {
    state.abort();
    throw thrown instanceof Refused ? thrown.toError() : thrown;
  }
}

/** The text of the request if another thread is to parse it. */
function longText(state: SessionState, { statement }: Execute): string | undefined {
  const { prepared } = state;
  const text = 'text' in statement ? statement.text : prepared.get(statement.prepared)?.text;
  return isLong(state, text) ? text : undefined;
}

function* parseLong(state: SessionState, text: string): Work<readonly ParsedStatement[]> {
  try {
    return yield* parseElsewhere(state, text);
  } catch (error) {
    state.abort();
    throw error;
  }
}

/** A text that cannot be read fails the block that it came in, like every other error. */
function queriesOrAbort(
  state: SessionState,
  message: Execute,
  given: readonly ParsedStatement[] | undefined,
): readonly Query[] {
  try {
    return queriesOf(state, message, given);
  } catch (error) {
    state.abort();
    throw error;
  }
}

/** Goes the short way where it must be asked first whether what is here is the newest. False when it does not apply. */
function* executePointLater({ state, self }: Server, message: Execute): Work<boolean> {
  const startMs = state.turn.nowMs;
  state.beginStatement();
  let stale: boolean;
  try {
    stale = yield* awaitSnapshot(state, self, true);
  } catch (error) {
    failPoint(state, message.request, startMs, error);
    return true;
  }
  const plan = pointPlan(state, message);
  if (plan === undefined) return false;
  servePoint(state, message, plan, { stale, startMs });
  return true;
}

/** Answers a request that may go the short way. */
export function servePoint(
  state: SessionState,
  message: Execute,
  plan: Plan,
  { stale, startMs }: { readonly stale: boolean; readonly startMs: number },
): void {
  const { metrics } = state.place;
  try {
    const rows = answerPoint(state, message, plan, stale);
    if (state.settings.isReportDue) reportSettings(state, message.request);
    answer(state, rows);
    metrics.planHits.value += 1;
    metrics.ended('select', 'ok', (state.turn.nowMs - startMs) / 1000);
  } catch (error) {
    failPoint(state, message.request, startMs, error);
  }
}

function failPoint(state: SessionState, request: number, startMs: number, error: unknown): void {
  const outcome = error instanceof DatabaseError ? error.sqlstate.slice(0, 2) : 'XX';
  const seconds = (state.turn.nowMs - startMs) / 1000;
  state.place.metrics.ended('select', outcome, seconds);
  fail(state, request, error);
}

/** Keeps a statement, and tells its types once they are known. */
function* prepare({ state, self }: Server, message: Prepare): Work<void> {
  const { request, name, text, parameterTypes } = message;
  const types = statedTypes(parameterTypes);
  const parsed = isLong(state, text)
    ? yield* parseElsewhere(state, text)
    : parse(text, state.place.limits);
  noteLongNames(state, text);
  keepText(state, name, text, parsed, { types, isFixed: message.fixed === true });
  try {
    yield* tell({ state, self }, { request, name }, parsed[0], types);
  } catch (error) {
    state.prepared.delete(name);
    throw error;
  }
}

/** Tells what a kept statement takes and gives. */
function* tell(
  { state, self }: Server,
  { request, name }: { readonly request: number; readonly name: string },
  parsed: ParsedStatement | undefined,
  types: readonly (TypeName | undefined)[],
): Work<void> {
  const { parameters, ...more } = yield* describe(state, self, parsed, types);
  const parameterTypes = parameters.map((type) => ({ type, typeOid: typeNamed(type).oid }));
  const prepared = preparedNamed(state, name);
  prepared.told = more.columns;
  prepared.parameters = parameters;
  const ends = parsed !== undefined && endsBlock(parsed.node);
  const ended = ends ? ({ endsBlock: true } as const) : undefined;
  answer(state, { kind: 'sql.prepared', request, parameterTypes, ...more, ...ended });
}
