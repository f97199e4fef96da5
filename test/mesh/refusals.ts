/** Who is refused: each case is counted, logged once, told to the peer, and the node lives on. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { Random } from '#src/base/random.js';
import { encodeHello, type Hello, recordTypes } from '#src/net/mesh/wire.js';
import {
  closeAll,
  link,
  linked,
  metric,
  type Node,
  numbers,
  openNode,
  send,
  until,
} from './meshes.js';
import { hello, payloadOf, RawPeer } from './raw-peer.js';

/** The node still takes a good peer and hears it. */
async function lives(t: Test, node: Node): Promise<void> {
  const friend = await openNode(50);
  await link(friend, node);
  node.heard.length = 0;
  send(friend, node, 4711);
  await until('a good peer is heard', () => node.heard.length === 1);
  t.same(numbers(node), [4711]);
  await friend.mesh.close();
  await until('the good peer is gone', () => node.mesh.peers().every((peer) => peer.node !== 50));
}

function refusalsLogged(node: Node, reason: string): number {
  return node.logged.filter(
    ({ event, fields }) => event === 'mesh.refused' && fields.reason === reason,
  ).length;
}

/** Three times the same peer: counted each time, logged once. */
async function refuses(
  t: Test,
  node: Node,
  reason: string,
  attempt: () => Promise<string | undefined>,
): Promise<void> {
  for (let i = 0; i < 3; i += 1) t.equal(await attempt(), reason);
  t.equal(metric(node, 'refusals_total', { reason }), 3, `${reason} is counted`);
  t.equal(refusalsLogged(node, reason), 1, `${reason} is logged once`);
  t.same(
    node.mesh.peers().map((peer) => peer.node),
    node.peers.map((peer) => peer.node),
    'nobody got in',
  );
  await lives(t, node);
}

/** Says hello; what it was refused for. */
function greet(node: Node, who: Hello): () => Promise<string | undefined> {
  return async () => {
    const peer = await RawPeer.open(node.mesh.address);
    peer.hello({ ...who });
    await until('the peer is refused', () => peer.closed);
    return peer.refusal;
  };
}

t.test('a version of the protocol that this one does not know', async (t) => {
  t.teardown(closeAll);
  const node = await openNode(1);
  await refuses(t, node, 'version', greet(node, hello(9, { oldest: 2, newest: 3 })));
});

t.test(
  'adjacent versions interoperate, and what only the later one knows is passed over',
  async (t) => {
    t.teardown(closeAll);
    const older = await openNode(1);
    const newer = await openNode(2, { protocol: { oldest: 1, newest: 2 } });
    await link(newer, older);
    send(newer, older, 1);
    send(older, newer, 2);
    await until('both are heard', () => older.heard.length === 1 && newer.heard.length === 1);
    const peer = await RawPeer.open(older.mesh.address);
    const fields = hello(9, { newest: 2 });
    peer.records(
      [12, Buffer.from('a record of the handshake that came later')],
      [recordTypes.hello, Buffer.concat([encodeHello(fields), Buffer.from('a new field')])],
    );
    await until('it is taken', () => peer.welcomed);
    peer.records([15, Buffer.from('later')], [40, Buffer.from('later too')]);
    peer.records([recordTypes.ping, Buffer.alloc(8)]);
    await until('it is answered', () => peer.came.some(({ type }) => type === recordTypes.pong));
    t.equal(metric(older, 'bad_frames_total'), 0);
  },
);

t.test('another cluster; a node that knows no cluster yet is welcome', async (t) => {
  t.teardown(closeAll);
  const node = await openNode(1, { clusterId: 'ours' });
  await refuses(t, node, 'cluster', greet(node, hello(9, { clusterId: 'theirs' })));
  const empty = await openNode(2);
  await link(empty, node);
  empty.mesh.setIdentity('ours');
  t.equal(node.mesh.peers().length, 1, 'one that joins stays');
  const stranger = await openNode(3, { clusterId: 'theirs' });
  const undecided = await openNode(4);
  await link(stranger, undecided);
  undecided.mesh.setIdentity('ours');
  await until('a stranger goes when the cluster is known', () => undecided.lost.length === 1);
  await lives(t, node);
});

