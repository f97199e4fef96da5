/**
 * The removal of duplicates. When the table of rows that were seen holds its share of memory, other
 * rows go to temporary files and come after all that were answered at once.
 */
import { must } from '../../base/assert.js';
import type { Expression } from '../plan/expression.js';
import type { RelationColumn } from '../plan/relation.js';
import type { HashKey, Row } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression } from './expression.js';
import { compileRowKey, mapEntryBytes } from './row-key.js';
import { evaluateRow } from './row-operators.js';
import type { Scope } from './scope.js';
import { compileRowCodec, type RowCodec } from './spill.js';
import { spillDepthMax, SpillPartitions } from './spill-partitions.js';
import { Held, pause, rowSizer, type Source, type Stream } from './stream.js';

interface Shape {
  readonly keyOf: (row: Row) => HashKey | null;
  readonly codec: RowCodec;
  readonly sizeOf: (row: Row) => number;
}

export function compileDistinct(input: Source, columns: readonly RelationColumn[]): Source {
  const shape: Shape = {
    keyOf: compileRowKey(columns.map(({ type }) => type)),
    codec: compileRowCodec(columns),
    sizeOf: rowSizer(columns),
  };
  return (context) => distinct(input(context), shape, context, 0);
}

function* distinct(input: Stream, shape: Shape, context: ExecutionContext, depth: number): Stream {
  const held = new Held(context);
  const seen = new Set<HashKey | null>();
  let spilled: SpillPartitions | undefined;
  const isNew = (row: Row): boolean => {
    const key = shape.keyOf(row);
    if (seen.has(key)) return false;
    if (held.isFull && depth < spillDepthMax) {
      spilled ??= new SpillPartitions(shape, context, depth);
      spilled.add(key, row);
      return false;
    }
    seen.add(key);
    held.add(shape.sizeOf(row) + mapEntryBytes);
    return true;
  };
  try {
    for (const batch of input) {
      if (batch === pause) {
        yield pause;
        continue;
      }
      const rows = batch.filter(isNew);
      if (rows.length > 0) yield rows;
      else if (context.turnIsOver()) yield pause;
    }
    seen.clear();
    held.free();
    spilled?.finish();
    for (const number of spilled?.numbers ?? []) {
      yield* distinct(must(spilled, 'rows were spilled').read(number), shape, context, depth + 1);
      spilled?.drop(number);
    }
  } finally {
    spilled?.close();
    held.free();
  }
}

/** DISTINCT ON: the first of neighbours with equal values. */
export function compileDistinctOn(input: Source, on: readonly Expression[], scope: Scope): Source {
  const compiled = on.map((expression) => compileExpression(expression, scope));
  const keyOf = compileRowKey(on.map(({ type }) => type));
  return function* distinctOn(context): Stream {
    let last: HashKey | null | undefined;
    for (const batch of input(context)) {
      if (batch === pause) {
        yield pause;
        continue;
      }
      const rows = batch.filter((row) => {
        const key = keyOf(evaluateRow(compiled, row, context));
        const isFirst = key !== last;
        last = key;
        return isFirst;
      });
      if (rows.length > 0) yield rows;
      else if (context.turnIsOver()) yield pause;
    }
  };
}
