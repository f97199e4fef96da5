/**
 * Is a history of operations on one object linearizable? Wing and Gong's search with Lowe's memory
 * of configurations seen ("Testing for linearizability", 2016), as in Porcupine.
 *
 * An operation whose outcome is unknown returns at Infinity: it may take effect at any later time or,
 * being last, never be seen.
 */
import { assert } from '../../base/assert.js';

/** One operation of a client: `calledAt` and `returnedAt` are any strictly comparable instants. */
export interface Operation<Input, Output> {
  readonly input: Input;
  readonly output: Output;
  readonly calledAt: number;
  readonly returnedAt: number;
}

/** The object's sequential behaviour. States are compared by `key`. */
export interface Model<State, Input, Output> {
  readonly initial: State;
  /** The state after the operation, or undefined if the output is impossible in `state`. */
  step(state: State, input: Input, output: Output): State | undefined;
  key(state: State): string;
}

interface Entry<Input, Output> {
  readonly operation: number;
  /** Undefined at the return. */
  readonly call: Operation<Input, Output> | undefined;
  match: Entry<Input, Output> | undefined;
  previous: Entry<Input, Output> | undefined;
  next: Entry<Input, Output> | undefined;
}

export function isLinearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
): boolean {
  const head = link(history);
  const done = new Set<number>();
  const seen = new Set<string>();
  const stack: { readonly entry: Entry<Input, Output>; readonly state: State }[] = [];
  let state = model.initial;
  let entry = head.next;
  while (entry !== undefined) {
    if (entry.call !== undefined) {
      const next = model.step(state, entry.call.input, entry.call.output);
      if (next !== undefined && remember(seen, done, entry.operation, model.key(next))) {
        stack.push({ entry, state });
        done.add(entry.operation);
        state = next;
        lift(entry);
        entry = head.next;
        continue;
      }
      entry = entry.next;
    } else {
      // A return whose call was not placed yet: undo the last placement and try the next candidate.
      const last = stack.pop();
      if (last === undefined) return false;
      state = last.state;
      done.delete(last.entry.operation);
      unlift(last.entry);
      entry = last.entry.next;
    }
  }
  assert(head.next === undefined, 'the search ended before the history');
  return true;
}

/** True when this set of placed operations with this state was not met before. */
function remember(
  seen: Set<string>,
  done: ReadonlySet<number>,
  operation: number,
  state: string,
): boolean {
  const placed = [...done, operation].sort((a, b) => a - b).join(',');
  const configuration = `${placed}|${state}`;
  if (seen.has(configuration)) return false;
  seen.add(configuration);
  return true;
}

/** Calls and returns in order of time as a list behind a head; a return that never came is last. */
function link<Input, Output>(history: readonly Operation<Input, Output>[]): Entry<Input, Output> {
  const entries: {
    readonly at: number;
    readonly returns: boolean;
    readonly entry: Entry<Input, Output>;
  }[] = [];
  history.forEach((operation, index) => {
    assert(operation.calledAt <= operation.returnedAt, 'returned before it was called', index);
    const blank = { match: undefined, previous: undefined, next: undefined };
    const returned: Entry<Input, Output> = { operation: index, call: undefined, ...blank };
    const called: Entry<Input, Output> = { operation: index, call: operation, ...blank };
    called.match = returned;
    entries.push({ at: operation.calledAt, returns: false, entry: called });
    entries.push({ at: operation.returnedAt, returns: true, entry: returned });
  });
  // At one instant calls come before returns: operations that touch are concurrent.
  entries.sort((a, b) => a.at - b.at || Number(a.returns) - Number(b.returns) || order(a, b));
  const head: Entry<Input, Output> = {
    operation: -1,
    call: undefined,
    match: undefined,
    previous: undefined,
    next: undefined,
  };
  let last = head;
  for (const { entry } of entries) {
    last.next = entry;
    entry.previous = last;
    last = entry;
  }
  return head;
}

function order(
  a: { readonly entry: { readonly operation: number } },
  b: { readonly entry: { readonly operation: number } },
): number {
  return a.entry.operation - b.entry.operation;
}

function lift<Input, Output>(entry: Entry<Input, Output>): void {
  for (const part of [entry, entry.match]) {
    assert(
      part !== undefined && part.previous !== undefined,
      'lifting an entry that is not linked',
    );
    part.previous.next = part.next;
    if (part.next !== undefined) part.next.previous = part.previous;
  }
}

function unlift<Input, Output>(entry: Entry<Input, Output>): void {
  for (const part of [entry.match, entry]) {
    assert(part !== undefined && part.previous !== undefined, 'an entry without its place');
    part.previous.next = part;
    if (part.next !== undefined) part.next.previous = part;
  }
}
