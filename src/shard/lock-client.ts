/** A session as the desk of advisory locks knows it: what it has, what it asks for, what is yet to be proposed. */
import type { Context, Ref } from '../actors/actor.js';
import type {
  AdvisoryEvent,
  AdvisoryMode,
  AdvisoryName,
  AdvisoryOperation,
  LifeId,
} from '../txn/index.js';
import type { ReplicaMessage } from './messages.js';
import type { LockMessage, LockSessionMessage, RefusedMessage } from './protocol.js';

type Refusal = Pick<RefusedMessage, 'reason' | 'text'>;

interface Named {
  readonly name: AdvisoryName;
  readonly mode: AdvisoryMode;
}

/** A lock that the session has, by its last request for it. */
interface Claim extends Named {
  readonly request: number;
}

interface Asked extends Claim {
  readonly token: number;
  readonly pid: number;
  readonly waits: boolean;
}

/** To be proposed. */
type Step =
  | ({ readonly op: 'acquire' } & Asked)
  | ({ readonly op: 'release' } & Claim)
  | { readonly op: 'leave' };

type Event = Exclude<AdvisoryEvent, { readonly kind: 'ended' }>;

/** Milliseconds until what could not be proposed is tried again. */
const retryMs = 200;

export class Client {
  readonly ref: Ref<LockSessionMessage>;
  /** A number that no other session of this desk has had. */
  readonly session: number;
  readonly #claims = new Map<string, Claim>();
  #asked: Asked | undefined;
  #steps: Step[] = [];
  #inFlight = false;
  #gone = false;
  #requests = 0;
  #retryAtMs = 0;

  constructor(ref: Ref<LockSessionMessage>, session: number) {
    this.ref = ref;
    this.session = session;
  }

  /** It has nothing and wants nothing. */
  get isIdle(): boolean {
    const wantsNothing = this.#asked === undefined && this.#steps.length === 0;
    return wantsNothing && !this.#inFlight && this.#claims.size === 0;
  }

  /** It is gone, and has given everything back. */
  get isDone(): boolean {
    return this.#gone && this.isIdle;
  }

  ask({ token, name, mode, waits, pid }: LockMessage): void {
    this.#requests += 1;
    this.#asked = { token, name, mode, waits, pid, request: this.#requests };
    this.#steps.push({ op: 'acquire', ...this.#asked });
  }

  /** Gives back what it has, or asks for no more. */
  giveUp(named: Named): void {
    const key = nameKey(named);
    const claim = this.#claims.get(key);
    if (claim !== undefined) {
      this.#claims.delete(key);
      this.#giveBack(claim);
    }
    const asked = this.#asked;
    if (asked === undefined || nameKey(asked) !== key) return;
    this.#asked = undefined;
    const unsent = this.#steps.findIndex((step) => step.op === 'acquire');
    if (unsent >= 0) this.#steps.splice(unsent, 1);
    else this.#giveBack(asked);
  }

  /** The session is gone. */
  leave(): void {
    if (!this.isIdle) this.#steps = [{ op: 'leave' }];
    this.#gone = true;
    this.#claims.clear();
    this.#asked = undefined;
  }

  /** What is to be proposed now, in order; nothing while a proposal is under way. */
  take(life: LifeId): readonly AdvisoryOperation[] {
    if (this.#inFlight || this.#steps.length === 0) return [];
    const owner = { life, session: this.session };
    const operations = this.#steps.map((step): AdvisoryOperation => {
      if (step.op === 'leave') return { op: 'leave', owner };
      const { op, name, mode, request } = step;
      const asked = { owner, request, name, mode };
      if (op === 'release') return { op, ...asked };
      return { op, ...asked, pid: step.pid, waits: step.waits };
    });
    this.#steps = [];
    this.#inFlight = true;
    return operations;
  }

  /** What was taken is done. */
  settled(): void {
    this.#inFlight = false;
  }

  /** What was taken was not done, or nobody knows. */
  refused(
    operations: readonly AdvisoryOperation[],
    refusal: Refusal,
    context: Context<ReplicaMessage>,
  ): void {
    this.#inFlight = false;
    this.#retryAtMs = context.nowMs + retryMs;
    const steps: Step[] = [];
    for (const operation of operations) {
      if (operation.op === 'release' || operation.op === 'leave') steps.push(operation);
      else if (operation.op === 'acquire') {
        // It may come about yet: then it is given back.
        steps.push({ ...operation, op: 'release' });
        if (this.#asked?.request === operation.request) this.#refuse(refusal, context);
      }
    }
    this.#steps.unshift(...steps);
  }

  /** Nothing can be had: there is no life to have it in. */
  fail(refusal: Refusal, context: Context<ReplicaMessage>): void {
    this.#steps = [];
    if (this.#asked !== undefined) this.#refuse(refusal, context);
  }

  /** Whether it is time to try again what was not done. */
  retries(nowMs: number): boolean {
    return this.#steps.length > 0 && !this.#inFlight && nowMs >= this.#retryAtMs;
  }

  /** What became of a request. */
  hear(event: Event, context: Context<ReplicaMessage>): void {
    const asked = this.#asked?.request === event.request ? this.#asked : undefined;
    const key = nameKey(event);
    const isWanted = asked !== undefined || this.#claims.has(key);
    if (event.kind === 'granted' && isWanted) {
      const { name, mode, request } = event;
      this.#claims.set(key, { name, mode, request });
    }
    if ((event.kind === 'granted' || event.kind === 'waits') && !isWanted) {
      context.probe('shard.lockUnwanted');
      this.#giveBack(event);
    }
    if (asked === undefined || event.kind === 'waits') return;
    this.#asked = undefined;
    if (event.kind === 'lost') return;
    const detail = event.kind === 'deadlock' ? { detail: event.detail } : {};
    const { token } = asked;
    context.send(this.ref, { kind: 'shard.locked', token, outcome: event.kind, ...detail });
  }

  /** What it has may be another's. */
  lose(text: string, context: Context<ReplicaMessage>): void {
    if (this.#gone || (this.#asked === undefined && this.#claims.size === 0)) return;
    context.send(this.ref, { kind: 'shard.lost', text });
  }

  #giveBack({ name, mode, request }: Claim): void {
    this.#steps.push({ op: 'release', name, mode, request });
  }

  #refuse({ reason, text }: Refusal, context: Context<ReplicaMessage>): void {
    const token = this.#asked?.token ?? 0;
    this.#asked = undefined;
    context.send(this.ref, { kind: 'shard.refused', token, reason, text });
  }
}

function nameKey({ name, mode }: Named): string {
  const { database, classId, objectId, isPair } = name;
  return `${database}/${classId}/${objectId}/${isPair}/${mode}`;
}
