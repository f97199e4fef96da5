/** MERGE. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { MergeBranch, MergeStatement } from '../plan/merge.js';
import type { RelationColumn } from '../plan/relation.js';
import { rowNumberColumn } from '../rewrite/index.js';
import type { Row, Value } from '../types/index.js';
import { compileAssignments } from './assignments.js';
import type { ExecutionContext } from './execution.js';
import { compileTest } from './expression.js';
import { type Scope, scopeOf, slotOf } from './scope.js';
import type { StatementEnd } from './statement-end.js';
import type { Source } from './stream.js';
import type { StoredRow, TableWriter } from './table-writer.js';
import { compileTarget } from './update.js';
import { compileChanges, type Write } from './write.js';
import { Writers } from './writers.js';

/** Does a branch's action; false when there was nothing to do. */
type Act = (
  from: Row,
  target: StoredRow | undefined,
  context: ExecutionContext,
  end: StatementEnd,
) => boolean;

/** `columns` are those of `input`'s rows, among them all of the table and its row numbers. */
export function compileMerge(
  statement: MergeStatement,
  input: Source,
  columns: readonly RelationColumn[],
): Write {
  const { table, branches } = statement;
  const writers = new Writers(statement.rules);
  const writer = writers.target;
  const scope = scopeOf(columns, table.database);
  const targetOf = compileTarget(statement, writer, columns);
  const present = presenceSlot(statement, writer, scope);
  const compiled = branches.map((branch) => ({
    matched: branch.matched,
    test: branch.condition && compileTest(branch.condition, scope),
    act: compileAction(branch.action, writer, scope),
  }));
  return compileChanges(writers, input, (from, context, tally, end) => {
    const isMatched = from[present] !== null;
    const branch = compiled.find(
      ({ matched, test }) => matched === isMatched && test?.(from, context) !== false,
    );
    const target = isMatched ? targetOf(from) : undefined;
    if (branch?.act(from, target, context, end) === true) tally.count += 1;
    return undefined;
  });
}

/** A column of the table that is NULL only where the source met no row of it. */
function presenceSlot({ table, input }: MergeStatement, writer: TableWriter, scope: Scope): number {
  if (!writer.hasKey) return slotOf(scope, rowNumberColumn);
  const place = table.columns.findIndex(({ position }) => position === table.primaryKey[0]);
  return slotOf(scope, must(input.columns[place], 'the input begins with the table').column);
}

function compileAction(action: MergeBranch['action'], writer: TableWriter, scope: Scope): Act {
  const { table } = writer;
  switch (action.kind) {
    case 'nothing':
      return () => false;
    case 'delete':
      return (_, target, context, end) => {
        writer.delete(once(target, context), context, end);
        return true;
      };
    case 'update': {
      const assign = compileAssignments(action.assignments, table, scope);
      return (from, target, context, end) => {
        const before = once(target, context);
        const changed: Value[] = [...before.row];
        for (const { slot, value } of assign) changed[slot] = value(from, context);
        writer.check(changed, context);
        writer.update(before, changed, context, end);
        return true;
      };
    }
    case 'insert': {
      const assign = compileAssignments(action.assignments, table, scope);
      return (from, _, context, end) => {
        const row: Value[] = table.columns.map(() => null);
        for (const { slot, value } of assign) row[slot] = value(from, context);
        writer.check(row, context);
        writer.insert(row, context, end);
        return true;
      };
    }
  }
}

/** The row, which no row of the source before this one may have changed. */
function once(target: StoredRow | undefined, { buffer }: ExecutionContext): StoredRow {
  const stored = must(target, 'a branch for rows that are met');
  if (!buffer.writtenByStatement(stored.key)) return stored;
  raise('cardinality_violation', 'MERGE command cannot affect row a second time', {
    hint: 'Ensure that not more than one source row matches any one target row.',
  });
}
