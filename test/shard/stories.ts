/** What a group of replicas does for those who use it, one story after the other. */
import type { Test } from 'tap';
import { must } from '#src/base/assert.js';
import { prefixEnd } from '#src/base/bytes.js';
import type { DatabaseId, NodeId, StorageId, Term } from '#src/base/ids.js';
import type { Members } from '#src/raft/index.js';
import { defaultRaftTiming, type ShardLimits } from '#src/shard/index.js';
import { clusterHash } from '#src/shard/peer.js';
import { dataPrefix, groupKey, keyKind, keySpace } from '#src/storage/keys.js';
import type { Write } from '#src/txn/index.js';
import { keyOf } from './print.js';
import { type Answer, shard, World, type WorldNode } from './world.js';

type Tap = Pick<Test, 'test'>;

const systemPrefix = dataPrefix(0 as DatabaseId, 2 as StorageId, keyKind.row);
const systemRows = { from: systemPrefix, to: must(prefixEnd(systemPrefix), 'it has an end') };

function three(limits: Partial<ShardLimits> = {}, more: Partial<Members> = {}): World {
  const voters = [1, 2, 3] as NodeId[];
  const genesis = { voters, learners: [], witnesses: [], ...more };
  const world = new World({ genesis, witnesses: genesis.witnesses, encodeAll: true, limits });
  const serve = (): boolean =>
    world.living.every(({ id, access }) => isWitness(world, id) || access.refusal === undefined);
  must(world.until(serve) || undefined, 'the group serves');
  return world;
}

function isWitness({ options }: World, id: NodeId): boolean {
  return options.witnesses?.includes(id) === true;
}

function put(world: World, at: number, key: string, value: string, term?: Term): number {
  const { access } = world.node(at);
  const write: Write = { op: 'put', key: keyOf(key), value: Buffer.from(value) };
  return world.propose(
    {
      transaction: access.nextTransactionId(),
      snapshot: access.appliedTimestamp,
      writes: [write],
      guards: [],
      objects: [],
      numbersTerm: term,
    },
    at,
  );
}

function get({ access }: WorldNode, key: string): string | undefined {
  const value = access.get(keyOf(key), access.appliedTimestamp);
  return value === undefined ? undefined : Buffer.from(value).toString();
}

function outcome(answer: Answer | undefined): string | undefined {
  return answer?.kind === 'shard.refused' ? answer.reason : answer?.kind;
}

/** The leader and the others. */
function roles(world: World): { readonly leader: WorldNode; readonly others: WorldNode[] } {
  const leader = must(world.leader, 'somebody leads');
  return { leader, others: world.living.filter((node) => node !== leader) };
}

function equalHashes(world: World): boolean {
  const hashes = world.living
    .filter(({ id }) => !isWitness(world, id))
    .map(({ observed }) => observed.stateHash());
  return new Set(hashes).size === 1;
}

