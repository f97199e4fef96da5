/**
 * How clusters come about and change, in virtual time: real cluster actors, messages through their
 * codecs, a group without Raft (cluster-actor/group.ts).
 */
import t from 'tap';
import type { NodeId } from '#src/base/ids.js';
import type { Node } from './cluster-actor/world.js';
import { Worlds } from './cluster-actor/world.js';

const seeds = [1, 2, 3];

function threeSeeds(seed: number): { readonly worlds: Worlds; readonly nodes: readonly Node[] } {
  const worlds = new Worlds(seed);
  const nodes = seeds.map((id) => worlds.add(id, { seeds }));
  return { worlds, nodes };
}

function formed(seed: number): { readonly worlds: Worlds; readonly nodes: readonly Node[] } {
  const made = threeSeeds(seed);
  for (const node of made.nodes) node.start();
  made.worlds.until(() => settled(made.worlds, 3));
  return made;
}

/** All that live serve SQL and know of so many members. */
function settled(worlds: Worlds, members: number): boolean {
  const living = [...worlds.nodes.values()].filter((node) => node.alive);
  return living.every((node) => node.ready && node.state?.members === members);
}

function memberOf(status: unknown, node: number): Record<string, unknown> | undefined {
  const { members } = status as { readonly members: readonly Record<string, unknown>[] };
  return members.find((member) => member.node === node);
}

/** Calls a function and waits for its answer. */
function ask(
  worlds: Worlds,
  node: Node,
  name: string,
  ...args: (string | number | object)[]
): {
  readonly value: Record<string, unknown>;
  readonly error: { readonly kind: string; readonly message: string } | undefined;
} {
  const answer = node.call(name, ...(args as never[]));
  worlds.until(() => answer() !== undefined, 30_000);
  const { value, error } = answer() ?? {};
  return { value: value as Record<string, unknown>, error };
}

t.test('seeds form one cluster, in whatever order they start', async (t) => {
  for (let seed = 1; seed <= 30; seed += 1) {
    const { worlds, nodes } = threeSeeds(seed);
    for (const node of nodes)
      worlds.world.after(worlds.random.fraction() * 3000, () => node.start());
    t.ok(
      worlds.until(() => nodes.every((node) => node.ready)),
      `seed ${seed} forms`,
    );
    t.equal(worlds.group.clusterIds.length, 1, 'one cluster');
    t.same(worlds.group.configuration?.voters, [1, 2, 3]);
    t.ok(
      worlds.until(() => settled(worlds, 3)),
      'its rows are written',
    );
  }
});

t.test('a seed that is missing is waited for, and named', async (t) => {
  const { worlds, nodes } = threeSeeds(1);
  const [first, second, third] = nodes as [Node, Node, Node];
  first.start();
  second.start();
  worlds.pass(5000);
  t.same(worlds.group.clusterIds, [], 'nobody forms a cluster with two of three');
  t.match(first.state?.notReady, /belongs to no cluster: seed 127.0.0.1:3 is not linked yet/);
  third.start();
  t.ok(worlds.until(() => settled(worlds, 3)));
});

t.test('seeds that die at any step of forming come to the same cluster', async (t) => {
  let forgotten = 0;
  for (let seed = 1; seed <= 60; seed += 1) {
    const { worlds, nodes } = threeSeeds(seed);
    for (const node of nodes) node.start();
    const rounds = worlds.random.between(1, 4);
    for (let round = 0; round < rounds; round += 1) {
      const victim = worlds.node(worlds.random.between(1, 3));
      victim.turnsLeft = worlds.random.between(1, 40);
      worlds.until(() => !victim.alive, 3000);
      if (!victim.alive) victim.start();
    }
    t.ok(
      worlds.until(() => settled(worlds, 3)),
      `seed ${seed} forms`,
    );
    const ids = new Set(nodes.map((node) => node.disk.formation?.clusterId));
    t.equal(ids.size, 1, `seed ${seed}: one cluster on all disks`);
    forgotten += worlds.group.clusterIds.length;
  }
  t.equal(forgotten, 60, 'no replica of another cluster was ever started');
});

