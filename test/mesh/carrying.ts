/** What a link carries: order, priorities, coalescing, bounds. */
import t from 'tap';
import type { Priority } from '#src/actors/index.js';
import {
  closeAll,
  link,
  linked,
  metric,
  type Node,
  numbers,
  openNode,
  parcel,
  send,
  until,
  HandClock,
} from './meshes.js';
import { MeshProxy } from './proxy.js';

const all: readonly Priority[] = ['critical', 'high', 'normal', 'low'];

t.test('three nodes dial each other by addresses only and have one link each', async (t) => {
  t.teardown(closeAll);
  const nodes = await Promise.all([1, 2, 3].map((id) => openNode(id)));
  const peers = nodes.map(({ mesh }) => ({ address: mesh.address, node: undefined }));
  for (const { mesh } of nodes) mesh.setPeers(peers);
  for (const a of nodes) for (const b of nodes) if (a !== b) await linked(a, b);
  for (const a of nodes) {
    t.same(
      a.mesh
        .peers()
        .map(({ node }) => node)
        .sort(),
      nodes.map(({ id }) => id).filter((id) => id !== a.id),
      'each other node once, itself never',
    );
    t.equal(a.peers.length, 2, 'each peer was told once');
    t.same(a.lost, []);
    t.equal(metric(a, 'refusals_total'), 0, 'that both sides dial is no refusal');
    t.equal(metric(a, 'links'), 2);
    t.same(
      a.logged.filter(({ level }) => level !== 'info'),
      [],
      'and nothing to warn of',
    );
  }
  for (const from of nodes) for (const to of nodes) if (from !== to) t.ok(send(from, to, from.id));
  await until('all have heard both others', () => nodes.every(({ heard }) => heard.length === 2));
  for (const node of nodes) {
    const others = nodes.map(({ id }) => Number(id)).filter((id) => id !== node.id);
    t.same(numbers(node).sort(), others);
  }
});

t.test('messages of one priority stay in order, small and large', async (t) => {
  t.teardown(closeAll);
  const [a, b] = [await openNode(1), await openNode(2)];
  await link(a, b);
  const sent: string[] = [];
  for (let i = 0; i < 400; i += 1) {
    const priority = all[i % 4] as Priority;
    // Some are larger than a frame and travel in pieces.
    const bytes = Buffer.alloc(i % 50 === 0 ? 200_000 : i % 7 === 0 ? 40_000 : 60, i);
    bytes.writeUInt32BE(i);
    const taken = a.mesh.carrier(
      parcel(a, b, bytes, { priority, flow: 'reply', fromPlace: i % 3 }),
    );
    t.ok(taken);
    sent.push(`${i}/${bytes.length}`);
    if (i % 20 === 19) await new Promise(setImmediate);
  }
  await until('all have arrived', () => b.heard.length === 400);
  for (const [offset, priority] of all.entries()) {
    t.same(
      b.heard
        .filter(({ kind }) => kind === `test.${priority}`)
        .map(({ bytes }) => `${bytes.readUInt32BE(0)}/${bytes.length}`),
      sent.filter((_, i) => i % 4 === offset),
      priority,
    );
  }
  t.ok(
    b.heard.every(({ bytes }) =>
      bytes.subarray(4).every((byte) => byte === (bytes.readUInt32BE(0) & 0xff)),
    ),
  );
  t.ok(b.heard.every(({ from, to }) => from === 'sender' && to === 'receiver'));
});

t.test(
  'a message from outside any actor has no sender, and places beyond 100 pairs work',
  async (t) => {
    t.teardown(closeAll);
    const [a, b] = [await openNode(1), await openNode(2)];
    await link(a, b);
    t.ok(a.mesh.carrier({ ...parcel(a, b, Buffer.alloc(4)), from: undefined }));
    for (let place = 0; place < 150; place += 1) {
      t.ok(
        send(a, b, place + 1, { fromPlace: place, kind: `kind.${place}`, to: `actor/${place}` }),
      );
    }
    await until('all have arrived', () => b.heard.length === 151);
    t.equal(b.heard[0]?.from, undefined);
    t.same(
      b.heard.slice(1).map(({ kind, to }) => [kind, to]),
      Array.from({ length: 150 }, (_, place) => [`kind.${place}`, `actor/${place}`]),
    );
  },
);

t.test('what one turn sends leaves in one frame', async (t) => {
  t.teardown(closeAll);
  const [a, b] = [await openNode(1), await openNode(2)];
  const proxy = await MeshProxy.start(Number(b.mesh.address.split(':')[1]));
  t.teardown(() => proxy.close());
  await link(a, b, `127.0.0.1:${proxy.port}`);
  await until('the first pings are over', () => a.mesh.peers()[0]?.roundTripMs !== undefined);
  const before = proxy.chunks;
  for (let i = 0; i < 100; i += 1) send(a, b, i);
  await until('all have arrived', () => b.heard.length === 100);
  // Pings of two connections may fall between.
  t.ok(proxy.chunks - before <= 10, `${proxy.chunks - before} writes for 100 messages`);
});

