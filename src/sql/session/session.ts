/** The session actor: one request after the other. */
import type { Actor, ActorStopped, Context, Message, Ref } from '../../actors/actor.js';
import { assert, unreachable } from '../../base/assert.js';
import { DatabaseError } from '../../base/errors.js';
import type { LostMessage, NotifiedMessage } from '../../shard/protocol.js';
import type { GatheredMessage, SignalledMessage } from './activity-protocol.js';
import { fail, failForGood } from './answers.js';
import { cancelledCommitMs, requestsPerTurn } from './limits.js';
import { type Execute, pointPlan } from './point.js';
import type { AdminAnswer, SessionMessage } from './protocol.js';
import { hasLostLocks, lostLocks } from './locks-lost.js';
import type { ReplicaAnswer } from './replica.js';
import { reportOf } from './report.js';
import type { SessionReport } from '../system/index.js';
import { dropParked } from './parked.js';
import { type Asking, serve, servePoint } from './serve.js';
import type { SessionState } from './state.js';
import { expired, type Expiry, nextExpiry } from './timeouts.js';
import type { Answer, Request, Wait, Work } from './work.js';

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

/** To itself: a limit of time may be reached. */
export interface LimitMessage extends Message {
  readonly kind: 'sql.limit';
}

/** From the sessions' registry of the node: somebody ends the statement, or the whole session. */
export interface InterruptMessage extends Message {
  readonly kind: 'sql.interrupt';
  readonly what: 'cancel' | 'terminate';
  /** Only this request; undefined: whatever is served. */
  readonly request: number | undefined;
}

export type SessionInput =
  | SessionMessage
  | ContinueMessage
  | AbandonMessage
  | LimitMessage
  | InterruptMessage
  | ReplicaAnswer
  | NotifiedMessage
  | LostMessage
  | ActorStopped
  | AdminAnswer
  | GatheredMessage
  | SignalledMessage;

/** The request that is served. */
interface Serving {
  readonly request: Request;
  readonly work: Work<void>;
  waiting: Wait;
  /** When it began to wait for that. */
  waitingSinceMs: number;
}

export class Session implements Actor<SessionInput> {
  readonly #state: SessionState;
  readonly #self: Ref<SessionInput>;
  readonly #queue: Asking[] = [];
  #serving: Serving | undefined;
  /** When the timer of limits goes off, if it is set. */
  #limitMs: number | undefined;
  /** The session ends with this as soon as the outcome of its commit is told. */
  #ending: DatabaseError | undefined;
  #stopped = false;

  constructor(state: SessionState, self: Ref<SessionInput>) {
    this.#state = state;
    this.#self = self;
    state.name = self.name;
    state.notifications.self = self;
    state.place.metrics.sessions.value += 1;
    state.place.registry?.add(state.progress.pid, {
      ref: self,
      report: (length) => this.#report(length),
    });
  }

