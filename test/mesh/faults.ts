/** Links that break: how soon it is noticed, how they come back, what arrives nevertheless. */
import t from 'tap';
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
import { recordTypes } from '#src/net/mesh/wire.js';
import { MeshProxy } from './proxy.js';
import { hello, RawPeer } from './raw-peer.js';

async function proxied(node: Node): Promise<MeshProxy> {
  return MeshProxy.start(Number(node.mesh.address.split(':')[1]));
}

t.test('a process that ends is noticed at once, and found again when it is back', async (t) => {
  t.teardown(closeAll);
  // Only a closed connection can tell: silence would be noticed in an hour.
  const limits = { silenceMs: 3_600_000 };
  const a = await openNode(1, { limits });
  const b = await openNode(2);
  const port = Number(b.mesh.address.split(':')[1]);
  await link(a, b);
  await b.mesh.close();
  await until('it is noticed', () => a.lost.length === 1);
  t.notOk(send(a, b, 1), 'nothing can be sent');
  t.equal(metric(a, 'links'), 0);
  const dials = metric(a, 'dials_total');
  await until('it is dialed in vain', () => metric(a, 'dials_total') > dials + 2);
  t.equal(
    a.logged.filter(({ event }) => event === 'mesh.unreachable').length,
    1,
    'which is logged once',
  );
  const again = await openNode(2, { port });
  await linked(a, again);
  t.equal(a.peers.length, 2, 'told again');
  send(a, again, 2);
  await until('it is heard', () => again.heard.length === 1);
});

t.test('a new process of a node takes the place of the old one at once', async (t) => {
  t.teardown(closeAll);
  for (const [own, other] of [
    [1, 2],
    [2, 1],
  ] as const) {
    const limits = { silenceMs: 3_600_000 };
    const a = await openNode(own, { limits });
    const old = await openNode(other, { limits });
    const proxy = await proxied(a);
    t.teardown(() => proxy.close());
    await link(old, a, `127.0.0.1:${proxy.port}`);
    // The old process is gone and nobody was told.
    proxy.cut({});
    old.mesh.setPeers([]);
    const fresh = await openNode(other);
    await link(fresh, a);
    t.same(
      a.lost.map(({ reason }) => reason),
      ['another process'],
    );
    t.equal(metric(fresh, 'dials_total'), 2, 'one dial for each connection was enough');
    t.equal(a.peers.length, 2);
    send(a, fresh, 3);
    await until('the new one is heard', () => fresh.heard.length === 1);
    await closeAll();
  }
});

for (const direction of ['both', 'in', 'out'] as const) {
  t.test(`a link that is cut without a word, ${direction}`, async (t) => {
    t.teardown(closeAll);
    const limits = { silenceMs: 300, pingMs: 50, handshakeMs: 300 };
    const [a, b] = [await openNode(1, { limits }), await openNode(2, { limits })];
    const proxy = await proxied(b);
    t.teardown(() => proxy.close());
    await link(a, b, `127.0.0.1:${proxy.port}`);
    send(a, b, 1);
    await until('it is heard', () => b.heard.length === 1);
    proxy.cut({ from: 1, direction });
    await until('both notice', () => a.lost.length >= 1 && b.lost.length >= 1);
    t.equal(a.lost[0]?.reason === 'silent' || b.lost[0]?.reason === 'silent', true);
    send(a, b, 2);
    proxy.heal();
    await linked(a, b);
    t.ok(send(a, b, 3));
    await until('it is heard', () => numbers(b).includes(3));
    t.same(numbers(b), [1, 3]);
  });
}

