/** MERGE. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { MergeBranch, MergeStatement } from '../plan/merge.js';
import type { RelationColumn } from '../plan/relation.js';
import { rowNumberColumn } from '../rewrite/index.js';
import type { Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileRowProgram, Later, type RowProgram, settled } from './row-program.js';
import { slotOfPosition } from './row-text.js';
import { type Scope, scopeOf, slotOf } from './scope.js';
import type { StatementEnd } from './statement-end.js';
import type { Pause, Source } from './stream.js';
import type { TableWriter } from './table-writer.js';
import { changeRow, compileTarget, type Target } from './update.js';
import { compileChanges, type Tally, type Write } from './write.js';
import { Writers } from './writers.js';

/** Does a branch's action with the values of its assignments; false when there was nothing to do. */
type Act = (
  values: Row,
  target: Target | undefined,
  context: ExecutionContext,
  end: StatementEnd,
) => boolean;

interface Branch {
  readonly matched: boolean;
  /** Whether the branch is for the row, then what it assigns. */
  readonly test: RowProgram | undefined;
  readonly values: RowProgram;
  readonly act: Act;
}

/** `columns` are those of `input`'s rows, among them all of the table and its row numbers. */
export function compileMerge(
  statement: MergeStatement,
  input: Source,
  columns: readonly RelationColumn[],
): Write {
  const { table, branches } = statement;
  const writers = new Writers(statement.rules);
  const writer = writers.target;
  const targetOf = compileTarget(statement, writers, columns);
  const present = presenceSlot(statement, writer, scopeOf(columns, table.database));
  const compiled = branches.map(({ matched, condition, action }): Branch => {
    const assignments = 'assignments' in action ? action.assignments : [];
    const given = assignments.map(({ expression }) => expression);
    return {
      matched,
      test: condition && compileRowProgram([condition], columns, table.database),
      values: compileRowProgram(given, columns, table.database),
      act: compileAction(action, writers),
    };
  });
  return compileChanges(writers, input, (from, context, tally, end) => {
    const isMatched = from[present] !== null;
    const target = isMatched ? targetOf(from) : undefined;
    const fitting = compiled.filter(({ matched }) => matched === isMatched);
    return new Later(merge(fitting, from, target, { context, tally, end }));
  });
}

interface Merging {
  readonly context: ExecutionContext;
  readonly tally: Tally;
  readonly end: StatementEnd;
}

/** Does what the first branch that fits says. */
function* merge(
  branches: readonly Branch[],
  from: Row,
  target: Target | undefined,
  { context, tally, end }: Merging,
): Generator<Pause, undefined, undefined> {
  for (const { test, values, act } of branches) {
    const [fits] = yield* settled(test?.(from, context) ?? [true]);
    if (fits !== true) continue;
    const given = yield* settled(values(from, context));
    if (act(given, target, context, end)) tally.count += 1;
    return undefined;
  }
  return undefined;
}

/** A column of the table that is NULL only where the source met no row of it. */
function presenceSlot(statement: MergeStatement, writer: TableWriter, scope: Scope): number {
  const { table, input } = statement;
  const { partitioned } = statement;
  if (partitioned !== undefined) return slotOf(scope, partitioned.leaf);
  if (!writer.hasKey) return slotOf(scope, rowNumberColumn);
  const place = table.columns.findIndex(({ position }) => position === table.primaryKey[0]);
  return slotOf(scope, must(input.columns[place], 'the input begins with the table').column);
}

function compileAction(action: MergeBranch['action'], writers: Writers): Act {
  const { target: own, places } = writers;
  const { table } = own;
  const assignments = 'assignments' in action ? action.assignments : [];
  const slots = assignments.map(({ position }) => slotOfPosition(table, position));
  const set = (row: Value[], values: Row): Value[] => {
    for (const [i, slot] of slots.entries()) row[slot] = values[i] ?? null;
    return row;
  };
  switch (action.kind) {
    case 'nothing':
      return () => false;
    case 'delete':
      return (_, target, context, end) => {
        const { writer, stored } = once(target, context);
        writer.delete(stored, context, end);
        return true;
      };
    case 'update':
      return (values, target, context, end) => {
        const before = once(target, context);
        changeRow(writers, before, set([...before.row], values), context, end);
        return true;
      };
    case 'insert':
      return (values, _, context, end) => {
        const none: Value[] = table.columns.map(() => null);
        const whole = set(none, values);
        const { writer, row } = places?.place(whole, context) ?? { writer: own, row: whole };
        writer.check(row, context);
        writer.insert(row, context, end);
        return true;
      };
  }
}

/** The row, which no row of the source before this one may have changed. */
function once(target: Target | undefined, { buffer }: ExecutionContext): Target {
  const found = must(target, 'a branch for rows that are met');
  if (!buffer.writtenByStatement(found.stored.key)) return found;
  raise('cardinality_violation', 'MERGE command cannot affect row a second time', {
    hint: 'Ensure that not more than one source row matches any one target row.',
  });
}
