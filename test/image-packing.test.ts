/** Snapshots of which the chunks are compressed: each chunk says how, so nodes may differ in it. */
import t from 'tap';
import { must } from '#src/base/assert.js';
import type { NodeId } from '#src/base/ids.js';
import { zlibPacker } from '#src/node/index.js';
import { pack, packings, unpack } from '#src/shard/packing.js';
import { keyOf } from './shard/print.js';
import { World } from './shard/world.js';

const nodes = [1, 2, 3] as NodeId[];
const limits = { logTailBytes: 500, logHeldBytes: 1000, logTailEntries: 4, applyBatchBytes: 200 };

/** A member has missed more than the log holds; it comes back and gets a snapshot. */
function caughtUp(packing: (typeof packings)[number], value: (i: number) => Uint8Array): World {
  const genesis = { voters: nodes, learners: [], witnesses: [] };
  const world = new World({ genesis, packing, encodeAll: true, limits });
  const serve = (): boolean => world.living.every(({ access }) => access.refusal === undefined);
  must(world.until(serve) || undefined, 'the group serves');
  const leader = must(world.leader, 'somebody leads');
  const lagging = must(
    world.living.find((node) => node !== leader),
    'a follower',
  );
  world.isolate(lagging.id);
  for (let i = 0; i < 200; i += 1) {
    const { access } = leader;
    world.propose(
      {
        transaction: access.nextTransactionId(),
        snapshot: access.appliedTimestamp,
        writes: [{ op: 'put', key: keyOf(`key ${i}`), value: value(i) }],
        ...{ guards: [], objects: [], numbersTerm: undefined },
      },
      leader.id,
    );
    world.advance(5);
  }
  world.heal();
  world.advance(5000);
  return world;
}

function total(world: World, what: string): number {
  const name = `shardforge_shard_snapshot_${what}_bytes_total`;
  return world.living
    .flatMap(({ metrics }) => metrics.snapshot())
    .filter((sample) => sample.name === name)
    .reduce((sum, { value }) => sum + value, 0);
}

const text = (i: number): Uint8Array => Buffer.from(`a customer ${i} of a street `.repeat(20));

for (const packing of packings) {
  t.test(`${packing}: a member that missed too much gets what the others have`, async (t) => {
    const world = caughtUp(packing, text);
    const hashes = new Set(world.living.map(({ observed }) => observed.stateHash()));
    t.equal(hashes.size, 1);
    t.ok(total(world, 'received') > 100_000, 'by a snapshot');
    const share = total(world, 'wire') / total(world, 'sent');
    if (packing === 'none') t.ok(share >= 1, 'as it is');
    else t.ok(share < 0.3, `compressed to ${share.toFixed(2)} of it`);
  });
}

t.test('what does not become smaller is sent as it is', async (t) => {
  let state = 1;
  const noise = (): Uint8Array =>
    Buffer.from(
      Array.from({ length: 400 }, () => {
        state = (state * 48_271) % 2_147_483_647;
        return state % 256;
      }),
    );
  const packed = pack(zlibPacker, 'deflate', noise());
  t.equal(packed.packing, 'none');
  const world = caughtUp('brotli', noise);
  t.equal(new Set(world.living.map(({ observed }) => observed.stateHash())).size, 1);
});

t.test('bytes that do not become what was said are no chunk', async (t) => {
  const bytes = text(1);
  for (const packing of packings) {
    const packed = pack(zlibPacker, packing, bytes);
    t.same(Buffer.from(must(unpack(zlibPacker, packed), 'it is whole')), Buffer.from(bytes));
    for (const unpackedBytes of [0, bytes.length - 1, bytes.length + 1]) {
      t.equal(unpack(zlibPacker, { ...packed, unpackedBytes }), undefined);
    }
    if (packing === 'none') continue;
    t.equal(unpack(zlibPacker, { ...packed, bytes: packed.bytes.subarray(4) }), undefined);
    t.same(unpack(zlibPacker, pack(zlibPacker, packing, Buffer.alloc(0))), Buffer.alloc(0));
  }
});
