/** Statements as streams that change rows as they are pulled. */
import { unreachable } from '../../base/assert.js';
import { columnsOf, type PlannedStatement } from '../rewrite/index.js';
import { compileWhole } from './compile-query-plan.js';
import { compileCopyTo } from './copy-output.js';
import { compileInsert } from './insert.js';
import { compileMerge } from './merge.js';
import { compileDelete, compileUpdate } from './update.js';
import type { Write } from './write.js';

/** A query changes nothing and gives its rows. */
export function compileWrite({ statement, plan }: PlannedStatement): Write {
  switch (statement.kind) {
    case 'query':
      return compileWhole(plan, undefined);
    case 'copyTo':
      return compileCopyTo(statement, compileWhole(plan, undefined), columnsOf(plan));
    case 'insert':
      return compileInsert(statement, compileWhole(plan, statement.table.database));
    case 'update':
      return compileUpdate(
        statement,
        compileWhole(plan, statement.table.database),
        columnsOf(plan),
      );
    case 'merge':
      return compileMerge(statement, compileWhole(plan, statement.table.database), columnsOf(plan));
    case 'delete':
      return compileDelete(
        statement,
        compileWhole(plan, statement.table.database),
        columnsOf(plan),
      );
    default:
      return unreachable(statement);
  }
}
