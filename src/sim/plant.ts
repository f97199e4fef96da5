/** The planted bugs: wrappers around the disk and around actors. Product code knows nothing of them. */
import { Dispatcher, type DispatcherOptions } from '../actors/index.js';
import type { Actor, ActorKind, Message } from '../actors/actor.js';
import type { Timestamp } from '../base/ids.js';
import type { ProposeMessage } from '../shard/protocol.js';
import type {
  Batch,
  Engine,
  EngineStats,
  MemoryEngine,
  Span,
  Ticket,
  Visit,
} from '../storage/index.js';
import type { Proposal } from '../txn/transaction.js';
import type { Plant } from './options.js';
import type { World } from './world.js';

/** The engine that the node is given for its disk. */
export function plantedEngine(plant: Plant | undefined, disk: MemoryEngine, world: World): Engine {
  if (plant === 'early-durability') return new EarlyDurability(disk, world);
  if (plant === 'torn-batch') return new TornBatches(disk);
  return disk;
}

abstract class PlantedEngine implements Engine {
  protected readonly disk: MemoryEngine;

  constructor(disk: MemoryEngine) {
    this.disk = disk;
  }

  abstract get durableTicket(): Ticket;
  abstract commit(batch: Batch): Ticket;
  abstract onDurable(listener: (failure: Error | undefined) => void): void;

  get(key: Uint8Array): Uint8Array | undefined {
    return this.disk.get(key);
  }

  scan(span: Span, visit: Visit, reverse?: boolean): void {
    this.disk.scan(span, visit, reverse);
  }

  stats(): EngineStats {
    return this.disk.stats();
  }

  close(): Promise<void> {
    return this.disk.close();
  }
}

/** Says durable at once; the disk takes its time. */
class EarlyDurability extends PlantedEngine {
  readonly #world: World;
  readonly #listeners: ((failure: Error | undefined) => void)[] = [];
  /** What was said to be durable and cannot be read from the disk yet. */
  readonly #unflushed = new Map<string, Uint8Array | undefined>();
  #committed = 0;
  #durable = 0;

  constructor(disk: MemoryEngine, world: World) {
    super(disk);
    this.#world = world;
  }

  get durableTicket(): Ticket {
    return this.#durable as Ticket;
  }

  override get(key: Uint8Array): Uint8Array | undefined {
    const name = Buffer.from(key).toString('latin1');
    return this.#unflushed.has(name) ? this.#unflushed.get(name) : super.get(key);
  }

  commit(batch: Batch): Ticket {
    this.#committed += 1;
    const ticket = this.disk.commit(batch);
    for (const { key, value } of batch) {
      this.#unflushed.set(Buffer.from(key).toString('latin1'), value);
    }
    this.#world.after(0, () => {
      this.#durable = Math.max(this.#durable, ticket);
      for (const listener of this.#listeners) listener(undefined);
    });
    return this.#committed as Ticket;
  }

  onDurable(listener: (failure: Error | undefined) => void): void {
    this.#listeners.push(listener);
  }
}

/** Writes each batch in two halves, between which a crash may fall. */
class TornBatches extends PlantedEngine {
  #committed = 0;

  get durableTicket(): Ticket {
    return Math.floor(this.disk.durableTicket / 2) as Ticket;
  }

  commit(batch: Batch): Ticket {
    const half = Math.floor(batch.length / 2);
    this.disk.commit(batch.slice(0, half));
    this.disk.commit(batch.slice(half));
    this.#committed += 1;
    return this.#committed as Ticket;
  }

  onDurable(listener: (failure: Error | undefined) => void): void {
    this.disk.onDurable(listener);
  }
}

/** A dispatcher whose replica is told something else than what the sessions proposed. */
export function plantedDispatcher(
  plant: Plant | undefined,
  options: DispatcherOptions,
): Dispatcher {
  if (plant === 'blind-commit') {
    return new PlantedDispatcher(options, (proposal) => ({
      ...proposal,
      snapshot: Number.MAX_SAFE_INTEGER as Timestamp,
    }));
  }
  if (plant === 'forgotten-sequence') {
    return new PlantedDispatcher(options, (proposal) => ({
      ...proposal,
      writes: proposal.writes.filter(({ op }) => op !== 'advance'),
    }));
  }
  return new Dispatcher(options);
}

class PlantedDispatcher extends Dispatcher {
  readonly #tamper: (proposal: Proposal) => Proposal;

  constructor(options: DispatcherOptions, tamper: (proposal: Proposal) => Proposal) {
    super(options);
    this.#tamper = tamper;
  }

  override registerKind<M extends Message, Args>(kind: ActorKind<M, Args>): void {
    if (kind.kind !== 'replica') {
      super.registerKind(kind);
      return;
    }
    super.registerKind({
      ...kind,
      create: (args: Args, place, self) => this.#wrap(kind.create(args, place, self)),
    });
  }

  #wrap<M extends Message>(actor: Actor<M>): Actor<M> {
    return {
      receive: (message, context) => {
        const propose = message as Message as ProposeMessage;
        const planted =
          message.kind === 'shard.propose'
            ? { ...propose, proposal: this.#tamper(propose.proposal) }
            : message;
        actor.receive(planted as M, context);
      },
      stopped: () => actor.stopped?.(),
    };
  }
}
