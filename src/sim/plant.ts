/**
 * What is done to a node from outside: planted bugs, and proposals that arrive twice. Wrappers around
 * the disk and the replica; product code knows nothing of them.
 */
import { Dispatcher, type DispatcherOptions } from '../actors/index.js';
import type { Actor, ActorKind, Context, Message, Ref } from '../actors/actor.js';
import type { Timestamp } from '../base/ids.js';
import { type RaftRules, raftRules } from '../raft/index.js';
import type { ShardLimits } from '../shard/index.js';
import type { LockMessage, ProposeMessage } from '../shard/protocol.js';
import {
  type Batch,
  type Engine,
  type EngineStats,
  MemoryEngine,
  type Put,
  type Span,
  type Ticket,
  type Visit,
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

/** Passes everything on to the engine behind it. */
class PassingEngine implements Engine {
  protected readonly behind: MemoryEngine;

  constructor(behind: MemoryEngine) {
    this.behind = behind;
  }

  get durableTicket(): Ticket {
    return this.behind.durableTicket;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.behind.get(key);
  }

  scan(span: Span, visit: Visit, reverse?: boolean): void {
    this.behind.scan(span, visit, reverse);
  }

  keys(span: Span): readonly Uint8Array[] {
    return this.behind.keys(span);
  }

  commit(batch: Batch): Ticket {
    return this.behind.commit(batch);
  }

  get laterTicket(): Ticket {
    return this.behind.laterTicket;
  }

  commitLater(batch: Batch): Ticket {
    return this.behind.commitLater(batch);
  }

  onDurable(listener: (failure: Error | undefined) => void): void {
    this.behind.onDurable(listener);
  }

  stats(): EngineStats {
    return this.behind.stats();
  }

  close(): Promise<void> {
    return this.behind.close();
  }
}

const everything: Span = { from: Buffer.of(0), to: Buffer.alloc(16, 0xff) };

/** The node uses a disk that flushes at once; what a crash leaves is on one that takes its time. */
class EarlyDurability extends PassingEngine {
  readonly #disk: MemoryEngine;

  constructor(disk: MemoryEngine, world: World) {
    let filled = false;
    super(
      new MemoryEngine({
        schedule: (finish) => {
          if (filled) world.after(0, finish);
          else finish();
        },
      }),
    );
    this.#disk = disk;
    const contents: Put[] = [];
    disk.scan(everything, (key, value) => {
      contents.push({ key: Buffer.from(key), value: Buffer.from(value) });
      return true;
    });
    this.behind.commit(contents);
    filled = true;
  }

  override commit(batch: Batch): Ticket {
    this.#disk.commit(batch);
    return super.commit(batch);
  }

  override commitLater(batch: Batch): Ticket {
    this.#disk.commitLater(batch);
    return super.commitLater(batch);
  }
}

/** Writes each batch in two halves, between which a crash may fall. */
class TornBatches extends PassingEngine {
  #committed = 0;
  #committedLater = 0;

  override get durableTicket(): Ticket {
    return Math.floor(this.behind.durableTicket / 2) as Ticket;
  }

  override commit(batch: Batch): Ticket {
    const half = Math.floor(batch.length / 2);
    this.behind.commit(batch.slice(0, half));
    this.behind.commit(batch.slice(half));
    this.#committed += 1;
    return this.#committed as Ticket;
  }

  override get laterTicket(): Ticket {
    return Math.floor(this.behind.laterTicket / 2) as Ticket;
  }

  override commitLater(batch: Batch): Ticket {
    const half = Math.floor(batch.length / 2);
    this.behind.commitLater(batch.slice(0, half));
    this.behind.commitLater(batch.slice(half));
    this.#committedLater += 1;
    return this.#committedLater as Ticket;
  }
}

/** What the replica gets in the place of a proposal. */
export type Tamper = (propose: ProposeMessage) => readonly ProposeMessage[];

/** How a planted bug changes proposals; undefined where it does not. */
export function plantedTamper(plant: Plant | undefined): Tamper | undefined {
  const change = (to: (proposal: Proposal) => Proposal): Tamper => {
    return (propose) => [{ ...propose, proposal: to(propose.proposal) }];
  };
  if (plant === 'blind-commit') {
    const snapshot = Number.MAX_SAFE_INTEGER as Timestamp;
    return change((proposal) => ({ ...proposal, snapshot }));
  }
  if (plant === 'forgotten-sequence') {
    return change((proposal) => ({
      ...proposal,
      writes: proposal.writes.filter(({ op }) => op !== 'advance'),
    }));
  }
  // Only the fence is left out here; see also plantedArguments.
  if (plant === 'unfenced-lock') return change((proposal) => ({ ...proposal, holder: undefined }));
  return undefined;
}

/** What a replica is made with where the planted bug has it so. */
function plantedArguments<Args>(plant: Plant | undefined, node: number, args: Args): Args {
  if (plant !== 'unfenced-lock') return args;
  const { limits } = args as { readonly limits?: Partial<ShardLimits> };
  return { ...args, limits: { ...limits, lockLeaseMs: node % 2 === 0 ? 100_000 : 300 } };
}

/** What the replica's actor sees instead of its context, and does beside its own. */
function plantedTurn<M extends Message>(
  plant: Plant | undefined,
  message: Message,
  context: Context<M>,
): Context<M> {
  if (plant === 'hasty-lock' && message.kind === 'shard.lock') {
    const { token, replyTo } = message as LockMessage;
    context.send(replyTo, { kind: 'shard.locked', token, outcome: 'granted' });
  }
  if (plant !== 'lost-notification') return context;
  const send: Context<M>['send'] = (to, sent) => {
    if (sent.kind !== 'shard.notified' || !context.random.chance(0.1)) context.send(to, sent);
  };
  return new Proxy(context, {
    get(target, name) {
      if (name === 'send') return send;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** The rules of Raft as the planted bug has them; undefined where it leaves them alone. */
/** The rules of Raft with the planted bug among them; undefined: as they are. */
export function plantedRules(plant: Plant | undefined): RaftRules | undefined {
  switch (plant) {
    case 'blind-vote':
      return { ...raftRules, logSuffices: () => true };
    case 'counted-commit':
      return { ...raftRules, countsForCommit: () => true };
    case 'hasty-vote':
      return { ...raftRules, votesWhenDurable: false };
    case 'kept-lease':
      return { ...raftRules, leaseEndsWithTransfer: false };
    case 'forgotten-promise':
      return { ...raftRules, waitsAfterRestart: false };
    default:
      return undefined;
  }
}

/** Puts itself in front of a replica, or only looks at it. */
export type Interceptor = (replica: Actor<Message>, self: Ref<Message>) => Actor<Message>;

/** A dispatcher whose replica gets what `tamper` makes of each proposal, and is seen by `intercept`. */
export class InterceptedDispatcher extends Dispatcher {
  readonly #plant: Plant | undefined;
  readonly #node: number;
  readonly #rules: RaftRules | undefined;
  readonly #tamper: Tamper;
  readonly #intercept: Interceptor | undefined;

  constructor(
    options: DispatcherOptions,
    plant: Plant | undefined,
    tamper: Tamper,
    intercept: Interceptor | undefined,
  ) {
    super(options);
    this.#plant = plant;
    this.#node = options.node;
    this.#rules = plantedRules(plant);
    this.#tamper = tamper;
    this.#intercept = intercept;
  }

  override registerKind<M extends Message, Args>(kind: ActorKind<M, Args>): void {
    if (kind.kind !== 'replica') {
      super.registerKind(kind);
      return;
    }
    super.registerKind({
      ...kind,
      create: (args: Args, place, self) => {
        const ruled = this.#rules === undefined ? args : { ...args, rules: this.#rules };
        const replica = kind.create(plantedArguments(this.#plant, this.#node, ruled), place, self);
        const seen = this.#intercept?.(replica as Actor<Message>, self as Ref<Message>);
        return this.#wrap((seen as Actor<M> | undefined) ?? replica);
      },
    });
  }

  #wrap<M extends Message>(actor: Actor<M>): Actor<M> {
    return {
      receive: (message, context) => {
        if (message.kind !== 'shard.propose') {
          actor.receive(message, plantedTurn(this.#plant, message, context));
          return;
        }
        for (const propose of this.#tamper(message as Message as ProposeMessage)) {
          actor.receive(propose as Message as M, context);
        }
      },
      stopped: () => actor.stopped?.(),
    };
  }
}
