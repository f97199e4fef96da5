/**
 * What goes wrong in a cluster: faults drawn from the seed, one after the other and on top of each
 * other, until everything is healed. Whatever happens, at most a minority of the voters has rotten
 * disks; the others come back as they were.
 */
import { unreachable } from '../base/assert.js';
import type { NodeId } from '../base/ids.js';
import type { Random } from '../base/random.js';
import type { SimulatedNetwork } from './network.js';
import type { Operator } from './operator.js';
import type { SimulatedProcess } from './process.js';
import { suffice } from './suffice.js';
import type { World } from './world.js';

export const faultKinds = [
  'crash',
  'crashAll',
  'crashInTurn',
  'freeze',
  'suspend',
  'isolate',
  'split',
  'oneWay',
  'flapping',
  'bridge',
  'slowLinks',
  'resetLinks',
  'stallDisk',
  'failDisk',
  'rot',
  'jumpClock',
  'lull',
  'transfer',
  'restart',
  'join',
  'leave',
  'replace',
  'exchange',
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** Whether faults of that kind change who belongs to the cluster. */
export function changesMembers(kind: FaultKind): boolean {
  return ['transfer', 'join', 'leave', 'replace', 'exchange'].includes(kind);
}

/** What hits no process in particular. */
type WideFault =
  | 'crashAll'
  | 'split'
  | 'bridge'
  | 'slowLinks'
  | 'resetLinks'
  | 'lull'
  | 'transfer'
  | 'join';

export interface FaultOptions {
  /** The faults of this run; others do not happen. */
  readonly kinds: readonly FaultKind[];
  /** Pause between the beginnings of two faults, at most; they overlap. */
  readonly pauseMsMax: number;
  /** A fault ends after this, at most. */
  readonly durationMsMax: number;
  /** The chance that a fault hits the leader rather than anybody. */
  readonly leaderChance: number;
}

export interface FaultParts {
  readonly world: World;
  readonly random: Random;
  readonly options: FaultOptions;
  readonly network: SimulatedNetwork;
  /** Those who may join later included. */
  readonly processes: readonly SimulatedProcess[];
  readonly operator: Operator;
  isWitness(node: NodeId): boolean;
  /** The newest lists of voters known. */
  voters(): readonly (readonly NodeId[])[];
  /** Members of the leader's configuration that do not vote. */
  learners(): readonly NodeId[];
  leader(): SimulatedProcess | undefined;
}

export class Faults {
  /** How many there were, by kind. */
  readonly counts = new Map<string, number>();
  /** Clients are quiet until then, so that a group may fall asleep. */
  lullUntilMs = 0;
  readonly #parts: FaultParts;
  /** Voters that have lost data. */
  readonly #lost = new Set<NodeId>();
  /** Processes that are not started again: not yet, or no more. */
  readonly #resting: Set<SimulatedProcess>;
  /** Processes that come back at once when they die. */
  readonly #bouncing = new Set<SimulatedProcess>();
  /** Ends of faults that go on; run early when all is healed. */
  readonly #ends = new Set<() => void>();
  #healed = true;
  /** Tells one {@link start} from the next. */
  #round = 0;

  /** `resting`: processes that were not started. */
  constructor(parts: FaultParts, resting: readonly SimulatedProcess[]) {
    this.#parts = parts;
    this.#resting = new Set(resting);
  }

  /** Processes that are members, or about to become it, or to leave. */
  get members(): readonly SimulatedProcess[] {
    return this.#parts.processes.filter((process) => !this.#resting.has(process));
  }

  get total(): number {
    let total = 0;
    for (const count of this.counts.values()) total += count;
    return total;
  }

  /** Begins faults of these kinds. */
  start(kinds: readonly FaultKind[]): void {
    this.#healed = false;
    this.#round += 1;
    this.#parts.network.disturb();
    if (kinds.length > 0) this.#next(kinds, this.#round);
  }

  /** Ends all faults and begins no more. */
  heal(): void {
    this.#healed = true;
    this.lullUntilMs = 0;
    const { network, processes, world } = this.#parts;
    world.trace('faults', 'heal', '');
    for (const end of [...this.#ends]) end();
    network.heal();
    for (const process of processes) {
      process.calm();
      if (!process.alive && !this.#resting.has(process)) process.start();
    }
  }

  /** A process has died: it comes back. */
  onDown(process: SimulatedProcess): void {
    const { world, random } = this.#parts;
    const isSoon = this.#healed || this.#bouncing.delete(process);
    const delayMs = isSoon ? random.between(1, 5) : this.#durationMs();
    world.after(delayMs, () => {
      if (!process.alive && !this.#resting.has(process)) process.start();
    });
  }

  #next(kinds: readonly FaultKind[], round: number): void {
    const { world, random, options } = this.#parts;
    world.after(random.fraction() * options.pauseMsMax, () => {
      if (this.#healed || this.#round !== round) return;
      this.#begin(random.pick(kinds));
      this.#next(kinds, round);
    });
  }

  #begin(kind: FaultKind): void {
    const { processes, random, world, network } = this.#parts;
    const target = this.#target();
    world.trace('faults', kind, target?.name ?? '');
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    switch (kind) {
      case 'crashAll':
        for (const process of processes) if (process.alive) process.crash();
        return;
      case 'split': {
        const side = processes.filter(() => random.chance(0.5));
        this.#cut(pairs(side, without(processes, side), 'both'));
        return;
      }
      case 'bridge':
        this.#bridge();
        return;
      case 'slowLinks': {
        const slowMs = random.pick([20, 100, 400]);
        const slow = everyPair(processes).filter(() => random.chance(0.5));
        for (const [from, to] of slow) network.slow(from, to, slowMs);
        this.#endLater(() => {
          for (const [from, to] of slow) network.slow(from, to, 0);
        });
        return;
      }
      case 'transfer':
        this.#parts.operator.transfer();
        return;
      case 'join':
        this.#join();
        return;
      case 'lull':
        this.lullUntilMs = world.nowMs + this.#durationMs();
        return;
      case 'resetLinks':
        for (const [from, to] of everyPair(processes)) {
          if (random.chance(0.3)) network.reset(from, to);
        }
        return;
      case 'crash':
      case 'crashInTurn':
      case 'freeze':
      case 'suspend':
      case 'isolate':
      case 'oneWay':
      case 'flapping':
      case 'stallDisk':
      case 'failDisk':
      case 'rot':
      case 'jumpClock':
      case 'restart':
      case 'leave':
      case 'exchange':
      case 'replace':
        if (target !== undefined) this.#strike(kind, target);
        return;
      default:
        unreachable(kind);
    }
  }

  /** What hits one process that is alive and not frozen. */
  #strike(kind: Exclude<FaultKind, WideFault>, target: SimulatedProcess): void {
    const { random, processes, world } = this.#parts;
    const others = without(processes, [target]);
    switch (kind) {
      case 'crash':
        target.crash();
        return;
      case 'crashInTurn':
        target.crashAfterTurns(random.between(1, 400));
        return;
      case 'freeze':
      case 'suspend': {
        const sinceMs = world.nowMs;
        target.freeze();
        this.#endLater(() => {
          if (target.frozen) target.thaw(kind === 'suspend' ? world.nowMs - sinceMs : 0);
        });
        return;
      }
      case 'isolate':
        this.#cut(pairs([target], others, 'both'));
        return;
      case 'oneWay':
        this.#cut(pairs([target], others, random.pick(['out', 'in'])));
        return;
      case 'flapping':
        this.#flap(pairs([target], others, 'both'), random.between(2, 6));
        return;
      case 'stallDisk':
        target.disk.stall(this.#durationMs());
        return;
      case 'failDisk':
        target.failDisk(random.pick(['disk_full', 'io_error']));
        return;
      case 'rot':
        this.#rot(target);
        return;
      case 'jumpClock':
        target.clock.jumpWall(random.between(-600_000, 600_000));
        return;
      case 'restart':
        target.stop();
        return;
      case 'leave':
        this.#leave(target);
        return;
      case 'exchange':
        this.#exchange(target);
        return;
      case 'replace':
        if (!this.#isVoter(target.node) || !this.#mayLose(target.node)) return;
        this.#lost.add(target.node);
        this.#resting.add(target);
        target.crash();
        this.#join();
        this.#parts.operator.decommission(target, Number.POSITIVE_INFINITY);
        return;
      default:
        unreachable(kind);
    }
  }

  #rot(target: SimulatedProcess): void {
    const { random, world } = this.#parts;
    if (!this.#mayLose(target.node)) return;
    this.#lost.add(target.node);
    world.trace(target.name, 'rots', `${target.disk.rot(random.between(1, 3))} values`);
  }

  /** Whether it is one in the newest configuration known. */
  #isVoter(node: NodeId): boolean {
    return this.#parts.voters()[0]?.includes(node) === true;
  }

  /** Whether the voters are still enough when this one's data are lost. */
  #mayLose(node: NodeId): boolean {
    return this.#suffice([], new Set([...this.#lost, node]));
  }

  /**
   * Whether the voters are still enough, now, and when the change under way is given up or done; `more` may
   * come to vote.
   */
  #suffice(
    leave: readonly NodeId[],
    lost: ReadonlySet<NodeId>,
    more: readonly NodeId[] = [],
  ): boolean {
    const { operator, voters, isWitness } = this.#parts;
    const lists = voters();
    const leaving = new Set([...leave, ...operator.departing]);
    const losses = { lost, leaving, isWitness };
    // Before the first leader nobody knows.
    if (lists.length === 0) return false;
    return lists.every((list) => suffice(list, losses) && suffice([...list, ...more], losses));
  }

  /** One that rests and never was a member becomes one. */
  #join(): void {
    for (const process of this.#resting) {
      if (process.started) continue;
      this.#resting.delete(process);
      process.start();
      return;
    }
  }

  #leave(target: SimulatedProcess): void {
    if (!this.#isVoter(target.node)) return;
    if (!this.#suffice([target.node], this.#lost)) return;
    this.#parts.operator.decommission(target, 3);
  }

  /** A learner takes the place of a voter in one step. */
  #exchange(target: SimulatedProcess): void {
    const { operator, learners } = this.#parts;
    const learner = learners().find((node) => !operator.departing.has(node));
    if (learner === undefined || !this.#isVoter(target.node)) return;
    if (!this.#suffice([target.node], this.#lost, [learner])) return;
    operator.exchange(target, learner);
  }

  /** Two halves that both see one node in the middle. */
  #bridge(): void {
    const { processes, random } = this.#parts;
    if (processes.length < 3) return;
    const middle = random.pick(processes);
    const rest = without(processes, [middle]);
    const side = rest.slice(0, Math.ceil(rest.length / 2));
    this.#cut(pairs(side, without(rest, side), 'both'));
    // What the one in the middle has promised to one half must outlive its process.
    if (random.chance(0.5)) this.#bounce(middle, random.between(1, 5));
  }

  /** Dies and comes back at once, again and again. */
  #bounce(target: SimulatedProcess, times: number): void {
    const { world, random } = this.#parts;
    if (times === 0) return;
    world.after(random.between(50, 400), () => {
      if (this.#healed) return;
      if (target.alive && !this.#resting.has(target)) {
        this.#bouncing.add(target);
        target.crash();
      }
      this.#bounce(target, times - 1);
    });
  }

  #cut(links: readonly Pair[]): void {
    const { network } = this.#parts;
    for (const [from, to] of links) network.block(from, to);
    this.#endLater(() => {
      for (const [from, to] of links) network.unblock(from, to);
    });
  }

  #flap(links: readonly Pair[], times: number): void {
    const { network, world, random } = this.#parts;
    if (times === 0 || this.#healed) return;
    for (const [from, to] of links) network.block(from, to);
    this.#endLater(() => {
      for (const [from, to] of links) network.unblock(from, to);
      world.after(random.fraction() * 200, () => this.#flap(links, times - 1));
    }, 300);
  }

  #endLater(end: () => void, durationMsMax?: number): void {
    const { world, random } = this.#parts;
    const once = (): void => {
      if (this.#ends.delete(once)) end();
    };
    this.#ends.add(once);
    const durationMs =
      durationMsMax === undefined ? this.#durationMs() : random.fraction() * durationMsMax;
    world.after(durationMs, once);
  }

  #target(): SimulatedProcess | undefined {
    const { processes, random, options, leader } = this.#parts;
    const hit = random.chance(options.leaderChance) ? leader() : random.pick(processes);
    return hit?.alive === true && !hit.frozen ? hit : undefined;
  }

  /** Mostly short, now and then long. */
  #durationMs(): number {
    const { random, options } = this.#parts;
    return options.durationMsMax * random.fraction() ** 2;
  }
}

type Pair = readonly [NodeId, NodeId];

function without<T>(all: readonly T[], some: readonly T[]): readonly T[] {
  return all.filter((each) => !some.includes(each));
}

function pairs(
  side: readonly SimulatedProcess[],
  others: readonly SimulatedProcess[],
  direction: 'both' | 'out' | 'in',
): readonly Pair[] {
  const found: Pair[] = [];
  for (const { node } of side) {
    for (const { node: other } of others) {
      if (direction !== 'in') found.push([node, other]);
      if (direction !== 'out') found.push([other, node]);
    }
  }
  return found;
}

function everyPair(processes: readonly SimulatedProcess[]): readonly Pair[] {
  return processes.flatMap((process) => pairs([process], without(processes, [process]), 'out'));
}