  receive(message: SessionInput, context: Context<SessionInput>): void {
    if (this.#stopped) return;
    this.#state.beginTurn(context);
    try {
      this.#take(message);
      if (!this.#stopped) this.#serveQueue();
      if (!this.#stopped && this.#state.settings.derived.limits !== undefined) this.#watchTime();
    } catch (error) {
      // The runtime starts another session in its place: what this one holds goes back first.
      this.stopped();
      throw error;
    }
  }

  #take(message: SessionInput): void {
    switch (message.kind) {
      case 'sql.execute':
      case 'sql.prepare':
      case 'sql.close':
      case 'sql.describe':
      case 'sql.fetch':
      case 'sql.refuse':
        this.#ask(message);
        return;
      case 'sql.copyData':
      case 'sql.copyEnd':
        this.#takeCopy(message);
        return;
      case 'sql.credit':
      case 'sql.enough':
      case 'sql.park':
      case 'sql.rest':
        this.#takeCredit(message);
        return;
      case 'sql.cancel':
        this.#cancel(message.request);
        return;
      case 'sql.end':
        this.#end();
        return;
      case 'sql.continue':
        if (this.#isWaiting(message.request)) this.#resume(undefined);
        return;
      case 'shard.readable':
      case 'shard.numbers':
      case 'shard.committed':
      case 'shard.refused':
      case 'shard.locked':
      case 'sql.gathered':
      case 'sql.signalled':
      case 'sql.adminAnswer':
        if (this.#awaits(numberOf(message))) this.#resume(message);
        return;
      case 'shard.notified':
        this.#hear(message);
        return;
      case 'sql.heard':
        this.#state.notifications.taken(message.count);
        return;
      case 'shard.lost':
      case 'actor.stopped':
        this.#terminate(replicaLost(message));
        return;
      case 'sql.abandon':
        if (this.#awaits(message.token)) this.#resume(undefined, unknownOutcome());
        return;
      case 'sql.limit':
        this.#limitReached();
        return;
      case 'sql.interrupt':
        this.#interrupt(message);
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

  #limitReached(): void {
    this.#limitMs = undefined;
    this.#checkTime();
  }

  stopped(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#serving?.work.return();
    this.#serving = undefined;
    this.#state.release();
    this.#state.place.metrics.sessions.value -= 1;
    this.#state.place.registry?.remove(this.#state.progress.pid);
  }

  #end(): void {
    this.stopped();
    this.#state.turn.stop();
  }

  #ask(message: Asking): void {
    const { queuedRequests } = this.#state.place.limits;
    const { refusal } = this.#state;
    if (refusal !== undefined) {
      fail(this.#state, message.request, refusal);
    } else if (this.#serving === undefined && this.#queue.length === 0) {
      this.#begin(message);
    } else if (this.#queue.length >= queuedRequests) {
      const text = `more than ${queuedRequests} requests wait`;
      fail(this.#state, message.request, new DatabaseError('configuration_limit_exceeded', text));
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
    const state = this.#state;
    if (state.locks !== undefined && hasLostLocks(state)) {
      this.#terminate(lostLocks());
      return;
    }
    if (message.kind === 'sql.execute') state.progress.statement = message.statement;
    if (message.kind === 'sql.execute' && this.#executePoint(message)) {
      state.noteIdle();
      return;
    }
    if (message.kind === 'sql.prepare') state.progress.statement = message;
    state.beginRequest(message.request);
    const gives = message.kind === 'sql.execute' || message.kind === 'sql.fetch';
    const credit = gives ? message.credit : 0;
    const { request: number } = message;
    const request: Request = {
      number,
      credit,
      enough: false,
      rests: false,
      parks: false,
      sent: false,
    };
    const work = serve(state, this.#self, message, request);
    this.#serving = { request, work, waiting: 'turn', waitingSinceMs: 0 };
    this.#resume(undefined);
  }

  /** Goes on with the request, or throws `error` where it waits. */
  #resume(answer: Answer | undefined, error?: DatabaseError): void {
    const serving = this.#serving;
    assert(serving !== undefined, 'resumed without a request');
    const next = error === undefined ? serving.work.next(answer) : serving.work.throw(error);
    if (next.done === true) {
      this.#serving = undefined;
      this.#state.noteIdle();
      this.#state.notifications.deliver();
      if (this.#ending !== undefined) this.#terminate(this.#ending);
      return;
    }
    serving.waiting = next.value;
    serving.waitingSinceMs = this.#state.turn.nowMs;
    if (next.value === 'turn') this.#continueLater(serving.request.number);
  }

  #continueLater(request: number | undefined): void {
    this.#state.turn.send<ContinueMessage>(this.#self, { kind: 'sql.continue', request });
  }

  #isWaiting(request: number | undefined): boolean {
    const serving = this.#serving;
    if (serving?.request.number !== request) return false;
    const { waiting } = serving ?? {};
    return waiting === 'turn' || waiting === 'gate' || waiting === 'sleep';
  }

  /** Whether the request waits for the answer with this number: those to what was cancelled come too. */
  #awaits(number: number | undefined): boolean {
    switch (this.#serving?.waiting) {
      case 'read':
      case 'numbers':
      case 'commit':
      case 'lock':
      case 'admin':
      case 'gather':
        return number === this.#state.awaited;
      default:
        return false;
    }
  }

  #rest(request: Request, rests: boolean): void {
    if (request.rests === rests) return;
    request.rests = rests;
    if (rests) this.#state.noteIdle();
    else this.#state.progress.beginStatement(this.#state.turn.nowMs);
  }

  #takeCredit(
    message: Extract<
      SessionMessage,
      { kind: 'sql.credit' | 'sql.enough' | 'sql.park' | 'sql.rest' }
    >,
  ): void {
    const { request } = message;
    if (message.kind === 'sql.enough') dropParked(this.#state, request);
    const credit = message.kind === 'sql.credit' ? message.credit : 0;
    const index = this.#queue.findIndex((message) => message.request === request);
    const queued = this.#queue[index];
    if (queued?.kind === 'sql.execute') {
      this.#queue[index] = { ...queued, credit: queued.credit + credit };
      return;
    }
    const serving = this.#serving;
    if (serving?.request.number !== request) return;
    serving.request.credit += credit;
    serving.request.enough ||= message.kind === 'sql.enough';
    serving.request.parks ||= message.kind === 'sql.park';
    this.#rest(serving.request, message.kind === 'sql.rest');
    if (serving.waiting === 'credit') this.#resume(undefined);
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

  #cancel(request: number): void {
    const index = this.#queue.findIndex((message) => message.request === request);
    if (index >= 0) {
      this.#queue.splice(index, 1);
      fail(this.#state, request, cancelled());
      return;
    }
    if (this.#serving?.request.number === request) this.#stopServing(cancelled());
  }

  /** Lets the request fail. A commit that is on its way cannot be called back: its outcome is told, unless it takes long. */
  #stopServing(error: DatabaseError): void {
    if (this.#serving?.waiting === 'commit') {
      const { awaited: token } = this.#state;
      const message = { kind: 'sql.abandon', token } as const;
      this.#state.turn.setTimer('abandon', cancelledCommitMs, message);
    } else this.#resume(undefined, error);
  }

  #interrupt({ what, request }: InterruptMessage): void {
    if (what === 'terminate') {
      const text = 'terminating connection due to administrator command';
      this.#terminate(new DatabaseError('admin_shutdown', text));
      return;
    }
    const served = this.#serving?.request.number;
    if (this.#serving?.request.rests === true) return;
    if (served !== undefined && (request ?? served) === served) {
      this.#stopServing(cancelled());
    }
  }

  /** Ends the session with an error, whatever it does; what it commits is told first. */
  #terminate(error: DatabaseError): void {
    if (this.#serving?.waiting === 'commit') {
      this.#ending = error;
      this.#stopServing(error);
      return;
    }
    const request = this.#serving?.request.number ?? 0;
    this.#serving?.work.return();
    this.#serving = undefined;
    failForGood(this.#state, request, error);
    this.#end();
  }

  /** Sets the timer for the limit of time that is reached first, unless it goes off before that anyway. */
  #watchTime(): void {
    const expiry = this.#nextExpiry();
    if (expiry === undefined || (this.#limitMs ?? Infinity) <= expiry.atMs) return;
    this.#limitMs = expiry.atMs;
    const { turn } = this.#state;
    turn.setTimer('limit', Math.max(0, expiry.atMs - turn.nowMs), { kind: 'sql.limit' });
  }

  #checkTime(): void {
    const expiry = this.#nextExpiry();
    if (expiry === undefined || expiry.atMs > this.#state.turn.nowMs) return;
    const error = expired(expiry.limit);
    switch (expiry.limit) {
      case 'statement':
      case 'lock':
        this.#state.progress.isExpired = true;
        this.#stopServing(error);
        return;
      case 'transaction':
      case 'idleInTransaction':
      case 'idleSession':
        this.#terminate(error);
        return;
      default:
        unreachable(expiry.limit);
    }
  }

  #nextExpiry(): Expiry | undefined {
    const serving = this.#serving;
    const isBusy = serving?.request.rests === false || this.#queue.length > 0;
    const waitsSinceMs = serving?.waiting === 'lock' ? serving.waitingSinceMs : undefined;
    return nextExpiry(this.#state, isBusy, waitsSinceMs);
  }

  /** Notifications are kept until the session is idle, as far as there is room. */
  #hear(message: NotifiedMessage): void {
    const { notifications, place } = this.#state;
    if (!notifications.hear(message)) {
      const text = `the client has not taken more than ${place.limits.notificationBytes} bytes of notifications`;
      this.#terminate(new DatabaseError('configuration_limit_exceeded', text));
    } else if (this.#serving?.waiting === 'notification') this.#resume(undefined);
    else if (this.#serving === undefined) notifications.deliver();
  }

  #report(queryLengthMax: number): SessionReport {
    const serving = this.#serving?.request.rests === true ? undefined : this.#serving;
    const { waiting, request } = serving ?? {};
    return reportOf(this.#state, waiting, request?.number, queryLengthMax);
  }

  /** Goes the short way where no question is needed first. False when it does not apply. */
  #executePoint(message: Execute): boolean {
    const state = this.#state;
    const plan = pointPlan(state, message);
    const { nowMs, wallMs } = state.turn;
    if (plan === undefined || !state.access.readable(nowMs, wallMs)) return false;
    state.beginStatement();
    servePoint(state, message, plan, { stale: false, startMs: nowMs });
    return true;
  }
}

function replicaLost(message: LostMessage | ActorStopped): DatabaseError {
  const text = message.kind === 'shard.lost' ? message.text : replicaGoneText;
  return new DatabaseError('admin_shutdown', text);
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

const replicaGoneText =
  'terminating connection: the node has no replica any more, for notifications and advisory locks';
