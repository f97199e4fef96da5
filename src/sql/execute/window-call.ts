/** One call with OVER: its value for each row of a partition. */
import { must } from '../../base/assert.js';
import type {
  AggregateFunction,
  AggregateState,
  WindowFunction,
  WindowPlace,
} from '../functions/index.js';
import type { SortKey, WindowCall } from '../plan/expression.js';
import type { Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression, compileTest } from './expression.js';
import type { Evaluate, Scope, Test } from './scope.js';
import { Held, type Pause, pause, rowsPerLook } from './stream.js';
import { compileFrame, type FrameWalk, type Segment } from './window-frame.js';
import type { Partition } from './window-partition.js';

/** A call within an execution. Rows of a partition are asked for in their order. */
export interface OpenCall {
  begin(partition: Partition): void;
  /** Work before the value of the partition's current row can be given; undefined when there is little. */
  catchUp(): Generator<Pause, void, undefined> | undefined;
  value(): Value;
  close(): void;
}

export function compileWindowCall(
  call: WindowCall,
  order: readonly SortKey[],
  scope: Scope,
): (context: ExecutionContext) => OpenCall {
  const values = call.arguments.map((argument) => compileExpression(argument, scope));
  const frame = compileFrame(call.frame, order, scope);
  const { function: called } = call;
  if (called.form === 'window') {
    return (context) => new Placed(called, values, frame(context));
  }
  const filter = call.filter && compileTest(call.filter, scope);
  const compiled: CompiledAggregate = { called, values, filter };
  return (context) => new Framed(compiled, frame(context), context);
}

/** A window function that is no aggregate. */
class Placed implements OpenCall, WindowPlace {
  readonly #called: WindowFunction;
  readonly #values: readonly Evaluate[];
  readonly #frame: FrameWalk;
  #partition: Partition | undefined;
  #segments: readonly Segment[] = [];

  constructor(called: WindowFunction, values: readonly Evaluate[], frame: FrameWalk) {
    this.#called = called;
    this.#values = values;
    this.#frame = frame;
  }

