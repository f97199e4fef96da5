/** The simulator notices when replicas break a safety property of Raft. */
import type { Test } from 'tap';
import type { Actor, Context, Message, PlaceId, Ref } from '#src/actors/index.js';
import type { LogIndex, NodeId, Term, Timestamp, TransactionId } from '#src/base/ids.js';
import type { ShardId } from '#src/base/ids.js';
import { type Eyes, type ObservedReplica, Safety } from '#src/sim/safety.js';
import { type Configuration, type LogEntry, MemoryEngine, RaftLog } from '#src/storage/index.js';

const configuration: Configuration = {
  ...{ voters: [1, 2, 3] as NodeId[], outgoing: [], learners: [], witnesses: [] },
};

/** A replica that does what the test says. */
class Puppet implements Actor<Message>, ObservedReplica {
  readonly raft = {
    ...{ role: 'follower' as ObservedReplica['raft']['role'], term: 1 as Term },
    ...{ commitIndex: 0 as LogIndex, leader: undefined, hibernating: false, configuration },
  };
  readonly access = { readable: () => this.leaseHolds };
  readonly log = new RaftLog(new MemoryEngine(), 1 as ShardId);
  readonly appliedIndex = 0 as LogIndex;
  leaseHolds = false;
  readonly #seen: Actor<Message>;

  constructor(node: number, safety: Safety) {
    const self = { node, place: 1 as PlaceId, name: 'replica/1' } as Ref<Message>;
    this.#seen = safety.intercept(this, self);
  }

  stateHash(): string {
    return '';
  }

  receive(): void {}

  /** A turn after which it stands like this. */
  turn(role: ObservedReplica['raft']['role'], term: number, commitIndex: number): void {
    Object.assign(this.raft, { role, term, commitIndex });
    this.#seen.receive({ kind: 'test' }, undefined as unknown as Context<Message>);
  }

  append(...entries: LogEntry[]): void {
    this.log.append(entries, {
      ...{ term: 9 as Term, vote: undefined, configuration, clusterId: '' },
      lastSnapshot: { index: 0 as LogIndex, term: 0 as Term },
    });
  }
}

const ballot = { term: 9 as Term, vote: undefined };
let worldMs = 0;
const eyes: Eyes = {
  isWitness: () => false,
  nowMs: () => 0,
  wallMs: () => 0,
  worldMs: () => worldMs,
  durableBallot: () => ballot,
  leaseMs: 100,
};

function entry(index: number, term: number, text = ''): LogEntry {
  return {
    ...{ index: index as LogIndex, term: term as Term, kind: 'write', origin: 1 as NodeId },
    ...{ transaction: 1 as TransactionId, timestamp: 1 as Timestamp, wallMs: 0, objects: [] },
    ...{ client: undefined, request: undefined, payload: Buffer.from(text) },
  };
}

export function testSafety(t: Test): void {
  const puppets = (): readonly [Puppet, Puppet] => {
    const safety = new Safety(eyes);
    return [new Puppet(1, safety), new Puppet(2, safety)];
  };

  t.test('election safety: two leaders in one term', async (t) => {
    const [one, two] = puppets();
    one.turn('leader', 2, 0);
    two.turn('leader', 3, 0);
    t.throws(() => two.turn('leader', 2, 0), /never falls/);
    const [three, four] = puppets();
    three.turn('leader', 2, 0);
    t.throws(() => four.turn('leader', 2, 0), /one leader in a term/);
  });

  t.test('leader append-only', async (t) => {
    const [one] = puppets();
    one.append(entry(1, 1), entry(2, 1));
    one.turn('leader', 2, 0);
    t.throws(() => one.append(entry(2, 2)), /a leader only appends/);
  });

  t.test('log matching', async (t) => {
    const [one, two] = puppets();
    one.append(entry(1, 1, 'a'));
    t.throws(() => two.append(entry(1, 1, 'b')), /logs that share an entry/);
    const [three, four] = puppets();
    three.append(entry(1, 1), entry(2, 3));
    four.append(entry(1, 2));
    t.throws(() => four.append(entry(2, 3)), /logs that share an entry/);
  });

  t.test('leader completeness', async (t) => {
    const [one, two] = puppets();
    one.append(entry(1, 1));
    one.turn('leader', 1, 1);
    t.throws(() => two.turn('leader', 2, 0), /a leader has all/);
  });

  t.test('state machine safety', async (t) => {
    const [one, two] = puppets();
    one.append(entry(1, 1));
    one.turn('leader', 1, 1);
    two.append(entry(1, 2));
    t.throws(() => two.turn('follower', 2, 1), /one entry is committed/);
    t.throws(() => one.append(entry(1, 3)), /only appends|never replaced/);
  });

  t.test('commits, votes and leases', async (t) => {
    const [one] = puppets();
    one.append(entry(1, 1), entry(2, 2));
    one.turn('leader', 2, 0);
    t.throws(() => one.turn('leader', 2, 1), /only entries of its own term/);
    const [old, next] = puppets();
    old.turn('leader', 1, 0);
    old.leaseHolds = true;
    t.throws(() => next.turn('leader', 2, 0), /no lease holds/);
    const safety = new Safety(eyes);
    const say = (message: object): void =>
      safety.onSend(1 as NodeId, { kind: 'shard.heartbeat', message } as Message);
    const vote = { kind: 'raft.voteAnswer', from: 1, granted: true, pre: false };
    say({ ...vote, term: 3, to: 2 });
    t.throws(() => say({ ...vote, term: 3, to: 3 }), /one vote in a term/);
    t.throws(() => say({ ...vote, term: 9, to: 3 }), /on the disk/);
    safety.onSend(
      2 as NodeId,
      { kind: 'shard.heartbeat', message: { kind: 'raft.append', term: 3, round: 1 } } as Message,
    );
    worldMs = 1;
    say({ kind: 'raft.appendAnswer', term: 3, to: 2, round: 1 });
    t.throws(() => say({ ...vote, term: 4, to: 3 }), /within a lease/);
    worldMs = 200;
    say({ ...vote, term: 5, to: 3 });
  });
}
