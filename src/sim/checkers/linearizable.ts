/**
 * Is a history of operations linearizable? Wing and Gong's search with Lowe's memory of configurations
 * seen ("Testing for linearizability", 2016), part by part where the object falls into parts that
 * know nothing of each other (Herlihy and Wing: a history is linearizable if each object's is).
 *
 * An operation whose outcome is unknown returns at Infinity. It may take effect at any time after its
 * call, or never. So such operations get a place only right before one that returned, the search ends
 * when all that returned have theirs, and a configuration is hopeless when one was that had used fewer
 * of them: what is not yet used may be left unused. Of equal ones the first called is used first.
 */
import { assert, must } from '../../base/assert.js';

/** One operation of a client: `calledAt` and `returnedAt` are any strictly comparable instants. */
export interface Operation<Input, Output> {
  /** Plain data: inputs that JSON writes alike are alike. */
  readonly input: Input;
  readonly output: Output;
  readonly calledAt: number;
  /** Infinity when nobody knows whether it happened. */
  readonly returnedAt: number;
}

/** The object's sequential behaviour. States are compared by `key`. */
export interface Model<State, Input, Output> {
  readonly initial: State;
  /** The state after the operation, or undefined if the output is impossible in `state`. */
  step(state: State, input: Input, output: Output): State | undefined;
  key(state: State): string;
  /** The part of the object that the operation is about, if there are several independent ones. */
  part?(input: Input): string;
}

/** Above this a search would take minutes and all memory: the history is too long or too concurrent. */
const configurationsMax = 2_000_000;

/** Throws an AssertionError when the history is too large to decide. */
export function isLinearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
): boolean {
  const parts = groupBy(history, ({ input }) => model.part?.(input) ?? '');
  return [...parts.values()].every((part) => new Search(model, part).run());
}

/** How many of each class of operations of unknown outcome have a place. */
type Used = readonly number[];

interface Reached<State> {
  readonly state: State;
  readonly used: Used;
}

/** A call or a return, in a list in order of time. */
interface Event<Input, Output> {
  readonly at: number;
  /** Undefined at the return. */
  readonly call: Operation<Input, Output> | undefined;
  /** The operation's number, by time of call. */
  readonly number: number;
  match: Event<Input, Output> | undefined;
  previous: Event<Input, Output> | undefined;
  next: Event<Input, Output> | undefined;
}

interface Child<State, Input, Output> extends Reached<State> {
  readonly event: Event<Input, Output>;
}

/**
 * Invariants: the list behind `head` holds the events of the operations that returned and have no
 * place yet, in order of time; `placed` has a bit for each that has one.
 */
