/**
 * The actor runtime in virtual time: order, priorities, durability, bounded queues, supervision,
 * timers, and messages as bytes.
 */
import t from 'tap';
import { type Context, decodeMessage, registerClass } from '#src/actors/index.js';
import { AssertionError, assert } from '#src/base/assert.js';
import { type Note, noteTypes, place, World } from './actors/world.js';

function note(kind: string, text: string, does?: Note['does']): Note {
  return does === undefined ? { kind, text } : { kind, text, does };
}

t.test('order and priorities', async (t) => {
  const world = new World();
  const { dispatcher } = world;
  const a = world.spawn('a');
  world.run();
  for (const kind of ['low', 'normal', 'high', 'critical']) {
    dispatcher.post(a, note(kind, `${kind} 1`));
    dispatcher.post(a, note(kind, `${kind} 2`));
  }
  t.same(world.run(), [
    'a: critical 1',
    'a: critical 2',
    'a: high 1',
    'a: high 2',
    'a: normal 1',
    'a: normal 2',
    'a: low 1',
    'a: low 2',
  ]);

  t.test('a flood of urgent messages does not hold up the rest for ever', async (t) => {
    let left = 100;
    const again = note('normal', 'again', (context) => {
      left -= 1;
      if (left > 0) context.send(a, again);
    });
    dispatcher.post(a, again);
    dispatcher.post(a, note('low', 'low'));
    const served = world.run().indexOf('a: low');
    t.ok(served >= 0 && served < 20, `served after ${served} turns`);
  });

  t.test('effects happen after the turn, in order; spawned actors get what is sent', async (t) => {
    dispatcher.post(
      a,
      note('normal', 'parent', (context) => {
        const child = context.spawn<Note>('recorder', 'child', undefined, place);
        context.send(child, note('normal', 'first'));
        context.send(
          child,
          note('normal', 'second', (own) => own.stop()),
        );
        context.send(child, note('normal', 'third'));
        context.probe('test.spawned');
      }),
    );
    t.same(world.run(), [
      'a: parent',
      'child: started 0',
      'child: first',
      'child: second',
      'child: stopped()',
    ]);
    t.equal(world.metric('shardforge_actor_dead_letters_total'), 1, 'the third is a dead letter');
    t.same(world.probes, ['test.spawned']);
  });

  t.test('a context is valid during its turn only', async (t) => {
    let kept: Context<Note> | undefined;
    dispatcher.post(
      a,
      note('normal', 'keep', (context) => {
        kept = context;
      }),
    );
    world.run();
    t.throws(() => kept?.send(a, note('normal', 'late')), AssertionError);
  });

  t.test('each actor has random numbers of its own, the same for the same seed', async (t) => {
    const draw = (seed: number): readonly number[] => {
      const numbers: number[] = [];
      const other = new World({}, false, seed);
      for (const name of ['x', 'y']) {
        other.dispatcher.post(
          other.spawn(name),
          note('normal', 'draw', (context) => numbers.push(context.random.uint32())),
        );
      }
      other.run();
      return numbers;
    };
    t.same(draw(7), draw(7));
    t.not(draw(7)[0], draw(8)[0]);
    t.not(draw(7)[0], draw(7)[1]);
  });
});

t.test('messages wait for durability, and later ones to the same receiver with them', async (t) => {
  const world = new World();
  const { dispatcher, journal } = world;
  const [a, b, c] = [world.spawn('a'), world.spawn('b'), world.spawn('c')];
  world.run();
  const persist = (text: string): void => {
    dispatcher.post(
      a,
      note('normal', text, (context) => {
        const persisted = context.persist([]);
        context.sendDurable(persisted, b, note('normal', `${text} durable`));
        context.send(b, note('normal', `${text} plain`));
        context.send(b, note('unordered', `${text} unordered`));
        context.send(c, note('normal', `${text} elsewhere`));
      }),
    );
  };
  persist('one');
  persist('two');
  t.same(world.run(), [
    'a: one',
    'a: two',
    'b: one unordered',
    'c: one elsewhere',
    'b: two unordered',
    'c: two elsewhere',
  ]);
  t.equal(world.metric('shardforge_actor_held_messages'), 4);
  journal.flush(1);
  t.same(world.run(), ['b: one durable', 'b: one plain']);
  dispatcher.post(
    a,
    note('normal', 'three', (context) => context.send(b, note('normal', 'three plain'))),
  );
  t.same(world.run(), ['a: three'], 'what comes later waits behind what waits');
  journal.flush(2);
  t.same(world.run(), ['b: two durable', 'b: two plain', 'b: three plain']);
  dispatcher.post(
    a,
    note('normal', 'four', (context) => context.send(b, note('normal', 'four plain'))),
  );
  t.same(world.run(), ['a: four', 'b: four plain'], 'nothing waits any more');
  journal.fail(new Error('disk is full'));
  t.equal(world.fatal[0]?.message, 'disk is full', 'a journal that fails ends the process');
});

