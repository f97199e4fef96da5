/** A simulated Raft group: members with their clocks, disks and links, under virtual time. */
import { must } from '../../base/assert.js';
import type { LogIndex, NodeId } from '../../base/ids.js';
import type { Random } from '../../base/random.js';
import type { RaftMessage, Ready } from '../../raft/index.js';
import type { Configuration, LogEntry } from '../../storage/index.js';
import { SimulatedClock } from '../clock.js';
import type { Cancel, World } from '../world.js';
import { CoreMember, type Surroundings } from './member.js';
import type { GroupOptions } from './options.js';
import { Properties } from './properties.js';
import type { Snapshot } from './disk.js';

/** One that is asked what happens to operations of clients. */
export interface GroupWatcher {
  onApplied(member: CoreMember, entry: LogEntry): void;
  onRead(member: CoreMember, read: number, index: LogIndex | undefined): void;
  /** What it had taken on is lost, or may be done by others. */
  onCrash(member: CoreMember): void;
}

/** One that strikes at the worst moment. */
export interface GroupEnemy {
  onElected(member: CoreMember): void;
  onVote(member: CoreMember): void;
}

interface Seat {
  readonly member: CoreMember;
  readonly clock: SimulatedClock;
  /** The process is stopped: what happens to it waits here. */
  waiting: (() => void)[] | undefined;
  /** The machine is suspended: its clock stands still. */
  suspendedAtMs: number | undefined;
  slowDisk: boolean;
  tickAtMs: number;
  cancelTick: Cancel;
  flushing: boolean;
  applying: boolean;
}

const stragglerMsMax = 500;
const snapshotTimeoutMs = 400;
/** Liveness between processes: a peer out of reach is reported so often. */
const livenessMs = 200;

export class RaftGroup implements Surroundings {
  readonly options: GroupOptions;
  readonly properties: Properties;
  /** How often a situation was reached. */
  readonly reached = new Map<string, number>();
  /** All that were to be witnesses at any time. Such a node never becomes a member with data. */
  readonly witnesses: Set<NodeId>;
  messages = 0;
  crashes = 0;
  /** The next install is cut short by a crash. */
  tearInstall = false;
  watcher: GroupWatcher | undefined;
  enemy: GroupEnemy | undefined;
  readonly #world: World;
  readonly #random: Random;
  readonly #seats = new Map<NodeId, Seat>();
  /** Directed links that are cut, as `from>to`. */
  readonly #cut = new Set<string>();
  /** When a link works again after one of its ends was down. */
  readonly #connected = new Map<string, number>();
  readonly #arrivals = new Map<string, number>();
  #healed = false;