t.test('two that came to belong to different clusters while they were linked', async (t) => {
  t.teardown(closeAll);
  const [one, two] = [await openNode(1), await openNode(2)];
  await link(two, one);
  one.mesh.setIdentity('ours');
  await until('it is told', () => two.mesh.peers()[0]?.clusterId === 'ours');
  t.same(two.lost, [], 'the other belongs to none yet');
  two.mesh.setIdentity('theirs');
  await until('the link is cut', () => one.lost.length === 1 && two.lost.length === 1);
  const cluster = { reason: 'cluster' };
  await until('it is refused again', () => metric(one, 'refusals_total', cluster) >= 2);
  t.same(one.mesh.peers(), []);
  t.match(
    one.logged.filter(({ event }) => event === 'mesh.refused'),
    { 0: { fields: { reason: 'cluster', detail: 'it belongs to cluster theirs' } } },
  );
  t.ok(
    refusalsLogged(one, 'cluster') + refusalsLogged(two, 'cluster') <= 4,
    'not once per attempt',
  );
});

t.test('its own node id, and a second directory under an id that is connected', async (t) => {
  t.teardown(closeAll);
  const node = await openNode(1);
  await refuses(t, node, 'node_id', greet(node, hello(1, { instance: 'another' })));
  const second = await openNode(2);
  await link(second, node);
  node.peers.length = 1;
  for (let i = 0; i < 2; i += 1) {
    t.equal(await greet(node, hello(2, { instance: 'a copy' }))(), 'instance');
  }
  t.equal(metric(node, 'refusals_total', { reason: 'instance' }), 2);
  t.equal(refusalsLogged(node, 'instance'), 1);
  send(second, node, 5);
  await until('the first one keeps its link', () => numbers(node).includes(5));
});

t.test('who is secured in another way', async (t) => {
  t.teardown(closeAll);
  const node = await openNode(1);
  await refuses(t, node, 'security', greet(node, hello(9, { security: 'tls' })));
});

t.test('web pages, other paths and what is no HTTP', async (t) => {
  t.teardown(closeAll);
  const node = await openNode(1);
  const headers = { origin: 'https://evil.example' };
  await t.rejects(RawPeer.open(node.mesh.address, { headers }), /403/);
  t.equal(metric(node, 'refusals_total', { reason: 'origin' }), 1);
  await t.rejects(RawPeer.open(node.mesh.address, { query: '/other' }), /403/);
  const [host = '', port] = node.mesh.address.split(':');
  const socket = connect(Number(port), host);
  socket.on('error', () => undefined);
  socket.write(Buffer.from([0x16, 3, 1, 0, 200, 1, 0, 0]));
  await until('it is refused', () => metric(node, 'refusals_total', { reason: 'malformed' }) === 2);
  socket.destroy();
  await lives(t, node);
});

t.test('loopback listens on loopback only, and dials nowhere else', async (t) => {
  t.teardown(closeAll);
  await t.rejects(openNode(1, { host: '0.0.0.0' }), {
    ...{ kind: 'config_invalid', message: /loopback/ },
  });
});

t.test('one that says nothing is given up', async (t) => {
  t.teardown(closeAll);
  const node = await openNode(1, { limits: { handshakeMs: 100 } });
  const peer = await RawPeer.open(node.mesh.address);
  await until('it is closed', () => peer.closed);
  t.equal(peer.refusal, 'handshake_timeout');
  await lives(t, node);
});

function secretFiles(t: Test, ...secrets: readonly string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'shardforge-mesh-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return secrets.map((secret, i) => {
    const file = join(directory, `secret-${i}`);
    writeFileSync(file, secret);
    return file;
  });
}