  begin(partition: Partition): void {
    this.#partition = partition;
    if (this.#called.usesFrame) this.#frame.begin(partition);
  }

  catchUp(): undefined {
    return undefined;
  }

  value(): Value {
    if (this.#called.usesFrame) this.#segments = this.#frame.segments();
    return this.#called.value(this);
  }

  close(): void {
    this.#partition = undefined;
  }

  get rowCount(): number {
    return this.#open.rowCount;
  }

  get row(): number {
    return this.#open.row;
  }

  get peersFrom(): number {
    return this.#open.groupStart(this.#open.group);
  }

  get peersTo(): number {
    return this.#open.groupEnd(this.#open.group);
  }

  get groupsBefore(): number {
    return this.#open.group;
  }

  get argumentCount(): number {
    return this.#values.length;
  }

  valueAt(row: number, argument: number): Value {
    const evaluate = must(this.#values[argument], 'an argument of the call');
    return evaluate(this.#open.rowAt(row), this.#open.context);
  }

  get frameCount(): number {
    return this.#segments.reduce((count, [from, to]) => count + to - from, 0);
  }

  frameRow(n: number): number | undefined {
    let left = n;
    for (const [from, to] of this.#segments) {
      if (left < to - from) return from + left;
      left -= to - from;
    }
    return undefined;
  }

  get #open(): Partition {
    return must(this.#partition, 'a partition was begun');
  }
}

interface CompiledAggregate {
  readonly called: AggregateFunction;
  readonly values: readonly Evaluate[];
  readonly filter: Test | undefined;
}

const noSegments: readonly Segment[] = [];

/**
 * An aggregate over a frame. While a frame only grows at its end its rows are stepped with once; rows
 * that leave it at its start are taken out again where the aggregate can; else it is made anew.
 */
class Framed implements OpenCall {
  readonly #call: CompiledAggregate;
  readonly #frame: FrameWalk;
  readonly #context: ExecutionContext;
  readonly #held: Held;
  #partition: Partition | undefined;
  #state: AggregateState;
  /** What the state holds; the frame of the value that was given last. */
  #done: readonly Segment[] = noSegments;
  #value: Value | undefined;
  #wanted: readonly Segment[] = noSegments;
  #steps = 0;

  constructor(call: CompiledAggregate, frame: FrameWalk, context: ExecutionContext) {
    this.#call = call;
    this.#frame = frame;
    this.#context = context;
    this.#held = new Held(context);
  }

  begin(partition: Partition): void {
    this.#partition = partition;
    this.#frame.begin(partition);
    this.#restart();
  }

  catchUp(): Generator<Pause, void, undefined> | undefined {
    this.#wanted = this.#frame.segments();
    const work = this.#work();
    // Most rows move the frame by a step or two: no generator leaves here for those.
    return work.next().done === true ? undefined : resumed(work);
  }

  value(): Value {
    this.#value ??= this.#call.called.final(this.#state, this.#context.functions, []);
    return this.#value;
  }

  close(): void {
    this.#held.free();
    this.#partition = undefined;
  }

  #restart(): void {
    this.#state = this.#call.called.init();
    this.#done = noSegments;
    this.#value = undefined;
    this.#held.free();
  }

  /** Brings the state from the frame it holds to the one wanted. */
  *#work(): Generator<Pause, void, undefined> {
    const [before] = this.#done;
    const [after] = this.#wanted;
    if (sameSegments(this.#done, this.#wanted)) return;
    this.#value = undefined;
    const isOne = this.#done.length === 1 && this.#wanted.length === 1;
    if (isOne && before !== undefined && after !== undefined && this.#canMove(before, after)) {
      if (yield* this.#takeOut(before[0], after[0])) {
        yield* this.#step(before[1], after[1]);
        this.#done = this.#wanted;
        return;
      }
    }
    this.#restart();
    for (const [from, to] of this.#wanted) yield* this.#step(from, to);
    this.#done = this.#wanted;
  }

  #canMove(before: Segment, after: Segment): boolean {
    if (after[0] < before[0] || after[1] < before[1] || after[0] > before[1]) return false;
    return after[0] === before[0] || this.#call.called.inverse !== undefined;
  }

  *#step(from: number, to: number): Generator<Pause, void, undefined> {
    const { called } = this.#call;
    const { functions } = this.#context;
    const partition = must(this.#partition, 'a partition was begun');
    for (let at = from; at < to; at += 1) {
      const values = this.#valuesOf(partition.rowAt(at));
      if (values !== undefined) {
        this.#state = called.step(this.#state, values[0] ?? null, values[1] ?? null, functions);
      }
      if (this.#mayPause()) yield pause;
    }
  }

  /** False when the state cannot be had this way. */
  *#takeOut(from: number, to: number): Generator<Pause, boolean, undefined> {
    const { inverse } = this.#call.called;
    const partition = must(this.#partition, 'a partition was begun');
    for (let at = from; at < to && inverse !== undefined; at += 1) {
      const values = this.#valuesOf(partition.rowAt(at));
      if (values !== undefined) {
        const state = inverse(this.#state, values[0] ?? null, values[1] ?? null);
        if (state === undefined) return false;
        this.#state = state;
      }
      if (this.#mayPause()) yield pause;
    }
    return true;
  }

  /** Undefined for a row that the aggregate passes over. */
  #valuesOf(row: Row): readonly Value[] | undefined {
    const { called, values, filter } = this.#call;
    if (filter !== undefined && !filter(row, this.#context)) return undefined;
    const given: Value[] = [];
    for (const evaluate of values) {
      const value = evaluate(row, this.#context);
      if (called.strict && value === null) return undefined;
      given.push(value);
    }
    return given;
  }

  /** Now and then memory is charged for what the state has grown to. */
  #mayPause(): boolean {
    this.#steps += 1;
    if (this.#steps % rowsPerLook !== 0) return false;
    this.#held.free();
    this.#held.add(this.#call.called.sizeOf(this.#state));
    return this.#context.turnIsOver();
  }
}

/** A generator that has yielded once already. */
function* resumed(work: Generator<Pause, void, undefined>): Generator<Pause, void, undefined> {
  yield pause;
  yield* work;
}

function sameSegments(a: readonly Segment[], b: readonly Segment[]): boolean {
  return (
    a.length === b.length && a.every(([from, to], i) => from === b[i]?.[0] && to === b[i]?.[1])
  );
}
