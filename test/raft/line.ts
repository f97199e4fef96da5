/**
 * Members of a Raft group on links of a given delay, in virtual time, where nothing goes wrong but what a
 * test does. For figures of the core: how long, how often, how much; what random faults do is judged in
 * src/sim/raft.
 */
import { must } from '#src/base/assert.js';
import type { NodeId } from '#src/base/ids.js';
import { Random } from '#src/base/random.js';
import type { RaftFlow, RaftMessage, RaftTiming } from '#src/raft/index.js';
import { CoreMember, type Surroundings } from '#src/sim/raft/member.js';
import type { Configuration } from '#src/storage/index.js';

export const timing: RaftTiming = {
  heartbeatMs: 50,
  electionMsMin: 150,
  electionMsMax: 300,
  leaseMs: 120,
  clockDrift: 0.01,
  leaseReads: true,
  hibernateMs: Number.POSITIVE_INFINITY,
};

export const flow: RaftFlow = {
  appendBytesMax: 1_000_000,
  inFlightBytesMax: 8_000_000,
  inFlightMessagesMax: 64,
};

export interface LineOptions {
  readonly voters?: number;
  readonly witnesses?: readonly number[];
  readonly seed?: number;
  readonly timing?: Partial<RaftTiming>;
  readonly flow?: Partial<RaftFlow>;
  /** How long a message takes from one member to another. */
  readonly delayMs?: (random: Random) => number;
  readonly flushMs?: (member: CoreMember) => number;
}

interface Event {
  readonly atMs: number;
  readonly run: () => void;
}

export class Line implements Surroundings {
  nowMs = (): number => this.#nowMs;
  readonly members: readonly CoreMember[];
  /** All that was sent so far. */
  readonly sent: RaftMessage[] = [];
  /** What arrives nowhere. */
  isLost: (message: RaftMessage) => boolean = () => false;
  readonly readsAnswered = new Map<number, number | undefined>();
  #nowMs = 0;
  readonly #options: LineOptions;
  readonly #random: Random;
  #events: Event[] = [];
  /** Links deliver in order. */
  readonly #arrivals = new Map<string, number>();

  constructor(options: LineOptions = {}) {
    this.#options = options;
    this.#random = new Random(options.seed ?? 1);
    const voters = Array.from({ length: options.voters ?? 3 }, (_, at) => (at + 1) as NodeId);
    const configuration: Configuration = {
      voters,
      outgoing: [],
      learners: [],
      witnesses: (options.witnesses ?? []) as NodeId[],
    };
    const settings = {
      configuration,
      timing: { ...timing, ...options.timing },
      flow: { ...flow, ...options.flow },
      rules: undefined,
    };
    this.members = voters.map((id) => new CoreMember(id, settings, this.#random.split(), this));
    for (const member of this.members) this.start(member);
  }

  start(member: CoreMember): void {
    member.start();
    this.onStepped(member);
  }

  /** Its process dies; all that was flushed stays. */
  kill(member: CoreMember): void {
    member.crash(member.disk.pending, member.disk.pendingLater);
  }

  get now(): number {
    return this.#nowMs;
  }

  /** The one that leads and serves. */
  get leader(): CoreMember {
    return must(this.serving, 'nobody leads');
  }

  get serving(): CoreMember | undefined {
    return this.members.find(({ node }) => node?.serves === true);
  }

  /** Lets `ms` pass. */
  pass(ms: number): void {
    this.passUntil(() => false, ms);
  }

  /** The whole machine stands still: afterwards all is late, and timers go off before anything is read. */
  standStill(ms: number): void {
    this.#nowMs += ms;
  }

  /** Lets time pass until `done`, `ms` at most; what it took. */
  passUntil(done: () => boolean, ms: number): number {
    const began = this.#nowMs;
    while (!done()) {
      const next = this.#next();
      if (next === undefined || next.atMs > began + ms) {
        this.#nowMs = began + ms;
        break;
      }
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    return this.#nowMs - began;
  }

  after(ms: number, run: () => void): void {
    this.#events.push({ atMs: this.#nowMs + ms, run });
  }

  send(message: RaftMessage): void {
    this.sent.push(message);
    if (this.isLost(message)) return;
    const { delayMs = () => 0.2 } = this.#options;
    const link = `${message.from}>${message.to}`;
    const atMs = Math.max(this.#nowMs + delayMs(this.#random), this.#arrivals.get(link) ?? 0);
    this.#arrivals.set(link, atMs);
    this.after(atMs - this.#nowMs, () => {
      const to = this.members[message.to - 1];
      if (to?.node !== undefined) to.step(message);
    });
  }

  onWrite(member: CoreMember): void {
    const { lives } = member;
    const ms = this.#options.flushMs?.(member) ?? 0.3;
    this.after(ms, () => {
      if (member.lives === lives && member.node !== undefined) member.flush();
    });
  }

  onStepped(member: CoreMember): void {
    if (member.committedIndex > member.state.index) member.apply();
  }

  onRead(_member: CoreMember, read: number, index: number | undefined): void {
    this.readsAnswered.set(read, index);
  }

  onReady(): void {}
  onApplied(): void {}
  onSnapshotWanted(): void {}

  /** The next event; a member whose deadline is nearer gets its tick. */
  #next(): Event | undefined {
    let next: Event | undefined;
    for (const event of this.#events)
      if (next === undefined || event.atMs < next.atMs) next = event;
    for (const member of this.members) {
      const atMs = member.node?.deadlineMs;
      if (atMs === undefined || (next !== undefined && atMs >= next.atMs)) continue;
      next = { atMs, run: () => member.step({ kind: 'raft.tick' }) };
    }
    this.#events = this.#events.filter((event) => event !== next);
    return next;
  }
}

/** A group that serves. */
export function started(options: LineOptions = {}): Line {
  const line = new Line(options);
  line.passUntil(() => line.serving !== undefined, 5000);
  return line;
}