export function stories(t: Tap): void {
  t.test('shard: a write forwarded to a leader that dies happens once', (test) => {
    const world = three();
    const { leader, others } = roles(world);
    const [asker] = others;
    const token = put(world, must(asker, 'a follower').id, 'a', '1');
    world.run();
    test.equal(world.answer(token), undefined, 'nobody has it on disk yet');
    leader.stop();
    test.ok(world.until(() => world.answer(token) !== undefined));
    test.equal(outcome(world.answer(token)), 'shard.committed');
    leader.restart(0, 0);
    world.advance(2000);
    test.equal(get(leader, 'a'), '1', 'the one that died has it too');
    test.ok(equalHashes(world));
    test.end();
  });

  t.test(
    'shard: a leader that is cut off tells its own askers what became of their writes',
    (test) => {
      const world = three();
      const { leader, others } = roles(world);
      world.isolate(leader.id);
      const token = put(world, leader.id, 'a', '1');
      world.advance(1500);
      test.equal(world.answer(token), undefined, 'it waits: a majority may yet come');
      const [other] = others;
      const rival = put(world, must(other, 'another').id, 'a', '2');
      world.advance(100);
      test.equal(outcome(world.answer(rival)), 'shard.committed', 'the others have gone on');
      world.heal();
      test.ok(world.until(() => world.answer(token) !== undefined));
      test.equal(
        outcome(world.answer(token)),
        'conflict',
        'the next leader says that it did not happen',
      );
      test.equal(get(leader, 'a'), '2', 'and why can be seen where it was asked');
      test.end();
    },
  );

  t.test('shard: without a majority writes wait, then are refused, and reads too', (test) => {
    const world = three();
    const { leader, others } = roles(world);
    for (const { id } of others) world.node(id).stop();
    const sent = put(world, leader.id, 'a', '1');
    world.advance(1000);
    const unsent = put(world, leader.id, 'b', '1');
    world.advance(10_000);
    test.equal(outcome(world.answer(sent)), 'statement_completion_unknown', 'it was in the log');
    test.equal(outcome(world.answer(unsent)), 'no_quorum', 'nobody ever had it');
    test.equal(leader.access.refusal?.reason, 'no_quorum');
    test.ok(leader.access.readableStale, 'whoever asks for stale reads may read');
    test.notOk(leader.access.readable(world.nowMs, world.wallMs));
    const read = world.ask(leader.id, (token, replyTo) => ({
      kind: 'shard.read',
      token,
      replyTo: replyTo as never,
    }));
    world.settle();
    test.equal(outcome(world.answer(read)), 'no_quorum', 'refused at once');
    for (const { id } of others) world.node(id).restart(0, 0);
    test.ok(
      world.until(() => leader.access.refusal === undefined),
      'all is well again',
    );
    test.end();
  });

  t.test('shard: a planned transfer fails no write', (test) => {
    const world = three();
    const { leader } = roles(world);
    const tokens: number[] = [];
    const transfer = world.ask(leader.id, (token, replyTo) => ({
      kind: 'shard.transfer',
      token,
      to: undefined,
      replyTo: replyTo as never,
    }));
    for (let i = 0; i < 50; i += 1) {
      for (const { id } of world.living) tokens.push(put(world, id, `t${id}-${i}`, 'x'));
      world.run();
      if (i % 3 === 0) world.flush();
    }
    world.advance(1000);
    test.equal(outcome(world.answer(transfer)), 'shard.changed');
    test.not(world.leader, leader, 'another leads');
    const outcomes = new Set(tokens.map((token) => outcome(world.answer(token))));
    test.strictSame([...outcomes], ['shard.committed']);
    test.end();
  });

  t.test('shard: numbers of a sequence belong to the term of their leader', (test) => {
    const world = three();
    const { leader, others } = roles(world);
    const [asker] = others;
    const { id } = must(asker, 'a follower');
    const key = keyOf('2/s');
    const take = (): number =>
      world.ask(id, (token, replyTo) => ({
        ...{ kind: 'shard.takeNumbers', token, key, start: 1n, increment: 1n, count: 2 },
        replyTo: replyTo as never,
      }));
    const first = take();
    world.settle();
    const numbers = world.answer(first);
    test.match(numbers, { kind: 'shard.numbers', last: 2n });
    const term = numbers?.kind === 'shard.numbers' ? numbers.term : (0 as Term);
    leader.stop();
    world.advance(1500);
    const token = put(world, id, 'a', '1', term);
    test.ok(world.until(() => world.answer(token) !== undefined));
    test.equal(outcome(world.answer(token)), 'conflict', 'the next leader gives the same numbers');
    const again = take();
    world.settle();
    test.match(world.answer(again), { kind: 'shard.numbers', last: 2n });
    test.end();
  });

  t.test(
    'shard: a write whose epoch is forgotten while it is on its way did not happen',
    (test) => {
      const world = three();
      const { leader } = roles(world);
      const cluster = clusterHash('00000000-0000-4000-8000-000000000001');
      // As many epochs as are remembered, before the write in the log and not applied when it is admitted.
      for (let i = 0; i < 16; i += 1) {
        const work = { work: 'takeEpoch', floor: 0 } as const;
        world.ask(leader.id, (token) => {
          return { kind: 'shard.forward', cluster, from: (100 + i) as NodeId, token, work };
        });
      }
      const token = put(world, leader.id, 'a', '1');
      world.run();
      world.advance(2000);
      test.equal(outcome(world.answer(token)), 'conflict', 'its session tries again');
      test.equal(get(leader, 'a'), undefined);
      const again = put(world, leader.id, 'a', '2');
      world.advance(1000);
      test.equal(outcome(world.answer(again)), 'shard.committed', 'by a new epoch');
      test.ok(equalHashes(world));
      test.same(
        world.events.filter((line) => line.includes('fatal')),
        [],
      );
      test.end();
    },
  );

  t.test('shard: each start of a node has an epoch of its own', (test) => {
    const world = three();
    const epochs = new Set<number>();
    const note = (): void => {
      for (const { access } of world.living) {
        epochs.add(Math.floor(access.nextTransactionId() / 2 ** 32));
      }
    };
    note();
    for (const node of world.living) node.restart(9, 9);
    world.until(() => world.living.every(({ access }) => access.refusal === undefined));
    note();
    test.equal(epochs.size, 6);
    test.end();
  });

  t.test('shard: a member that missed too much gets a copy while writes go on', (test) => {
    const limits = {
      logTailBytes: 500,
      logHeldBytes: 1000,
      logTailEntries: 4,
      applyBatchBytes: 200,
    };
    const world = three({ ...limits, imageChunkBytes: 200, imagePairsMax: 8 });
    const { leader, others } = roles(world);
    const lagging = must(others[0], 'a follower');
    world.isolate(lagging.id);
    for (let i = 0; i < 100; i += 1) {
      put(world, leader.id, `k${i % 37}`, `value ${i}`);
      world.advance(5);
    }
    test.ok(leader.observed.log.firstIndex > lagging.observed.appliedIndex + 1, 'the log is gone');
    world.heal();
    let crashed = false;
    for (let i = 0; i < 200; i += 1) {
      put(world, leader.id, `k${i % 37}`, `newer ${i}`);
      world.run();
      if (i % 4 === 0) world.flush();
      if (!crashed && !lagging.access.readableStale) {
        crashed = true;
        lagging.restart(1, 1);
      }
      world.advance(1, true);
    }
    test.ok(crashed, 'it died in the middle of it');
    world.advance(5000);
    test.equal(lagging.observed.appliedIndex, leader.observed.appliedIndex);
    test.ok(equalHashes(world));
    test.equal(get(lagging, 'k5'), get(leader, 'k5'));
    test.end();
  });

  t.test('shard: what has rotted is fetched from the others', (test) => {
    const world = three();
    put(world, 1, 'a', '1');
    world.advance(3000);
    const victim = must(roles(world).others[0], 'a follower');
    victim.engine.damage(keyOf('a'));
    const at = victim.access.openSnapshot();
    test.throws(() => get(victim, 'a'), /fails its checksum/, 'it is never returned');
    world.isolate(victim.id);
    world.advance(1000);
    test.throws(
      () => victim.access.get(keyOf('b'), at),
      /no whole state to read/,
      'what an open snapshot sees is there at other nodes only',
    );
    victim.access.closeSnapshot(at);
    world.heal();
    world.advance(1000);
    put(world, roles(world).leader.id, 'b', '1');
    world.advance(1000);
    test.equal(world.probes.get('shard.stateDamaged'), 1, 'the replica knows');
    test.equal(world.probes.get('shard.snapshotInstalled'), 1, 'and gets a copy');
    test.equal(victim.access.refusal, undefined);
    test.equal(get(victim, 'a'), '1');
    test.ok(equalHashes(world));
    test.end();
  });

  t.test(
    'shard: a replica whose log has rotted keeps the times that an operator has set',
    (test) => {
      const world = three({ logTailEntries: 1 });
      const timing = {
        ...defaultRaftTiming,
        ...{ heartbeatMs: 500, electionMsMin: 3000, electionMsMax: 4000 },
      };
      for (const { dispatcher, replica } of world.living) {
        dispatcher.post(replica, { kind: 'shard.timing', timing });
      }
      world.advance(1000);
      const { leader: victim, others } = roles(world);
      world.isolate(must(others[0], 'a follower').id);
      for (let i = 0; i < 10; i += 1) put(world, victim.id, `k${i}`, 'x'.repeat(1_000_000));
      world.advance(100);
      const log = { from: Uint8Array.of(keySpace.log), to: Uint8Array.of(keySpace.log + 1) };
      for (const key of victim.engine.keys(log)) victim.engine.damage(key);
      world.heal();
      world.advance(20_000);
      test.equal(world.probes.get('shard.logDamaged'), 1, 'it read what the other one lacked');
      test.equal(victim.access.refusal, undefined, 'it has it again');
      const { leader } = roles(world);
      test.not(leader, victim);
      world.isolate(leader.id);
      world.advance(2000);
      test.equal(victim.observed.raft.role, 'follower', 'it waits for 3 seconds, not for 300 ms');
      test.end();
    },
  );

  t.test('shard: a deletion of what is not there refuses nobody', (test) => {
    const world = three();
    const { leader } = roles(world);
    const { access } = leader;
    const nothing = world.propose(
      {
        transaction: access.nextTransactionId(),
        snapshot: access.appliedTimestamp,
        writes: [{ op: 'delete', key: keyOf('a') }],
        guards: [],
        objects: [],
        numbersTerm: undefined,
      },
      leader.id,
    );
    const token = put(world, leader.id, 'a', '1');
    world.advance(1000);
    test.equal(outcome(world.answer(nothing)), 'shard.committed');
    // It leaves no version: the same proposal sent again would be taken, so a refusal would not last.
    test.equal(outcome(world.answer(token)), 'shard.committed');
    test.equal(get(leader, 'a'), '1');
    test.end();
  });

  t.test('shard: who follows rows of a lost state is told of them when a copy is there', (test) => {
    const world = three();
    put(world, 1, 'a', '1');
    const key = Buffer.concat([systemRows.from, Buffer.of(1)]);
    const { access } = world.node(1);
    world.propose(
      {
        transaction: access.nextTransactionId(),
        snapshot: access.appliedTimestamp,
        writes: [{ op: 'put', key, value: Buffer.from('a row') }],
        guards: [],
        objects: [],
        numbersTerm: undefined,
      },
      1,
    );
    world.advance(3000);
    const victim = must(roles(world).others[0], 'a follower');
    victim.engine.damage(keyOf('a'));
    test.throws(() => get(victim, 'a'));
    world.isolate(victim.id);
    world.advance(1000);
    test.notOk(victim.access.readableStale, 'its state is gone');
    victim.dispatcher.post(victim.replica, {
      ...{ kind: 'shard.follow', span: systemRows, replyTo: victim.client as never },
    });
    world.advance(100);
    test.strictSame(victim.followed, []);
    world.heal();
    test.ok(world.until(() => victim.followed.length > 0));
    test.match(victim.followed.at(-1)?.rows, [{ value: Buffer.from('a row') }]);
    test.end();
  });

  t.test('shard: of two small writes that rest on what the other changes one happens', (test) => {
    const world = three();
    const { leader, others } = roles(world);
    const other = must(others[0], 'a follower');
    const [one, two] = [1, 2].map((n) => Buffer.concat([systemRows.from, Buffer.of(n)]));
    const write = (at: number, key: Buffer | undefined, kept: Buffer | undefined): number =>
      world.ask(at, (token, replyTo) => ({
        ...{ kind: 'shard.write', token, replyTo: replyTo as never },
        writes: [
          { key: must(key, 'a key'), was: undefined, value: Buffer.from('x') },
          { key: must(kept, 'a key'), was: undefined, value: 'kept' },
        ],
      }));
    const tokens = [write(leader.id, one, two), write(other.id, two, one)];
    world.advance(1000);
    const outcomes = tokens.map((token) => outcome(world.answer(token)));
    test.strictSame(
      outcomes.sort(),
      ['conflict', 'shard.committed'],
      'also when both are under way',
    );
    const late = write(other.id, two, one);
    world.advance(1000);
    test.equal(outcome(world.answer(late)), 'conflict', 'also when the other is known here');
    test.end();
  });

  t.test(
    'shard: one that joins starts again although its record of a copy under way has rotted',
    (test) => {
      const world = new World({ joiners: [2 as NodeId] });
      const joiner = world.node(2);
      const mark = groupKey('image', shard);
      joiner.engine.commitLater([{ key: mark, value: Buffer.from('a mark') }]);
      world.settle();
      joiner.engine.damage(mark);
      joiner.restart(0, 0);
      world.advance(100);
      test.notOk(world.events.some((line) => /actor.failed|fatal/.test(line)));
      test.notOk(joiner.access.readableStale, 'it waits for a copy');
      test.end();
    },
  );

  t.test('shard: a snapshot on a follower lives for as long as the leader hears of it', (test) => {
    const world = three({ retainMs: 200, retainReportMs: 50, collectDelayMs: 10 });
    const { leader, others } = roles(world);
    const reader = must(others[0], 'a follower');
    put(world, leader.id, 'a', '1');
    world.advance(100);
    world.ask(reader.id, (token, replyTo) => ({
      kind: 'shard.read',
      token,
      replyTo: replyTo as never,
    }));
    world.settle();
    const at = reader.access.openSnapshot();
    put(world, leader.id, 'a', '2');
    world.advance(2000);
    test.equal(Buffer.from(reader.access.get(keyOf('a'), at) ?? []).toString(), '1');
    world.isolate(reader.id);
    put(world, leader.id, 'a', '3');
    world.advance(4000);
    world.heal();
    world.advance(2000);
    test.throws(() => reader.access.get(keyOf('a'), at), /are not kept any more/);
    reader.access.closeSnapshot(at);
    test.equal(get(reader, 'a'), '3');
    test.end();
  });

  t.test('shard: a witness votes and keeps nothing', (test) => {
    const world = three({}, { witnesses: [3 as NodeId] });
    const { leader, others } = roles(world);
    const other = must(
      others.find(({ id }) => id !== 3),
      'another',
    );
    other.stop();
    const token = put(world, leader.id, 'a', '1');
    world.advance(500);
    test.equal(outcome(world.answer(token)), 'shard.committed', 'the witness makes the majority');
    const witness = world.node(3);
    test.equal(witness.access.refusal?.reason, 'cannot_connect_now');
    test.equal(get(witness, 'a'), undefined);
    test.end();
  });
}
