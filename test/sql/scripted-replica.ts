/**
 * A session beside a replica that a test plays: what the session asks of it lies in `asked` until the
 * test answers. The state is a small map of versions, as the leader has it, of which this replica has
 * applied all up to `applied`.
 */
import type { Context, Message, Place, Ref, ResourceToken } from '#src/actors/actor.js';
import { assert, must } from '#src/base/assert.js';
import { byteString, bytesOfString, compareBytes } from '#src/base/bytes.js';
import { DatabaseError } from '#src/base/errors.js';
import type {
  DatabaseId,
  NodeId,
  ShardId,
  StorageId,
  Term,
  Timestamp,
  TransactionId,
} from '#src/base/ids.js';
import { Metrics } from '#src/base/metrics.js';
import { Random } from '#src/base/random.js';
import type {
  ProposeMessage,
  ReadMessage,
  ShardAccess,
  TakeNumbersMessage,
} from '#src/shard/protocol.js';
import { loadParser, type SessionLimits, sessionKind } from '#src/sql/index.js';
import type {
  AdminMessage,
  ParameterValue,
  SessionAnswer,
  SessionArguments,
  SessionMessage,
} from '#src/sql/session/protocol.js';
import { SessionRegistry, sessionRegistry } from '#src/sql/session/registry.js';
import type { SessionInput } from '#src/sql/session/session.js';
import type { Span, Visit } from '#src/storage/engine.js';
import { dataPrefix, keyKind } from '#src/storage/keys.js';
import type { Proposal } from '#src/txn/index.js';
import { decodeCounter, encodeCounter } from '#src/txn/index.js';

export type Asked = ReadMessage | TakeNumbersMessage | ProposeMessage | AdminMessage;

interface Version {
  readonly at: number;
  readonly value: Uint8Array | undefined;
}

const catalogue = dataPrefix(0 as DatabaseId, 1 as StorageId, keyKind.row);

/** The state of the group, and the access of one replica that may lag behind. */
export class ScriptedReplica implements ShardAccess {
  readonly shard = 1 as ShardId;
  replica: ShardAccess['replica'] = refTo('replica/1');
  leader: NodeId | undefined = 1 as NodeId;
  refusal: ShardAccess['refusal'];
  readableStale = true;
  givesNumbers = true;
  term = 3 as Term;
  catalogueVersion = 1;
  /** Whether reads need no question. */
  leads = true;
  /** The newest commit of the group, and what of it is applied here. */
  committed = 1;
  applied = 1;
  /** Snapshots below it are not readable any more. */
  horizon = 0;
  openSnapshots = 0;
  readonly #versions = new Map<string, Version[]>();
  readonly #given = new Map<string, bigint>();
  #transactions = 0;

  readable(): boolean {
    return this.leads;
  }

  listen(): void {}

  locksHold(): boolean {
    return true;
  }

  lockHolder(): undefined {
    return undefined;
  }

  advisoryLocks(): readonly never[] {
    return [];
  }

  get appliedTimestamp(): Timestamp {
    return this.applied as Timestamp;
  }

  get(key: Uint8Array, at: Timestamp): Uint8Array | undefined {
    this.#check(at);
    return this.#at(byteString(key), at);
  }

  scan({ from, to }: Span, at: Timestamp, visit: Visit, reverse = false): void {
    this.#check(at);
    const names = [...this.#versions.keys()].sort((a, b) =>
      compareBytes(bytesOfString(a), bytesOfString(b)),
    );
    if (reverse) names.reverse();
    for (const name of names) {
      const key = bytesOfString(name);
      if (compareBytes(key, from) < 0 || compareBytes(key, to) >= 0) continue;
      const value = this.#at(name, at);
      if (value !== undefined && !visit(key, value)) return;
    }
  }

  openSnapshot(): Timestamp {
    this.openSnapshots += 1;
    return this.appliedTimestamp;
  }

  closeSnapshot(): void {
    this.openSnapshots -= 1;
  }

