/**
 * Mailboxes: records arrive whole and in order through rings much smaller than they are, full ways
 * refuse new work and let replies pass, threads that wait for each other's room do not stop, and a
 * thread that has nothing to do uses no processor time.
 */
import { Worker } from 'node:worker_threads';
import * as fc from 'fast-check';
import { RingBuffer } from 'ringbuf.js';
import t from 'tap';
import { must } from '#src/base/assert.js';
import { connectThreads, Mailbox, transferOf } from '#src/mailbox/index.js';
import { Inlet, readBuffer } from '#src/mailbox/inlet.js';
import { Outlet } from '#src/mailbox/outlet.js';

const nothing = new Uint8Array(0);

function lane(ringBytes: number): { readonly outlet: Outlet; readonly inlet: Inlet } {
  const memory = RingBuffer.getStorageForCapacity(ringBytes, Uint8Array);
  return {
    outlet: new Outlet(new RingBuffer(memory, Uint8Array)),
    inlet: new Inlet(new RingBuffer(memory, Uint8Array)),
  };
}

/** A record that tells its number and its length in every byte. */
function record(number: number, length: number): Buffer {
  return Buffer.alloc(length, (number * 31 + length) & 0xff);
}

t.test('any records come out as they went in, whatever the ring and the reads', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('write' as const), length: fc.nat(300) }),
    fc.record({ kind: fc.constant('write' as const), length: fc.integer({ min: 0, max: 90_000 }) }),
    fc.record({ kind: fc.constant('push' as const) }),
    fc.record({ kind: fc.constant('read' as const) }),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 16, max: 4000 }),
      fc.integer({ min: 16, max: 2000 }),
      fc.array(step, { maxLength: 60 }),
      (ringBytes, bufferBytes, steps) => {
        const { outlet, inlet } = lane(ringBytes);
        const buffer = readBuffer(bufferBytes);
        const wrote: Buffer[] = [];
        const got: Buffer[] = [];
        const read = (): number =>
          inlet.read(buffer, 1, (_thread, bytes, start, end) => {
            got.push(Buffer.from(bytes.subarray(start, end)));
          });
        for (const each of steps) {
          if (each.kind === 'push') outlet.push();
          else if (each.kind === 'read') read();
          else {
            const bytes = record(wrote.length, each.length);
            const cut = each.length >> 1;
            outlet.write(bytes.subarray(0, cut), bytes.subarray(cut), 'reply');
            wrote.push(bytes);
          }
        }
        do outlet.push();
        while (read() > 0 || outlet.overflowBytes > 0);
        return got.length === wrote.length && got.every((each, i) => each.equals(wrote[i] ?? each));
      },
    ),
    { numRuns: 300 },
  );
});

t.test('a full way refuses work, drops what may be dropped, and lets replies pass', async (t) => {
  const { outlet, inlet } = lane(1000);
  const bytes = record(1, 100);
  let taken = 0;
  while (outlet.write(bytes, nothing, 'work')) taken += 1;
  t.equal(taken, 9, 'nine records of 104 bytes fit into 1,000');
  t.notOk(outlet.write(bytes, nothing, 'droppable'));
  t.ok(outlet.write(bytes, nothing, 'reply'));
  outlet.push();
  t.ok(outlet.overflowBytes > 0, 'the reply waits with its sender');
  t.notOk(outlet.write(record(1, 1), nothing, 'work'), 'and no work overtakes it');
  const buffer = readBuffer(4096);
  let got = 0;
  while (inlet.read(buffer, 1, () => (got += 1)) > 0) outlet.push();
  t.equal(got, 10);
  t.equal(outlet.overflowBytes, 0);
  t.ok(
    outlet.write(record(2, 5000), nothing, 'work'),
    'work longer than the ring passes in pieces',
  );
  t.ok(outlet.write(record(3, 1), nothing, 'work'), 'and others wait behind it');
  const large = record(4, 8 * 1024 * 1024);
  let waiting = 0;
  while (outlet.write(large, nothing, 'work')) waiting += 1;
  t.ok(waiting > 0 && waiting < 10, 'but not without end');
  t.notOk(outlet.write(record(5, 1), nothing, 'droppable'), 'nor what may be dropped');
});

t.test('two threads', async (t) => {
  const [own, other] = connectThreads(2, 4096);
  const setup = must(other, 'no setup');
  const worker = new Worker(new URL('./mailbox/thread.js', import.meta.url), {
    workerData: setup,
    transferList: [...transferOf(setup)],
  });
  const got: Buffer[] = [];
  let onRecord = (): void => undefined;
  let held = false;
  const mailbox: Mailbox = new Mailbox(must(own, 'no setup'), { onBell: () => run() });
  const run = (): void => {
    mailbox.wake();
    const more =
      !held &&
      mailbox.read(8192, (_thread, bytes, start, end) => {
        got.push(Buffer.from(bytes.subarray(start, end)));
        onRecord();
      });
    mailbox.flush();
    if (more || (!held && !mailbox.sleep())) setImmediate(run);
  };
  const received = (count: number): Promise<void> =>
    new Promise((resolve) => {
      onRecord = () => {
        if (got.length === count) resolve();
      };
      onRecord();
    });
  t.teardown(async () => {
    await worker.terminate();
    mailbox.close();
  });
  run();

  t.test('records of every length come back in order', async (t) => {
    const lengths = [0, 1, 100, 4095, 4096, 4097, 65_532, 65_536, 1_000_000, 3];
    for (const [i, length] of lengths.entries()) {
      mailbox.write(1, 2, 'reply', record(i, length), nothing);
    }
    mailbox.flush();
    await received(lengths.length);
    for (const [i, length] of lengths.entries()) {
      t.ok(got[i]?.equals(record(i, length)), `record of ${length} bytes`);
    }
  });

  t.test('a critical record does not wait for the bulk before it', async (t) => {
    got.length = 0;
    // The peer answers in the order in which it reads.
    mailbox.write(1, 3, 'reply', record(1, 2_000_000), nothing);
    mailbox.flush();
    mailbox.write(1, 0, 'reply', record(2, 10), nothing);
    mailbox.flush();
    await received(2);
    t.equal(got[0]?.length, 10);
    t.equal(got[1]?.length, 2_000_000);
  });

  t.test('both ways full at once: nobody waits for ever (pitfall 21)', async (t) => {
    got.length = 0;
    held = true;
    const count = 500;
    worker.postMessage(count);
    for (let i = 0; i < count; i += 1) mailbox.write(1, 2, 'reply', record(i, 1000), nothing);
    mailbox.flush();
    const full = mailbox.metrics().find(({ name }) => name === 'shardforge_mailbox_overflow_bytes');
    t.ok((full?.value ?? 0) > 100_000, 'our replies wait in memory: the ring is full');
    await new Promise((resolve) => setTimeout(resolve, 50));
    held = false;
    run();
    await received(2 * count);
    t.ok(mailbox.flushed);
  });

  t.test('idle threads use no processor time, and wake up', async (t) => {
    got.length = 0;
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const { user, system } = process.cpuUsage(before);
    t.ok((user + system) / 10_000 < 3, `idle at ${(user + system) / 10_000} %`);
    mailbox.write(1, 2, 'work', record(1, 10), nothing);
    mailbox.flush();
    await received(1);
  });
});
