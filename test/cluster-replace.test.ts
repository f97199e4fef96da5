/** Members are replaced in one step, through a joint configuration, whoever leads and whoever dies meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { type Node, Worlds } from './cluster-actor/world.js';
import type { RunningNode } from '#src/node/index.js';
import * as members from './mesh/members.js';
import { Raw } from './node/raw.js';

const seeds = [1, 2, 3];

/** A cluster of nodes 1 to 3, and learners 4 to 6. */
function withLearners(seed: number): Worlds {
  const worlds = new Worlds(seed);
  for (const id of seeds) worlds.add(id, { seeds }).start();
  const settled = (members: number): boolean =>
    [...worlds.nodes.values()].every((node) => node.ready && node.state?.members === members);
  worlds.until(() => settled(3));
  for (const id of [4, 5, 6]) worlds.add(id, { join: [1, 2, 3], role: 'learner' }).start();
  worlds.until(() => settled(6) && states(worlds).every((state) => state.endsWith('active')));
  worlds.group.changes.length = 0;
  return worlds;
}

type Answer = {
  readonly value: Record<string, unknown> | undefined;
  readonly error: { readonly kind: string; readonly message: string } | undefined;
};

function ask(worlds: Worlds, node: Node, name: string, ...args: (string | number)[]): Answer {
  const answer = node.call(name, ...args);
  worlds.until(() => answer() !== undefined, 30_000);
  const { value, error } = answer() ?? {};
  return { value: value as Record<string, unknown>, error };
}

interface Member {
  readonly node: number;
  readonly role: string;
  readonly state: string;
}

/** Such as `4 voter joining`, by a node that lives. */
function states(worlds: Worlds): string[] {
  const node = [...worlds.nodes.values()].find((each) => each.alive && each.ready);
  if (node === undefined) return [];
  const { members } = ask(worlds, node, 'cluster_status').value as { members: readonly Member[] };
  return members.map((member) => `${member.node} ${member.role} ${member.state}`);
}

t.test('two of three voters are replaced in one change', async (t) => {
  const worlds = withLearners(1);
  const node = worlds.node(6);
  t.match(ask(worlds, node, 'cluster_replace', '1,2', '4, 5').value, {
    ...{ leaving: [1, 2], joining: [4, 5] },
  });
  t.ok(worlds.until(() => states(worlds).includes('1 voter gone')));
  t.ok(worlds.until(() => states(worlds).includes('5 voter active')));
  t.same(worlds.group.changes, ['joint 3 4 5 6l'], 'one change, and no other');
  t.same(worlds.group.configuration?.voters, [3, 4, 5]);
  t.same(worlds.group.leader, 3, 'who stays took the lead before');
  t.same(states(worlds), [
    ...['1 voter gone', '2 voter gone', '3 voter active'],
    ...['4 voter active', '5 voter active', '6 learner active'],
  ]);
  t.match(ask(worlds, node, 'cluster_replace', '1,2', '4,5').value, { leaving: [1, 2] });
  t.equal(worlds.group.changes.length, 1, 'asked twice it is done once');
});

t.test('all voters are replaced, and the next replacement may follow', async (t) => {
  const worlds = withLearners(2);
  t.ok(ask(worlds, worlds.node(1), 'cluster_replace', '1,2,3', '4,5,6').value);
  const ended = (state: string): boolean => /gone|active/.test(state);
  t.ok(worlds.until(() => worlds.group.changes.length > 0 && states(worlds).every(ended)));
  t.same(worlds.group.configuration?.voters, [4, 5, 6]);
  t.same(worlds.group.changes, ['joint 4 5 6']);
  t.ok(ask(worlds, worlds.node(5), 'cluster_replace', '6', '').value, 'only leaving');
  t.ok(worlds.until(() => worlds.group.configuration?.voters.length === 2));
});

t.test('what is refused', async (t) => {
  const worlds = withLearners(3);
  const node = worlds.node(2);
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['', '', /no node is named/],
    ['1', '1', /node 1 is named twice/],
    ['9', '4', /node 9 is no member/],
    ['1', '2', /node 2 is no learner/],
    ['1', '9', /node 9 is no learner/],
    ['1,2,3', '', /none with data would be alive/],
  ];
  for (const [leaving, joining, message] of cases) {
    const { error } = ask(worlds, node, 'cluster_replace', leaving, joining);
    t.match(error, { kind: 'cluster_change_refused', message }, message.source);
  }
  t.match(ask(worlds, node, 'cluster_replace', '1;2', '4').error, {
    kind: 'invalid_parameter_value',
  });
  t.match(ask(worlds, node, 'cluster_give_up').error, { message: /no members are being replaced/ });
  worlds.node(4).crash();
  worlds.node(5).crash();
  worlds.pass(1000);
  t.match(ask(worlds, node, 'cluster_replace', '1,2', '4,5').error, {
    message: /only 1 of 3 would be alive/,
  });
  t.same(worlds.group.changes, []);
});

