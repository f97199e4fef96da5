/**
 * Replicas are compared at intervals and on request, piece by piece; what differs or is damaged is seen in the
 * log, the metrics and the status of the cluster.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { must } from '#src/base/assert.js';
import { openStore } from '#src/storage/index.js';
import { keySpace } from '#src/storage/keys.js';
import { type Node, Worlds } from './cluster-actor/world.js';
import { ClusterClient, insist } from './cluster/client.js';
import { ProcessCluster } from './cluster/processes.js';

interface Check {
  readonly equal: boolean;
  readonly complete: boolean;
  readonly pieces: number;
  readonly nodes: readonly {
    readonly node: number;
    readonly differs: number;
    readonly damaged: boolean;
    readonly refusal: string | null;
  }[];
  readonly differences: readonly { readonly start: string; readonly end: string | null }[];
  readonly agoMs?: number;
}

function formed(checkIntervalMs: number): {
  readonly worlds: Worlds;
  readonly nodes: readonly Node[];
} {
  const worlds = new Worlds(1);
  const seeds = [1, 2, 3];
  const nodes = seeds.map((id) => worlds.add(id, { seeds, limits: { checkIntervalMs } }));
  for (const node of nodes) node.start();
  worlds.until(() => nodes.every((node) => node.ready && node.state?.members === 3));
  return { worlds, nodes };
}

function ask<T>(worlds: Worlds, node: Node | undefined, name: string): T {
  const answer = must(node, 'a node').call(name);
  worlds.until(() => answer() !== undefined, 30_000);
  return answer()?.value as T;
}

function checkOf(worlds: Worlds, node: Node | undefined): Check | null {
  return ask<{ readonly check: Check | null }>(worlds, node, 'cluster_status').check;
}

function logged(nodes: readonly Node[], event: string): number {
  return nodes.flatMap((node) => node.logged).filter((line) => line.includes(event)).length;
}

t.test(
  'the leader compares all replicas at intervals, and any node tells what it found',
  async (t) => {
    const { worlds, nodes } = formed(10_000);
    worlds.group.pieces = 4;
    t.equal(checkOf(worlds, nodes[1]), null, 'nothing was compared yet');
    worlds.pass(9000);
    t.same(worlds.group.hashed, []);
    worlds.pass(1500);
    t.ok(worlds.group.hashed.length < 12, 'it pauses after each piece');
    worlds.pass(4000);
    t.same(worlds.group.hashed.length, 12, 'three replicas, four pieces each');
    for (const node of nodes) {
      t.match(checkOf(worlds, node), {
        ...{ equal: true, complete: true, pieces: 4, differences: [] },
        nodes: [1, 2, 3].map((each) => ({ node: each, rows: 40, differs: 0, refusal: null })),
      });
    }
    t.equal(logged(nodes, 'cluster.replicasDiffer'), 0);
    const before = worlds.group.leader ?? 0;
    worlds.node(before).crash();
    worlds.pass(25_000);
    const rest = nodes.filter((node) => node.alive);
    t.match(checkOf(worlds, rest[0]), {
      ...{ equal: true, complete: false },
      nodes: nodes.map(({ id }) => ({ node: id, refusal: id === before ? 'it is down' : null })),
    });
  },
);

t.test('the one that differs is named, with the pieces', async (t) => {
  const { worlds, nodes } = formed(10_000);
  worlds.group.pieces = 3;
  worlds.group.odd.add('2:1');
  worlds.pass(15_000);
  const check = checkOf(worlds, nodes[2]);
  t.match(check, { equal: false, differences: [{ start: '01', end: '0101' }] });
  t.same(
    check?.nodes.map(({ node, differs }) => [node, differs]),
    [
      [1, 0],
      [2, 1],
      [3, 0],
    ],
  );
  t.equal(logged(nodes, 'cluster.replicasDiffer'), 1);
  worlds.group.odd.clear();
  t.match(ask(worlds, nodes[0], 'cluster_check'), { equal: true, complete: true });
  t.match(checkOf(worlds, nodes[1]), { equal: true }, 'the last comparison counts');
});

t.test('two that differ from each other: nobody can tell which is right', async (t) => {
  const { worlds, nodes } = formed(Number.POSITIVE_INFINITY);
  worlds.node(3).crash();
  worlds.pass(1000);
  worlds.group.odd.add('1:0');
  const check = ask<Check>(worlds, nodes[0], 'cluster_check');
  t.same(
    check.nodes.map(({ differs }) => differs),
    [1, 1, 0],
  );
  t.notOk(check.equal);
});

t.test('a replica whose checksums fail is named; the others are compared to the end', async (t) => {
  for (const victim of [1, 2, 3]) {
    const { worlds, nodes } = formed(Number.POSITIVE_INFINITY);
    worlds.group.pieces = 3;
    worlds.group.rotten.add(`${victim}:1`);
    const check = ask<Check>(worlds, nodes[0], 'cluster_check');
    t.match(check, { equal: false, complete: false, pieces: 3, differences: [] });
    t.same(
      check.nodes.map(({ damaged, refusal }) => (damaged ? refusal : null)),
      [1, 2, 3].map((node) => (node === victim ? 'a value fails its checksum' : null)),
    );
    t.equal(logged(nodes, 'cluster.damaged'), 1);
  }
});

/** Changes a row in the store of a stopped node as only a bug could: with a checksum that is right. */
async function falsify(directory: string, was: string, becomes: string): Promise<number> {
  let changed = 0;
  for (let store = 0; store < 4; store += 1) {
    const engine = await openStore({ path: join(directory, `store-${store}`) });
    const puts: { readonly key: Buffer; readonly value: Buffer }[] = [];
    engine.scan(
      { from: Buffer.of(keySpace.data), to: Buffer.of(keySpace.data + 1) },
      (key, value) => {
        const at = Buffer.from(value).indexOf(was);
        if (at < 0) return true;
        const other = Buffer.from(value);
        other.write(becomes, at);
        puts.push({ key: Buffer.from(key), value: other });
        return true;
      },
    );
    changed += puts.length;
    if (puts.length > 0) engine.commitLater(puts);
    await engine.close();
  }
  return changed;
}