class Search<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  readonly #head: Event<Input, Output> = event(Number.NEGATIVE_INFINITY, undefined, -1);
  /** Operations of unknown outcome by class, each in order of call. */
  readonly #unknown: readonly (readonly Operation<Input, Output>[])[];
  readonly #placed: Uint16Array;
  #unplaced: number;
  /** By state and `placed`: what was used when they were met. */
  readonly #seen = new Map<string, Used[]>();
  #configurations = 0;

  constructor(model: Model<State, Input, Output>, history: readonly Operation<Input, Output>[]) {
    const byCall = history.toSorted((a, b) => a.calledAt - b.calledAt);
    const returned = byCall.filter(({ returnedAt }) => returnedAt !== Number.POSITIVE_INFINITY);
    const unknown = byCall.filter(({ returnedAt }) => returnedAt === Number.POSITIVE_INFINITY);
    this.#model = model;
    this.#unknown = [...groupBy(unknown, ({ input }) => JSON.stringify(input)).values()];
    this.#placed = new Uint16Array(Math.ceil(returned.length / 16));
    this.#unplaced = returned.length;
    this.#link(returned);
  }

  run(): boolean {
    const root = { state: this.#model.initial, used: this.#unknown.map(() => 0) };
    const path: Event<Input, Output>[] = [];
    const untried = [this.#children(root)];
    while (this.#unplaced > 0) {
      const next = must(untried.at(-1), 'a configuration to go on from').next();
      if (next.done !== true) {
        const { event: placed, ...reached } = next.value;
        this.#mark(placed);
        if (!this.#remember(reached)) {
          this.#mark(placed);
          continue;
        }
        lift(placed);
        this.#unplaced -= 1;
        path.push(placed);
        untried.push(this.#children(reached));
        continue;
      }
      untried.pop();
      const last = path.pop();
      if (last === undefined) return false;
      unlift(last);
      this.#unplaced += 1;
      this.#mark(last);
    }
    return true;
  }

  /**
   * The configurations with one more operation that returned: those called before any other one
   * without a place returns, each at once or after operations of unknown outcome, the fewest first.
   */
  *#children(from: Reached<State>): Generator<Child<State, Input, Output>> {
    const candidates: Event<Input, Output>[] = [];
    let at = this.#head.next;
    for (; at?.call !== undefined; at = at.next) candidates.push(at);
    const end = must(at, 'an operation without a place returns').at;
    const met = new Map([[this.#model.key(from.state), [from.used]]]);
    for (let level = [from]; level.length > 0; level = this.#useOneMore(level, end, met)) {
      for (const { state, used } of level) {
        for (const candidate of candidates) {
          const { input, output } = must(candidate.call, 'a candidate is a call');
          const next = this.#model.step(state, input, output);
          if (next !== undefined) yield { event: candidate, state: next, used };
        }
      }
    }
  }

  /** What one more operation of unknown outcome, called before `end`, makes of these. */
  #useOneMore(
    level: readonly Reached<State>[],
    end: number,
    met: Map<string, Used[]>,
  ): Reached<State>[] {
    const reached: Reached<State>[] = [];
    for (const { state, used } of level) {
      for (const [at, operations] of this.#unknown.entries()) {
        const count = must(used[at], 'each class is counted');
        const operation = operations[count];
        if (operation === undefined || operation.calledAt > end) continue;
        const next = this.#model.step(state, operation.input, operation.output);
        const more = used.with(at, count + 1);
        if (next === undefined || !add(met, this.#model.key(next), more)) continue;
        reached.push({ state: next, used: more });
      }
    }
    return reached;
  }

  #mark({ number }: Event<Input, Output>): void {
    const word = must(this.#placed[number >> 4], 'a word for each operation');
    this.#placed[number >> 4] = word ^ (1 << (number & 15));
  }

  /** True when no configuration was met from which as much can be reached. */
  #remember({ state, used }: Reached<State>): boolean {
    let full = 0;
    while (this.#placed[full] === 0xffff) full += 1;
    let end = this.#placed.length;
    while (end > full && this.#placed[end - 1] === 0) end -= 1;
    const placed = String.fromCharCode(...this.#placed.subarray(full, end));
    if (!add(this.#seen, `${full}:${placed}:${this.#model.key(state)}`, used)) return false;
    this.#configurations += 1;
    assert(this.#configurations <= configurationsMax, 'the history is too large to decide');
    return true;
  }

  #link(returned: readonly Operation<Input, Output>[]): void {
    const events: Event<Input, Output>[] = [];
    for (const [number, operation] of returned.entries()) {
      const { calledAt, returnedAt } = operation;
      assert(calledAt <= returnedAt, 'returned before it was called', calledAt, returnedAt);
      const called = event(calledAt, operation, number);
      called.match = event<Input, Output>(returnedAt, undefined, number);
      events.push(called, called.match);
    }
    // At one instant calls come before returns: operations that touch are concurrent.
    const kind = (of: Event<Input, Output>): number => (of.call === undefined ? 1 : 0);
    events.sort((a, b) => a.at - b.at || kind(a) - kind(b));
    let last = this.#head;
    for (const next of events) {
      last.next = next;
      next.previous = last;
      last = next;
    }
  }
}

/** Adds `used` unless a set of the same key is part of it. */
function add(met: Map<string, Used[]>, key: string, used: Used): boolean {
  const sets = met.get(key);
  if (sets === undefined) {
    met.set(key, [used]);
    return true;
  }
  if (sets.some((fewer) => fewer.every((count, at) => count <= (used[at] ?? 0)))) return false;
  sets.push(used);
  return true;
}

function groupBy<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = nameOf(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}

function event<Input, Output>(
  at: number,
  call: Operation<Input, Output> | undefined,
  number: number,
): Event<Input, Output> {
  return { at, call, number, match: undefined, previous: undefined, next: undefined };
}

function lift<Input, Output>(called: Event<Input, Output>): void {
  for (const part of [called, must(called.match, 'a call has its return')]) {
    must(part.previous, 'lifting an event that is not linked').next = part.next;
    if (part.next !== undefined) part.next.previous = part.previous;
  }
}

function unlift<Input, Output>(called: Event<Input, Output>): void {
  for (const part of [must(called.match, 'a call has its return'), called]) {
    must(part.previous, 'an event without its place').next = part;
    if (part.next !== undefined) part.next.previous = part;
  }
}