t.test('both sides dial again and again: one link, and each message at most once', async (t) => {
  t.teardown(closeAll);
  const [a, b] = [await openNode(1), await openNode(2)];
  const [toA, toB] = [await proxied(a), await proxied(b)];
  t.teardown(() => Promise.all([toA.close(), toB.close()]));
  a.mesh.setPeers([{ address: `127.0.0.1:${toB.port}`, node: undefined }]);
  b.mesh.setPeers([{ address: `127.0.0.1:${toA.port}`, node: undefined }]);
  let sent = 0;
  for (let round = 0; round < 12; round += 1) {
    await linked(a, b);
    for (let i = 0; i < 50; i += 1) {
      sent += 1;
      send(a, b, sent, { priority: 'high' });
      send(b, a, sent, { priority: 'normal' });
    }
    if (round % 2 === 0) await new Promise(setImmediate);
    if (round % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    toA.reset();
    toB.reset();
    await until('the link is lost', () => a.lost.length > round && b.lost.length > round);
  }
  await linked(a, b);
  for (const node of [a, b]) {
    const got = numbers(node);
    t.same(
      got,
      [...new Set(got)].sort((x, y) => x - y),
      'in order, none twice',
    );
    t.ok(got.length > 100, `${got.length} of ${sent} arrived`);
    t.equal(node.mesh.peers().length, 1);
    t.equal(node.peers.length, node.lost.length + 1, 'up and down alternate');
  }
});

t.test('reliable messages survive links that break, each once and in order', async (t) => {
  t.teardown(closeAll);
  const reliable = ['test.reliable'];
  const [a, b] = [await openNode(1, { reliable }), await openNode(2, { reliable })];
  const proxy = await proxied(b);
  t.teardown(() => proxy.close());
  const message = { kind: 'test.reliable' };
  await link(a, b, `127.0.0.1:${proxy.port}`);
  for (let i = 0; i < 200; i += 1) {
    t.ok(send(a, b, i, message), 'taken, whether there is a link or not');
    // The acknowledgement of some is lost, so they are sent twice.
    if (i % 40 === 20) proxy.cut({ direction: 'out' });
    if (i % 40 === 30) proxy.reset();
    if (i % 40 === 35) {
      proxy.heal();
      await linked(a, b);
    }
    await new Promise(setImmediate);
  }
  await until('all have arrived', () => b.heard.length >= 200);
  t.same(
    numbers(b),
    Array.from({ length: 200 }, (_, i) => i),
  );
  t.ok(metric(a, 'reliable_retries_total') > 0, 'some were sent again');
  t.equal(metric(a, 'reliable_abandoned_total'), 0);
});

t.test('a reliable message is given up after its retries', async (t) => {
  t.teardown(closeAll);
  const clock = new HandClock(0);
  const a = await openNode(1, { reliable: ['test.reliable'], clock });
  const b = await openNode(2);
  await b.mesh.close();
  t.ok(send(a, b, 1, { kind: 'test.reliable' }));
  for (let second = 0; second < 20; second += 1) {
    clock.ms += 1000;
    clock.tick();
  }
  t.equal(metric(a, 'reliable_retries_total'), 3);
  t.equal(metric(a, 'reliable_abandoned_total'), 1);
  for (let i = 0; i < 1024; i += 1) t.ok(send(a, b, i, { kind: 'test.reliable' }));
  t.notOk(send(a, b, 0, { kind: 'test.reliable' }), 'and what waits is bounded');
});

t.test('a peer falls silent in virtual time; an own pause is no silence', async (t) => {
  t.teardown(closeAll);
  const clock = new HandClock(0);
  const [a, b] = [await openNode(1, { clock }), await openNode(2)];
  const proxy = await proxied(b);
  t.teardown(() => proxy.close());
  await link(a, b, `127.0.0.1:${proxy.port}`);
  proxy.stall();
  const pass = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 50) {
      clock.ms += 50;
      clock.tick();
    }
  };
  pass(1900);
  t.same(a.lost, []);
  clock.ms += 60_000;
  clock.tick();
  t.same(a.lost, [], 'this process stood still');
  pass(250);
  t.match(a.lost, [{ node: 2, reason: 'silent' }]);
});

