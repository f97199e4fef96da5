/** Figures of the Raft core in virtual time, and what it refuses. Safety under faults: `npm run sim -- --raft`. */
import t from 'tap';
import type { LogIndex, NodeId, Term, Timestamp, TransactionId } from '#src/base/ids.js';
import type { LogEntry } from '#src/storage/index.js';
import { Line, started } from './raft/line.js';

const countOf = (line: Line, kind: string, from = 0): number =>
  line.sent.slice(from).filter((message) => message.kind === kind).length;

t.test('a lone voter leads as soon as its vote is on the disk', (t) => {
  const line = started({ voters: 1 });
  t.ok(line.now < 1, `after ${line.now} ms`);
  t.equal(line.sent.length, 0);
  t.equal(line.leader.running.deadlineMs, undefined, 'it needs no timer');
  t.ok(line.leader.running.leaseHolds(line.now));
  line.kill(line.leader);
  const died = line.now;
  line.start(line.members[0] as Line['leader']);
  line.passUntil(() => line.serving !== undefined, 5000);
  t.ok(line.now - died < 2, 'a restart waits for no promise');
  t.end();
});

t.test('failover: a majority goes on soon after its leader is dead', (t) => {
  const took = { reported: [] as number[], silent: [] as number[] };
  for (let seed = 1; seed <= 100; seed += 1) {
    for (const kind of ['reported', 'silent'] as const) {
      const line = started({ seed });
      line.pass(500 + seed);
      const dead = line.leader;
      line.kill(dead);
      if (kind === 'reported') {
        for (const member of line.members) {
          if (member !== dead) member.step({ kind: 'raft.peerDown', peer: dead.id });
        }
      }
      took[kind].push(line.passUntil(() => line.serving !== undefined, 5000));
    }
  }
  for (const times of Object.values(took)) times.sort((a, b) => a - b);
  const shown = JSON.stringify({
    reported: [took.reported[50], took.reported[99]],
    silent: [took.silent[50], took.silent[99]],
  });
  t.comment(`p50 and worst, milliseconds: ${shown}`);
  t.ok((took.reported[50] ?? 0) < 180 && (took.reported[99] ?? 0) < 400, shown);
  t.ok((took.silent[50] ?? 0) < 300 && (took.silent[99] ?? 0) < 700, shown);
  t.end();
});

t.test('a planned transfer pauses for two round trips, and nothing accepted is lost', (t) => {
  const line = started();
  const lost: string[] = [];
  for (let turn = 0; turn < 50; turn += 1) {
    const from = line.leader;
    from.propose(`key=${turn}`);
    from.step({ kind: 'raft.transfer', to: undefined });
    const pause = line.passUntil(() => line.serving !== undefined && line.leader !== from, 1000);
    if (pause > 10) lost.push(`a pause of ${pause} ms`);
    if (line.leader.state.values.get('key') !== `${turn}`) lost.push(`turn ${turn}`);
  }
  t.same(lost, []);
  t.end();
});

t.test('no election under two minutes of load', (t) => {
  const line = started({ delayMs: (random) => 0.1 + random.fraction() });
  const { term } = line.leader.running;
  const before = line.sent.length;
  for (let turn = 0; turn < 12_000; turn += 1) {
    line.leader.propose('a=1', 'b=2');
    line.pass(10);
    line.sent.length = Math.min(line.sent.length, before);
    if (countOf(line, 'raft.vote', before) > 0) break;
  }
  t.equal(countOf(line, 'raft.vote', before), 0);
  t.equal(line.leader.running.term, term);
  t.ok(line.leader.running.commitIndex > 23_000);
  t.end();
});

t.test(
  'slow links stretch the timeouts: hardly anybody asks for votes, and nobody gets them',
  (t) => {
    // Heartbeats come up to 300 ms late, twice the shortest timeout.
    const line = started({
      delayMs: (random) => (random.chance(0.2) ? 20 + random.fraction() * 300 : 20),
    });
    line.pass(20_000);
    const { term } = line.leader.running;
    const before = line.sent.length;
    line.pass(60_000);
    const asked = countOf(line, 'raft.vote', before);
    t.ok(asked < 10, `${asked} requests in a minute`);
    t.equal(line.leader.running.term, term);
    t.ok(line.leader.running.status(line.now).roundTripMs > 100);
    t.end();
  },
);

