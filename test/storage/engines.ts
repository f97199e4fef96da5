/** The contract of an engine, kept by each of them. */
import t from 'tap';
import { Random } from '#src/base/random.js';
import {
  LmdbEngine,
  MemoryEngine,
  MirrorEngine,
  type Batch,
  type Engine,
  type Ticket,
} from '#src/storage/index.js';
import { keyBytesMax } from '#src/storage/keys.js';
import {
  bytes,
  contents,
  durable,
  everything,
  folder,
  newStore,
  text,
  type Test,
} from './place.js';

/** The suite that every engine passes. `open` makes a fresh engine. */
function engineSuite(name: string, open: (t: Test) => Engine | Promise<Engine>): void {
  t.test(`${name}: what is durable is read, in order, forwards and backwards`, async (t) => {
    const engine = await open(t);
    t.equal(engine.durableTicket, 0);
    const first = engine.commit(
      ['b', 'd', 'a', 'c'].map((k) => ({ key: bytes(k), value: bytes(`1${k}`) })),
    );
    t.equal(first, 1);
    t.equal(engine.durableTicket, 0, 'commit does not wait');
    const second = engine.commit([
      { key: bytes('c'), value: bytes('2c') },
      { key: bytes('b'), value: undefined },
      { key: bytes('absent'), value: undefined },
      { key: bytes('e'), value: bytes('lost') },
      { key: bytes('e'), value: bytes('') },
    ]);
    await durable(engine, second);
    t.equal(engine.durableTicket, 2);
    t.same(contents(engine), ['a=1a', 'c=2c', 'd=1d', 'e=']);
    t.same(contents(engine, everything, true), ['e=', 'd=1d', 'c=2c', 'a=1a']);
    const span = { from: bytes('a'), to: bytes('d') };
    t.same(contents(engine, span), ['a=1a', 'c=2c'], 'from is in the span, to is not');
    t.same(contents(engine, span, true), ['c=2c', 'a=1a']);
    const inner = { from: bytes('aa'), to: bytes('cc') };
    t.same(contents(engine, inner, true), ['c=2c']);
    t.same(contents(engine, { from: bytes('x'), to: bytes('z') }, true), []);
    t.equal(text(engine.get(bytes('c'))), '2c');
    t.equal(text(engine.get(bytes('e'))), '', 'an empty value is a value');
    t.equal(engine.get(bytes('b')), undefined);
    let visits = 0;
    engine.scan(everything, () => {
      visits += 1;
      return visits < 2;
    });
    t.equal(visits, 2, 'visit ends the scan');
    const stats = engine.stats();
    t.ok(stats.flushes >= 1 && stats.usedBytes > 0);
    await engine.close();
  });

  t.test(`${name}: batches committed during a flush share the next one`, async (t) => {
    const engine = await open(t);
    const risen: number[] = [];
    engine.onDurable(() => risen.push(engine.durableTicket));
    await durable(engine, engine.commit([{ key: bytes('a'), value: bytes('1') }]));
    engine.commit([{ key: bytes('b'), value: bytes('1') }]);
    await null;
    let last = 0 as Ticket;
    for (let n = 0; n < 100; n += 1)
      last = engine.commit([{ key: Buffer.of(65, n), value: bytes('1') }]);
    await durable(engine, last);
    t.equal(last, 102);
    t.ok(risen.length <= 5, `few flushes: ${risen}`);
    t.same(
      risen,
      [...risen].sort((a, b) => a - b),
      'tickets rise',
    );
    await engine.close();
  });

  t.test(`${name}: a visit may read and commit; its arrays stay what they were`, async (t) => {
    const engine = await open(t);
    const batch: Batch = ['a', 'b', 'c'].map((k) => ({ key: bytes(k), value: bytes(k.repeat(9)) }));
    await durable(engine, engine.commit(batch));
    const seen: string[] = [];
    let last = 0 as Ticket;
    engine.scan(everything, (key, value) => {
      t.same(contents(engine).length, 3);
      t.equal(text(engine.get(bytes('c'))), 'ccccccccc');
      last = engine.commit([{ key: Buffer.concat([key, bytes('x')]), value }]);
      seen.push(`${text(key)}=${text(value)}`);
      return true;
    });
    t.same(seen, ['a=aaaaaaaaa', 'b=bbbbbbbbb', 'c=ccccccccc']);
    await durable(engine, last);
    t.equal(contents(engine).length, 6);
    await engine.close();
  });

  t.test(`${name}: random batches leave what a map would hold`, async (t) => {
    const engine = await open(t);
    const random = new Random(11);
    const model = new Map<string, string>();
    let last = 0 as Ticket;
    for (let round = 0; round < 60; round += 1) {
      const batch = Array.from({ length: random.below(20) }, () => {
        const key = Buffer.alloc(random.between(1, 3), random.between(97, 122));
        key[0] = random.between(97, 122);
        const size = random.chance(0.05) ? 20_000 : random.below(50);
        const value = random.chance(0.3) ? undefined : Buffer.alloc(size, random.between(97, 122));
        return { key, value };
      });
      for (const { key, value } of batch) {
        if (value === undefined) model.delete(key.toString());
        else model.set(key.toString(), value.toString());
      }
      last = engine.commit(batch);
      if (random.chance(0.3)) await durable(engine, last);
    }
    await durable(engine, last);
    const expected = [...model].map(([key, value]) => `${key}=${value}`).sort();
    t.same(contents(engine).sort(), expected);
    t.same(contents(engine), contents(engine, everything, true).reverse());
    for (const [key, value] of model) t.equal(text(engine.get(bytes(key))), value);
    await engine.close();
  });

  t.test(`${name}: the longest key is taken, a longer one is a bug of the caller`, async (t) => {
    const engine = await open(t);
    const longest = Buffer.alloc(keyBytesMax, 0x61);
    await durable(engine, engine.commit([{ key: longest, value: bytes('v') }]));
    t.equal(text(engine.get(longest)), 'v');
    const span = { from: longest, to: Buffer.of(0x62) };
    t.equal(contents(engine, span, true).length, 1);
    const longer = Buffer.concat([longest, bytes('a')]);
    t.equal(engine.get(longer), undefined, 'a key that cannot be there is absent');
    t.equal(engine.get(Buffer.alloc(0)), undefined);
    const from = { from: longer, to: Buffer.of(0x62) };
    t.same([contents(engine, from), contents(engine, from, true)], [[], []]);
    const to = { from: bytes('a'), to: longer };
    t.same([contents(engine, to).length, contents(engine, to, true).length], [1, 1]);
    t.throws(() => engine.commit([{ key: Buffer.alloc(keyBytesMax + 1), value: bytes('v') }]));
    t.throws(() => engine.commit([{ key: Buffer.alloc(0), value: bytes('v') }]));
    await engine.close();
  });

  t.test(`${name}: values from none to many megabytes, and a batch of nothing`, async (t) => {
    const engine = await open(t);
    const sizes = [0, 1, 2000, 4096, 70_000, 20 * 1024 * 1024];
    const key = (size: number): Buffer => Buffer.from(`size ${size}`);
    for (const size of sizes) {
      engine.commit([{ key: key(size), value: Buffer.alloc(size, size % 251) }]);
    }
    await durable(engine, engine.commit([]));
    for (const size of sizes) {
      const value = engine.get(key(size));
      t.ok(value !== undefined && Buffer.alloc(size, size % 251).equals(value), `${size} bytes`);
    }
    let seen = 0;
    engine.scan(everything, (_key, value) => {
      seen += value.length;
      return true;
    });
    t.equal(
      seen,
      sizes.reduce((sum, size) => sum + size),
    );
    await engine.close();
  });

  t.test(`${name}: close waits for what was committed`, async (t) => {
    const engine = await open(t);
    const ticket = engine.commit([{ key: bytes('a'), value: bytes('1') }]);
    await engine.close();
    t.equal(engine.durableTicket, ticket);
    t.throws(() => engine.get(bytes('a')), 'a closed engine refuses');
    t.throws(() => engine.commit([]));
  });
}

engineSuite('memory', () => new MemoryEngine());
engineSuite('lmdb', (t) => new LmdbEngine({ path: folder(t) }));
engineSuite('store', (t) => newStore(t));
engineSuite('mirror', async (t) => new MirrorEngine(new MemoryEngine(), await newStore(t)));