t.test('what waits for the later lane of a journal is overtaken', async (t) => {
  const world = new World();
  const { journal, dispatcher } = world;
  const [a, b] = [world.spawn('a'), world.spawn('b')];
  world.run();
  dispatcher.post(
    a,
    note('normal', 'one', (context) => {
      const later = context.persistLater([]);
      context.sendDurable(later, b, note('unordered', 'later'));
      const persisted = context.persist([]);
      context.sendDurable(persisted, b, note('normal', 'durable'));
    }),
  );
  t.same(world.run(), ['a: one']);
  journal.flush();
  t.same(world.run(), ['b: durable']);
  journal.flushLater();
  t.same(world.run(), ['b: later']);
});

t.test('full queues', async (t) => {
  const world = new World({ queueMessagesMax: 2 });
  const { dispatcher } = world;
  const [a, b] = [world.spawn('a'), world.spawn('b')];
  world.run();
  const sends = ['work', 'work', 'work', 'droppable', 'normal'];
  const answers = sends.map((kind, i) => dispatcher.post(b, note(kind, `${kind} ${i}`)));
  t.same(answers, [true, true, false, true, true], 'only new work is refused');
  t.same(world.run(), ['b: work 0', 'b: work 1', 'b: normal 4'], 'a reply always passes');
  t.equal(world.metric('shardforge_actor_dropped_total'), 1);
  t.equal(world.metric('shardforge_actor_refused_total'), 1);
  dispatcher.post(
    a,
    note('normal', 'flood', (context) => {
      for (let i = 0; i < 4; i += 1) context.send(b, note('work', `work ${i}`));
      context.send({ ...b, name: 'nobody' }, note('work', 'astray'));
    }),
  );
  t.same(world.run(), [
    'a: flood',
    'a: refused work 2 full',
    'a: refused work 3 full',
    'a: refused astray absent',
    'b: work 0',
    'b: work 1',
  ]);
});

t.test('an actor that throws', async (t) => {
  const world = new World({ restartDelayMs: 10, restartDelayMaxMs: 40, restartForgiveMs: 1000 });
  const { dispatcher } = world;
  const [a, b] = [world.spawn('a'), world.spawn('b')];
  dispatcher.post(a, { kind: 'actor.watch', watcher: b } as unknown as Note);
  world.run();
  const fail = note('normal', 'fail', (context) => {
    context.send(b, note('normal', 'never sent'));
    context.setTimer('never', 1, note('normal', 'never fires'));
    throw new Error('as asked');
  });
  dispatcher.post(
    a,
    note('normal', 'timer', (c) => c.setTimer('t', 5, note('normal', 'fires'))),
  );
  dispatcher.post(a, fail);
  dispatcher.post(a, note('normal', 'waits'));
  t.same(world.run(9), ['a: timer', 'a: fail', 'a: stopped()', 'b: a failed']);
  t.same(
    world.logged.filter((line) => line.startsWith('error')),
    ['error actor.failed a normal'],
  );
  t.same(world.run(10), ['a: started 1', 'a: waits'], 'messages wait for it, its timers are gone');
  t.equal(world.metric('shardforge_actor_restarts_total'), 1);

  dispatcher.post(a, fail);
  t.same(world.run(29).length, 3);
  t.same(world.run(30), ['a: started 2'], 'the pause doubles');
  dispatcher.post(a, fail);
  world.run(30);
  dispatcher.post(a, fail);
  t.same(world.run(69), []);
  t.same(world.run(70), ['a: started 3', 'a: fail', 'a: stopped()', 'b: a failed']);
  t.same(world.run(110), ['a: started 4'], 'up to its maximum');
  world.run(2000);
  dispatcher.post(a, fail);
  world.run(2000);
  t.same(world.run(2010), ['a: started 5'], 'and is forgiven after a while');

  dispatcher.post(
    a,
    note('normal', 'stop', (context) => context.stop()),
  );
  t.same(world.run(), ['a: stop', 'a: stopped()', 'b: a stopped']);
  dispatcher.post(a, { kind: 'actor.watch', watcher: b } as unknown as Note);
  t.same(world.run(), ['b: a absent']);

  t.test('a vital actor that throws ends the process, another one does not', async (t) => {
    const broken = note('normal', 'broken', () => assert(false, 'as asked'));
    dispatcher.post(world.spawn('plain'), broken);
    world.run();
    t.equal(world.fatal.length, 0);
    dispatcher.post(world.spawn('vital', 'vital'), broken);
    world.run();
    t.equal(world.fatal[0]?.message, 'as asked');
  });

  t.test('a message type that nobody registered is its sender’s bug', async (t) => {
    const logged = world.logged.length;
    dispatcher.post(
      b,
      note('normal', 'send', (c) => c.send(b, note('unheard', 'of'))),
    );
    world.run();
    t.match(world.logged.slice(logged).join('\n'), 'error actor.failed b normal');
    t.throws(() => dispatcher.post(b, note('unheard', 'of')), AssertionError);
  });
});