t.test('a seed that has lost its disk is refused, and coins no second cluster', async (t) => {
  for (const id of seeds) {
    const { worlds, nodes } = formed(id);
    const victim = worlds.node(id);
    victim.crash();
    victim.forget();
    worlds.pass(500);
    victim.start();
    worlds.pass(5000);
    t.match(victim.state?.notReady, /node id \d was given to another directory/);
    t.equal(worlds.group.clusterIds.length, 1);
    t.ok(
      nodes.filter((node) => node !== victim).every((node) => node.ready),
      'the others go on',
    );
  }
});

t.test(
  'should the coiner lose its disk at any moment, two clusters never both have a majority',
  async (t) => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const { worlds, nodes } = threeSeeds(seed);
      for (const node of nodes) node.start();
      const coiner = worlds.node(1);
      coiner.turnsLeft = worlds.random.between(5, 60);
      worlds.until(() => !coiner.alive, 3000);
      coiner.crash();
      coiner.forget();
      coiner.start();
      worlds.pass(4000);
      const votes = new Map<string, number>();
      for (const { disk, id } of nodes) {
        const { formation } = disk;
        const counted = formation?.founders.some(
          (f) => f.node === id && f.instance === disk.instance,
        );
        if (formation === undefined || counted !== true) continue;
        votes.set(formation.clusterId, (votes.get(formation.clusterId) ?? 0) + 1);
      }
      const majorities = [...votes.values()].filter((count) => count >= 2);
      t.ok(majorities.length <= 1, `seed ${seed}: ${[...votes.values()].join(' and ')} members`);
    }
  },
);

t.test('a greeting that was lost is asked for again', async (t) => {
  const { worlds, nodes } = threeSeeds(12);
  const [one, two, three] = nodes as [Node, Node, Node];
  for (const node of nodes) node.start();
  t.ok(worlds.until(() => one.logged.some((line) => line.includes('cluster.forming'))));
  worlds.cut(1, 3);
  t.ok(
    worlds.until(() => two.ready && three.ready),
    'the third one hears of it by the second one',
  );
  worlds.heal();
  const all = (): boolean => nodes.every((node) => node.state?.votersAlive === 3);
  t.ok(worlds.until(all, 3000), 'all hear each other');
});

t.test('a member that starts again never says that it is empty', async (t) => {
  const { worlds, nodes } = formed(3);
  for (const node of nodes) {
    const before = node.disk.formation;
    node.crash();
    node.logged.length = 0;
    node.start();
    worlds.linkNow(node);
    t.ok(worlds.until(() => settled(worlds, 3)));
    t.same(node.disk.formation, before);
    t.notOk(node.logged.some((line) => /cluster.forming|cluster.waits|actor.failed/.test(line)));
  }
});

t.test('a node without seeds waits for cluster init; another one joins it', async (t) => {
  const worlds = new Worlds(4);
  const first = worlds.add(1, {});
  first.start();
  worlds.pass(1000);
  t.match(first.state?.notReady, /waits for `shardforge cluster init`/);
  t.match(ask(worlds, first, 'cluster_leave').error, { kind: 'not_in_cluster' });
  t.match(ask(worlds, first, 'cluster_init').value, { node: 1 });
  t.ok(
    worlds.until(() => settled(worlds, 1)),
    'it is a cluster of one',
  );
  t.match(ask(worlds, first, 'cluster_init').error, { kind: 'cluster_change_refused' });

  worlds.group.lags = 2;
  const second = worlds.add(2, { join: [1] });
  second.start();
  t.ok(
    worlds.until(() => memberState(worlds, first, 2) === 'active'),
    'it becomes a voter',
  );
  t.same(worlds.group.changes, ['1 2l', '1 2'], 'first as a learner');
  t.ok(worlds.until(() => settled(worlds, 2)));
  t.same(second.disk.formation?.founders, [], 'it learns the members from the leader');

  const third = worlds.add(3, {});
  third.start();
  t.match(ask(worlds, third, 'cluster_join', 'nonsense').error, {
    kind: 'invalid_parameter_value',
  });
  t.match(ask(worlds, third, 'cluster_join', '127.0.0.1:2').value, { joining: ['127.0.0.1:2'] });
  t.ok(
    worlds.until(() => memberState(worlds, first, 3) === 'active'),
    'by way of a node that does not lead',
  );
  t.same(worlds.group.configuration?.voters, [1, 2, 3]);
});

