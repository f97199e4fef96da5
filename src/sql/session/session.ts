/** The session actor: one request after the other. */
import type { Actor, Context, Message, Ref } from '../../actors/actor.js';
import { assert, unreachable } from '../../base/assert.js';
import { DatabaseError, type ErrorDetails, type ErrorName, raise } from '../../base/errors.js';
import { type ParsedStatement, parse } from '../parse/index.js';
import { cancelledCommitMs, requestsPerTurn } from './limits.js';
import { isLong, parseElsewhere } from './long-text.js';
import { describe } from './describe.js';
import { answerPoint, type Execute, pointPlan } from './point.js';
import type { Plan } from './plan-cache.js';
import { planKey, type Query } from './planning.js';
import { keepText, preparedNamed, statedTypes } from './prepared.js';
import type { AdminAnswer, SessionAnswer, SessionMessage } from './protocol.js';
import { awaitSnapshot, commit, Refused, type ReplicaAnswer } from './replica.js';
import { runStatement } from './run.js';
import type { SessionState } from './state.js';
import { type Answer, type Request, ResultWriter, type Wait, type Work } from './work.js';
import { typeNamed } from '../types/index.js';

/** To itself: go on with the request. */
export interface ContinueMessage extends Message {
  readonly kind: 'sql.continue';
  /** Undefined to begin with the next one that waits. */
  readonly request: number | undefined;
}

/** To itself, some time after a commit on its way was cancelled. */
export interface AbandonMessage extends Message {
  readonly kind: 'sql.abandon';
  /** What the commit's answer carries. */
  readonly token: number;
}

export type SessionInput =
  | SessionMessage
  | ContinueMessage
  | AbandonMessage
  | ReplicaAnswer
  | AdminAnswer;

type Prepare = Extract<SessionMessage, { kind: 'sql.prepare' }>;
type Asking = Extract<
  SessionMessage,
  { kind: 'sql.execute' | 'sql.prepare' | 'sql.close' | 'sql.refuse' }
>;

/** The request that is served. */
interface Serving {
  readonly request: Request;
  readonly work: Work<void>;
  waiting: Wait;
}

export class Session implements Actor<SessionInput> {
  readonly #state: SessionState;
  readonly #self: Ref<SessionInput>;
  readonly #queue: Asking[] = [];
  #serving: Serving | undefined;
  #internalErrors = 0;
  #stopped = false;

  constructor(state: SessionState, self: Ref<SessionInput>) {
    this.#state = state;
    this.#self = self;
    state.place.metrics.sessions.value += 1;
  }