t.test('a shared secret: right, wrong, none, reflected and replayed', async (t) => {
  t.teardown(closeAll);
  const [right = '', wrong = '', short = ''] = secretFiles(
    t,
    'a secret of good length\n',
    'another secret of good length',
    'short',
  );
  await t.rejects(openNode(9, { security: { kind: 'secret', secretFile: short } }), {
    ...{ kind: 'config_invalid', message: /secretFile/ },
  });
  const security = { kind: 'secret', secretFile: right } as const;
  const [one, two] = [await openNode(1, { security }), await openNode(2, { security })];
  await link(two, one);
  send(two, one, 1);
  await until('it is heard', () => one.heard.length === 1);

  const bad = await openNode(3, { security: { kind: 'secret', secretFile: wrong } });
  bad.mesh.setPeers([{ address: one.mesh.address, node: undefined }]);
  await until(
    'it is refused',
    () => metric(one, 'refusals_total', { reason: 'unauthenticated' }) > 1,
  );
  t.equal(refusalsLogged(one, 'unauthenticated'), 1);
  t.same(bad.mesh.peers(), []);
  await bad.mesh.close();

  // Without the secret one can say hello and then send no parcel.
  const before = metric(one, 'refusals_total', { reason: 'malformed' });
  const silent = await RawPeer.open(one.mesh.address);
  silent.hello(hello(9, { security: 'secret' }));
  silent.records([recordTypes.parcel, Buffer.alloc(20)]);
  await until('it is closed', () => silent.closed);
  t.equal(metric(one, 'refusals_total', { reason: 'malformed' }), before + 1);

  // What a good dialer once proved is of no use again, as the other nonce differs.
  const captured = await capture(t, security.secretFile);
  const replay = await RawPeer.open(one.mesh.address);
  replay.send(captured.hello);
  await until('it is challenged', () => replay.came.length > 0);
  replay.send(captured.proof);
  await until('it is closed', () => replay.closed);
  t.equal(replay.refusal, 'unauthenticated');
  t.notOk(replay.welcomed);

  // A proof of ours sent back to us is the other side's.
  const mirror = await RawPeer.open(one.mesh.address);
  mirror.hello(hello(9, { security: 'secret' }));
  await until('it is challenged', () => mirror.came.length > 0);
  mirror.records([recordTypes.proof, mirror.came[0]?.body.subarray(0, 32) ?? new Uint8Array()]);
  await until('it is closed', () => mirror.closed);
  t.equal(mirror.refusal, 'unauthenticated');
  t.same(
    one.mesh.peers().map(({ node }) => Number(node)),
    [2],
  );
});

/** Has a mesh that knows the secret dial us, and keeps what it sent. */
async function capture(
  t: Test,
  secretFile: string,
): Promise<{ readonly hello: Buffer; readonly proof: Buffer }> {
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  const sent: Buffer[] = [];
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      sent.push(data as Buffer);
      const answer = encodeHello(hello(1, { security: 'secret' }));
      if (sent.length === 1) socket.send(payloadOf([recordTypes.hello, answer]));
    });
  });
  const { port } = server.address() as { readonly port: number };
  const dialer = await openNode(8, { security: { kind: 'secret', secretFile } });
  dialer.mesh.setPeers([{ address: `127.0.0.1:${port}`, node: undefined }]);
  await until('it has proved itself', () => sent.length >= 2);
  await dialer.mesh.close();
  t.same(dialer.peers, [], 'it does not trust us: we have proved nothing');
  return { hello: sent[0] as Buffer, proof: sent[1] as Buffer };
}

t.test('fuzz before the handshake: random bytes, cut and changed hellos', async (t) => {
  t.teardown(closeAll);
  const node = await openNode(1, { limits: { handshakeMs: 500 } });
  const random = new Random(11);
  const good = payloadOf([recordTypes.hello, encodeHello(hello(9))]);
  for (let i = 0; i < 60; i += 1) {
    const peer = await RawPeer.open(node.mesh.address);
    const bytes = Buffer.from(good);
    if (i % 3 === 0)
      peer.send(Buffer.from(Array.from({ length: random.below(300) }, () => random.below(256))));
    else if (i % 3 === 1) peer.send(bytes.subarray(0, random.below(bytes.length)));
    else {
      const at = random.below(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      peer.send(bytes);
    }
    await until('it is closed', () => peer.closed);
    t.notOk(peer.welcomed);
  }
  t.equal(metric(node, 'refusals_total', { reason: 'malformed' }), 60);
  const text = await RawPeer.open(node.mesh.address);
  text.send('text');
  await until('text is closed', () => text.closed);
  const large = await RawPeer.open(node.mesh.address);
  large.send(Buffer.alloc(200_000));
  await until('an oversize frame is closed', () => large.closed);
  await lives(t, node);
});

t.test('records with a right checksum and any content never end the node', async (t) => {
  t.teardown(closeAll);
  const node = await openNode(1, { limits: { parcelBytesMax: 100_000 } });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat({ max: 30 }), fc.uint8Array({ maxLength: 40 })), {
        minLength: 1,
        maxLength: 8,
      }),
      fc.boolean(),
      async (records, greets) => {
        const peer = await RawPeer.open(node.mesh.address);
        if (greets) {
          peer.hello(hello(9));
          await until('it is taken', () => peer.welcomed);
        }
        peer.records(...records);
        peer.records([recordTypes.ping, Buffer.alloc(8)]);
        const answered = (): boolean => peer.came.some(({ type }) => type === recordTypes.pong);
        await until('it is answered or closed', () => answered() || peer.closed || !greets);
        peer.close();
        await until('it is gone', () => node.mesh.peers().length === 0);
      },
    ),
    { numRuns: 100, seed: 7 },
  );
  await lives(t, node);
});

