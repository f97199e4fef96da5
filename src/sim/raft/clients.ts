/** Clients that write and read registers of a group, and the history of what they saw. */
import { must } from '../../base/assert.js';
import type { LogIndex } from '../../base/ids.js';
import type { Random } from '../../base/random.js';
import type { LogEntry } from '../../storage/index.js';
import { isLinearizable, type Model, type Operation } from '../checkers/linearizable.js';
import { demand } from '../workload.js';
import type { World } from '../world.js';
import type { GroupWatcher, RaftGroup } from './group.js';
import type { CoreMember } from './member.js';

interface Input {
  readonly key: string;
  /** Undefined: a read. */
  readonly write: string | undefined;
}

const register: Model<string, Input, string> = {
  initial: '',
  step: (state, { write }, output) => write ?? (state === output ? state : undefined),
  key: (state) => state,
  part: ({ key }) => key,
};

const keys = ['a', 'b', 'c'] as const;

/** A write that its leader has put in its log, and nobody has answered. */
interface Proposal {
  readonly member: CoreMember;
  readonly lives: number;
  readonly index: LogIndex;
  readonly text: string;
  readonly end: (applied: boolean) => void;
}

interface Read {
  readonly member: CoreMember;
  readonly lives: number;
  readonly run: (index: LogIndex | undefined) => void;
}

export class Clients implements GroupWatcher {
  readonly history: Operation<Input, string>[] = [];
  readonly #world: World;
  readonly #random: Random;
  readonly #group: RaftGroup;
  #proposals: Proposal[] = [];
  readonly #reads = new Map<number, Read>();
  #nextRead = 1;
  #nextValue = 1;
  #stopped = false;
  /** Nobody asks for anything until then, so that a group may fall asleep. */
  #quietUntilMs = 0;

  constructor(world: World, random: Random, group: RaftGroup) {
    this.#world = world;
    this.#random = random;
    this.#group = group;
    group.watcher = this;
  }

  start(): void {
    for (let client = 0; client < this.#group.options.clients; client += 1) this.#pause();
  }

  stop(): void {
    this.#stopped = true;
  }

  check(): void {
    for (const { end } of this.#proposals) end(false);
    demand(isLinearizable(register, this.history), 'registers are linearizable', this.history);
  }

  onApplied(member: CoreMember, entry: LogEntry): void {
    const { lives, state } = member;
    const done = this.#proposals.filter(
      (one) => one.member === member && one.lives === lives && one.index <= state.index,
    );
    if (done.length === 0) return;
    this.#proposals = this.#proposals.filter((one) => !done.includes(one));
    for (const { index, text, end } of done) {
      // Another leader's entry may have taken the place.
      end(index === entry.index && Buffer.from(entry.payload).toString() === text);
    }
  }

  onRead(_member: CoreMember, read: number, index: LogIndex | undefined): void {
    const waiting = must(this.#reads.get(read), 'a read is answered once');
    this.#reads.delete(read);
    waiting.run(index);
  }

  onCrash(member: CoreMember): void {
    const gone = this.#proposals.filter((one) => one.member === member);
    this.#proposals = this.#proposals.filter((one) => one.member !== member);
    for (const { end } of gone) end(false);
    for (const [number, { member: at, run }] of [...this.#reads]) {
      if (at !== member) continue;
      this.#reads.delete(number);
      run(undefined);
    }
  }

  #pause(): void {
    if (this.#stopped) return;
    const { nowMs } = this.#world;
    if (this.#random.chance(0.005)) this.#quietUntilMs = nowMs + this.#random.between(200, 1200);
    const quietMs = Math.max(0, this.#quietUntilMs - nowMs);
    const thinkMs = this.#random.fraction() * this.#group.options.thinkMsMax;
    this.#world.after(quietMs + thinkMs, () => this.#act());
  }

  /** A request takes its time to the member, and the answer back. */
  #act(): void {
    if (this.#stopped) return;
    const key = this.#random.pick(keys);
    const { leader, awake } = this.#group;
    const able = awake.filter((member) => !this.#group.isWitness(member));
    if (able.length === 0) {
      this.#pause();
      return;
    }
    const member =
      leader !== undefined && this.#random.chance(0.7) ? leader : this.#random.pick(able);
    const calledAt = this.#world.nowMs;
    this.#hop(() => {
      if (!this.#group.isAwake(member)) this.#pause();
      else if (this.#random.chance(this.#group.options.writeShare))
        this.#write(member, key, calledAt);
      else this.#read(member, key, calledAt);
    });
  }

  #write(member: CoreMember, key: string, calledAt: number): void {
    if (!member.running.serves) {
      this.#pause();
      return;
    }
    const value = String(this.#nextValue);
    this.#nextValue += 1;
    const text = `${key}=${value}`;
    const index = (member.running.lastIndex + 1) as LogIndex;
    let ended = false;
    const end = (applied: boolean): void => {
      if (ended) return;
      ended = true;
      const record = (returnedAt: number): void => {
        this.history.push({ input: { key, write: value }, output: '', calledAt, returnedAt });
        this.#pause();
      };
      if (applied) this.#hop(() => record(this.#world.nowMs));
      else record(Number.POSITIVE_INFINITY);
    };
    this.#proposals.push({ member, lives: member.lives, index, text, end });
    this.#world.after(this.#random.between(200, 1000), () => end(false));
    this.#group.trace(member, 'write', `${text} at ${index}`);
    member.propose(text);
  }

  #read(member: CoreMember, key: string, calledAt: number): void {
    const answer = (): void => {
      const output = member.state.values.get(key) ?? '';
      this.#group.trace(member, 'read', `${key}=${output} at ${member.state.index}`);
      this.#hop(() => {
        const returnedAt = this.#world.nowMs;
        this.history.push({ input: { key, write: undefined }, output, calledAt, returnedAt });
        this.#pause();
      });
    };
    if (member.running.leaseHolds(member.nowMs)) {
      this.#group.count('reads under a lease');
      answer();
      return;
    }
    const read = this.#nextRead;
    this.#nextRead += 1;
    const run = (index: LogIndex | undefined): void => {
      this.#group.count(index === undefined ? 'reads refused' : 'reads by index');
      if (index === undefined || this.#group.isWitness(member)) this.#pause();
      else answer();
    };
    this.#reads.set(read, { member, lives: member.lives, run });
    member.step({ kind: 'raft.read', read });
  }

  #hop(arrive: () => void): void {
    this.#world.after(this.#random.fraction() * 5, arrive);
  }
}
