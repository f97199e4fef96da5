/** Frames: which rows of its partition a row looks at. */
import { must, unreachable } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { InRange } from '../functions/index.js';
import type { Frame, FrameBound, SortKey } from '../plan/expression.js';
import type { Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression } from './expression.js';
import type { Evaluate, Scope } from './scope.js';
import type { Partition } from './window-partition.js';

/** Rows from the first up to, not including, the second. */
export type Segment = readonly [from: number, to: number];

/** Gives frames for the rows of partitions, each partition from its first row on. */
export interface FrameWalk {
  begin(partition: Partition): void;
  /** Rows of the frame of the partition's current row: segments in order, none of them empty. */
  segments(): readonly Segment[];
}

interface CompiledBound {
  readonly kind: FrameBound['kind'];
  readonly offset: Evaluate | undefined;
  readonly inRange: InRange | undefined;
}

export function compileFrame(
  frame: Frame,
  order: readonly SortKey[],
  scope: Scope,
): (context: ExecutionContext) => FrameWalk {
  const start = compileBound(frame.start, scope);
  const end = compileBound(frame.end, scope);
  const [first] = order;
  const key = first && {
    value: compileExpression(first.expression, scope),
    descending: first.descending,
    nullsFirst: first.nullsFirst,
  };
  return (context) => new Walk({ frame, start, end, key }, context);
}

function compileBound(bound: FrameBound, scope: Scope): CompiledBound {
  if (!('offset' in bound)) return { kind: bound.kind, offset: undefined, inRange: undefined };
  const offset = compileExpression(bound.offset, scope);
  return { kind: bound.kind, offset, inRange: bound.inRange };
}

interface CompiledFrame {
  readonly frame: Frame;
  readonly start: CompiledBound;
  readonly end: CompiledBound;
  readonly key:
    | { readonly value: Evaluate; readonly descending: boolean; readonly nullsFirst: boolean }
    | undefined;
}

class Walk implements FrameWalk {
  readonly #compiled: CompiledFrame;
  readonly #context: ExecutionContext;
  #partition: Partition | undefined;
  #startOffset: Value = null;
  #endOffset: Value = null;
  /** Of RANGE with offsets: first row of the last frame, and the one after its last. */
  #from = 0;
  #to = 0;

  constructor(compiled: CompiledFrame, context: ExecutionContext) {
    this.#compiled = compiled;
    this.#context = context;
  }

  begin(partition: Partition): void {
    const { start, end, frame } = this.#compiled;
    this.#partition = partition;
    this.#from = 0;
    this.#to = 0;
    // The offset is the same for all rows; one may have the answer of a subquery in it.
    const row = partition.rowAt(0);
    this.#startOffset = readOffset(start, 'starting', frame.mode, row, this.#context);
    this.#endOffset = readOffset(end, 'ending', frame.mode, row, this.#context);
  }

  segments(): readonly Segment[] {
    const partition = must(this.#partition, 'a partition was begun');
    const from = this.#start(partition);
    const to = this.#end(partition);
    return from >= to ? [] : this.#excluded(partition, from, to);
  }

  #excluded(partition: Partition, from: number, to: number): readonly Segment[] {
    const { row, group } = partition;
    const { exclude } = this.#compiled.frame;
    const [peersFrom, peersTo] = [partition.groupStart(group), partition.groupEnd(group)];
    switch (exclude) {
      case 'nothing':
        return [[from, to]];
      case 'current':
        return without([[from, to]], row, row + 1);
      case 'group':
        return without([[from, to]], peersFrom, peersTo);
      case 'ties':
        return without(without([[from, to]], peersFrom, row), row + 1, peersTo);
      default:
        return unreachable(exclude);
    }
  }

