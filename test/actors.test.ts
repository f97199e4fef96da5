/**
 * The actor runtime: order, priorities, durability, bounded queues, supervision and timers in virtual
 * time; then the same over real threads, with none and with two workers, up to the death of one.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import {
  type Context,
  type Door,
  Jobs,
  type PlaceId,
  type Ref,
  registerClass,
  type ThreadReport,
  workersFor,
} from '#src/actors/index.js';
import { AssertionError, assert } from '#src/base/assert.js';
import { type Answer, type Ask, answerTypes } from './actors/boot.js';
import { startRuntime } from './actors/start.js';
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

for (const workers of [0, 2]) {
  t.test(`a runtime with ${workers} workers`, async (t) => {
    const runtime = await startRuntime(workers, { limits: { queueMessagesMax: 100_000 } });
    t.teardown(() => runtime.stop());
    t.equal(runtime.workers, workers);
    const got: Answer[] = [];
    let onAnswer = (): void => undefined;
    const door: Door<Answer> = runtime.door('door', answerTypes, (message: Answer) => {
      got.push(message);
      onAnswer();
    });
    const answers = (count: number): Promise<readonly Answer[]> =>
      new Promise((resolve) => {
        onAnswer = () => {
          if (got.length >= count) resolve(got.splice(0));
        };
        onAnswer();
      });
    const text = (answer: Answer | undefined): string =>
      answer?.kind === 'test.answer' ? answer.text : `${answer?.kind}`;
    const spawnAt = (name: string, placeId: number): Ref<Ask> =>
      runtime.spawn<Ask>('tester', name, undefined, placeId as PlaceId);
    const [one, two] = [spawnAt('one', 1), spawnAt('two', 2)];

    t.test('messages of one sender arrive in order', async (t) => {
      for (let number = 0; number < 5000; number += 1) {
        door.post(one, { kind: 'test.ask', number, replyTo: door.ref });
      }
      const numbers = (await answers(5000)).map((each) => 'number' in each && each.number);
      t.same(numbers, [...numbers.keys()]);
    });

    t.test('places run on their threads', async (t) => {
      const threads = new Set<string>();
      for (const ref of [one, two, spawnAt('three', 3)]) {
        door.post(ref, { kind: 'test.ask', number: 0, replyTo: door.ref });
        threads.add(text((await answers(1))[0]).split(' ')[5] ?? '');
      }
      t.equal(threads.size, Math.max(1, workers));
    });

    t.test('a message leaves when what it stands for is durable', async (t) => {
      for (let number = 0; number < 50; number += 1) {
        door.post(one, { kind: 'test.persist', number, replyTo: door.ref });
      }
      const order = (await answers(100)).map((each) => 'number' in each && each.number);
      t.same(
        order,
        [...order.keys()].map((i) => i >> 1),
      );
    });

    t.test('actors that flood each other both get all their answers', async (t) => {
      const count = 20_000;
      door.post(one, { kind: 'test.flood', peer: two, count });
      door.post(two, { kind: 'test.flood', peer: one, count });
      for (const ref of [one, two]) {
        let said = '';
        while (!said.includes(`answers ${count} `)) {
          door.post(ref, { kind: 'test.ask', number: 0, replyTo: door.ref });
          said = text((await answers(1))[0]);
        }
        t.match(said, `answers ${count} `);
      }
    });

    t.test('new work that finds no room is refused, and what was taken arrives', async (t) => {
      door.post(two, { kind: 'test.block', forMs: 100 });
      await new Promise((resolve) => setTimeout(resolve, 20));
      const bytes = new Uint8Array(1000);
      let taken = 0;
      while (taken < 200_000 && door.post(two, { kind: 'test.work', bytes })) taken += 1;
      t.ok(taken < 200_000, `refused after ${taken}`);
      door.post(two, { kind: 'test.ask', number: 0, replyTo: door.ref });
      t.match(text((await answers(1))[0]), `work ${taken} `);
    });

    t.test('a door learns that its actor failed or was never there', async (t) => {
      door.watch(one);
      door.post(one, { kind: 'test.throw' });
      t.match((await answers(1))[0], { kind: 'actor.stopped', reason: 'failed', actor: one });
      door.post(one, { kind: 'test.ask', number: 0, replyTo: door.ref });
      t.match(text((await answers(1))[0]), 'work 0 answers 0 ', 'it was made anew');
      const nobody = { ...one, name: 'nobody' };
      door.watch(nobody);
      t.match((await answers(1))[0], { kind: 'actor.stopped', reason: 'absent' });
      const accepted = door.post(nobody, { kind: 'test.work', bytes: new Uint8Array(1) });
      if (workers === 0) t.notOk(accepted, 'refused at once');
      else t.match((await answers(1))[0], { kind: 'actor.refused', reason: 'absent' });
    });

    t.test('threads report, obey, and rest', async (t) => {
      const reports = await runtime.inspect();
      t.same(
        reports.map(({ places }) => places),
        workers === 0 ? [[0, 1, 2, 3]] : [[0], [1, 3], [2]],
      );
      t.equal(sum(reports, 'shardforge_actor_restarts_total'), 1);
      t.same((await runtime.control('it'))[0], 'did it');
      await runtime.setLogLevel('error');
      const before = process.cpuUsage();
      await new Promise((resolve) => setTimeout(resolve, 500));
      const { user, system } = process.cpuUsage(before);
      t.ok((user + system) / 5000 < 5, `idle at ${(user + system) / 5000} %`);
    });
  });

  t.test(
    `a store that fails ends the process after its last words, ${workers} workers`,
    async (t) => {
      let failed: (error: Error) => void = () => undefined;
      const failure = new Promise<Error>((resolve) => {
        failed = resolve;
      });
      const runtime = await startRuntime(workers, { fatal: failed });
      const actor = runtime.spawn<Ask>('tester', 'actor', undefined, 2 as PlaceId);
      runtime.post(actor, { kind: 'test.failDisk' });
      t.match(await failure, { name: 'DatabaseError', kind: 'disk_full', message: 'no space' });
      const answer = await new Promise<Answer>((resolve) => {
        const door = runtime.door<Answer>('late', answerTypes, resolve);
        door.post(actor, { kind: 'test.ask', number: 1, replyTo: door.ref });
      });
      t.match(answer, { number: 1 }, 'who waits can still be told');
      await runtime.stop();
    },
  );

  t.test(`a broken invariant ends the process, with ${workers} workers`, async (t) => {
    const program = fileURLToPath(new URL('./actors/start.js', import.meta.url));
    const child = spawn(process.execPath, [program, String(workers)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString();
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    t.equal(code, 70);
    t.match(said, 'fatal: broken as asked');
  });
}

t.test('a thread that cannot start fails the start of the runtime', async (t) => {
  const fatal: Error[] = [];
  const failing = { bootOptions: { fails: 2 }, fatal: (error: Error) => void fatal.push(error) };
  for (const workers of [0, 2]) {
    await t.rejects(startRuntime(workers, failing), { message: 'store cannot be opened' });
  }
  t.same(fatal, []);
});

t.test('how many workers auto means', async (t) => {
  t.equal(workersFor(2, 4), 0);
  t.equal(workersFor(8, 4), 4);
  t.equal(workersFor(4, 16), 3);
});

t.test('jobs run on threads of their own and keep their errors', async (t) => {
  const jobs = new Jobs({ queueMax: 2 });
  const module = new URL('./actors/jobs.js', import.meta.url);
  const { result, thread } = await jobs.run<number, { result: number; thread: number }>(
    module,
    'double',
    21,
  );
  t.equal(result, 42);
  t.not(thread, 0);
  const refusal: unknown = await jobs.run(module, 'refuse', null).catch((error) => error);
  t.match(refusal, { kind: 'syntax_error', details: { position: 3 } });
  await t.rejects(jobs.run(module, 'absent', null), TypeError);
  const many = await Promise.allSettled(
    Array.from({ length: 10 }, (_, i) => jobs.run(module, 'double', i)),
  );
  const refused = many.filter(
    (each) => each.status === 'rejected' && each.reason.kind === 'configuration_limit_exceeded',
  );
  t.ok(refused.length > 0 && refused.length < 10, `${refused.length} of 10 found no room`);
  await jobs.close();
  const late: unknown = await jobs.run(module, 'double', 1).catch((error) => error);
  t.match(late, { kind: 'admin_shutdown' });
});

function sum(reports: readonly ThreadReport[], name: string): number {
  const samples = reports.flatMap(({ metrics }) => metrics.filter((each) => each.name === name));
  return samples.reduce((total, sample) => total + sample.value, 0);
}