t.test('timers', async (t) => {
  const world = new World();
  const a = world.spawn('a');
  world.run();
  world.dispatcher.post(
    a,
    note('normal', 'set', (context) => {
      for (const delayMs of [30, 10, 20, 10]) {
        const name = `${delayMs}/${context.random.uint32()}`;
        context.setTimer(name, delayMs, note('normal', `after ${delayMs}`));
      }
      context.setTimer('replaced', 15, note('normal', 'too early'));
      context.setTimer('replaced', 25, note('normal', 'after 25'));
      context.setTimer('cancelled', 5, note('normal', 'cancelled'));
      context.cancelTimer('cancelled');
    }),
  );
  t.same(world.run(9), ['a: set']);
  t.same(world.run(10), ['a: after 10', 'a: after 10']);
  t.same(world.run(25), ['a: after 20', 'a: after 25']);
  t.same(world.run(1000), ['a: after 30']);
  t.equal(world.dispatcher.nextTimerMs, undefined);
});

t.test('long turns are counted and logged once a second', async (t) => {
  const world = new World();
  const a = world.spawn('a');
  const long = note('normal', 'long', () => {
    world.nowMs += 6;
  });
  for (let i = 0; i < 3; i += 1) world.dispatcher.post(a, long);
  world.run();
  t.equal(world.metric('shardforge_actor_long_turns_total'), 3);
  t.same(
    world.logged.filter((line) => line.includes('longTurn')),
    ['warn actor.longTurn a normal'],
  );
});

t.test('every message encoded and decoded', async (t) => {
  class Money {
    readonly cents: bigint;
    constructor(cents: bigint) {
      this.cents = cents;
    }
  }
  registerClass(
    Money,
    40_999,
    ({ cents }) => cents,
    (cents: bigint) => new Money(cents),
  );
  const world = new World({}, true);
  const { dispatcher } = world;
  const a = world.spawn('a');
  let got: Record<string, unknown> = {};
  const door = dispatcher.door<Note & Record<string, unknown>>('door', noteTypes, (message) => {
    got = message;
  });
  const values = {
    big: 5n,
    huge: -(2n ** 100n),
    bytes: new Uint8Array([1, 2]),
    absent: undefined,
    list: [null, 1.5, 2 ** 40, -1, Number.NaN],
    negative: { zero: -0 },
    money: new Money(7n),
  };
  door.post(door.ref, { ...note('normal', 'values'), ...values });
  world.run();
  t.same(
    { ...got, bytes: new Uint8Array(got.bytes as Uint8Array) },
    {
      kind: 'normal',
      text: 'values',
      ...values,
    },
  );
  t.ok(got.money instanceof Money);
  t.ok(Object.is((got.negative as { readonly zero: number }).zero, -0));

  dispatcher.registerMessages([
    {
      kind: 'broken',
      priority: 'normal',
      flow: 'reply',
      codec: {
        encode: () => new Uint8Array(1),
        decode: () => {
          throw new RangeError('not a message');
        },
      },
    },
  ]);
  door.post(a, note('broken', 'x'));
  t.same(world.run(), []);
  t.equal(world.metric('shardforge_actor_undecodable_total'), 1);
  t.match(world.logged.join('\n'), 'warn actor.undecodable a broken');
});

t.test('what is decoded stays as it is when the ring is written again', async (t) => {
  const type = {
    kind: 'raw',
    priority: 'normal',
    flow: 'reply',
    codec: {
      encode: () => new Uint8Array(),
      decode: (bytes: Uint8Array) => ({ kind: 'raw', view: bytes.subarray(1) }),
    },
  } as const;
  for (const bytes of [Buffer.from([1, 2, 3]), Uint8Array.of(1, 2, 3)]) {
    const { view } = decodeMessage(type, bytes) as unknown as { readonly view: Uint8Array };
    bytes.fill(9);
    t.same([...view], [2, 3]);
  }
});
