/** UNION ALL, INTERSECT and EXCEPT. */
import { must } from '../../base/assert.js';
import type { DatabaseId } from '../../base/ids.js';
import type { RelationColumn } from '../plan/relation.js';
import { type Branch, columnsOf, type QueryPlan } from '../rewrite/index.js';
import type { HashKey, Row } from '../types/index.js';
import { compileRowKey, mapEntryBytes } from './row-key.js';
import { compileProject } from './row-operators.js';
import { scopeOf } from './scope.js';
import { Held, pause, rowSizer, type Source, type Stream } from './stream.js';

/** The rows of an input with the columns that are wanted of it, in their order. */
export function compileBranch(
  { plan, sources }: Branch,
  source: Source,
  database: DatabaseId | undefined,
): Source {
  const columns = columnsOf(plan);
  const expressions = sources.map((column) => {
    const found = must(
      columns.find((one) => one.column === column),
      'a branch has its columns',
    );
    return {
      column,
      name: found.name,
      expression: { kind: 'column', type: found.type, column },
    } as const;
  });
  return compileProject(source, expressions, columns, scopeOf(columns, database));
}

export function compileAppend(inputs: readonly Source[]): Source {
  return function* append(context): Stream {
    for (const input of inputs) {
      yield* input(context);
      if (context.turnIsOver()) yield pause;
    }
  };
}

/** How often a row has come from either side. */
interface Count {
  readonly row: Row;
  right: number;
  given: boolean;
}

/**
 * Counts the right side's rows, then lets those of the left pass that are wanted: in the order of the
 * left side, and with ALL as many of a kind as the standard says.
 */
export function compileSetOperation(
  { operation, all, columns }: Extract<QueryPlan, { readonly kind: 'setOperation' }>,
  left: Source,
  right: Source,
): Source {
  const keyOf = compileRowKey(columns.map(({ type }) => type));
  const sizeOfRow = rowSizer(columns satisfies readonly RelationColumn[]);
  const passes = operation === 'intersect' ? intersects : excepts;
  return function* setOperation(context): Stream {
    const held = new Held(context);
    const counts = new Map<HashKey | null, Count>();
    try {
      for (const batch of right(context)) {
        if (batch === pause) {
          yield pause;
          continue;
        }
        let bytes = 0;
        for (const row of batch) {
          const key = keyOf(row);
          const count = counts.get(key);
          if (count === undefined) {
            counts.set(key, { row, right: 1, given: false });
            bytes += sizeOfRow(row) + mapEntryBytes;
          } else {
            count.right += 1;
          }
        }
        held.add(bytes);
        if (context.turnIsOver()) yield pause;
      }
      for (const batch of left(context)) {
        if (batch === pause) {
          yield pause;
          continue;
        }
        let bytes = 0;
        const rows = batch.filter((row) => {
          const key = keyOf(row);
          let count = counts.get(key);
          if (count === undefined) {
            if (operation === 'intersect') return false;
            if (all) return true;
            count = { row, right: 0, given: false };
            counts.set(key, count);
            bytes += sizeOfRow(row) + mapEntryBytes;
          }
          return passes(count, all);
        });
        held.add(bytes);
        if (rows.length > 0) yield rows;
        else if (context.turnIsOver()) yield pause;
      }
    } finally {
      held.free();
    }
  };
}

function intersects(count: Count, all: boolean): boolean {
  if (all) {
    count.right -= 1;
    return count.right >= 0;
  }
  const isFirst = !count.given;
  count.given = true;
  return isFirst;
}

function excepts(count: Count, all: boolean): boolean {
  if (all) {
    count.right -= 1;
    return count.right < 0;
  }
  const isFirst = count.right === 0 && !count.given;
  count.given = true;
  return isFirst;
}