t.test('one at a time; one that does not end is given up', async (t) => {
  const worlds = withLearners(4);
  worlds.group.holdsJoint = true;
  const node = worlds.node(3);
  t.ok(ask(worlds, node, 'cluster_replace', '1', '4').value);
  t.ok(worlds.until(() => worlds.group.configuration?.outgoing.length === 3));
  t.match(ask(worlds, node, 'cluster_replace', '2', '5').error, {
    message: /node 1 is still leaving/,
  });
  t.match(ask(worlds, node, 'cluster_decommission', 4).error, {
    ...{ kind: 'cluster_change_refused', message: /members are being replaced/ },
  });
  t.match(ask(worlds, node, 'cluster_give_up').value, { givenUp: [1, 4] });
  t.ok(worlds.until(() => worlds.group.changes.includes('rollback'), 30_000));
  t.ok(worlds.until(() => states(worlds).includes('1 voter active')));
  t.ok(worlds.until(() => states(worlds).includes('4 learner active')));
  t.same(worlds.group.configuration?.voters, [1, 2, 3]);
  worlds.group.holdsJoint = false;
  t.ok(ask(worlds, node, 'cluster_replace', '1', '4').value, 'and may be tried again');
  t.ok(worlds.until(() => worlds.group.configuration?.voters.includes(4 as never) === true));
});

t.test('leaders that die on the way are followed by one that goes on', async (t) => {
  for (let seed = 10; seed < 40; seed += 1) {
    const worlds = withLearners(seed);
    const call = worlds.node(6).call('cluster_replace', '1,2', '4,5');
    const leader = worlds.node(worlds.group.leader ?? 0);
    leader.turnsLeft = worlds.random.between(5, 80);
    worlds.until(() => !leader.alive, 5000);
    worlds.until(() => call() !== undefined, 30_000);
    if (!leader.alive) leader.start();
    const voters = (): string => (worlds.group.configuration?.voters ?? []).join(' ');
    t.ok(
      worlds.until(() => voters() === '3 4 5', 30_000),
      `seed ${seed}: ${call()?.error?.message ?? 'accepted'}, voters ${voters()}`,
    );
    t.notOk(
      worlds.group.changes.some((change) => !change.startsWith('joint 3 4 5')),
      'never through another configuration',
    );
  }
});

t.test(
  'nodes: learners come by a compressed snapshot and replace two voters under writes',
  async (t) => {
    t.setTimeout(120_000);
    const all = await Promise.all([1, 2, 3, 4, 5].map((id) => members.member(t, id)));
    const founders = all.slice(0, 3);
    const nodes = await Promise.all(founders.map((each) => members.start(t, each, founders)));
    await Promise.all(nodes.map(({ served }) => served));
    const [one] = nodes;
    if (one === undefined) throw new Error('no node');
    const raw = await Raw.open(one);
    const run = async (sql: string): Promise<void> => {
      const answer = await raw.sql(sql);
      if (answer.op !== 'complete') throw new Error(JSON.stringify(answer).slice(0, 300));
    };
    await run('create table t (id int primary key, v text)');
    const text = 'what customers order from streets '.repeat(8);
    for (let batch = 0; batch < 30; batch += 1) {
      const rows = Array.from({ length: 300 }, (_, i) => `(${batch * 300 + i}, '${text}')`);
      await run(`insert into t values ${rows.join(',')}`);
    }
    const log = (node: RunningNode, what: string): Promise<number> =>
      members.metric(node, `shardforge_raft_${what}`, 'shard');
    // The leader's log no longer has the beginning; the others hold more, in case that they lead.
    await until(async () => {
      for (const node of nodes) {
        if ((await log(node, 'log_entries')) < (await log(node, 'applied_index'))) return true;
      }
      return false;
    });
    const join = founders.map(members.addressOf);
    const learners = [];
    for (const each of all.slice(3)) {
      learners.push(await members.start(t, each, [], { join, role: 'learner' }));
    }
    await Promise.all(learners.map(({ served }) => served));
    const total = async (what: string): Promise<number> => {
      const name = `shardforge_shard_snapshot_${what}_bytes_total`;
      const values = await Promise.all(nodes.map((node) => members.metric(node, name, 'shard')));
      return values.reduce((sum, value) => sum + value, 0);
    };
    t.ok((await total('sent')) > 1_000_000, 'they came by a snapshot');
    t.ok((await total('wire')) * 3 < (await total('sent')), 'which was compressed');

    interface Status {
      readonly quorum: { readonly voters: readonly number[] };
      readonly members: readonly Member[];
    }
    const [four] = learners;
    if (four === undefined) throw new Error('no learner');
    const status = async (): Promise<Status> =>
      (await members.ask(four, 'select shardforge.cluster_status()')) as unknown as Status;
    await until(async () => (await status()).members.every(({ state }) => state === 'active'));
    const wrong = await raw.sql("select shardforge.cluster_replace('1', '2')");
    t.match(wrong, { op: 'error', message: /node 2 is no learner/ });
    await members.ask(four, "select shardforge.cluster_replace('1,2', '4,5')");
    let written = 9000;
    const client = await Raw.open(four);
    await until(async () => {
      const { op } = await client.sql(`insert into t values (${written}, 'meanwhile')`);
      if (op === 'complete') written += 1;
      const now = await status();
      const ended = now.members.filter(({ state }) => state === 'gone').length === 2;
      return ended && now.members.every(({ state }) => state === 'gone' || state === 'active');
    });
    t.same([...(await status()).quorum.voters].sort(), [3, 4, 5]);
    t.match(await client.sql('select count(*)::int as n from t'), { rows: [[written]] });
    client.close();
    raw.close();
  },
);

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1000; tries += 1) {
    if (await holds()) return;
    await sleep(20);
  }
  throw new Error('it did not come');
}