t.test('under a peer that does not read, what is urgent overtakes what waits', async (t) => {
  t.teardown(closeAll);
  const limits = { silenceMs: 60_000 };
  const [a, b] = [await openNode(1, { limits }), await openNode(2, { limits })];
  const proxy = await MeshProxy.start(Number(b.mesh.address.split(':')[1]));
  t.teardown(() => proxy.close());
  await link(a, b, `127.0.0.1:${proxy.port}`);
  proxy.stall();
  const size = 10_000;
  const bytes = Buffer.alloc(size);
  let normal = 0;
  while (a.mesh.carrier(parcel(a, b, bytes, { priority: 'normal' }))) {
    normal += 1;
    if (normal % 10 === 0) await new Promise(setImmediate);
  }
  t.ok(normal * size > 8_000_000 && normal * size < 11_000_000, `${normal} messages were taken`);
  t.ok(metric(a, 'messages_refused_total', { flow: 'work' }) >= 1, 'then work was refused');
  t.notOk(a.mesh.carrier(parcel(a, b, bytes, { flow: 'droppable' })), 'the droppable was dropped');
  t.equal(metric(a, 'messages_refused_total', { flow: 'droppable' }), 1);
  t.ok(send(a, b, 1, { flow: 'reply' }), 'a reply passes');
  t.ok(send(a, b, 2, { priority: 'high' }), 'another priority has room');
  t.ok(send(a, b, 3, { priority: 'critical' }));
  proxy.heal();
  await until('all have arrived', () => b.heard.length === normal + 3);
  const ahead = (kind: string): number => b.heard.findIndex((each) => each.kind === kind) * size;
  t.ok(ahead('test.critical') <= 1_048_576, 'the heartbeat waited for no more than a window');
  t.ok(ahead('test.high') <= 1_048_576 + 65_536, 'and so did the next priority');
  t.equal(b.heard.at(-1)?.bytes.readUInt32BE(0), 1, 'the reply came in its order');
});

t.test('bulk has at most 256 KiB unacknowledged and never delays the rest', async (t) => {
  t.teardown(closeAll);
  const limits = { silenceMs: 60_000 };
  const [a, b] = [await openNode(1, { limits }), await openNode(2, { limits })];
  const proxy = await MeshProxy.start(Number(b.mesh.address.split(':')[1]));
  t.teardown(() => proxy.close());
  await link(a, b, `127.0.0.1:${proxy.port}`);
  proxy.stall();
  const chunk = Buffer.alloc(100_000);
  for (let i = 0; i < 40; i += 1) t.ok(a.mesh.carrier(parcel(a, b, chunk, { priority: 'low' })));
  let most = 0;
  const unacked = (node: Node): number => node.mesh.peers()[0]?.unackedBulkBytes ?? 0;
  for (let i = 0; i < 20; i += 1) {
    most = Math.max(most, unacked(a));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  t.ok(most > 128 * 1024, `${most} bytes are under way`);
  proxy.heal();
  const watch = setInterval(() => {
    most = Math.max(most, unacked(a));
  }, 1);
  t.ok(send(a, b, 7, { priority: 'critical' }));
  await until('all has arrived', () => b.heard.length === 41);
  clearInterval(watch);
  t.ok(most <= 262_144 + 1024, `never more than ${most} bytes of bulk were unacknowledged`);
  const bulkBefore = b.heard.findIndex(({ kind }) => kind === 'test.critical');
  t.ok(bulkBefore <= 3, `${bulkBefore} chunks came before the heartbeat`);
});

t.test('bulk is held to its bytes a second, the rest is not', async (t) => {
  t.teardown(closeAll);
  const clock = new HandClock(1000);
  const a = await openNode(1, { clock, bulkBytesPerSecond: 500_000 });
  const b = await openNode(2);
  await link(a, b);
  const chunk = Buffer.alloc(60_000);
  for (let i = 0; i < 30; i += 1) t.ok(a.mesh.carrier(parcel(a, b, chunk, { priority: 'low' })));
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 40));
  await pause();
  clock.tick();
  await pause();
  const first = b.heard.length;
  t.ok(first >= 8 && first <= 9, `${first} chunks leave with a clock that stands still`);
  t.ok(send(a, b, 1));
  await until('a normal message passes', () => b.heard.length === first + 1);
  for (let second = 1; second <= 2; second += 1) {
    clock.ms += 1000;
    // Several turns, as a window of bulk is less than a second's worth.
    for (let i = 0; i < 5; i += 1) {
      clock.tick();
      await pause();
    }
    const bulk = b.heard.filter(({ kind }) => kind === 'test.low').length;
    t.ok(bulk >= 8 * (second + 1) && bulk <= 9 * (second + 1), `${bulk} after ${second} s more`);
  }
});
