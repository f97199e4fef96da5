/**
 * The actor runtime over real threads, with none and with two workers: order, durability, full
 * queues, actors that fail, and the ends that a process takes when a store or a thread does.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import {
  type Door,
  Jobs,
  type PlaceId,
  type Ref,
  type ThreadReport,
  workersFor,
} from '#src/actors/index.js';
import { type Answer, type Ask, answerTypes } from './actors/boot.js';
import { startRuntime } from './actors/start.js';

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