t.test(
  'a member that starts again before it has a copy of the rows finds the others',
  async (t) => {
    const { worlds } = formed(12);
    const joiner = worlds.add(4, {});
    joiner.start();
    ask(worlds, joiner, 'cluster_join', '127.0.0.1:2');
    t.ok(worlds.until(() => worlds.group.configuration?.voters.includes(joiner.id) === true));
    for (const node of worlds.nodes.values()) node.crash();
    // Nobody can be elected before it has heard from the joiner, which the others do not know of yet.
    for (const id of worlds.nodes.keys()) worlds.group.stateless.add(id as NodeId);
    joiner.start();
    worlds.pass(1000);
    t.same(joiner.wanted, [1, 2, 3]);
  },
);

function memberState(worlds: Worlds, node: Node, member: number): unknown {
  return memberOf(ask(worlds, node, 'cluster_status').value, member)?.state;
}

t.test('learners and witnesses stay what they are', async (t) => {
  const { worlds, nodes } = formed(5);
  const [first] = nodes as [Node];
  worlds.add(4, { join: [1, 2], role: 'learner' }).start();
  worlds.add(5, { join: [3], role: 'witness' }).start();
  t.ok(worlds.until(() => memberState(worlds, first, 4) === 'active'));
  t.ok(worlds.until(() => memberState(worlds, first, 5) === 'active'));
  t.same(worlds.group.configuration?.voters, [1, 2, 3, 5]);
  t.same(worlds.group.configuration?.learners, [4]);
  t.same(worlds.group.configuration?.witnesses, [5]);
  t.match(ask(worlds, first, 'cluster_transfer', 5).error, { kind: 'cluster_change_refused' });
});

t.test(
  'witnesses never become a majority, and who cannot come in yet keeps nobody out',
  async (t) => {
    const worlds = new Worlds(7);
    const [first, second, third] = [
      worlds.add(1, { seeds }),
      worlds.add(2, { seeds, role: 'witness' }),
      worlds.add(3, { seeds, role: 'witness' }),
    ];
    for (const node of [first, second, third]) node.start();
    worlds.pass(3000);
    t.same(worlds.group.clusterIds, [], 'one voter with data and two witnesses form no cluster');
    t.match(first.state?.notReady, /witnesses alone would be a majority/);

    const others = new Worlds(8);
    const one = others.add(1, { seeds: [1, 2] });
    for (const node of [one, others.add(2, { seeds: [1, 2], role: 'witness' })]) node.start();
    t.ok(others.until(() => settled(others, 2)));
    others.add(3, { join: [1], role: 'witness' }).start();
    others.pass(1000);
    t.equal(memberState(others, one, 3), 'joining', 'it waits');
    others.add(4, { join: [1] }).start();
    t.ok(others.until(() => memberState(others, one, 4) === 'active'));
    t.ok(others.until(() => memberState(others, one, 3) === 'active'));
    t.same([...(others.group.configuration?.voters ?? [])].sort(), [1, 2, 3, 4]);
    const message = /witnesses alone would be a majority/;
    t.match(ask(others, one, 'cluster_decommission', 4).error, { message });
    t.match(ask(others, one, 'cluster_replace', '4', '').error, { message });
    t.match(ask(others, one, 'cluster_replace', '4,3', '').value, { leaving: [4, 3] });
  },
);

