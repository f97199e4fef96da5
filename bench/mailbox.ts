/**
 * Mailboxes between two threads, with postMessage beside them in the same run: records of 100 bytes
 * one way, round trips from idle and under load, processor time of two idle threads; and, for scale,
 * what a message between two actors costs.
 *
 *     node build/bench/mailbox.js [--records N] [--json]
 */
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Dispatcher, type PlaceId, processClock, type Ref } from '#src/actors/index.js';
import { assert, must } from '#src/base/assert.js';
import type { NodeId } from '#src/base/ids.js';
import { connectThreads, Mailbox, type MailboxSetup, transferOf } from '#src/mailbox/index.js';

const recordBytes = 100;
const recordsPerFlush = 64;
const lane = 2;
const nothing = new Uint8Array(0);
const readBytesMax = 262_144;

/** What the peer thread is told; it answers by records or by messages, as it was asked. */
type Command =
  | { readonly kind: 'writeRecords' | 'postMessages'; readonly count: number }
  | { readonly kind: 'echo'; readonly bytes: Uint8Array };

interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

/** A mailbox with a loop of its own: reads when its bell rings, until nothing more comes. */
class Loop {
  readonly mailbox: Mailbox;
  onRecord: (bytes: Buffer, start: number, end: number) => void = () => undefined;
  /** Writes; true when it has more to write as soon as everything written has left. */
  onTurn: () => boolean = () => false;
  #scheduled = false;

  constructor(setup: MailboxSetup) {
    this.mailbox = new Mailbox(setup, { onBell: () => this.run() });
    this.run();
  }

  run(): void {
    this.mailbox.wake();
    let came = false;
    this.mailbox.read(readBytesMax, (_thread, bytes, start, end) => {
      came = true;
      this.onRecord(bytes, start, end);
    });
    const unfinished = this.onTurn();
    this.mailbox.flush();
    // Where something came more may be on its way: one more look is cheaper than a bell.
    if (came || (unfinished && this.mailbox.flushed) || !this.mailbox.sleep()) this.soon();
  }

  soon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.run();
    });
  }
}

function peer(): void {
  const port = must(parentPort, 'not a worker');
  const loop = new Loop(workerData as MailboxSetup);
  const record = new Uint8Array(recordBytes);
  loop.onRecord = (bytes, start, end) => {
    loop.mailbox.write(0, lane, 'reply', bytes.subarray(start, end), nothing);
  };
  port.on('message', (command: Command) => {
    if (command.kind === 'echo') {
      port.postMessage(command);
      return;
    }
    if (command.kind === 'postMessages') {
      for (let i = 0; i < command.count; i += 1) port.postMessage({ kind: 'record', record });
      return;
    }
    let left = command.count;
    loop.onTurn = () => {
      for (let batch = 1; left > 0; batch += 1) {
        left -= 1;
        if (!loop.mailbox.write(0, lane, 'work', record, nothing)) {
          // As a reply it passes, or waits for room, of which a bell tells.
          loop.mailbox.write(0, lane, 'reply', record, nothing);
          loop.mailbox.flush();
          if (!loop.mailbox.flushed) return left > 0;
        }
        if (batch % recordsPerFlush === 0) loop.mailbox.flush();
      }
      return false;
    };
    loop.run();
  });
}

async function recordsOneWay(worker: Worker, loop: Loop, count: number): Promise<Row> {
  let got = 0;
  const startMs = performance.now();
  await new Promise<void>((resolve) => {
    loop.onRecord = (_bytes, start, end) => {
      assert(end - start === recordBytes, 'a record has another length');
      got += 1;
      if (got === count) resolve();
    };
    worker.postMessage({ kind: 'writeRecords', count } satisfies Command);
  });
  const perSecond = (count / (performance.now() - startMs)) * 1000;
  return { name: 'mailbox, one way', value: perSecond, unit: 'records/s' };
}

async function messagesOneWay(worker: Worker, count: number): Promise<Row> {
  let got = 0;
  const startMs = performance.now();
  await new Promise<void>((resolve) => {
    const onMessage = (): void => {
      got += 1;
      if (got < count) return;
      worker.off('message', onMessage);
      resolve();
    };
    worker.on('message', onMessage);
    worker.postMessage({ kind: 'postMessages', count } satisfies Command);
  });
  const perSecond = (count / (performance.now() - startMs)) * 1000;
  return { name: 'postMessage, one way', value: perSecond, unit: 'records/s' };
}