  constructor(world: World, random: Random, options: GroupOptions) {
    this.options = options;
    this.#world = world;
    this.#random = random;
    const { voters, witnesses, learners, spares, timing, flow, rules } = options;
    const ids = (from: number, count: number): NodeId[] =>
      Array.from({ length: count }, (_, at) => (from + at) as NodeId);
    const configuration: Configuration = {
      voters: ids(1, voters),
      outgoing: [],
      learners: ids(voters + 1, learners),
      witnesses: ids(voters - witnesses + 1, witnesses),
    };
    this.witnesses = new Set(configuration.witnesses);
    const nobody: Configuration = { voters: [], outgoing: [], learners: [], witnesses: [] };
    const first = voters + learners;
    for (const id of ids(1, first + spares)) {
      const settings = { configuration: id <= first ? configuration : nobody, timing, flow, rules };
      const member = new CoreMember(id, settings, random.split(), this);
      const clock = new SimulatedClock(world, random.split(), {
        drift: timing.clockDrift,
        wallOffsetMsMax: 0,
        readMsMax: 0,
      });
      this.#seats.set(id, {
        ...{ member, clock, waiting: undefined, suspendedAtMs: undefined, slowDisk: false },
        ...{ tickAtMs: Number.POSITIVE_INFINITY, cancelTick: () => {} },
        ...{ flushing: false, applying: false },
      });
    }
    this.properties = new Properties(this.members, this.witnesses);
  }

  start(): void {
    for (const member of this.members) this.restart(member);
    this.#world.after(livenessMs, () => this.#reportLiveness());
  }

  get members(): readonly CoreMember[] {
    return [...this.#seats.values()].map(({ member }) => member);
  }

  /** Those whose processes run and are not stopped. */
  get awake(): readonly CoreMember[] {
    return this.members.filter((member) => this.isAwake(member));
  }

  /** The one that leads in the highest term, if it is awake. */
  get leader(): CoreMember | undefined {
    const leaders = this.awake.filter(({ running }) => running.role === 'leader');
    return leaders.sort((a, b) => b.running.term - a.running.term)[0];
  }

  isAwake(member: CoreMember): boolean {
    return member.node !== undefined && this.#seat(member).waiting === undefined;
  }

  /** Whether it has no data, or may have none: it gets none before it learns that it is a witness. */
  isWitness({ id }: CoreMember): boolean {
    return this.witnesses.has(id);
  }

  count(situation: string): void {
    this.reached.set(situation, (this.reached.get(situation) ?? 0) + 1);
  }

  trace(member: CoreMember, what: string, details = ''): void {
    this.#world.trace(`member ${member.id}`, what, details);
  }

  /** With `unflushedSurvival` the options' one, unless nothing shall survive. */
  crash(member: CoreMember, unflushedSurvival = this.options.unflushedSurvival): void {
    const seat = this.#seat(member);
    if (member.node === undefined) return;
    this.crashes += 1;
    const { disk } = member;
    const survives = (pending: number): number => {
      let surviving = 0;
      while (surviving < pending && this.#random.chance(unflushedSurvival)) surviving += 1;
      return surviving;
    };
    member.crash(survives(disk.pending), survives(disk.pendingLater));
    this.trace(member, 'crash', `last=${disk.lastIndex} term=${disk.ballot.term}`);
    seat.cancelTick();
    const { suspendedAtMs } = seat;
    if (suspendedAtMs !== undefined) seat.clock.stoodStill(this.#world.nowMs - suspendedAtMs);
    Object.assign(seat, { waiting: undefined, suspendedAtMs: undefined, flushing: false });
    Object.assign(seat, { applying: false, tickAtMs: Number.POSITIVE_INFINITY });
    this.watcher?.onCrash(member);
  }

  restart(member: CoreMember): void {
    if (member.node !== undefined) return;
    member.start();
    for (const { id } of this.members) {
      for (const link of [`${id}>${member.id}`, `${member.id}>${id}`]) {
        const delayMs = this.#random.fraction() * this.options.reconnectMsMax;
        this.#connected.set(link, this.#world.nowMs + (this.#healed ? 0 : delayMs));
      }
    }
    this.properties.started(member);
    this.trace(member, 'start', `last=${member.disk.lastIndex} applied=${member.state.index}`);
    if (member.disk.lost) this.count('started with lost entries');
    if (member.disk.installing) this.count('started in the middle of an install');
    this.#later(member, 0, () => member.step({ kind: 'raft.tick' }));
  }

  /** Stops the process, or with it the machine and its clock. */
  freeze(member: CoreMember, suspend: boolean): void {
    const seat = this.#seat(member);
    if (seat.waiting !== undefined || member.node === undefined) return;
    seat.waiting = [];
    if (suspend) seat.suspendedAtMs = this.#world.nowMs;
  }

  thaw(member: CoreMember): void {
    const seat = this.#seat(member);
    const { waiting, suspendedAtMs } = seat;
    if (waiting === undefined) return;
    seat.waiting = undefined;
    seat.suspendedAtMs = undefined;
    if (suspendedAtMs !== undefined) {
      seat.clock.stoodStill(this.#world.nowMs - suspendedAtMs);
      member.step({ kind: 'raft.clockJumped' });
    }
    for (const run of waiting) run();
  }

  slowDisk(member: CoreMember, slow: boolean): void {
    this.#seat(member).slowDisk = slow;
    if (this.isAwake(member)) member.step({ kind: 'raft.disk', healthy: !slow });
  }

  cut(from: NodeId, to: NodeId): void {
    this.#cut.add(`${from}>${to}`);
  }

  mend(from: NodeId, to: NodeId): void {
    this.#cut.delete(`${from}>${to}`);
  }

  /** Nothing goes wrong any more. */
  heal(): void {
    this.#healed = true;
    this.enemy = undefined;
    this.tearInstall = false;
    this.#cut.clear();
    this.#connected.clear();
    for (const member of this.members) {
      this.thaw(member);
      this.slowDisk(member, false);
      this.restart(member);
    }
  }

  nowMs(member: CoreMember): number {
    return this.#seat(member).clock.nowMs();
  }

  send(message: RaftMessage): void {
    this.properties.onSend(message, this.#world.nowMs);
    this.messages += 1;
    this.#carry(message.from, message.to, (member) => {
      this.properties.onReceive(message, this.#world.nowMs);
      member.step(message);
    });
    if (message.kind !== 'raft.voteAnswer' || !message.granted || message.pre) return;
    this.enemy?.onVote(this.#ofId(message.from).member);
  }

  onWrite(member: CoreMember): void {
    const seat = this.#seat(member);
    if (seat.flushing) return;
    seat.flushing = true;
    const { flushMsMin, flushMsMax } = this.options;
    const slow = seat.slowDisk ? 200 : 0;
    const delayMs = flushMsMin + this.#random.fraction() * (flushMsMax + slow - flushMsMin);
    this.#later(member, delayMs, () => {
      seat.flushing = false;
      // One flush takes along what has gathered meanwhile; the next begins when it has ended.
      for (let left = this.#random.between(1, member.disk.pending || 1); left > 0; left -= 1) {
        if (!member.flush()) break;
      }
      if (member.disk.pending > 0 && member.node !== undefined) this.onWrite(member);
    });
  }

  onReady(member: CoreMember, ready: Ready): void {
    this.properties.onReady(member, ready);
    const first = ready.entries[0];
    if (first !== undefined && first.index <= member.disk.lastIndex) this.count('entries replaced');
    if (ready.committed !== undefined) this.#applySoon(member);
  }

  onStepped(member: CoreMember): void {
    const before = this.properties.newestTerm;
    this.properties.onStepped(member);
    const { running } = member;
    if (this.properties.newestTerm > before) {
      this.count('elections');
      this.trace(member, 'leads', `term=${running.term} last=${running.lastIndex}`);
      this.enemy?.onElected(member);
    }
    if (running.hibernating) this.count('hibernating');
    this.#scheduleTick(member);
  }

  onApplied(member: CoreMember, entry: LogEntry): void {
    this.properties.onApplied(member);
    this.watcher?.onApplied(member, entry);
    if (entry.kind === 'configuration') {
      const { voters, outgoing, learners, witnesses } = member.configuration;
      this.count(outgoing.length > 0 ? 'joint configurations' : 'configurations');
      this.trace(member, 'members', `${[voters, outgoing, learners, witnesses].join(' | ')}`);
    }
  }

  onRead(member: CoreMember, read: number, index: LogIndex | undefined): void {
    this.watcher?.onRead(member, read, index);
  }

  onSnapshotWanted(member: CoreMember, to: NodeId): void {
    const forWitness = member.configuration.witnesses.includes(to);
    const snapshot = member.snapshot(forWitness);
    let ended = false;
    const end = (index: LogIndex | undefined): void => {
      if (ended) return;
      ended = true;
      member.step({ kind: 'raft.snapshotSent', to, index });
    };
    this.count('snapshots sent');
    this.#later(member, snapshotTimeoutMs, () => end(undefined));
    this.#carry(member.id, to, (receiver) => {
      this.#receive(receiver, snapshot);
      if (receiver.node === undefined) return;
      const installed = receiver.state.index >= snapshot.index && !receiver.disk.installing;
      const { lives } = member;
      this.#carry(to, member.id, () => {
        if (member.lives === lives) end(installed ? snapshot.index : undefined);
      });
    });
  }

  #receive(member: CoreMember, snapshot: Snapshot): void {
    if (!member.wants(snapshot)) return;
    member.beginInstall();
    if (this.tearInstall) {
      this.tearInstall = false;
      this.count('install torn');
      this.crash(member);
      this.#world.after(this.#random.between(1, 300), () => this.restart(member));
      return;
    }
    member.install(snapshot);
    this.properties.onApplied(member);
    this.count('snapshots installed');
    this.trace(member, 'installed', `index=${snapshot.index}`);
  }

  /** Runs at the member of this life when the time has come, unless its process is gone. */
  #later(member: CoreMember, delayMs: number, run: () => void): void {
    const { lives } = member;
    const seat = this.#seat(member);
    const runIfAlive = (): void => {
      if (member.node === undefined || member.lives !== lives) return;
      if (seat.waiting !== undefined) seat.waiting.push(runIfAlive);
      else run();
    };
    this.#world.after(delayMs, runIfAlive);
  }

  #carry(from: NodeId, to: NodeId, arrive: (member: CoreMember) => void): void {
    const { lossRate, duplicationRate } = this.options;
    const link = `${from}>${to}`;
    if (!this.#works(link) || (!this.#healed && this.#random.chance(lossRate))) return;
    const copies = !this.#healed && this.#random.chance(duplicationRate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      this.#world.after(this.#delayMs(link), () => {
        const seat = this.#seats.get(to);
        if (seat?.member.node === undefined || !this.#works(link)) return;
        if (seat.waiting === undefined) arrive(seat.member);
        else this.#later(seat.member, 0, () => arrive(seat.member));
      });
    }
  }

  #works(link: string): boolean {
    return !this.#cut.has(link) && this.#world.nowMs >= (this.#connected.get(link) ?? 0);
  }

  #delayMs(link: string): number {
    const { delayMsMin, delayMsMax, stragglerRate, ordered } = this.options;
    const { nowMs } = this.#world;
    const straggles = !this.#healed && this.#random.chance(stragglerRate);
    const max = straggles ? stragglerMsMax : this.#healed ? Math.min(delayMsMax, 10) : delayMsMax;
    const delayMs = delayMsMin + this.#random.fraction() * (max - delayMsMin);
    if (!ordered) return delayMs;
    const arrivalMs = Math.max(nowMs + delayMs, this.#arrivals.get(link) ?? 0);
    this.#arrivals.set(link, arrivalMs);
    return arrivalMs - nowMs;
  }

  #scheduleTick(member: CoreMember): void {
    const seat = this.#seat(member);
    const { deadlineMs } = member.running;
    if (deadlineMs === undefined) return;
    // A little later, so that rounding does not wake it before its time.
    const atMs = this.#world.nowMs + seat.clock.untilMs(deadlineMs) + 0.001;
    if (seat.tickAtMs <= atMs) return;
    seat.cancelTick();
    seat.tickAtMs = atMs;
    const { lives } = member;
    seat.cancelTick = this.#world.after(atMs - this.#world.nowMs, () => {
      seat.tickAtMs = Number.POSITIVE_INFINITY;
      const tick = (): void => {
        if (member.node === undefined || member.lives !== lives) return;
        if (seat.waiting !== undefined) seat.waiting.push(tick);
        else this.#tick(member);
      };
      tick();
    });
  }

  #tick(member: CoreMember): void {
    const { deadlineMs } = member.running;
    if (deadlineMs === undefined) return;
    if (member.nowMs >= deadlineMs) member.step({ kind: 'raft.tick' });
    else this.#scheduleTick(member);
  }

  #applySoon(member: CoreMember): void {
    const seat = this.#seat(member);
    if (seat.applying) return;
    seat.applying = true;
    this.#later(member, this.#random.fraction() * this.options.applyMsMax, () => {
      seat.applying = false;
      if (member.committedIndex > member.state.index) member.apply();
      this.#writeState(member);
    });
  }

  /** Now and then the state is written, and the log before what is on the disk is cut off. */
  #writeState(member: CoreMember): void {
    const { disk, state } = member;
    const { compactEntries } = this.options;
    if (state.index >= disk.state.index + compactEntries && disk.writeStateLater(state)) {
      this.#later(member, this.#random.fraction() * 20, () => {
        disk.flushLater();
        const to = (disk.writtenIndex - this.#random.below(compactEntries)) as LogIndex;
        if (to >= disk.firstIndex && this.#random.chance(0.7)) member.compact(to);
      });
    }
  }

  #reportLiveness(): void {
    this.#world.after(livenessMs, () => this.#reportLiveness());
    for (const member of this.awake) {
      for (const { id } of this.members) {
        const peer = this.#ofId(id);
        const reachable =
          peer.member.node !== undefined &&
          peer.waiting === undefined &&
          this.#works(`${member.id}>${id}`) &&
          this.#works(`${id}>${member.id}`);
        if (reachable || member.node === undefined || !this.#random.chance(0.7)) continue;
        member.step({ kind: 'raft.peerDown', peer: id });
      }
    }
  }

  #seat({ id }: CoreMember): Seat {
    return this.#ofId(id);
  }

  #ofId(id: NodeId): Seat {
    return must(this.#seats.get(id), 'a member has a seat');
  }
}