  receive(message: SessionInput, context: Context<SessionInput>): void {
    if (this.#stopped) return;
    this.#state.beginTurn(context);
    try {
      this.#take(message, context);
      if (!this.#stopped) this.#serveQueue();
    } catch (error) {
      // The runtime starts another session in its place: what this one holds goes back first.
      this.stopped();
      throw error;
    }
  }

  #take(message: SessionInput, context: Context<SessionInput>): void {
    switch (message.kind) {
      case 'sql.execute':
      case 'sql.prepare':
      case 'sql.close':
      case 'sql.refuse':
        this.#ask(message);
        return;
      case 'sql.copyData':
      case 'sql.copyEnd':
        this.#takeCopy(message);
        return;
      case 'sql.credit':
      case 'sql.enough':
        this.#takeCredit(message);
        return;
      case 'sql.cancel':
        this.#cancel(message.request, context);
        return;
      case 'sql.end':
        this.#end(context);
        return;
      case 'sql.continue':
        if (this.#isWaiting(message.request)) this.#resume(undefined);
        return;
      case 'shard.readable':
      case 'shard.numbers':
      case 'shard.committed':
      case 'shard.refused':
        if (this.#awaits(message.token)) this.#resume(message);
        return;
      case 'sql.abandon':
        if (this.#awaits(message.token)) this.#resume(undefined, unknownOutcome());
        return;
      case 'sql.adminAnswer':
        if (this.#awaits(message.call)) this.#resume(message);
        return;
      case 'sql.parsed':
      case 'sql.notParsed':
        if (this.#serving?.waiting === 'parse') this.#resume(message);
        return;
      case 'actor.refused':
        if (this.#awaits(numberOf(message.message))) this.#resume(message);
        return;
      default:
        unreachable(message);
    }
  }

  stopped(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#serving?.work.return();
    this.#serving = undefined;
    this.#state.release();
    this.#state.place.metrics.sessions.value -= 1;
  }

  #end(context: Context<SessionInput>): void {
    this.stopped();
    context.stop();
  }

  #ask(message: Asking): void {
    const { queuedRequests } = this.#state.place.limits;
    const { refusal } = this.#state;
    if (refusal !== undefined) {
      this.#fail(message.request, refusal);
    } else if (this.#serving === undefined && this.#queue.length === 0) {
      this.#begin(message);
    } else if (this.#queue.length >= queuedRequests) {
      const text = `more than ${queuedRequests} requests wait`;
      this.#fail(message.request, new DatabaseError('configuration_limit_exceeded', text));
    } else {
      this.#queue.push(message);
    }
  }

  /** Serves what waits, some requests a turn, so that other actors of the thread get theirs. */
  #serveQueue(): void {
    for (let served = 0; this.#serving === undefined; served += 1) {
      const message = this.#queue[0];
      if (message === undefined) return;
      if (served === requestsPerTurn) {
        this.#continueLater(undefined);
        return;
      }
      this.#queue.shift();
      this.#begin(message);
    }
  }

  #begin(message: Asking): void {
    if (message.kind === 'sql.execute' && this.#executePoint(message)) return;
    const credit = message.kind === 'sql.execute' ? message.credit : 0;
    const request: Request = { number: message.request, credit, enough: false, sent: false };
    const work = this.#serve(message, request);
    this.#serving = { request, work, waiting: 'turn' };
    this.#resume(undefined);
  }

  /** Goes on with the request, or throws `error` where it waits. */
  #resume(answer: Answer | undefined, error?: DatabaseError): void {
    const serving = this.#serving;
    assert(serving !== undefined, 'resumed without a request');
    const next = error === undefined ? serving.work.next(answer) : serving.work.throw(error);
    if (next.done === true) {
      this.#serving = undefined;
      return;
    }
    serving.waiting = next.value;
    if (next.value === 'turn') this.#continueLater(serving.request.number);
  }

  #continueLater(request: number | undefined): void {
    this.#state.turn.send<ContinueMessage>(this.#self, { kind: 'sql.continue', request });
  }

  #isWaiting(request: number | undefined): boolean {
    const serving = this.#serving;
    if (serving?.request.number !== request) return false;
    return serving?.waiting === 'turn' || serving?.waiting === 'gate';
  }

  /** Whether the request waits for the answer with this number: those to what was cancelled come too. */
  #awaits(number: number | undefined): boolean {
    switch (this.#serving?.waiting) {
      case 'read':
      case 'numbers':
      case 'commit':
      case 'admin':
        return number === this.#state.awaited;
      default:
        return false;
    }
  }