function quantile(sorted: readonly number[], fraction: number): number {
  return must(sorted[Math.floor(sorted.length * fraction)], 'no samples');
}

async function roundTrips(
  name: string,
  pauseMs: number,
  trip: () => Promise<void>,
): Promise<Row[]> {
  const took: number[] = [];
  for (let i = 0; i < 400; i += 1) {
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const startMs = performance.now();
    await trip();
    took.push((performance.now() - startMs) * 1000);
  }
  took.sort((a, b) => a - b);
  return [
    { name: `${name}, p50`, value: quantile(took, 0.5), unit: 'us' },
    { name: `${name}, p99`, value: quantile(took, 0.99), unit: 'us' },
  ];
}

async function idle(): Promise<Row> {
  const startMs = performance.now();
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const used = process.cpuUsage(before);
  const percent = (used.user + used.system) / 10 / (performance.now() - startMs);
  return { name: 'two idle threads', value: percent, unit: '% of a core' };
}

/** A message between two actors of one thread, in nanoseconds of processor time. */
function actorHop(): Row {
  const dispatcher = new Dispatcher({
    node: 1 as NodeId,
    seed: 1,
    clock: processClock,
    schedule: { soon: () => undefined, at: () => undefined },
    log: () => undefined,
    fatal: (error) => {
      throw error;
    },
  });
  const place = 1 as PlaceId;
  dispatcher.addPlace(place);
  interface Hop {
    readonly kind: 'bench.hop';
    readonly from: Ref<Hop>;
  }
  const hops = 2_000_000;
  let count = 0;
  dispatcher.registerKind<Hop, undefined>({
    kind: 'bench',
    messages: [{ kind: 'bench.hop', priority: 'normal', flow: 'reply' }],
    create: (_args, _place, self) => ({
      receive(message, context) {
        count += 1;
        if (count < hops) context.send(message.from, { kind: 'bench.hop', from: self });
      },
    }),
  });
  const one = dispatcher.spawn<Hop>('bench', 'one', undefined, place);
  const two = dispatcher.spawn<Hop>('bench', 'two', undefined, place);
  dispatcher.post(one, { kind: 'bench.hop', from: two });
  const before = process.cpuUsage();
  while (dispatcher.drain());
  const used = process.cpuUsage(before);
  return { name: 'actor to actor, one thread', value: (used.user * 1000) / count, unit: 'ns' };
}

async function main(): Promise<void> {
  const { values: args } = parseArgs({
    options: {
      records: { type: 'string', default: '4000000' },
      json: { type: 'boolean', default: false },
    },
  });
  const [own, other] = connectThreads(2);
  assert(own !== undefined && other !== undefined, 'threads are missing');
  const worker = new Worker(new URL(import.meta.url), {
    workerData: other,
    transferList: [...transferOf(other)],
  });
  const loop = new Loop(own);
  const record = new Uint8Array(recordBytes);
  const mailboxTrip = (): Promise<void> =>
    new Promise((resolve) => {
      loop.onRecord = () => resolve();
      loop.mailbox.write(1, lane, 'work', record, nothing);
      loop.mailbox.flush();
    });
  const messageTrip = (): Promise<void> =>
    new Promise((resolve) => {
      worker.once('message', () => resolve());
      worker.postMessage({ kind: 'echo', bytes: record } satisfies Command);
    });
  // Both threads run optimised code from here on, as they do in a node that has served for a while.
  for (let i = 0; i < 5000; i += 1) await mailboxTrip();
  for (let i = 0; i < 5000; i += 1) await messageTrip();
  await recordsOneWay(worker, loop, 500_000);
  const rows: Row[] = [
    await recordsOneWay(worker, loop, Number(args.records)),
    await messagesOneWay(worker, 300_000),
    ...(await roundTrips('mailbox, round trip from idle', 2, mailboxTrip)),
    ...(await roundTrips('postMessage, round trip from idle', 2, messageTrip)),
    ...(await roundTrips('mailbox, round trip under load', 0, mailboxTrip)),
    ...(await roundTrips('postMessage, round trip under load', 0, messageTrip)),
    await idle(),
    actorHop(),
  ];
  await worker.terminate();
  loop.mailbox.close();
  if (args.json) process.stdout.write(`${JSON.stringify(rows)}\n`);
  else {
    for (const { name, value, unit } of rows) {
      const shown = value >= 1000 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
      process.stdout.write(`${name.padEnd(38)} ${shown.padStart(12)} ${unit}\n`);
    }
  }
}

if (isMainThread) await main();
else peer();