t.test('a dead node is replaced; its number is not used again', async (t) => {
  const { worlds, nodes } = formed(6);
  const [first, second, third] = nodes as [Node, Node, Node];
  third.crash();
  t.ok(worlds.until(() => first.state?.votersAlive === 2));
  t.match(ask(worlds, first, 'cluster_decommission', 2).error, {
    ...{ kind: 'cluster_change_refused', message: /only 1 of 2 voters would be alive/ },
  });
  t.match(ask(worlds, second, 'cluster_decommission', 3).value, { node: 3, state: 'leaving' });
  t.ok(worlds.until(() => memberState(worlds, first, 3) === 'gone'));
  t.same(worlds.group.configuration?.voters, [1, 2]);
  worlds.add(4, { join: [1, 2] }).start();
  t.ok(worlds.until(() => memberState(worlds, first, 4) === 'active'));
  t.same(worlds.group.configuration?.voters, [1, 2, 4]);

  third.start();
  worlds.pass(3000);
  t.match(third.state?.notReady, /was removed from cluster|no leader/);
  const impostor = worlds.add(3, { join: [1] });
  third.crash();
  impostor.start();
  worlds.pass(3000);
  t.match(impostor.state?.notReady, /node id 3 was given to another directory/);
  t.same(worlds.group.configuration?.voters, [1, 2, 4]);
});

t.test('two removals that would go well one by one are not both accepted', async (t) => {
  const worlds = new Worlds(11);
  for (const id of [1, 2]) worlds.add(id, { seeds });
  worlds.add(3, { seeds, role: 'witness' });
  for (const node of worlds.nodes.values()) node.start();
  t.ok(worlds.until(() => settled(worlds, 3)));
  const members = [...worlds.nodes.values()];
  t.ok(worlds.until(() => members.every((member) => member.state?.votersAlive === 3)));
  const node = worlds.node(2);
  const first = node.call('cluster_decommission', 1);
  const second = node.call('cluster_decommission', 2);
  worlds.until(() => first() !== undefined && second() !== undefined);
  // Whichever reaches the leader first.
  const refused = [first(), second()].filter((answer) => answer?.error !== undefined);
  t.equal(refused.length, 1);
  t.match(refused[0]?.error, { message: /no voter with data would be alive/ });
});

t.test(
  'a leader that has yet to hear of a removal accepts none that does not go with it',
  async (t) => {
    const worlds = new Worlds(13);
    for (const id of [1, 2]) worlds.add(id, { seeds });
    worlds.add(3, { seeds, role: 'witness' });
    for (const node of worlds.nodes.values()) node.start();
    t.ok(worlds.until(() => settled(worlds, 3)));
    const [next] = [1, 2].filter((id) => id !== worlds.group.leader) as [number];
    const leader = worlds.node(3 - next);
    t.ok(worlds.until(() => leader.state?.votersAlive === 3));
    // Until all rows say where their nodes are.
    worlds.pass(3000);
    // Its replica has the rows, but has not told of them.
    worlds.group.stateless.add(next as NodeId);
    t.match(ask(worlds, leader, 'cluster_leave').value, { state: 'leaving' });
    t.ok(worlds.until(() => worlds.group.leader === next));
    const answer = worlds.node(next).call('cluster_decommission', next);
    worlds.pass(500);
    t.equal(answer(), undefined, 'it is tried again');
    worlds.group.stateless.delete(next as NodeId);
    worlds.group.tellRows();
    t.ok(worlds.until(() => answer() !== undefined));
    t.match(answer()?.error, { message: /no voter with data would be alive/ });
  },
);

t.test('the leader leaves: it hands over first', async (t) => {
  const { worlds } = formed(7);
  const leader = worlds.group.leader ?? 0;
  const node = worlds.node(leader);
  t.match(ask(worlds, node, 'cluster_leave').value, { node: leader, state: 'leaving' });
  t.ok(worlds.until(() => worlds.group.configuration?.voters.length === 2));
  t.not(worlds.group.leader, leader);
  t.ok(
    worlds.until(() => /was removed/.test(node.state?.notReady ?? '')),
    'it knows',
  );
  const askedMs = worlds.world.nowMs;
  t.match(ask(worlds, node, 'cluster_transfer').error, { kind: 'not_in_cluster' });
  t.ok(worlds.world.nowMs - askedMs < 100, 'and says so at once');
});