t.test('after the handshake a corrupt, cut or oversize frame ends the link', async (t) => {
  t.teardown(closeAll);
  const node = await openNode(1, { limits: { parcelBytesMax: 100_000 } });
  const pieces = Array.from({ length: 3 }, () =>
    payloadOf([recordTypes.piece, Buffer.alloc(60_000)]),
  );
  const flipped = payloadOf([recordTypes.ping, Buffer.alloc(8)]);
  flipped[9] = (flipped[9] ?? 0) ^ 4;
  const cases: readonly (readonly [string, readonly Buffer[]])[] = [
    ['a flipped bit', [flipped]],
    ['a cut frame', [payloadOf([recordTypes.ping, Buffer.alloc(8)]).subarray(0, 9)]],
    ['a frame that is too large', [Buffer.alloc(140_000)]],
    ['a message that is too large', pieces],
    [
      'a number that was not announced',
      [payloadOf([recordTypes.parcel, Buffer.from([0, 1, 1, 0])])],
    ],
    [
      'an acknowledgement of nothing',
      [payloadOf([recordTypes.received, Buffer.from([0xff, 0x7f])])],
    ],
  ];
  for (const [index, [what, frames]] of cases.entries()) {
    const peer = await RawPeer.open(node.mesh.address);
    peer.hello(hello(9));
    await until('it is taken', () => node.mesh.peers().length === 1);
    for (const frame of frames) peer.send(frame);
    await until(`${what} ends the link`, () => peer.closed && node.mesh.peers().length === 0);
    t.equal(metric(node, 'bad_frames_total'), index + 1, what);
    t.equal(node.lost.length, index + 1);
  }
  t.same(node.heard, []);
  await lives(t, node);
});

t.test('a node dials its own address and forgets it', async (t) => {
  t.teardown(closeAll);
  const [a, b] = [await openNode(1), await openNode(2)];
  a.mesh.setPeers([
    { address: a.mesh.address, node: undefined },
    { address: b.mesh.address, node: undefined },
  ]);
  await linked(a, b);
  const dials = metric(a, 'dials_total');
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.equal(metric(a, 'dials_total'), dials);
  t.equal(metric(a, 'refusals_total'), 0);
});

t.test('more handshakes at once than it bears', async (t) => {
  t.teardown(closeAll);
  const node = await openNode(1, { limits: { handshakeMs: 60_000 } });
  const peers = await Promise.all(
    Array.from({ length: 130 }, () => RawPeer.open(node.mesh.address)),
  );
  await until('two are too many', () => peers.filter(({ closed }) => closed).length === 2);
  t.equal(metric(node, 'refusals_total', { reason: 'too_many' }), 2);
  for (const peer of peers) peer.close();
  await until('there is room again', () => metric(node, 'refusals_total') === 2);
  await lives(t, node);
});

t.test('a server that is dialed and answers nonsense', async (t) => {
  t.teardown(closeAll);
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  const random = new Random(3);
  const answers: readonly (() => Buffer)[] = [
    () => Buffer.from(Array.from({ length: random.below(200) }, () => random.below(256))),
    () => payloadOf([recordTypes.welcome, Buffer.alloc(4)]),
    () =>
      payloadOf([recordTypes.hello, encodeHello(hello(1))], [recordTypes.welcome, Buffer.alloc(1)]),
    () =>
      payloadOf(
        [recordTypes.hello, encodeHello(hello(1))],
        [recordTypes.hello, encodeHello(hello(1))],
      ),
    () => payloadOf([recordTypes.refusal, Buffer.alloc(3000, 65)]),
  ];
  let dialed = 0;
  server.on('connection', (socket) => {
    socket.on('message', () => {
      socket.send(answers[dialed % answers.length]?.() ?? Buffer.alloc(0));
      dialed += 1;
    });
  });
  const node = await openNode(2, { limits: { dialMsMax: 50, handshakeMs: 300 } });
  const { port } = server.address() as { readonly port: number };
  node.mesh.setPeers([{ address: `127.0.0.1:${port}`, node: undefined }]);
  await until('it was dialed often', () => dialed > 10);
  node.mesh.setPeers([]);
  t.same(node.peers, []);
  await lives(t, node);
});