t.test('replies beyond their bound cut the link instead of filling memory', async (t) => {
  t.teardown(closeAll);
  const limits = { silenceMs: 60_000, replyBytesMax: 4_000_000, queueBytesMax: 1_000_000 };
  const [a, b] = [await openNode(1, { limits }), await openNode(2, { limits })];
  const proxy = await proxied(b);
  t.teardown(() => proxy.close());
  await link(a, b, `127.0.0.1:${proxy.port}`);
  proxy.stall();
  for (let i = 0; i < 100 && a.lost.length === 0; i += 1) {
    a.mesh.carrier(parcel(a, b, Buffer.alloc(100_000), { flow: 'reply' }));
  }
  t.match(a.lost, [{ node: 2, reason: 'too much waits for it' }]);
  proxy.heal();
  await until('it comes back', () => a.mesh.peers().length === 1);
});

t.test('with a proxy that delays, the round trip is measured and order holds', async (t) => {
  t.teardown(closeAll);
  const [a, b] = [await openNode(1), await openNode(2)];
  const proxy = await proxied(b);
  t.teardown(() => proxy.close());
  proxy.delay(20);
  await link(a, b, `127.0.0.1:${proxy.port}`);
  for (let i = 0; i < 100; i += 1) {
    send(a, b, i);
    await new Promise(setImmediate);
  }
  await until('all have arrived', () => b.heard.length === 100);
  t.same(
    numbers(b),
    Array.from({ length: 100 }, (_, i) => i),
  );
  await until('a ping is answered', () => a.mesh.peers()[0]?.roundTripMs !== undefined);
  t.ok((a.mesh.peers()[0]?.roundTripMs ?? 0) >= 38, 'both ways take their delay');
});

t.test('slow links that both sides dial settle to one', async (t) => {
  t.teardown(closeAll);
  const [a, b] = [await openNode(1), await openNode(2)];
  const [toA, toB] = [await proxied(a), await proxied(b)];
  t.teardown(() => Promise.all([toA.close(), toB.close()]));
  toA.delay(150);
  toB.delay(100);
  a.mesh.setPeers([{ address: `127.0.0.1:${toB.port}`, node: b.id }]);
  b.mesh.setPeers([{ address: `127.0.0.1:${toA.port}`, node: a.id }]);
  await linked(a, b);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const [lostA, lostB] = [a.lost.length, b.lost.length];
  t.ok(lostA <= 1 && lostB <= 1, `lost ${lostA} and ${lostB} times`);
  await linked(a, b);
  send(a, b, 1);
  send(b, a, 2);
  await until('both are heard', () => a.heard.length === 1 && b.heard.length === 1);
});

t.test(
  'a connection for bulk that takes the place of another hears all numbers anew',
  async (t) => {
    t.teardown(closeAll);
    const node = await openNode(1);
    const main = await RawPeer.open(node.mesh.address);
    main.hello(hello(9));
    await until('it is taken', () => main.welcomed);
    const raw = { ...node, id: 9 as Node['id'] };
    for (let round = 0; round < 3; round += 1) {
      const bulk = await RawPeer.open(node.mesh.address, { query: '?node=9&class=bulk' });
      bulk.hello(hello(9, { connection: 'bulk' }));
      await until('it is taken', () => bulk.welcomed);
      t.ok(send(node, raw, round, { priority: 'low' }));
      const low = recordTypes.parcel + 3;
      await until('it is heard', () => bulk.came.some(({ type }) => type === low));
      const types = bulk.came.map(({ type }) => type);
      t.ok(types.indexOf(recordTypes.kind) !== -1, 'the kind is announced');
      t.ok(types.indexOf(recordTypes.kind) < types.indexOf(low), 'before its use');
      t.ok(types.indexOf(recordTypes.stream) < types.indexOf(low));
    }
    t.same(node.lost, [], 'the link stays');
    main.close();
    await until('it is gone', () => node.lost.length === 1);
  },
);
