/**
 * Random histories of a group of replicas: writes at any node while messages are lost and late, links are cut,
 * processes die, members lag behind the log, values and entries rot. What is known of each proposal at the
 * end must agree with what the replicas hold.
 */
import { assert, must } from '#src/base/assert.js';
import { DatabaseError } from '#src/base/errors.js';
import type { NodeId, Timestamp } from '#src/base/ids.js';
import { Random } from '#src/base/random.js';
import { defaultRaftTiming } from '#src/shard/index.js';
import { keySpace } from '#src/storage/keys.js';
import { keyOf } from './print.js';
import { World, type WorldNode } from './world.js';

interface Sent {
  readonly marker: string;
  readonly node: number;
  readonly life: number;
  /** It raises the register to this. */
  readonly to: number | undefined;
}

interface Asked {
  readonly node: number;
  readonly life: number;
  /** A read that is answered sees at least so much. */
  readonly atLeast: number;
}

export class GroupHistory {
  readonly world: World;
  readonly random: Random;
  readonly committed = new Set<string>();
  readonly refused = new Set<string>();
  unknown = 0;
  reads = 0;
  crashes = 0;
  #register = 0;
  readonly #sent = new Map<number, Sent>();
  readonly #asked = new Map<number, Asked>();
  #seen = 0;
  #marker = 0;
  #calm = false;
  readonly #snapshots = new Map<number, Timestamp[]>();

  constructor(seed: number) {
    const random = new Random(seed);
    this.random = random;
    const size = random.pick([1, 2, 3, 3, 3, 5]);
    const voters = Array.from({ length: size }, (_one, i) => (i + 1) as NodeId);
    const learner = random.chance(0.3);
    const witness = size >= 3 && random.chance(0.3);
    this.world = new World({
      genesis: {
        voters,
        learners: learner ? [(size + 1) as NodeId] : [],
        witnesses: witness ? [size as NodeId] : [],
      },
      witnesses: witness ? [size as NodeId] : [],
      timing: {
        ...defaultRaftTiming,
        hibernateMs: random.chance(0.3) ? 400 : 10_000,
        leaseReads: random.chance(0.8),
      },
      encodeAll: random.chance(0.3),
      limits: {
        logTailEntries: random.between(1, 20),
        logTailBytes: random.between(100, 2000),
        logHeldBytes: random.between(200, 4000),
        applyBatchBytes: random.between(100, 2000),
        applyDelayMs: random.between(1, 50),
        turnEntriesMax: random.between(1, 20),
        turnWritesMax: random.between(1, 10),
        collectDelayMs: 20,
        collectKeysMax: random.between(2, 20),
        garbageItemsMax: random.between(5, 200),
        sweepPairsMax: 5,
        retainMs: random.between(50, 400),
        retainReportMs: 50,
        leaderWaitMs: random.between(800, 3000),
        forwardRetryMs: random.between(50, 300),
        imageChunkBytes: random.between(50, 500),
        imagePairsMax: random.between(1, 10),
        imageWindowChunks: random.between(1, 4),
        imageRetryMs: 100,
        imageStallMs: 1500,
        diskStallMs: 200,
        ...{ hashPairsMax: 7, hashTurnsMax: Number.POSITIVE_INFINITY },
      },
      fate: () => {
        if (this.#calm) return 'now';
        const draw = random.fraction();
        return draw < 0.03 ? 'lost' : draw < 0.2 ? 'late' : 'now';
      },
    });
  }

  run(steps: number): void {
    for (let i = 0; i < steps; i += 1) this.#step();
    this.#heal();
  }

  #step(): void {
    const { world, random } = this;
    const node = world.node(random.between(1, world.nodes.size));
    const draw = random.below(100);
    if (draw < 45) this.#write(node);
    else if (draw < 60) this.#read(node);
    else if (draw < 64) this.#snapshot(node);
    else if (draw < 66) {
      world.isolate(node.id);
    } else if (draw < 67) {
      world.cuts.add(`${node.id}>${random.between(1, world.nodes.size)}`);
    } else if (draw < 71) world.heal();
    else if (draw < 73) this.#crash(node);
    else if (draw < 74 && world.nodes.size > 2) this.#rot(node);
    else if (draw < 76) this.#transfer(node);
    else if (draw < 78) world.advance(random.between(100, 600));
    else if (draw < 79) world.advance(random.between(50, 500), true);
    else world.advance(random.between(1, 20), random.chance(0.2));
    world.run();
    this.#look();
  }