  #takeCredit(message: Extract<SessionMessage, { kind: 'sql.credit' | 'sql.enough' }>): void {
    const { request } = message;
    const credit = message.kind === 'sql.credit' ? message.credit : 0;
    const index = this.#queue.findIndex((message) => message.request === request);
    const queued = this.#queue[index];
    if (queued?.kind === 'sql.execute') {
      this.#queue[index] = { ...queued, credit: queued.credit + credit };
      return;
    }
    if (this.#serving?.request.number !== request) return;
    this.#serving.request.credit += credit;
    this.#serving.request.enough ||= message.kind === 'sql.enough';
    if (this.#serving.waiting === 'credit') this.#resume(undefined);
  }

  #takeCopy(message: Extract<SessionMessage, { kind: 'sql.copyData' | 'sql.copyEnd' }>): void {
    const { copyIn } = this.#state;
    // What comes for a statement that has ended meanwhile is void.
    if (copyIn === undefined || this.#serving?.request.number !== message.request) return;
    try {
      if (message.kind === 'sql.copyData') copyIn.receive(message.data);
      else copyIn.end(message.failure);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      if (this.#serving.waiting === 'copy') this.#resume(undefined, error);
      else copyIn.end(error.message);
      return;
    }
    if (this.#serving.waiting === 'copy') this.#resume(undefined);
  }

  #cancel(request: number, context: Context<SessionInput>): void {
    const index = this.#queue.findIndex((message) => message.request === request);
    if (index >= 0) {
      this.#queue.splice(index, 1);
      this.#fail(request, cancelled());
      return;
    }
    const serving = this.#serving;
    if (serving?.request.number !== request) return;
    // A commit that is on its way cannot be called back: its outcome is told, unless it takes long.
    if (serving.waiting === 'commit') {
      const { awaited: token } = this.#state;
      context.setTimer('abandon', cancelledCommitMs, { kind: 'sql.abandon', token });
      return;
    }
    this.#resume(undefined, cancelled());
  }

  *#serve(message: Asking, request: Request): Work<void> {
    try {
      switch (message.kind) {
        case 'sql.execute':
          return yield* this.#execute(message, request);
        case 'sql.prepare':
          return yield* this.#prepare(message);
        case 'sql.close':
          this.#state.prepared.delete(message.name);
          this.#answer({ kind: 'sql.closed', request: message.request });
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
      if (message.kind !== 'sql.execute') this.#state.abort();
      this.#fail(message.request, error);
    } finally {
      this.#state.textMemory.releaseAll();
    }
  }

  *#execute(message: Execute, request: Request): Work<void> {
    if (yield* this.#executePointLater(message)) return;
    const text = this.#longText(message);
    const parsed = text === undefined ? undefined : yield* this.#parseLong(text);
    const state = this.#state;
    const queries = this.#queriesOrAbort(message, parsed);
    const joined = message.joined === true;
    if (queries.length === 0) {
      if (!joined && state.transaction?.explicit === false) yield* this.#commitJoined();
      const none = { columns: undefined, timeZone: undefined };
      const writer = new ResultWriter(state, request, none, false);
      yield* writer.end({ tag: '', status: state.status }, true);
      return;
    }
    const self = this.#self;
    const alone = queries.length === 1 && !joined && state.transaction === undefined;
    for (const [i, query] of queries.entries()) {
      const last = i === queries.length - 1;
      const commits = last && !joined;
      yield* runStatement({ state, request, self, alone, last, commits }, query);
    }
  }

  /** Ends the transaction that joined requests have left open. */
  *#commitJoined(): Work<void> {
    try {
      yield* commit(this.#state, this.#self);
    } catch (thrown) {
      this.#state.abort();
      throw thrown instanceof Refused ? thrown.toError() : thrown;
    }
  }

  /** The text of the request if another thread is to parse it. */
  #longText({ statement }: Execute): string | undefined {
    const { prepared } = this.#state;
    const text = 'text' in statement ? statement.text : prepared.get(statement.prepared)?.text;
    return isLong(this.#state, text) ? text : undefined;
  }

  *#parseLong(text: string): Work<readonly ParsedStatement[]> {
    try {
      return yield* parseElsewhere(this.#state, text);
    } catch (error) {
      this.#state.abort();
      throw error;
    }
  }

  /** A text that cannot be read fails the block that it came in, like every other error. */
  #queriesOrAbort(
    message: Execute,
    given: readonly ParsedStatement[] | undefined,
  ): readonly Query[] {
    try {
      return this.#queriesOf(message, given);
    } catch (error) {
      this.#state.abort();
      throw error;
    }
  }

  #queriesOf(message: Execute, given: readonly ParsedStatement[] | undefined): readonly Query[] {
    const { statement, parameters } = message;
    const state = this.#state;
    const { limits, plans } = state.place;
    if ('prepared' in statement) {
      const { key, parse: parseAgain, types } = preparedNamed(state, statement.prepared);
      if (plans.get(key) !== undefined) {
        return [{ key, types, parameters, parsed: () => parseAgain() ?? raiseGone() }];
      }
      const parsed = given === undefined ? parseAgain() : given[0];
      return parsed === undefined ? [] : [{ key, types, parameters, parsed: () => parsed }];
    }
    const { text } = statement;
    const types = statedTypes(message.parameterTypes);
    const key = planKey(text, types);
    if (plans.get(key) !== undefined) {
      return [{ key, types, parameters, parsed: () => parse(text, limits)[0] ?? raiseGone() }];
    }
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

  /** Goes the short way where no question is needed first. False when it does not apply. */
  #executePoint(message: Execute): boolean {
    const state = this.#state;
    const plan = pointPlan(state, message);
    const { nowMs, wallMs } = state.turn;
    if (plan === undefined || !state.access.readable(nowMs, wallMs)) return false;
    state.beginStatement();
    this.#answerPoint(message, plan, { stale: false, startMs: nowMs });
    return true;
  }