t.test('a machine that stands still for less than a second elects nobody', (t) => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const line = started({ seed });
    const { leader } = line;
    const { term } = leader.running;
    for (const ms of [200, 400, 900]) {
      line.pass(1000);
      line.standStill(ms);
    }
    line.pass(1000);
    t.equal(line.leader, leader, 'the same one leads');
    t.equal(line.leader.running.term, term);
  }
  t.end();
});

t.test(
  'without a majority members ask ever less often, no term rises, and they agree soon after',
  (t) => {
    const line = started({ voters: 5 });
    const { term } = line.leader.running;
    const apart = ({ from, to }: { from: number; to: number }): boolean => from % 3 !== to % 3;
    line.isLost = apart;
    line.pass(5000);
    const before = line.sent.length;
    line.pass(60_000);
    const perSecond = countOf(line, 'raft.vote', before) / 60 / 5;
    t.ok(perSecond < 8, `${perSecond} requests of a member in a second`);
    for (const { running } of line.members) t.equal(running.term, term, 'pre-votes raise no term');
    line.isLost = () => false;
    const took = line.passUntil(() => line.serving !== undefined, 10_000);
    t.ok(took < 2000, `${took} ms`);
    t.end();
  },
);

t.test('a follower whose disk hangs bounds what is under way to it, and unseats nobody', (t) => {
  const slow = 3;
  const bounds = { appendBytesMax: 200, inFlightBytesMax: 1000, inFlightMessagesMax: 64 };
  const hanging = { is: false };
  const line = started({
    flow: bounds,
    flushMs: ({ id }) => (hanging.is && id === slow ? 20_000 : 0.3),
  });
  while (line.leader.id === slow) {
    line.leader.step({ kind: 'raft.transfer', to: undefined });
    line.pass(100);
  }
  hanging.is = true;
  const { leader } = line;
  const before = line.sent.length;
  let most = 0;
  for (let turn = 0; turn < 500; turn += 1) {
    leader.propose(`key=${'x'.repeat(100)}${turn}`);
    line.pass(4);
    const { progress } = leader.running.status(line.now);
    most = Math.max(most, progress.find(({ node }) => node === slow)?.inFlightBytes ?? 0);
  }
  t.ok(most >= 1000 && most <= 1200, `${most} bytes under way`);
  const large = line.sent.slice(before).filter((message) => {
    if (message.kind !== 'raft.append' || message.entries.length < 2) return false;
    return message.entries.reduce((sum, { payload }) => sum + payload.length, 0) > 200;
  });
  t.equal(large.length, 0, 'messages keep to their bound');
  t.equal(line.leader, leader, 'the leader stays');
  t.equal(leader.running.commitIndex, leader.running.lastIndex, 'the others commit');
  t.equal(countOf(line, 'raft.vote', before), 0, 'the one with the slow disk does not campaign');
  hanging.is = false;
  line.pass(60_000);
  t.equal(line.members[slow - 1]?.state.index, leader.state.index, 'it catches up');
  t.end();
});

t.test(
  'hints skip whole terms: logs of 3,000 entries that differ are brought together in few messages',
  (t) => {
    const line = started();
    const { leader } = line;
    const other = line.members.find((member) => member !== leader) as typeof leader;
    line.kill(other);
    line.pass(10);
    leader.propose(...Array.from({ length: 3000 }, (_, at) => `key=${at}`));
    line.pass(100);
    // What leaders of many terms left at a member that none of them could reach a majority with.
    const first = other.disk.lastIndex + 1;
    const term = leader.running.term as number;
    const entries: LogEntry[] = Array.from({ length: 3000 }, (_, at) => entry(first + at, term));
    entries.push(
      ...Array.from({ length: 30 }, (_, at) =>
        entry(first + 3000 + at, term + 1 + Math.floor(at / 10)),
      ),
    );
    // Term by term as they would have come: the newest is above all that the leader has sent.
    other.disk.append(
      { term: (term + 3) as Term, vote: undefined },
      entries.slice(3000).map((one, at) => ({
        ...one,
        index: (first + at) as LogIndex,
      })),
    );
    other.disk.flush();
    const before = line.sent.length;
    line.start(other);
    line.passUntil(() => other.state.index > 3000, 5000);
    t.equal(other.disk.termAt((first + 5) as LogIndex), term, 'its entries gave way');
    const refusals = line.sent
      .slice(before)
      .filter((message) => message.kind === 'raft.appendAnswer' && message.refused !== undefined);
    t.ok(refusals.length <= 4, `${refusals.length} refusals`);
    t.end();
  },
);

