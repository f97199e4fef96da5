/** The commands of test/golden/mvcc: the state machine of a shard alone, over a memory engine. */
import { must } from '#src/base/assert.js';
import type {
  DatabaseId,
  LogIndex,
  NodeId,
  ObjectId,
  StorageId,
  Term,
  TransactionId,
} from '#src/base/ids.js';
import { type LogEntry, type LogEntryKind, MemoryEngine, Overlay } from '#src/storage/index.js';
import {
  encodeChange,
  encodeCollection,
  encodeCounter,
  GarbageQueue,
  getVersion,
  nextCollection,
  scanVersions,
  ShardState,
  Sweep,
  type VersionStore,
  type Write,
} from '#src/txn/index.js';
import type { Command } from '../golden.js';
import { keyOf, printEntry, printKey, printVersion, spanOf, stamp } from './print.js';

/** Reads `put a=1`, `delete a`, `advance s 5`, `descend s -5`, `counter s 5`, `discard 3`. */
export function parseWrite(line: string): Write {
  const [op = '', first = '', second = ''] = line.trim().split(' ');
  switch (op) {
    case 'put': {
      const [name = '', value = ''] = first.split('=');
      return { op, key: keyOf(name), value: Buffer.from(value) };
    }
    case 'counter':
      return { op: 'put', key: keyOf(first), value: encodeCounter(BigInt(second)) };
    case 'delete':
      return { op, key: keyOf(first) };
    case 'advance':
      return { op, key: keyOf(first), to: BigInt(second) };
    case 'descend':
      return { op: 'advance', key: keyOf(first), to: BigInt(second), descending: true };
    case 'discard':
      return { op, database: 1 as DatabaseId, storage: Number(first) as StorageId };
    default:
      throw new Error(`no write ${line}`);
  }
}

export class MvccScript {
  readonly #overlay = new Overlay(new MemoryEngine());
  readonly #lines: string[] = [];
  readonly #store: VersionStore = {
    get: (key) => this.#overlay.get(key),
    scan: (span, visit, reverse) => this.#overlay.scan(span, visit, reverse),
    set: (key, value) => {
      this.#lines.push(`${printKey(key)} = ${printVersion(value)}`);
      this.#overlay.set(key, value);
    },
  };
  #queue = new GarbageQueue(1000);
  #state = new ShardState(this.#store, this.#queue, undefined);
  #sweep: Sweep | undefined;

  /**
   * write tx=N at=T          applies the writes of the lines below; prints what is set
   * get KEY at=T | scan FROM TO at=T [reverse]
   * collect horizon=T [max=N]  what the leader would propose, and what applying it sets
   * queue max=N              the leader starts with a queue of N items that knows no garbage
   * sweep pairs=N            a step of the walk for garbage
   * restart                  the state is encoded and decoded
   * state
   */
  run({ name, words, options, input }: Command): string {
    const at = stamp(options.get('at'));
    const [first = '', second = ''] = words;
    switch (name) {
      case 'write': {
        const writes = input.filter((line) => !line.startsWith('fence')).map(parseWrite);
        const fences = input
          .filter((line) => line.startsWith('fence'))
          .map((line) => /(\d+):(\d+)/.exec(line) ?? [])
          .map(([, object, version]) => ({
            object: Number(object) as ObjectId,
            version: Number(version),
          }));
        const payload = encodeChange({ writes, fences });
        const isNew = this.#apply('write', payload, at, Number(options.get('tx')));
        if (!isNew) this.#lines.push('known already');
        return this.#take();
      }
      case 'get': {
        const value = getVersion(this.#store, keyOf(first), at);
        return value === undefined ? 'nothing' : `'${Buffer.from(value).toString('latin1')}'`;
      }
      case 'scan':
        scanVersions(
          this.#store,
          spanOf(first, second),
          at,
          (key, value) => {
            this.#lines.push(`${printKey(key)} '${Buffer.from(value).toString('latin1')}'`);
            return true;
          },
          words.includes('reverse'),
        );
        return this.#take();
      case 'collect': {
        const horizon = stamp(options.get('horizon'));
        const max = Number(options.get('max') ?? 1000);
        const { discarded } = this.#state;
        const found = nextCollection(this.#store, this.#queue, discarded, horizon, max);
        if (found === undefined) return 'nothing to collect';
        this.#apply('gc', encodeCollection(found), this.#state.timestamp, 0);
        return this.#take();
      }
      case 'queue':
        this.#queue = new GarbageQueue(Number(options.get('max')));
        this.#queue.forget();
        this.#state = new ShardState(this.#store, this.#queue, this.#state.encode());
        return '';
      case 'sweep': {
        if (this.#sweep === undefined) this.#queue.beginSweep();
        this.#sweep ??= new Sweep();
        this.#sweep.step(this.#store, this.#queue, Number(options.get('pairs')));
        const { done } = this.#sweep;
        if (done) this.#sweep = undefined;
        return `queue of ${this.#queue.size}, complete ${this.#queue.complete}, done ${done}`;
      }
      case 'restart':
        this.#state = new ShardState(this.#store, this.#queue, this.#state.encode());
        return this.#print();
      case 'state':
        return this.#print();
      default:
        throw new Error(`no command ${name}`);
    }
  }

  #apply(kind: LogEntryKind, payload: Uint8Array, at: number, transaction: number): boolean {
    const entry: LogEntry = {
      term: 1 as Term,
      index: (this.#state.index + 1) as LogIndex,
      kind,
      transaction: (2 ** 32 + transaction) as TransactionId,
      timestamp: stamp(String(at)),
      origin: 1 as NodeId,
      wallMs: 0,
      objects: [],
      client: undefined,
      request: undefined,
      payload,
    };
    if (kind === 'gc') this.#lines.push(printEntry(entry));
    return this.#state.apply(entry, 1000) === 'applied';
  }

  #print(): string {
    const { index, timestamp, horizon, garbage, catalogueVersion } = this.#state;
    const discarded = [...this.#state.discarded].map(
      ({ database, storage, at }) => `${database}.${storage} since ${at}`,
    );
    const fence = this.#state.minimumVersion(7 as ObjectId);
    return (
      `index=${index} timestamp=${timestamp} horizon=${horizon} garbage=${garbage}` +
      ` catalogue=${catalogueVersion} object7>=${fence} discarded=[${discarded}]`
    );
  }

  #take(): string {
    return must(this.#lines.splice(0), 'lines').join('\n');
  }
}