  /** The same where it must be asked first whether what is here is the newest. */
  *#executePointLater(message: Execute): Work<boolean> {
    const state = this.#state;
    if (pointPlan(state, message) === undefined) return false;
    const startMs = state.turn.nowMs;
    state.beginStatement();
    let stale: boolean;
    try {
      stale = yield* awaitSnapshot(state, this.#self, true);
    } catch (error) {
      this.#failPoint(message.request, startMs, error);
      return true;
    }
    const plan = pointPlan(state, message);
    if (plan === undefined) return false;
    this.#answerPoint(message, plan, { stale, startMs });
    return true;
  }

  #answerPoint(
    message: Execute,
    plan: Plan,
    { stale, startMs }: { readonly stale: boolean; readonly startMs: number },
  ): void {
    const state = this.#state;
    const { metrics } = state.place;
    try {
      this.#answer(answerPoint(state, message, plan, stale));
      metrics.planHits.value += 1;
      metrics.ended('select', 'ok', (state.turn.nowMs - startMs) / 1000);
    } catch (error) {
      this.#failPoint(message.request, startMs, error);
    }
  }

  #failPoint(request: number, startMs: number, error: unknown): void {
    const outcome = error instanceof DatabaseError ? error.sqlstate.slice(0, 2) : 'XX';
    const seconds = (this.#state.turn.nowMs - startMs) / 1000;
    this.#state.place.metrics.ended('select', outcome, seconds);
    this.#fail(request, error);
  }

  /** Keeps a statement, and tells its types once they are known. */
  *#prepare({ request, name, text, parameterTypes }: Prepare): Work<void> {
    const state = this.#state;
    const types = statedTypes(parameterTypes);
    const parsed = isLong(state, text)
      ? yield* parseElsewhere(state, text)
      : parse(text, state.place.limits);
    keepText(state, name, text, parsed, types);
    try {
      const { parameters, ...more } = yield* describe(state, this.#self, parsed[0], types);
      const told = parameters.map((type) => ({ type, typeOid: typeNamed(type).oid }));
      this.#answer({ kind: 'sql.prepared', request, parameterTypes: told, ...more });
    } catch (error) {
      state.prepared.delete(name);
      throw error;
    }
  }

  #answer(answer: SessionAnswer): void {
    this.#state.turn.send(this.#state.door, answer);
  }

  /** Tells a client of an error; one that is none of the catalogue is a bug of ours and is logged. */
  #fail(request: number, error: unknown): void {
    const { status } = this.#state;
    this.#answer({ kind: 'sql.failed', request, error: this.#fieldsOf(error), status });
  }

  #fieldsOf(error: unknown): { kind: ErrorName; message: string; details: ErrorDetails } {
    if (error instanceof DatabaseError) {
      return { kind: error.kind, message: error.message, details: error.details };
    }
    this.#internalErrors += 1;
    const id = `${this.#self.name}/${this.#internalErrors}`;
    const stack = error instanceof Error ? error.stack : String(error);
    this.#state.turn.log('error', 'statement failed inside', { id, stack });
    return { kind: 'internal_error', message: `internal error ${id}`, details: {} };
  }
}

/** The number that the answer to a message of ours would have carried. */
function numberOf(message: Message): number | undefined {
  const { token, call } = message as { readonly token?: number; readonly call?: number };
  return token ?? call;
}

function cancelled(): DatabaseError {
  return new DatabaseError('query_canceled', 'canceling statement due to user request');
}

function unknownOutcome(): DatabaseError {
  const text = 'cancelled while the commit was on its way: it may or may not happen';
  return new DatabaseError('statement_completion_unknown', text);
}

function raiseGone(): never {
  raise('internal_error', 'a statement was lost between its plan and its text');
}
