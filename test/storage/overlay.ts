/** What a replica reads while the engine lags behind. */
import fc from 'fast-check';
import t from 'tap';
import { MemoryEngine, Overlay, type Ticket } from '#src/storage/index.js';
import { bytes, contents, durable, everything, text } from './place.js';

t.test('the overlay shows the newest applied state, whatever the engine has by then', async () => {
  const key = fc.integer({ min: 0, max: 40 }).map((n) => Buffer.of(n));
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        op: fc.constant('set' as const),
        key,
        value: fc.option(
          fc.nat(255).map((n) => Buffer.of(n)),
          { nil: undefined },
        ),
      }),
    },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('take' as const) }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('flush' as const) }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('scan' as const), from: key, to: key }) },
  );
  const hex = (value: Uint8Array | undefined): string | undefined =>
    value === undefined ? undefined : Buffer.from(value).toString('hex');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const held: (() => void)[] = [];
      const engine = new MemoryEngine({ schedule: (finish) => held.push(finish) });
      const overlay = new Overlay(engine);
      const given: { readonly number: number; readonly ticket: Ticket }[] = [];
      engine.onDurable(() => {
        for (const { number, ticket } of given) {
          if (ticket <= engine.durableTicket) overlay.markDurable(number);
        }
      });
      const model = new Map<number, string>();
      for (const action of steps) {
        if (action.op === 'set') {
          overlay.set(action.key, action.value);
          if (action.value === undefined) model.delete(action.key[0] ?? 0);
          else model.set(action.key[0] ?? 0, hex(action.value) ?? '');
        } else if (action.op === 'take') {
          const { number, puts } = overlay.takeGeneration();
          given.push({ number, ticket: engine.commit(puts) });
        } else if (action.op === 'flush') held.shift()?.();
        else {
          const [from, to] = [action.from[0] ?? 0, action.to[0] ?? 0];
          const expected = [...model]
            .filter(([n]) => n >= from && n < to)
            .sort(([a], [b]) => a - b);
          for (const reverse of [false, true]) {
            const seen: [number, string | undefined][] = [];
            overlay.scan(
              { from: action.from, to: action.to },
              (key, value) => seen.push([key[0] ?? 0, hex(value)]) > 0,
              reverse,
            );
            if (reverse) seen.reverse();
            if (JSON.stringify(seen) !== JSON.stringify(expected)) return false;
          }
        }
        for (let n = 0; n < 40; n += 1) {
          if (hex(overlay.get(Buffer.of(n))) !== model.get(n)) return false;
        }
        if (overlay.bytes < overlay.dirtyBytes || overlay.dirtyBytes < 0) return false;
      }
      // Once everything is flushed nothing is left in memory.
      const { number, puts } = overlay.takeGeneration();
      given.push({ number, ticket: engine.commit(puts) });
      while (held.length > 0) held.shift()?.();
      return overlay.bytes === 0;
    }),
    { numRuns: 150 },
  );
});

t.test('a scan of the overlay may be ended anywhere and may set keys on its way', async (t) => {
  const engine = new MemoryEngine();
  const evens = ['b', 'd', 'f'].map((k) => ({ key: bytes(k), value: bytes('engine') }));
  await durable(engine, engine.commit(evens));
  const overlay = new Overlay(engine);
  for (const k of ['a', 'c', 'e', 'f']) overlay.set(bytes(k), bytes('overlay'));
  overlay.set(bytes('d'), undefined);
  t.equal(overlay.get(bytes('d')), undefined, 'a deletion hides what the engine has');
  const all = ['a=overlay', 'b=engine', 'c=overlay', 'e=overlay', 'f=overlay'];
  t.same(contents(overlay), all);
  for (let limit = 1; limit <= all.length; limit += 1) {
    const seen: string[] = [];
    overlay.scan(everything, (key, value) => {
      seen.push(`${text(key)}=${text(value)}`);
      overlay.set(bytes('a'), bytes('overlay'));
      overlay.set(bytes('0'), undefined);
      return seen.length < limit;
    });
    t.same(seen, all.slice(0, limit));
  }
});