  nextTransactionId(): TransactionId {
    this.#transactions += 1;
    return (2 ** 32 + this.#transactions) as TransactionId;
  }

  advanceSequence(key: Uint8Array, start: bigint, increment: bigint, count: number): bigint {
    assert(this.givesNumbers, 'numbers are given by the leader only');
    return this.take(key, start, increment, count);
  }

  /** What the leader does. */
  take(key: Uint8Array, start: bigint, increment: bigint, count: number): bigint {
    const name = byteString(key);
    const stored = this.#at(name, this.committed);
    const before =
      this.#given.get(name) ?? (stored === undefined ? start - increment : decodeCounter(stored));
    const last = before + increment * BigInt(count);
    this.#given.set(name, last);
    return last;
  }

  /** Commits as the leader does; false for a conflict. */
  commit({ writes, snapshot, numbersTerm, guards }: Proposal): boolean {
    if (numbersTerm !== undefined && numbersTerm !== this.term) return false;
    const keys = writes.flatMap((write) =>
      write.op === 'put' || write.op === 'delete' ? [write.key] : [],
    );
    for (const key of [...keys, ...guards]) {
      const newest = this.#versions.get(byteString(key))?.at(-1);
      if (newest !== undefined && newest.at > snapshot) return false;
    }
    this.committed += 1;
    for (const write of writes) {
      if (write.op === 'discard') continue;
      const name = byteString(write.key);
      const versions = this.#versions.get(name) ?? [];
      this.#versions.set(name, versions);
      const value =
        write.op === 'advance'
          ? encodeCounter(write.to)
          : write.op === 'put'
            ? write.value
            : undefined;
      versions.push({ at: this.committed, value });
      if (compareBytes(write.key.subarray(0, catalogue.length), catalogue) === 0) {
        this.catalogueVersion += 1;
      }
    }
    return true;
  }

  #at(name: string, at: number): Uint8Array | undefined {
    return this.#versions.get(name)?.findLast((version) => version.at <= at)?.value;
  }

  #check(at: number): void {
    if (at < this.horizon) throw new DatabaseError('snapshot_too_old', 'the snapshot is too old');
  }
}

function refTo(name: string): Ref<Message> {
  return { node: 1 as NodeId, place: 1, name } as Ref<Message>;
}

/** What lies at the place of a session. */
function resourceOf(replica: ScriptedReplica): (token: ResourceToken<unknown>) => unknown {
  const registry = new SessionRegistry();
  return (token) => (token === sessionRegistry ? registry : replica);
}

/** One session; `asked` holds what it waits for. */
export class ScriptedSession {
  readonly replica: ScriptedReplica;
  readonly asked: Asked[] = [];
  readonly metrics = new Metrics();
  readonly probes: string[] = [];
  /** Messages that are due some time, by the names of their timers. */
  readonly timers = new Map<string, { readonly dueMs: number; readonly message: SessionInput }>();
  stopped = false;
  /** Runs before each turn that the session has asked for itself. */
  beforeTurn: () => void = () => undefined;
  /** What the sessions of a place have in common. */
  readonly shared: {
    readonly kind: ReturnType<typeof sessionKind>;
    readonly place: Place;
  };
  readonly #session;
  readonly #self = refTo('session/1');
  readonly #answers = new Map<number, SessionAnswer[]>();
  readonly #own: SessionInput[] = [];
  #requests = 0;
  #nowMs = 0;

  static async start(
    replica = new ScriptedReplica(),
    args: Partial<SessionArguments> = {},
    limits: Partial<SessionLimits> = {},
  ): Promise<ScriptedSession> {
    await loadParser();
    return new ScriptedSession(replica, args, limits);
  }

  constructor(
    replica: ScriptedReplica,
    args: Partial<SessionArguments>,
    limits: Partial<SessionLimits>,
    beside?: ScriptedSession,
  ) {
    this.replica = replica;
    this.shared = beside?.shared ?? {
      kind: sessionKind({ metrics: this.metrics, limits }),
      place: { resource: resourceOf(replica) } as unknown as Place,
    };
    const { kind, place } = this.shared;
    const all: SessionArguments = {
      ...{ door: refTo('door'), session: 32769, user: 'tester', database: 'shardforge' },
      settings: {},
      ...args,
    };
    this.#session = kind.create(all, place, this.#self as Ref<SessionInput>);
  }

  /** Sends a text; gives its number. */
  execute(text: string, parameters: readonly ParameterValue[] = [], credit = 100): number {
    this.#requests += 1;
    const request = this.#requests;
    this.send({ kind: 'sql.execute', request, statement: { text }, parameters, credit });
    return request;
  }