  #start(partition: Partition): number {
    const { start, frame } = this.#compiled;
    const { row, group, rowCount } = partition;
    switch (start.kind) {
      case 'first':
        return 0;
      case 'last':
        return rowCount;
      case 'current':
        return frame.mode === 'rows' ? row : partition.groupStart(group);
      case 'preceding':
      case 'following': {
        if (frame.mode === 'range') return this.#rangeStart(partition, start);
        const by = signed(start.kind, this.#startOffset);
        if (frame.mode === 'rows') return clamp(row + by, rowCount);
        return partition.groupStart(clamp(group + by, partition.groupCount));
      }
      default:
        return unreachable(start.kind);
    }
  }

  #end(partition: Partition): number {
    const { end, frame } = this.#compiled;
    const { row, group, rowCount } = partition;
    switch (end.kind) {
      case 'first':
        return 0;
      case 'last':
        return rowCount;
      case 'current':
        return frame.mode === 'rows' ? row + 1 : partition.groupEnd(group);
      case 'preceding':
      case 'following': {
        if (frame.mode === 'range') return this.#rangeEnd(partition, end);
        const by = signed(end.kind, this.#endOffset);
        if (frame.mode === 'rows') return clamp(row + by + 1, rowCount);
        return partition.groupEnd(Math.min(group + by, partition.groupCount));
      }
      default:
        return unreachable(end.kind);
    }
  }

  /** The first row that is not before the frame; it never moves back within a partition. */
  #rangeStart(partition: Partition, bound: CompiledBound): number {
    const { value, descending, nullsFirst } = must(this.#compiled.key, 'RANGE has one key');
    const inRange = must(bound.inRange, 'RANGE has a distance');
    const subtract = (bound.kind === 'preceding') !== descending;
    const base = value(partition.rowAt(partition.row), this.#context);
    while (this.#from < partition.rowCount) {
      const at = value(partition.rowAt(this.#from), this.#context);
      if (at === null || base === null) {
        // NULLs are apart from all other values and near to each other.
        const isBefore = nullsFirst ? at === null && base !== null : at !== null && base === null;
        if (!isBefore) break;
      } else if (
        inRange(at, base, this.#startOffset, subtract, descending, this.#context.functions)
      ) {
        break;
      }
      this.#from += 1;
    }
    return this.#from;
  }

  /** The row after the last that is not behind the frame. */
  #rangeEnd(partition: Partition, bound: CompiledBound): number {
    const { value, descending, nullsFirst } = must(this.#compiled.key, 'RANGE has one key');
    const inRange = must(bound.inRange, 'RANGE has a distance');
    const subtract = (bound.kind === 'preceding') !== descending;
    const base = value(partition.rowAt(partition.row), this.#context);
    while (this.#to < partition.rowCount) {
      const at = value(partition.rowAt(this.#to), this.#context);
      if (at === null || base === null) {
        const isBehind = nullsFirst ? at !== null && base === null : at === null && base !== null;
        if (isBehind) break;
      } else if (
        !inRange(at, base, this.#endOffset, subtract, !descending, this.#context.functions)
      ) {
        break;
      }
      this.#to += 1;
    }
    return this.#to;
  }
}

function without(segments: readonly Segment[], from: number, to: number): readonly Segment[] {
  if (from >= to) return segments;
  return segments
    .flatMap(([start, end]): Segment[] => [
      [start, Math.min(end, from)],
      [Math.max(start, to), end],
    ])
    .filter(([start, end]) => start < end);
}

function signed(kind: 'preceding' | 'following', offset: Value): number {
  // Beyond 2^53 rows there are none.
  const by = Number(offset as bigint);
  return kind === 'preceding' ? -by : by;
}

function clamp(row: number, rowCount: number): number {
  return Math.max(0, Math.min(row, rowCount));
}

function readOffset(
  bound: CompiledBound,
  which: 'starting' | 'ending',
  mode: Frame['mode'],
  row: Row,
  context: ExecutionContext,
): Value {
  if (bound.offset === undefined) return null;
  const offset = bound.offset(row, context);
  if (offset === null) raise('null_value_not_allowed', `frame ${which} offset must not be null`);
  if (mode !== 'range' && (offset as bigint) < 0n) {
    const text = `frame ${which} offset must not be negative`;
    raise('invalid_preceding_or_following_size', text);
  }
  return offset;
}
