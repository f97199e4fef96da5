/** What a group of the Raft core bears to lose: voters beside witnesses, entries of a member's log. */
import t from 'tap';
import type { NodeId } from '#src/base/ids.js';
import type { RaftMessage } from '#src/raft/index.js';
import { type Line, started } from './raft/line.js';

t.test(
  'a witness gets no payloads and never campaigns; one copy of the data suffices to go on',
  (t) => {
    const line = started({ witnesses: [3] });
    line.leader.propose('a=1');
    line.pass(100);
    const payloads = line.sent
      .filter((message) => message.kind === 'raft.append')
      .flatMap(({ to, entries }) => entries.map(({ payload }) => ({ to, bytes: payload.length })));
    t.ok(payloads.some(({ to, bytes }) => to !== 3 && bytes > 0));
    t.notOk(payloads.some(({ to, bytes }) => to === 3 && bytes > 0));
    line.kill(line.leader);
    line.passUntil(() => line.serving !== undefined, 5000);
    t.equal(line.leader.state.values.get('a'), '1');
    t.not(line.leader.id, 3);
    line.leader.propose('a=2');
    line.pass(100);
    t.equal(line.leader.state.values.get('a'), '2');
    t.end();
  },
);

t.test(
  'a witness holds nothing that dies with one voter, where a group can lose one: those left elect and go on',
  (t) => {
    const line = started({ voters: 4, witnesses: [4] });
    line.leader.propose('a=1');
    line.pass(100);
    const dead = line.leader;
    line.isLost = ({ kind, to }) => kind === 'raft.append' && to !== 4;
    dead.propose('a=2');
    line.pass(30);
    line.isLost = () => false;
    line.kill(dead);
    line.passUntil(() => line.serving !== undefined, 5000);
    t.not(line.serving, undefined, 'three of four voters live, and two of them have data');
    line.leader.propose('b=1');
    line.pass(100);
    t.equal(line.leader.state.values.get('a'), '1', 'what nobody else had was never committed');
    t.equal(line.leader.state.values.get('b'), '1');
    t.end();
  },
);

t.test(
  'nor while members change: of the old voters and of the new ones enough have it first',
  (t) => {
    const line = started({ voters: 4, witnesses: [4] });
    line.pass(200);
    const dead = line.leader;
    const [stays] = line.members.filter((member) => member !== dead);
    line.isLost = ({ kind, to }) => kind === 'raft.append' && to !== 4;
    const voters = [dead.id, stays?.id ?? dead.id, 4 as NodeId];
    const members = { voters, learners: [], witnesses: [4 as NodeId] };
    dead.step({ kind: 'raft.reconfigure', members, joint: true });
    line.pass(30);
    line.isLost = () => false;
    line.kill(dead);
    line.passUntil(() => line.serving !== undefined, 5000);
    line.leader.propose('a=1');
    line.pass(100);
    t.equal(line.leader.state.values.get('a'), '1');
    t.end();
  },
);

t.test('a witness makes up for a voter that is away', (t) => {
  const line = started({ voters: 4, witnesses: [4] });
  const away = line.members.find((member) => member !== line.leader && member.id !== 4);
  line.kill(away as Line['leader']);
  line.leader.propose('a=1');
  line.pass(100);
  t.equal(line.leader.state.values.get('a'), '1', 'two with data and the witness are a majority');
  t.end();
});

t.test('a message from before entries were lost does not make their member whole', (t) => {
  const line = started();
  line.pass(200);
  const { leader } = line;
  const [rotten, lagging] = line.members.filter((member) => member !== leader) as [
    Line['leader'],
    Line['leader'],
  ];
  const late = line.sent.findLast(({ kind, to }) => kind === 'raft.append' && to === rotten.id);
  line.isLost = ({ to }) => to === lagging.id;
  leader.propose('a=1');
  line.passUntil(() => leader.state.values.get('a') === '1', 100);
  rotten.crash(rotten.disk.pending, 0);
  rotten.disk.rot(rotten.disk.lastIndex);
  line.kill(leader);
  line.isLost = () => false;
  line.start(rotten);
  rotten.step(late as RaftMessage);
  line.pass(5000);
  t.equal(line.serving, undefined, 'of those that live none has what was committed');
  line.start(leader);
  line.passUntil(() => line.serving !== undefined, 5000);
  line.pass(500);
  for (const member of line.members) t.equal(member.state.values.get('a'), '1');
  t.notOk(rotten.running.recovering, 'it has got back what it had lost');
  t.end();
});
