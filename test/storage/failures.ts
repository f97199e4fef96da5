/** What a crash, a held flush, a full disk and a rotten value leave. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DatabaseError } from '#src/base/errors.js';
import type { DatabaseId, StorageId } from '#src/base/ids.js';
import { checksum } from '#src/storage/checksum.js';
import { LmdbEngine, MemoryEngine, type Engine, type Ticket } from '#src/storage/index.js';
import { dataPrefix, keyKind } from '#src/storage/keys.js';
import {
  bytes,
  contents,
  durable,
  everything,
  folder,
  skipMounts,
  smallDisk,
  text,
} from './place.js';

t.test(
  'after a crash the engine holds a prefix of the tickets, and each batch whole',
  async (t) => {
    for (let surviving = 0; surviving <= 4; surviving += 1) {
      const held: (() => void)[] = [];
      const engine = new MemoryEngine({ schedule: (finish) => held.push(finish) });
      engine.commit([{ key: bytes('first'), value: bytes('1') }]);
      held.shift()?.();
      t.equal(engine.durableTicket, 1);
      for (const n of [2, 3, 4, 5]) {
        const value = bytes(String(n));
        engine.commit([
          { key: bytes('both'), value },
          { key: bytes('halves'), value },
          { key: bytes(`own ${n}`), value },
        ]);
      }
      t.equal(engine.pending, 4);
      t.equal(engine.get(bytes('both')), undefined, 'what is not flushed cannot be read');
      const left = engine.crash(surviving);
      t.throws(() => engine.get(bytes('first')), 'the dead engine refuses');
      held.shift()?.();
      t.equal(engine.durableTicket, 1, 'a flush that a crash overtook reports nothing');
      const next = new MemoryEngine({ contents: left });
      t.equal(text(next.get(bytes('first'))), '1');
      const newest = surviving === 0 ? undefined : String(surviving + 1);
      t.equal(text(next.get(bytes('both'))), newest);
      t.equal(text(next.get(bytes('halves'))), newest);
      for (const n of [2, 3, 4, 5]) {
        t.equal(next.get(bytes(`own ${n}`)) !== undefined, n <= surviving + 1);
      }
    }
  },
);

t.test('with the flush held back nothing is called durable', async (t) => {
  const held: (() => void)[] = [];
  const options = { path: folder(t), beforeFlush: (proceed: () => void) => held.push(proceed) };
  const engine = new LmdbEngine(options);
  let told = 0;
  engine.onDurable(() => {
    told += 1;
  });
  engine.commit([{ key: bytes('a'), value: bytes('1') }]);
  await new Promise((resolve) => setTimeout(resolve, 30));
  engine.commit([{ key: bytes('b'), value: bytes('1') }]);
  await new Promise((resolve) => setTimeout(resolve, 30));
  t.equal(held.length, 1, 'one flush at a time');
  t.equal(told, 0);
  t.equal(engine.durableTicket, 0);
  t.same(contents(engine), []);
  held.shift()?.();
  await durable(engine, 1 as Ticket);
  t.same(contents(engine), ['a=1']);
  t.equal(told, 1);
  held.shift()?.();
  await durable(engine, 2 as Ticket);
  t.same(contents(engine), ['a=1', 'b=1']);
  await engine.close();
  const again = new LmdbEngine({ path: options.path });
  t.same(contents(again), ['a=1', 'b=1']);
  await again.close();
});

/** Fills the engine until it fails; what was called durable before must be there afterwards. */
async function fill(engine: Engine): Promise<{ durable: number; failure: DatabaseError }> {
  const failure = await new Promise<Error>((resolve) => {
    let n = 0;
    const next = (): void => {
      engine.commit([{ key: Buffer.of(65, n >> 8, n & 255), value: Buffer.alloc(50_000, n) }]);
      n += 1;
    };
    engine.onDurable((failure) => (failure === undefined ? next() : resolve(failure)));
    next();
  });
  if (!(failure instanceof DatabaseError)) throw failure;
  return { durable: engine.durableTicket, failure };
}