t.test('three processes: a row that differs is found without anybody asking', async (t) => {
  t.setTimeout(120_000);
  const directory = mkdtempSync(join(tmpdir(), 'shardforge-check-'));
  const config = { cluster: { checkIntervalMs: 1000 } };
  const cluster = await ProcessCluster.start({ directory, nodes: 3, proxies: false, config });
  t.teardown(async () => {
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  const client = new ClusterClient(cluster.urls, 0);
  t.teardown(() => client.close());
  await insist(client, 'create table if not exists t (id int primary key, v text)');
  await insist(client, "insert into t values (1, 'the truth') on conflict (id) do nothing");
  const status = async (): Promise<Check | null> => {
    const [row] = await insist(client, 'select shardforge.cluster_status()');
    return (JSON.parse(String(row?.[0])) as { readonly check: Check | null }).check;
  };
  const until = async (holds: (check: Check) => boolean): Promise<Check> => {
    for (let tries = 0; tries < 600; tries += 1) {
      const check = await status();
      if (check !== null && holds(check)) return check;
      await sleep(50);
    }
    throw new Error(`never seen: ${JSON.stringify(await status())}`);
  };
  await until(({ complete }) => complete);

  const leader = must(await cluster.leader(), 'a leader');
  const liar = (leader % 3) + 1;
  const metricsOf = async (node: number): Promise<string> =>
    (await fetch(`${cluster.node(node).url}/metrics`)).text();
  // Then what it has applied is in the store.
  while (!/^shardforge_shard_overlay_bytes\S* 0$/m.test(await metricsOf(liar))) await sleep(50);
  t.equal(await cluster.node(liar).stop(), 0);
  t.ok((await falsify(cluster.directory(liar), 'the truth', 'a falsity')) > 0);
  await cluster.launch(liar);
  await cluster.node(liar).ready();
  const found = await until(({ equal, complete }) => !equal && !complete);
  t.ok((found.nodes.find(({ node }) => node === liar)?.differs ?? 0) > 0, 'it is named');
  t.same(
    found.nodes.filter(({ differs, node }) => differs > 0 && node !== liar),
    [],
    'and nobody else',
  );
  const asked = must(await cluster.leader(), 'a leader');
  const metrics = await metricsOf(asked);
  t.match(metrics, /^shardforge_cluster_replicas_differ 1$/m);
  t.match(metrics, /^shardforge_cluster_checks_total\{result="different"\} [1-9]/m);
  t.match(cluster.node(asked).output, /"event":"cluster.replicasDiffer"/);
});