t.test('whoever leads next goes on with a change', async (t) => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const { worlds } = formed(seed);
    worlds.group.lags = 1;
    worlds.add(4, { join: [1, 2, 3] }).start();
    const wait = worlds.random.fraction() * 2500;
    worlds.pass(wait);
    const leader = worlds.node(worlds.group.leader ?? 1);
    leader.crash();
    const rest = [...worlds.nodes.values()].find((node) => node.alive && node.id !== 4);
    t.ok(
      worlds.until(() => worlds.group.configuration?.voters.includes(4 as never) === true),
      `seed ${seed}: the joiner votes`,
    );
    t.ok(worlds.until(() => rest !== undefined && memberState(worlds, rest, 4) === 'active'));
    leader.start();
    t.ok(worlds.until(() => settled(worlds, 4)));
  }
});

t.test('silence and lost links make a node dead; one-way cuts are seen', async (t) => {
  const { worlds, nodes } = formed(8);
  const [first, second] = nodes as [Node, Node, Node];
  t.same(worlds.group.told, [], 'nobody is suspected without a reason');
  worlds.cut(3, 1);
  t.ok(worlds.until(() => worlds.group.told.length > 0, 1000));
  t.same(worlds.group.told, ['1: node 3 is down']);
  worlds.pass(500);
  t.match(ask(worlds, first, 'cluster_quorum').value, {
    ...{ voters: [1, 2, 3], needed: 2, alive: [1, 2], reached: true, partition: 'partial' },
  });
  t.same(memberOf(ask(worlds, second, 'cluster_status').value, 3)?.heardBy, [2]);
  worlds.heal();
  worlds.pass(500);
  t.match(ask(worlds, first, 'cluster_quorum').value, { partition: 'whole', alive: [1, 2, 3] });
  worlds.node(2).crash();
  worlds.pass(10);
  t.ok(worlds.group.told.includes('1: node 2 is down'), 'a lost link needs no silence');
  worlds.node(3).crash();
  worlds.pass(10);
  t.match(ask(worlds, first, 'cluster_quorum').value, { reached: false, partition: 'minority' });
  t.match(ask(worlds, first, 'cluster_decommission', 3).error, { kind: 'no_quorum' });
});

t.test('what operators are shown and may change', async (t) => {
  const { worlds, nodes } = formed(9);
  const [first, second] = nodes as [Node, Node, Node];
  const status = ask(worlds, second, 'cluster_status').value;
  t.match(status, { ready: true, node: 2, leader: worlds.group.leader, quorum: { reached: true } });
  t.match(memberOf(status, 1), {
    ...{ address: '127.0.0.1:1', http: '127.0.0.1:8001', role: 'voter', state: 'active' },
    ...{ inGroup: 'voter', alive: true, ready: true, heardBy: [2, 3] },
  });
  t.match(ask(worlds, second, 'cluster_check').value, { equal: true, complete: true });
  t.match(ask(worlds, second, 'cluster_transfer', 3).value, {});
  t.ok(worlds.until(() => worlds.group.leader === 3));
  t.match(
    ask(worlds, first, 'raft_timing', { heartbeatMs: 100, electionMsMin: 300, electionMsMax: 600 })
      .value,
    {
      heartbeatMs: 100,
    },
  );
  worlds.pass(500);
  t.same(
    [...worlds.group.told].sort(),
    [1, 2, 3].map((id) => `${id}: heartbeat 100 ms`),
  );
  t.match(ask(worlds, first, 'raft_timing', { heartbeatMs: 400 }).error, {
    ...{ kind: 'invalid_parameter_value', message: /at least twice/ },
  });
  t.match(ask(worlds, first, 'raft_timing', { leaseMs: 4 }).error, { message: /leaseMs cannot/ });
  t.match(ask(worlds, first, 'nonsense').error, { kind: 'undefined_function' });
  t.match(ask(worlds, first, 'cluster_decommission', 'x').error, {
    kind: 'invalid_parameter_value',
  });
  ask(worlds, first, 'log_level', 'debug');
  ask(worlds, first, 'node_stop');
  t.ok(
    worlds.until(() => first.stopRequested),
    'its node is told to stop',
  );
  t.equal(first.logLevel, 'debug');
  let handedOver = false;
  worlds.node(3).host?.handOver(() => {
    handedOver = true;
  });
  t.ok(worlds.until(() => handedOver, 3000));
  t.not(worlds.group.leader, 3, 'a node that stops has handed over');
});