  #write(node: WorldNode): void {
    const { world } = this;
    const { access } = node;
    if (!node.alive || access.refusal !== undefined || !access.readableStale) return;
    this.#marker += 1;
    const marker = `m${this.#marker}`;
    const snapshot = access.appliedTimestamp;
    const value = this.#registerAt(node, snapshot);
    if (value === undefined) return;
    const raises = this.random.chance(0.5);
    const key = keyOf(`k${this.random.below(15)}`);
    const transaction = access.nextTransactionId();
    const token = world.propose(
      {
        transaction,
        snapshot,
        writes: [
          { op: 'put', key: keyOf(`2/${marker}`), value: Buffer.from('x') },
          ...(raises
            ? [
                {
                  op: 'put' as const,
                  key: keyOf('register'),
                  value: Buffer.from(String(value + 1)),
                },
              ]
            : this.random.chance(0.3)
              ? [{ op: 'delete' as const, key }]
              : [{ op: 'put' as const, key, value: Buffer.from(marker) }]),
          { op: 'advance', key: keyOf('3/s'), to: BigInt(this.#marker) },
        ],
        guards: [],
        objects: [],
        numbersTerm: undefined,
      },
      node.id,
    );
    const to = raises ? value + 1 : undefined;
    this.#sent.set(token, { marker, node: node.id, life: node.incarnation, to });
  }

  #read(node: WorldNode): void {
    const { world } = this;
    if (!node.alive) return;
    const atLeast = this.#register;
    if (node.access.readable(world.nowMs, world.wallMs)) {
      this.reads += 1;
      this.#checkRead(node, atLeast, 'under the lease');
      return;
    }
    const token = world.ask(node.id, (one, replyTo) => ({
      kind: 'shard.read',
      token: one,
      replyTo: replyTo as never,
    }));
    this.#asked.set(token, { node: node.id, life: node.incarnation, atLeast });
  }