  prepare(name: string, text: string): number {
    this.#requests += 1;
    this.send({ kind: 'sql.prepare', request: this.#requests, name, text });
    return this.#requests;
  }

  /** Gives a message to the session, and then those that it sent itself. */
  send(message: SessionMessage | SessionInput): void {
    this.#receive(message as SessionInput);
    for (let next = this.#own.shift(); next !== undefined; next = this.#own.shift()) {
      this.beforeTurn();
      this.#receive(next);
    }
  }

  /** Takes what the session asked first; it must be of this kind. */
  take<K extends Asked['kind']>(kind: K): Extract<Asked, { kind: K }> {
    const first = must(this.asked.shift(), `the session asks for ${kind}`);
    assert(first.kind === kind, 'the session asks for something else', first.kind);
    return first as Extract<Asked, { kind: K }>;
  }

  /** Answers a read when all that is committed is applied. */
  answerRead(): void {
    const { token } = this.take('shard.read');
    this.replica.applied = this.replica.committed;
    this.send({ kind: 'shard.readable', token });
  }

  answerNumbers(): TakeNumbersMessage {
    const asked = this.take('shard.takeNumbers');
    const last = this.replica.take(asked.key, asked.start, asked.increment, asked.count);
    this.send({ kind: 'shard.numbers', token: asked.token, last, term: this.replica.term });
    return asked;
  }

  answerProposal(): Proposal {
    const { token, proposal } = this.take('shard.propose');
    const committed = this.replica.commit(proposal);
    this.replica.applied = this.replica.committed;
    this.send(
      committed
        ? { kind: 'shard.committed', token, timestamp: this.replica.committed as Timestamp }
        : { kind: 'shard.refused', token, reason: 'conflict', text: 'another was first' },
    );
    return proposal;
  }

  refuse(reason: 'no_quorum' | 'conflict', text = 'no majority'): void {
    const asked = must(this.asked.shift(), 'something is asked');
    assert(asked.kind !== 'sql.admin', 'a question to the replica');
    this.send({ kind: 'shard.refused', token: asked.token, reason, text });
  }

  /** Runs a text to its end, with a replica that answers everything. */
  run(text: string, parameters: readonly ParameterValue[] = []): readonly SessionAnswer[] {
    const request = this.execute(text, parameters);
    for (let next = this.asked[0]; next !== undefined; next = this.asked[0]) {
      if (next.kind === 'shard.read') this.answerRead();
      else if (next.kind === 'shard.takeNumbers') this.answerNumbers();
      else this.answerProposal();
    }
    return this.answersTo(request);
  }

  /** Lets time pass; timers go off as they are due. */
  wait(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const due = [...this.timers].filter(([, { dueMs }]) => dueMs <= endMs);
      const [first] = due.sort(([, a], [, b]) => a.dueMs - b.dueMs);
      if (first === undefined) break;
      const [name, { dueMs, message }] = first;
      this.timers.delete(name);
      this.#nowMs = Math.max(this.#nowMs, dueMs - 1);
      this.send(message);
    }
    this.#nowMs = Math.max(this.#nowMs, endMs);
  }

  /** What has come for a request so far. */
  answersTo(request: number): readonly SessionAnswer[] {
    return this.#answers.get(request) ?? [];
  }

  /** The rows of a text that succeeds. */
  rows(text: string, parameters: readonly ParameterValue[] = []): unknown[] {
    return rowsOf(this.run(text, parameters));
  }

  #receive(message: SessionInput): void {
    this.#nowMs += 1;
    this.#session.receive(message, {
      ...{ self: this.#self, nowMs: this.#nowMs, wallMs: 0, random: new Random(1) },
      send: (to: Ref<never>, sent: Message) => this.#sent(to, sent),
      log: (level: string, event: string, fields: unknown) => {
        assert(level !== 'error', event, JSON.stringify(fields));
      },
      probe: (name: string) => this.probes.push(name),
      stop: () => {
        this.stopped = true;
      },
      setTimer: (name: string, delayMs: number, message: SessionInput) => {
        this.timers.set(name, { dueMs: this.#nowMs + delayMs, message });
      },
    } as unknown as Context<SessionInput>);
  }

  #sent(to: Ref<never>, message: Message): void {
    if (to.name === this.#self.name) {
      this.#own.push(message as SessionInput);
    } else if (to.name === 'door') {
      const answer = message as SessionAnswer;
      if (answer.kind === 'sql.settings') return;
      this.#answers.set(answer.request, [...this.answersTo(answer.request), answer]);
    } else {
      this.asked.push(message as Asked);
    }
  }
}

export function rowsOf(answers: readonly SessionAnswer[]): unknown[] {
  const failed = answers.find((answer) => answer.kind === 'sql.failed');
  assert(failed === undefined, 'the statement failed', failed?.error.message);
  return answers.flatMap((answer) => (answer.kind === 'sql.rows' ? answer.rows : []));
}

export { refTo };