function entry(index: number, term: number): LogEntry {
  return {
    term: term as Term,
    index: index as LogIndex,
    kind: 'write',
    transaction: 0 as TransactionId,
    timestamp: 0 as Timestamp,
    origin: 9 as NodeId,
    wallMs: 0,
    objects: [],
    client: undefined,
    request: undefined,
    payload: Buffer.from('lost=1'),
  };
}

t.test('an idle group sleeps without timers and messages, and wakes at once', (t) => {
  const line = started({ timing: { hibernateMs: 1000 } });
  line.pass(3000);
  for (const { running } of line.members) {
    t.ok(running.hibernating);
    t.equal(running.deadlineMs, undefined);
  }
  const { leader } = line;
  t.notOk(leader.running.leaseHolds(line.now), 'no lease while it sleeps');
  const before = line.sent.length;
  line.pass(3_600_000);
  t.equal(line.sent.length, before, 'not a message in an hour');
  leader.propose('a=1');
  const woken = line.passUntil(() => leader.state.values.get('a') === '1', 1000);
  t.ok(woken < 5, `a write took ${woken} ms`);
  line.pass(3000);
  leader.step({ kind: 'raft.read', read: 1 });
  line.passUntil(() => line.readsAnswered.has(1), 1000);
  t.equal(line.readsAnswered.get(1), leader.running.commitIndex, 'a majority was asked');
  line.pass(3000);
  line.kill(leader);
  for (const member of line.members) {
    if (member !== leader) member.step({ kind: 'raft.peerDown', peer: leader.id });
  }
  const took = line.passUntil(() => line.serving !== undefined, 5000);
  t.ok(took < 300, `a new leader after ${took} ms`);
  t.end();
});

t.test('a read costs no message under the lease, and a round without it', (t) => {
  for (const leaseReads of [true, false]) {
    const line = started({ timing: { leaseReads } });
    line.pass(100);
    const before = line.sent.length;
    line.leader.step({ kind: 'raft.read', read: 7 });
    t.equal(line.readsAnswered.has(7), leaseReads);
    t.equal(line.sent.length - before, leaseReads ? 0 : 2);
    line.pass(5);
    t.equal(line.readsAnswered.get(7), line.leader.running.commitIndex);
    // Many reads of one turn share one question of a follower.
    const asker = line.members.find((member) => member !== line.leader) as Line['leader'];
    const asked = countOf(line, 'raft.readIndex');
    for (let read = 10; read < 110; read += 1) asker.step({ kind: 'raft.read', read });
    line.pass(5);
    t.equal(line.readsAnswered.get(109), line.leader.running.commitIndex);
    t.equal(countOf(line, 'raft.readIndex') - asked, 2, 'one for the first, one for the rest');
  }
  t.end();
});

t.test('timing changed at run time: heartbeats follow, the lease promised stays', (t) => {
  const line = started();
  line.pass(200);
  const faster = {
    ...line.leader.settings.timing,
    heartbeatMs: 5,
    electionMsMin: 20,
    electionMsMax: 40,
  };
  for (const member of line.members)
    member.step({ kind: 'raft.timing', timing: { ...faster, leaseMs: 20 } });
  line.pass(100);
  const before = line.sent.length;
  line.pass(1000);
  t.ok(countOf(line, 'raft.append', before) > 300, 'heartbeats each 5 ms to two members');
  t.ok(line.leader.running.status(line.now).leaseMs > 100, 'the lease is what it was');
  const dead = line.leader;
  line.kill(dead);
  const took = line.passUntil(() => line.serving !== undefined, 1000);
  t.ok(took > 110, `nobody was elected before the promise ended: ${took} ms`);
  t.end();
});

