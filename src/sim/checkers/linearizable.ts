/**
 * Is a history of operations linearizable? Wing and Gong's search with Lowe's memory of configurations
 * seen ("Testing for linearizability", 2016), part by part where the object falls into parts that
 * know nothing of each other (Herlihy and Wing: a history is linearizable if each object's is).
 *
 * An operation whose outcome is unknown returns at Infinity. It may take effect at any time after its
 * call, or never. So the search ends when all others have their place, and a configuration is
 * hopeless when one was that had the same of the others and fewer of these: what is not yet used may
 * be left unused.
 */
import { assert, must } from '../../base/assert.js';

/** One operation of a client: `calledAt` and `returnedAt` are any strictly comparable instants. */
export interface Operation<Input, Output> {
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
const configurationsMax = 5_000_000;

/** Throws an AssertionError when the history is too large to decide. */
export function isLinearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
): boolean {
  const parts = new Map<string, Operation<Input, Output>[]>();
  for (const operation of history) {
    const name = model.part?.(operation.input) ?? '';
    const part = parts.get(name);
    if (part === undefined) parts.set(name, [operation]);
    else part.push(operation);
  }
  return [...parts.values()].every((part) => new Search(model, part).run());
}

/** A call or a return in order of time. */
interface Event<Input, Output> {
  /** Undefined at the return. */
  readonly call: Operation<Input, Output> | undefined;
  /** The operation's number, among those that returned or among the others, by time of call. */
  readonly number: number;
  readonly returns: boolean;
  match: Event<Input, Output> | undefined;
  previous: Event<Input, Output> | undefined;
  next: Event<Input, Output> | undefined;
}

/**
 * Invariants: the list behind `head` holds the events of the operations that have no place yet, in
 * order of time; `placed` and `used` say which have one, `stack` in which order they got it.
 */
class Search<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  readonly #head: Event<Input, Output>;
  readonly #stack: { readonly event: Event<Input, Output>; readonly state: State }[] = [];
  /** The operations that returned and have a place: a bit each. */
  readonly #placed: Uint16Array;
  /** Those of unknown outcome that have a place: a bit each. */
  #used = 0n;
  #unplaced = 0;
  /** By state and `placed`: the sets `used` met with them, none of which holds another. */
  readonly #seen = new Map<string, bigint[]>();
  #configurations = 0;

  constructor(model: Model<State, Input, Output>, history: readonly Operation<Input, Output>[]) {
    this.#model = model;
    this.#head = event(undefined, -1, false);
    this.#link(history);
    this.#placed = new Uint16Array(Math.ceil(this.#unplaced / 16));
  }

  run(): boolean {
    let state = this.#model.initial;
    let at = this.#head.next;
    while (this.#unplaced > 0) {
      const candidate = must(at, 'an operation without a place returns');
      if (candidate.call === undefined) {
        // A return whose call has no place: undo the last placement and try what comes after it.
        const last = this.#stack.pop();
        if (last === undefined) return false;
        state = last.state;
        this.#mark(last.event, false);
        unlift(last.event);
        at = last.event.next;
        continue;
      }
      const next = this.#try(candidate, candidate.call, state);
      if (next === undefined) {
        at = candidate.next;
        continue;
      }
      this.#stack.push({ event: candidate, state });
      lift(candidate);
      state = next;
      at = this.#head.next;
    }
    return true;
  }

  /** Places the operation if that leads to a configuration that is not known to be hopeless. */
  #try(
    candidate: Event<Input, Output>,
    { input, output }: Operation<Input, Output>,
    state: State,
  ): State | undefined {
    const next = this.#model.step(state, input, output);
    if (next === undefined) return undefined;
    this.#mark(candidate, true);
    if (this.#remember(this.#model.key(next))) return next;
    this.#mark(candidate, false);
    return undefined;
  }

  #mark({ number, returns }: Event<Input, Output>, placed: boolean): void {
    if (!returns) {
      const bit = 1n << BigInt(number);
      assert(((this.#used & bit) === 0n) === placed, 'used twice', number);
      this.#used ^= bit;
      return;
    }
    const word = must(this.#placed[number >> 4], 'a word for each operation');
    this.#placed[number >> 4] = word ^ (1 << (number & 15));
    this.#unplaced += placed ? -1 : 1;
  }

  /** True when no configuration was met from which as much can be reached. */
  #remember(state: string): boolean {
    let full = 0;
    while (this.#placed[full] === 0xffff) full += 1;
    let end = this.#placed.length;
    while (end > full && this.#placed[end - 1] === 0) end -= 1;
    const placed = String.fromCharCode(...this.#placed.subarray(full, end));
    const configuration = `${full}:${placed}:${state}`;
    const used = this.#used;
    const met = this.#seen.get(configuration);
    if (met === undefined) this.#seen.set(configuration, [used]);
    else if (met.some((fewer) => (fewer & used) === fewer)) return false;
    else met.push(used);
    this.#configurations += 1;
    assert(this.#configurations <= configurationsMax, 'the history is too large to decide');
    return true;
  }

  #link(history: readonly Operation<Input, Output>[]): void {
    const events: { readonly at: number; readonly event: Event<Input, Output> }[] = [];
    let unknown = 0;
    for (const operation of history.toSorted((a, b) => a.calledAt - b.calledAt)) {
      const { calledAt, returnedAt } = operation;
      assert(calledAt <= returnedAt, 'returned before it was called', calledAt, returnedAt);
      const returns = returnedAt !== Number.POSITIVE_INFINITY;
      const called = event(operation, returns ? this.#unplaced : unknown, returns);
      events.push({ at: calledAt, event: called });
      if (!returns) {
        unknown += 1;
        continue;
      }
      called.match = event<Input, Output>(undefined, this.#unplaced, returns);
      events.push({ at: returnedAt, event: called.match });
      this.#unplaced += 1;
    }
    // At one instant calls come before returns: operations that touch are concurrent.
    const kind = (of: Event<Input, Output>): number => (of.call === undefined ? 1 : 0);
    events.sort((a, b) => a.at - b.at || kind(a.event) - kind(b.event));
    let last = this.#head;
    for (const { event: next } of events) {
      last.next = next;
      next.previous = last;
      last = next;
    }
  }
}

function event<Input, Output>(
  call: Operation<Input, Output> | undefined,
  number: number,
  returns: boolean,
): Event<Input, Output> {
  return { call, number, returns, match: undefined, previous: undefined, next: undefined };
}

function lift<Input, Output>(called: Event<Input, Output>): void {
  for (const part of [called, called.match]) {
    if (part === undefined) continue;
    must(part.previous, 'lifting an event that is not linked').next = part.next;
    if (part.next !== undefined) part.next.previous = part.previous;
  }
}

function unlift<Input, Output>(called: Event<Input, Output>): void {
  for (const part of [called.match, called]) {
    if (part === undefined) continue;
    must(part.previous, 'an event without its place').next = part;
    if (part.next !== undefined) part.next.previous = part;
  }
}