  /** Undefined when the value has rotted: whoever reads it is told, and the replica fetches its state anew. */
  #registerAt({ access }: WorldNode, at: Timestamp): number | undefined {
    try {
      return Number(textOf(access.get(keyOf('register'), at)) ?? '0');
    } catch (error) {
      if (error instanceof DatabaseError && error.kind === 'data_corrupted') return undefined;
      throw error;
    }
  }

  #checkRead(node: WorldNode, atLeast: number, how: string): void {
    const { access } = node;
    const value = this.#registerAt(node, access.appliedTimestamp);
    if (value === undefined) return;
    assert(value >= atLeast, `a read ${how} is stale`, node.id, value, atLeast);
  }

  /** Opens snapshots and closes them some time later. */
  #snapshot(node: WorldNode): void {
    if (!node.alive || !node.access.readableStale) return;
    const open = this.#snapshots.get(node.id) ?? [];
    const oldest = open[0];
    if (open.length > 2 && oldest !== undefined) {
      open.shift();
      node.access.closeSnapshot(oldest);
    }
    open.push(node.access.openSnapshot());
    this.#snapshots.set(node.id, open);
  }

  #crash(node: WorldNode): void {
    this.crashes += 1;
    const { engine } = node;
    node.restart(this.random.below(engine.pending + 1), this.random.below(engine.pendingLater + 1));
    this.#snapshots.delete(node.id);
  }

  /** A value of the state or of the log fails its checksum from now on, at one node at a time. */
  #rot(node: WorldNode): void {
    const { world, random } = this;
    if (this.#calm || !node.alive) return;
    // More than one damaged copy could be the majority.
    if (world.living.some((one) => !one.access.readableStale || one.damaged)) return;
    const { voters, witnesses } = must(world.options.genesis, 'a group has members');
    // Of two with the data none can do without what the other has acknowledged.
    if (voters.length - witnesses.length <= 2) return;
    const log = random.chance(0.5);
    const space = log ? keySpace.log : keySpace.data;
    const span = { from: Uint8Array.of(space), to: Uint8Array.of(space + 1) };
    const keys = node.engine.keys(span);
    if (keys.length === 0) return;
    node.engine.damage(random.pick(keys));
    node.damaged = true;
  }

  #transfer(node: WorldNode): void {
    this.world.ask(node.id, (token, replyTo) => ({
      kind: 'shard.transfer',
      token,
      to: undefined,
      replyTo: replyTo as never,
    }));
  }

  #look(): void {
    const { world } = this;
    for (const event of world.events.splice(0)) {
      assert(!event.includes('fatal') && !event.includes('actor.failed'), event);
    }
    for (const answer of world.answers.slice(this.#seen)) {
      const sent = this.#sent.get(answer.token);
      if (sent !== undefined) {
        assert(!this.#isDone(sent.marker), 'answered twice', sent.marker);
        if (answer.kind === 'shard.committed') {
          this.committed.add(sent.marker);
          this.#register = Math.max(this.#register, sent.to ?? 0);
        } else if (answer.kind === 'shard.refused') {
          if (answer.reason === 'statement_completion_unknown') this.unknown += 1;
          else this.refused.add(sent.marker);
        }
        this.#sent.delete(answer.token);
      }
      const asked = this.#asked.get(answer.token);
      if (asked === undefined) continue;
      this.#asked.delete(answer.token);
      const node = world.node(asked.node);
      if (answer.kind !== 'shard.readable' || node.incarnation !== asked.life) continue;
      this.reads += 1;
      // The session reads in its own turn, a little later: what is applied by then only grows.
      if (node.access.readableStale) this.#checkRead(node, asked.atLeast, 'by index');
    }
    this.#seen = world.answers.length;
  }

  #isDone(marker: string): boolean {
    return this.committed.has(marker) || this.refused.has(marker);
  }

  /** All is well again: the group converges, everybody is answered, and the replicas are equal. */
  #heal(): void {
    const { world } = this;
    this.#calm = true;
    world.heal();
    for (const [id, open] of this.#snapshots) {
      for (const at of open) world.node(id).access.closeSnapshot(at);
    }
    const serves = (): boolean =>
      world.living.every(({ id, access }) => this.#isWitness(id) || access.refusal === undefined);
    assert(world.until(serves, 30_000), 'the group does not recover', this.#state());
    world.advance(8000);
    // Who compares finds what has rotted, also where nobody reads.
    for (const { id } of world.living) this.#hash(id);
    world.advance(8000);
    assert(world.until(serves, 30_000), 'damage is not made good', this.#state());
    this.#look();
    for (const { marker, node, life } of this.#sent.values()) {
      assert(world.node(node).incarnation !== life, 'never answered', marker, node);
    }
    const whole = world.living.filter(({ id }) => !this.#isWitness(id));
    const leader = must(world.leader, 'somebody leads');
    const equal = (): boolean =>
      whole.every(({ observed }) => observed.appliedIndex === leader.observed.appliedIndex);
    // The leader may just have applied something that the others hear of in a moment.
    assert(world.until(equal, 1000), 'a replica lags', this.#state());
    for (const { observed, id } of whole) {
      const expected = leader.observed.stateHash();
      assert(observed.stateHash() === expected, 'replicas differ', id, leader.id);
    }
    this.#compare(leader);
  }

  #hash(id: NodeId): void {
    this.world.ask(id, (token, replyTo) => ({
      kind: 'shard.hash',
      token,
      ...{ at: undefined, from: new Uint8Array(0), to: undefined },
      replyTo: replyTo as never,
    }));
  }

  #compare({ access }: WorldNode): void {
    const there = new Set<string>();
    const span = { from: keyOf('2/'), to: keyOf('2/~') };
    access.scan(span, access.appliedTimestamp, (key) => {
      there.add(Buffer.from(key).toString('latin1', 10));
      return true;
    });
    for (const marker of this.committed) assert(there.has(marker), 'a commit is lost', marker);
    for (const marker of this.refused) assert(!there.has(marker), 'refused and there', marker);
    const value = Number(textOf(access.get(keyOf('register'), access.appliedTimestamp)) ?? '0');
    assert(value >= this.#register, 'the register lost a write', value, this.#register);
  }

  #isWitness(id: NodeId): boolean {
    return this.world.options.witnesses?.includes(id) === true;
  }

  #state(): string {
    const lines = this.world.living.map(({ id, observed, access }) => {
      const { raft } = observed;
      const { reason = 'serves' } = access.refusal ?? {};
      return `${id}: ${raft.role} term ${raft.term} leader ${raft.leader} applied ${observed.appliedIndex} commit ${raft.commitIndex} ${reason}`;
    });
    return lines.join('; ');
  }
}

function textOf(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString();
}