t.test('changes of the members that are refused', (t) => {
  const line = started({ voters: 5, witnesses: [5] });
  line.pass(100);
  const { running } = line.leader;
  const ids = (...nodes: readonly number[]): NodeId[] => nodes as NodeId[];
  const refusal = (
    voters: NodeId[],
    learners: NodeId[] = [],
    witnesses: NodeId[] = ids(5),
  ): string => running.refusalOf({ voters, learners, witnesses }) ?? 'none';
  t.match(refusal(ids()), 'without voters');
  t.match(refusal(ids(1, 2, 3, 4, 5, 5)), 'named twice');
  t.match(refusal(ids(1, 2, 3, 4, 5), ids(4)), 'named twice');
  t.match(refusal(ids(1, 2, 3, 4)), 'witness 5 is no voter');
  t.match(refusal(ids(1, 5)), /none/);
  t.match(refusal(ids(1, 5, 6), [], ids(5, 6)), 'witnesses alone would be a majority');
  t.match(refusal(ids(1, 2, 3, 4, 5, 6)), 'node 6 is no member');
  t.match(refusal(ids(1, 2, 3, 4, 5), [], []), 'node 5 is a witness without data');
  t.match(refusal(ids(1, 2, 3, 4, 5), [], ids(4, 5)), 'node 4 is a member with data');
  t.match(refusal(ids(1, 2, 3, 4), ids(5), []), 'node 5 is a witness without data');
  t.match(refusal(ids(1, 2, 3, 4, 5)), 'these already');
  line.leader.step({
    kind: 'raft.reconfigure',
    members: { voters: ids(1, 2, 3, 4, 5), learners: ids(6), witnesses: ids(5) },
    joint: true,
  });
  t.match(refusal(ids(1, 2, 3, 5)), 'another change');
  line.pass(100);
  t.same(running.configuration.outgoing, [], 'the joint configuration was left');
  t.same(running.configuration.learners, [6]);
  t.match(refusal(ids(1, 2, 3, 4, 5, 6)), 'node 6 does not answer');
  const follower = line.members.find((member) => member !== line.leader) as Line['leader'];
  t.match(follower.running.refusalOf({ voters: ids(1), learners: [], witnesses: [] }), 'not lead');
  t.end();
});

/** A follower told what it hears by hand; what it says lies in `line.sent`. */
function follower(): {
  line: Line;
  hear: (round: number, term?: number) => void;
  member: Line['leader'];
} {
  const line = new Line({ flushMs: () => 5 });
  const member = line.members[0] as Line['leader'];
  const hear = (round: number, term = 1): void => {
    member.step({
      kind: 'raft.append',
      from: 2 as NodeId,
      to: 1 as NodeId,
      term: term as Term,
      prevIndex: 0 as LogIndex,
      prevTerm: 0 as Term,
      entries: [],
      commitIndex: 0 as LogIndex,
      lastIndex: 0 as LogIndex,
      recovery: 0,
      round,
      hibernate: false,
    });
  };
  return { line, hear, member };
}

t.test('a promise counts once the member would remember that it may have given one', (t) => {
  const { line, hear } = follower();
  const rounds = (): number[] =>
    line.sent.flatMap((message) => (message.kind === 'raft.appendAnswer' ? [message.round] : []));
  hear(1);
  t.same(rounds(), [0], 'its first term is on the way to the disk');
  line.pass(6);
  t.same(rounds(), [0, 1]);
  hear(2);
  t.same(rounds(), [0, 1, 2]);
  t.end();
});

t.test('who entered a term without voting is bound by what it promised in the one before', (t) => {
  const { line, hear, member } = follower();
  hear(1);
  line.pass(10);
  const vote = (atMs: number): boolean | undefined => {
    line.pass(atMs - line.now);
    line.sent.length = 0;
    const end = { lastIndex: 5 as LogIndex, lastTerm: 1 as Term };
    const addressed = { from: 3 as NodeId, to: 1 as NodeId, term: 2 as Term };
    member.step({ kind: 'raft.vote', ...addressed, ...end, pre: false, transferRound: undefined });
    line.pass(6);
    const answer = line.sent.find((message) => message.kind === 'raft.voteAnswer' && !message.pre);
    return answer?.kind === 'raft.voteAnswer' ? answer.granted : undefined;
  };
  t.equal(vote(20), undefined, 'of a term to come: not even an answer');
  member.step({
    kind: 'raft.voteAnswer',
    from: 3 as NodeId,
    to: 1 as NodeId,
    term: 2 as Term,
    granted: false,
    pre: true,
  });
  t.equal(member.running.term, 2, 'a refusal told it of the term');
  t.equal(vote(40), false);
  t.equal(vote(130), true, 'when the promise has ended');
  t.end();
});

t.test('no lease read while a follower may have applied more than the leader', (t) => {
  const line = started();
  line.pass(100);
  const { leader } = line;
  t.ok(leader.running.leaseHolds(line.now));
  const { onStepped } = line;
  line.onStepped = (member) => {
    if (member !== leader) onStepped.call(line, member);
  };
  leader.propose('a=1');
  line.pass(5);
  t.ok(leader.running.commitIndex > leader.running.appliedIndex);
  t.notOk(leader.running.leaseHolds(line.now));
  leader.apply();
  t.ok(leader.running.leaseHolds(line.now));
  t.end();
});
