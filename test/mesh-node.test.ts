/** What a node makes of its mesh: strangers are kept out, and what operators ask outlives a link. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { RunningNode } from '#src/node/index.js';
import { addressOf, ask, type Member, member, metric, start } from './mesh/members.js';
import { until } from './mesh/meshes.js';

t.setTimeout(120_000);

t.test('a node of another cluster is refused at the handshake', async (t) => {
  const [ours, theirs] = [await member(t, 1), await member(t, 2)];
  const node = await start(t, ours, [ours]);
  const other = await start(t, theirs, [theirs]);
  await Promise.all([node.served, other.served]);
  await other.stop(0);

  const stray = await start(t, theirs, [theirs, ours]);
  await stray.served;
  const refusals = (): Promise<number> =>
    metric(node, 'shardforge_mesh_refusals_total', 'reason="cluster"');
  while ((await refusals()) < 3) await sleep(20);
  const logged = ours.logged.filter(({ event }) => event === 'mesh.refused');
  t.match(logged, [
    { fields: { reason: 'cluster', detail: /^it belongs to cluster [0-9a-f-]{36}$/ } },
  ]);
  t.equal(logged.length, 1, 'once, however often it comes');
  t.same(
    ours.logged.filter(({ event }) => event === 'mesh.peer'),
    [],
    'there was no link',
  );
  t.match(await ask(node, 'select shardforge.node_status()'), { links: [], ready: true });
  t.match(await ask(stray, 'select shardforge.node_status()'), { links: [], ready: true });
});

t.test('two that were linked while they belonged to no cluster part when they do', async (t) => {
  const [joins, founds, stands] = [await member(t, 1), await member(t, 2), await member(t, 3)];
  const [one, two, three] = [
    await start(t, joins, []),
    await start(t, founds, []),
    await start(t, stands, [stands]),
  ];
  await three.served;
  await ask(one, `select shardforge.cluster_join('${addressOf(founds)},${addressOf(stands)}')`);
  await one.served;
  const saw = ({ logged }: Member, event: string, node: number): boolean =>
    logged.some((each) => each.event === event && each.fields.node === node);
  await until('both are linked', () => saw(joins, 'mesh.peer', 2) && saw(founds, 'mesh.peer', 1));
  t.notOk(saw(joins, 'mesh.peer_lost', 2), 'who belongs to no cluster is no stranger');
  await ask(two, 'select shardforge.cluster_init()');
  await until(
    'they part',
    () => saw(joins, 'mesh.peer_lost', 2) && saw(founds, 'mesh.peer_lost', 1),
  );
  t.match(await ask(one, 'select shardforge.cluster_status()'), {
    members: [
      { node: 1, alive: true },
      { node: 3, alive: true },
    ],
  });
});

t.test('a question to another node outlives the link that it was sent on', async (t) => {
  const members = [await member(t, 1), await member(t, 2)] as const;
  const nodes = await Promise.all(members.map((each) => start(t, each, members)));
  await Promise.all(nodes.map(({ served }) => served));
  const [node] = nodes as [RunningNode, RunningNode];
  for (const { proxy } of members) proxy.cut({});
  const checked = ask(node, 'select shardforge.cluster_check()');
  await sleep(100);
  for (const { proxy } of members) proxy.heal();
  t.match(await checked, { equal: true, complete: true });
});
