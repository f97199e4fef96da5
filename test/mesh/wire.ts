/** Version 1 of the wire format, as bytes: whoever changes one of these breaks nodes that run. */
import { crc32 } from 'node:zlib';
import t from 'tap';
import type { Parcel, PlaceId } from '#src/actors/index.js';
import type { NodeId } from '#src/base/ids.js';
import { Frame } from '#src/net/mesh/frame.js';
import { type Arrived, Inbox } from '#src/net/mesh/inbox.js';
import { defaultMeshLimits } from '#src/net/mesh/limits.js';
import { Outbox } from '#src/net/mesh/outbox.js';
import {
  commonVersion,
  decodeHello,
  encodeHello,
  type Hello,
  recordTypes,
} from '#src/net/mesh/wire.js';
import { makeProof } from '#src/net/security/index.js';
import { payloadOf } from './raw-peer.js';

const hello: Hello = {
  ...{ oldest: 1, newest: 1, node: 300 as NodeId, instance: 'inst', boot: 'b007' },
  ...{ connection: 'bulk', security: 'tls', clusterId: 'c', version: '0.1.0', address: 'h:1' },
  ...{ http: 'h:2', nonce: new Uint8Array(32).fill(7), replaces: true },
};

const helloBytes =
  `01 01 ac02 04${hex('inst')} 04${hex('b007')} 01 02 01${hex('c')} 05${hex('0.1.0')} ` +
  `03${hex('h:1')} 03${hex('h:2')} ${'07'.repeat(32)} 01`;

function hex(text: string): string {
  return Buffer.from(text).toString('hex');
}

function plain(text: string): string {
  return text.replaceAll(' ', '');
}

t.test('the numbers of records', async (t) => {
  t.same(recordTypes, {
    ...{ hello: 1, proof: 2, welcome: 3, refusal: 4, ping: 5, pong: 6, received: 7 },
    ...{ stream: 8, kind: 9, delivered: 10, identity: 11, parcel: 16, piece: 20, reliable: 24 },
  });
});

t.test('a hello', async (t) => {
  t.equal(Buffer.from(encodeHello(hello)).toString('hex'), plain(helloBytes));
  t.same(decodeHello(Buffer.from(plain(helloBytes), 'hex')), hello);
  t.same(decodeHello(Buffer.from(`${plain(helloBytes)}ffff`, 'hex')), hello, 'with a new field');
  const alone = { ...hello, clusterId: undefined };
  t.same(decodeHello(encodeHello(alone)), alone);
  for (let length = 0; length < helloBytes.length / 3; length += 1) {
    const cut = Buffer.from(plain(helloBytes), 'hex').subarray(0, length);
    t.throws(() => decodeHello(cut), { kind: 'data_corrupted', message: /./ });
  }
});

t.test('versions: the lower of the newest, if both know it', async (t) => {
  const v = (oldest: number, newest: number): { oldest: number; newest: number } => ({
    oldest,
    newest,
  });
  t.equal(commonVersion(v(1, 1), v(1, 1)), 1);
  t.equal(commonVersion(v(1, 1), v(1, 2)), 1);
  t.equal(commonVersion(v(1, 2), v(2, 3)), 2);
  t.equal(commonVersion(v(1, 1), v(2, 3)), undefined);
});

t.test('a proof of the secret', async (t) => {
  const bytes = Buffer.from(plain(helloBytes), 'hex');
  const proof = makeProof(Buffer.from('a secret of good length'), 'dialer', bytes, bytes);
  t.equal(
    Buffer.from(proof).toString('hex'),
    'f64155e95e4cbd28b65f80dd4d2886dd2b14e9a0c9a8b88bb2a4b5b9f0972bac',
  );
});

t.test('a frame: WebSocket head, mask of zeros for a dialer, checksum, records', async (t) => {
  const body = `05 08 ${'00'.repeat(8)} 07 02 ac02`;
  const bytes = Buffer.from(plain(body), 'hex');
  const sum = crc32(bytes).toString(16).padStart(8, '0');
  const frame = (): Frame =>
    new Frame()
      .add(recordTypes.ping, Buffer.alloc(8))
      .add(recordTypes.received, bytes.subarray(12));
  t.equal(frame().seal(false).toString('hex'), plain(`82 12 ${sum} ${body}`));
  t.equal(frame().seal(true).toString('hex'), plain(`82 92 00000000 ${sum} ${body}`));
  const long = new Frame().add(recordTypes.piece, Buffer.alloc(1000)).seal(false);
  t.equal(long.subarray(0, 4).toString('hex'), '827e03ef');
});

const parcel: Parcel = {
  to: { node: 2 as NodeId, place: 1 as PlaceId, name: 'replica/1' },
  from: { node: 1 as NodeId, place: 3 as PlaceId, name: 's' },
  ...{ kind: 'shard.append', priority: 'high', flow: 'droppable', bytes: Buffer.from('abc') },
};

function payloads(outbox: Outbox): string[] {
  const all: string[] = [];
  for (let frame = outbox.take(() => true); frame !== undefined; frame = outbox.take(() => true)) {
    const sealed = frame.seal(false);
    all.push(sealed.subarray(sealed.length - frame.payloadBytes + 4).toString('hex'));
  }
  return all;
}

t.test('messages: numbers are announced first; reliable ones carry their sequence', async (t) => {
  const outbox = new Outbox(defaultMeshLimits);
  outbox.put(parcel);
  outbox.put({ ...parcel, from: undefined, priority: 'critical' });
  outbox.put({ ...parcel, priority: 'low' }, 300);
  const to = `09${hex('replica/1')}`;
  t.same(payloads(outbox), [
    plain(`08 03 01 01 04  09 0e 01 0c${hex('shard.append')}  08 03 02 01 00`),
    plain(`10 10 00 02 01 ${to} ${hex('abc')}`),
    plain(`11 12 00 01 01 ${to} 01${hex('s')} ${hex('abc')}`),
    plain(`1b 14 ac02 00 01 01 ${to} 01${hex('s')} ${hex('abc')}`),
  ]);
});

t.test('what was put out comes in, whatever its size', async (t) => {
  const outbox = new Outbox(defaultMeshLimits);
  const sizes = [0, 1, 100, 32_700, 32_768, 65_000, 65_536, 200_000, 3];
  for (const size of sizes) outbox.put({ ...parcel, bytes: Buffer.alloc(size, size) });
  const came: Arrived[] = [];
  const inbox = new Inbox(2 as NodeId, 1 as NodeId, 1e6, {
    arrived: (each) => came.push({ ...each, bytes: Buffer.from(each.bytes) }),
    control: () => undefined,
  });
  for (let frame = outbox.take(() => true); frame !== undefined; frame = outbox.take(() => true)) {
    const sealed = frame.seal(false);
    t.ok(frame.payloadBytes <= 65_700, 'no frame is large');
    inbox.take(sealed.subarray(sealed.length - frame.payloadBytes));
  }
  t.same(
    came.map(({ bytes }) => bytes.length),
    sizes,
  );
  t.ok(came.every(({ bytes }) => bytes.every((byte) => byte === bytes.length % 256)));
  t.same(came[0]?.to, parcel.to);
  t.same(came[0]?.from, parcel.from);
  t.equal(came[0]?.kind, 'shard.append');
  t.equal(outbox.bytes, 0, 'and nothing is left');
  t.throws(() => inbox.take(payloadOf([recordTypes.kind, Buffer.from([9, 1, 65])])), {
    ...{ kind: 'data_corrupted', message: /./ },
  });
});