t.test('a full disk stops the engine; nothing acknowledged is lost', async (t) => {
  const reopened = async (path: string, count: number): Promise<void> => {
    const again = new LmdbEngine({ path });
    const found = contents(again).length;
    t.equal(found, count, 'what was acknowledged is there, and nothing else');
    await again.close();
  };
  t.test('the map is full', async (t) => {
    const path = folder(t);
    const engine = new LmdbEngine({ path, mapBytes: 4 * 1024 * 1024 });
    const { durable, failure } = await fill(engine);
    t.equal(failure.kind, 'disk_full');
    t.match(failure.message, /fills its map of 4194304 bytes/);
    engine.commit([{ key: bytes('z'), value: bytes('1') }]);
    await engine.close();
    t.equal(engine.durableTicket, durable, 'after the failure nothing becomes durable');
    await reopened(path, durable);
  });
  t.test('the disk is full', { skip: skipMounts }, async (t) => {
    const path = smallDisk(t, '12m');
    const engine = new LmdbEngine({ path });
    const { durable, failure } = await fill(engine);
    t.equal(failure.kind, 'disk_full', failure.message);
    await engine.close();
    await reopened(path, durable);
  });
  t.test('the simulated disk is full', async (t) => {
    const engine = new MemoryEngine();
    const failures: unknown[] = [];
    engine.onDurable((failure) => failures.push(failure));
    engine.commit([{ key: bytes('a'), value: bytes('1') }]);
    engine.fail('disk_full');
    await null;
    t.equal(engine.durableTicket, 0);
    t.match(failures, [{ kind: 'disk_full' }]);
    t.equal(contents(new MemoryEngine({ contents: engine.crash(0) })).length, 0);
  });
});

t.test('a value that rots, or turns up under another key, is never returned', async (t) => {
  const path = folder(t);
  const key = Buffer.concat([
    dataPrefix(1 as DatabaseId, 7 as StorageId, keyKind.row),
    Buffer.of(0xab),
  ]);
  const engine = new LmdbEngine({ path });
  const value = Buffer.from('a value that can be found in the file');
  await durable(
    engine,
    engine.commit([
      { key, value },
      { key: bytes('sound'), value },
    ]),
  );
  await engine.close();
  const file = join(path, 'data.mdb');
  const content = readFileSync(file);
  for (let at = content.indexOf(value); at >= 0; at = content.indexOf(value, at + 1)) {
    const ofKey = content.subarray(at - 4 - key.length, at - 4).equals(key);
    if (ofKey) content[at + 3] = (content[at + 3] ?? 0) ^ 1;
  }
  writeFileSync(file, content);
  const again = new LmdbEngine({ path });
  const damaged = { kind: 'data_corrupted', message: /row\/1\/7\/ab fails its checksum/ };
  t.throws(() => again.get(key), damaged);
  t.throws(() => contents(again), damaged);
  t.throws(() => contents(again, everything, true), damaged);
  t.equal(text(again.get(bytes('sound'))), String(value), 'the engine goes on');
  await durable(again, again.commit([{ key, value }]));
  t.equal(text(again.get(key)), String(value));
  await again.close();

  const memory = new MemoryEngine();
  await durable(memory, memory.commit([{ key, value }]));
  memory.damage(key);
  t.throws(() => memory.get(key), damaged);
  t.throws(() => contents(memory), damaged);
  t.not(checksum(bytes('a'), value, 0, 5), checksum(bytes('b'), value, 0, 5));
});

t.test('readers of every turn pin no pages: the file does not grow', async (t) => {
  const engine = new LmdbEngine({ path: folder(t) });
  const rows = 50;
  const key = (n: number): Buffer => Buffer.of(65, n % rows);
  for (let n = 0; n < rows; n += 1) engine.commit([{ key: key(n), value: Buffer.alloc(1000) }]);
  let last = 0 as Ticket;
  for (let n = 0; n < 1500; n += 1) {
    engine.get(key(n));
    engine.scan(everything, () => false);
    last = engine.commit([{ key: key(n), value: Buffer.alloc(1000, n) }]);
    if (n % 4 === 0) await durable(engine, last);
  }
  await durable(engine, last);
  const { usedBytes } = engine.stats();
  t.ok(usedBytes < 1024 * 1024, `${usedBytes} bytes for ${rows} rows of 1000`);
  await engine.close();
});
