/** The commands of test/golden/shard: one replica with its engine, sessions and a clock. */
import { must } from '#src/base/assert.js';
import type { ObjectId, Timestamp } from '#src/base/ids.js';
import type { ShardLimits } from '#src/shard/index.js';
import { type Proposal, TransactionBuffer } from '#src/txn/index.js';
import type { Put } from '#src/storage/index.js';
import type { Command } from '../golden.js';
import { parseWrite } from './mvcc-script.js';
import { keyOf, printBatch, spanOf } from './print.js';
import { ShardWorld } from './world.js';

interface Session {
  readonly buffer: TransactionBuffer;
  readonly snapshot: Timestamp;
}

/** Timestamps are printed relative to this one, the first millisecond of every world. */
const epoch = 1_700_000_000_000 * 4096;

export class ShardScript {
  readonly #lines: string[] = [];
  #world: ShardWorld | undefined;
  #sessions = new Map<string, Session>();
  #proposals = new Map<string, Proposal>();
  #names = new Map<number, string>();
  #answered = 0;
  #logged = 0;

  /**
   * start [LIMIT=N]          a new world
   * begin S                  opens a snapshot for session S
   * S: the lines below, as one statement: the writes of mvcc, `guard KEY`, `touch 7:1`, `fence 7:2`
   * read S KEY | list S FROM TO   as the transaction sees it
   * commit S                 proposes what S wrote; its answer comes in a later command
   * again S                  proposes it a second time, as after a lost answer
   * end S                    closes the snapshot
   * get KEY | sequence KEY COUNT
   * run | flush | settle     turns run | and the flush under way ends | until nothing is under way
   * turns N [flushed]        N turns run, before them the flush under way ends
   * advance MS [hold]        time passes, and flushes end unless held | wall MS: the wall clock is set that far ahead or back
   * crash surviving=N later=N   of the log's batches under way the first N had reached the disk, and of the engine's
   * fail REASON              the engine stops
   */
  run({ name, words, options, input }: Command): string {
    if (name === 'start') {
      const limits: Record<string, number> = {};
      for (const [option, value] of options) limits[option] = Number(value);
      this.#world = new ShardWorld({
        limits: limits as Partial<ShardLimits>,
        encodeAll: true,
        onCommit: (batch) => {
          const lines = printBatch(batch as readonly Put[]);
          this.#lines.push(...lines.map((line) => `persist ${this.#relative(line)}`));
        },
      });
      return this.#after();
    }
    const world = must(this.#world, 'the world is started');
    const [first = '', second = '', third = ''] = words;
    if (name.endsWith(':')) {
      this.#statement(this.#session(name.slice(0, -1)).buffer, input);
      return '';
    }
    switch (name) {
      case 'begin':
        return this.#begin(first, world);
      case 'commit':
        this.#commit(first, world);
        return this.#propose(first, world);
      case 'again':
        return this.#propose(first, world);
      case 'end':
        world.access.closeSnapshot(this.#session(first).snapshot);
        this.#sessions.delete(first);
        return '';
      case 'read':
        return print(this.#session(first).buffer.get(keyOf(second)));
      case 'list': {
        const lines: string[] = [];
        this.#session(first).buffer.scan(spanOf(second, third), (key, value) => {
          lines.push(`${Buffer.from(key).toString('latin1', 10)} ${print(value)}`);
          return true;
        });
        return lines.join('\n');
      }
      case 'get':
        return print(world.access.get(keyOf(first), world.access.appliedTimestamp));
      case 'sequence':
        return String(world.access.advanceSequence(keyOf(first), 1n, 1n, Number(second)));
      case 'run':
        world.run();
        return this.#after();
      case 'flush':
        if (!world.flush()) return 'nothing to flush';
        return this.#after();
      case 'turns':
        if (words.includes('flushed')) world.finishFlush();
        world.turns(Number(first));
        return this.#after();
      case 'settle':
        world.settle();
        return this.#after();
      case 'advance':
        world.advance(Number(first), second === 'hold');
        return this.#after();
      case 'wall':
        world.wallMs += Number(first);
        return '';
      case 'crash':
        this.#sessions.clear();
        world.restart(Number(options.get('surviving') ?? 0), Number(options.get('later') ?? 0));
        return this.#after();
      case 'fail':
        world.failEngine(first as 'disk_full');
        return this.#after();
      case 'metrics':
        return world.metrics
          .snapshot()
          .map((sample) => {
            const outcome = sample.labels.outcome;
            return `${sample.name}${outcome === undefined ? '' : `/${outcome}`} ${sample.value}`;
          })
          .join('\n');
      default:
        throw new Error(`no command ${name}`);
    }
  }

  #begin(name: string, { access }: ShardWorld): string {
    const snapshot = access.openSnapshot();
    const buffer = new TransactionBuffer({
      get: (key) => access.get(key, snapshot),
      scan: (span, visit, reverse) => access.scan(span, snapshot, visit, reverse),
    });
    this.#sessions.set(name, { buffer, snapshot });
    return `snapshot ${this.#relative(String(snapshot))}`;
  }

  #session(name: string): Session {
    return must(this.#sessions.get(name), `no session ${name}`);
  }

  #statement(buffer: TransactionBuffer, input: readonly string[]): void {
    buffer.beginStatement();
    for (const line of input) {
      const [op = '', argument = ''] = line.split(' ');
      const [object = '', version = ''] = argument.split(':');
      if (op === 'guard') buffer.guard(keyOf(argument));
      else if (op === 'touch') buffer.touch(Number(object) as ObjectId, Number(version));
      else if (op === 'fence') buffer.fence(Number(object) as ObjectId, Number(version));
      else {
        const write = parseWrite(line);
        if (write.op === 'put') buffer.put(write.key, write.value);
        else if (write.op === 'delete') buffer.delete(write.key);
        else if (write.op === 'discard') buffer.discard(write.database, write.storage);
        else buffer.advance(write.key, write.to, write.descending);
      }
    }
    buffer.endStatement();
  }

  #propose(name: string, world: ShardWorld): string {
    const token = world.propose(must(this.#proposals.get(name), `${name} has proposed nothing`));
    this.#names.set(token, name);
    return this.#after();
  }

  #commit(name: string, { access }: ShardWorld): void {
    const { buffer, snapshot } = this.#session(name);
    this.#proposals.set(name, buffer.proposal(access.nextTransactionId(), snapshot));
  }

  /** What happened since the last command: batches, answers, lines of the log. */
  #after(): string {
    const world = must(this.#world, 'the world is started');
    for (const answer of world.answers.slice(this.#answered)) {
      const what =
        answer.kind === 'shard.committed'
          ? `committed at ${this.#relative(String(answer.timestamp))}`
          : answer.kind === 'shard.refused'
            ? `refused: ${answer.reason}: ${answer.text}`
            : answer.kind;
      this.#lines.push(`answer ${this.#names.get(answer.token)} ${what}`);
    }
    this.#answered = world.answers.length;
    for (const event of world.events.slice(this.#logged)) {
      this.#lines.push(event.replace(/,"actor".*$/, '}'));
    }
    this.#logged = world.events.length;
    return this.#lines.splice(0).join('\n');
  }

  /** Timestamps as milliseconds since the world began and counter: `+3.1`. */
  #relative(line: string): string {
    return line.replace(/\b\d{16}\b/g, (digits) => {
      const since = Number(digits) - epoch;
      return `+${Math.floor(since / 4096)}.${((since % 4096) + 4096) % 4096}`;
    });
  }
}

function print(value: Uint8Array | undefined): string {
  return value === undefined ? 'nothing' : `'${Buffer.from(value).toString('latin1')}'`;
}
