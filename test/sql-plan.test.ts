/** Golden plans: for each rewrite rule the plan before and after it, and whole statements. */
import t from 'tap';
import { must } from '#src/base/assert.js';
import { explain } from '#src/sql/execute/explain.js';
import type { DataStatement } from '#src/sql/plan/statement.js';
import { columnsOf, type Plan, planStatement } from '#src/sql/rewrite/index.js';
import { planOf } from '#src/sql/rewrite/plan.js';
import { type Command, runScript, scripts } from './golden.js';
import { Database, functions } from './sql-execute/database.js';

for (const name of scripts('plan')) {
  const database = new Database();
  const { was, is } = runScript('plan', name, (command) => run(database, command));
  t.equal(is, was, name);
}

function run(database: Database, { name, words, input }: Command): string {
  const sql = input.join(' ');
  switch (name) {
    case 'table':
      database.run(sql);
      return 'ok';
    case 'explain':
      return explain(planStatement(dataOf(database, sql)), functions).join('\n');
    case 'rewrite':
      return beforeAndAfter(dataOf(database, sql), must(words[0], 'a rule'), (statement, plan) =>
        explain({ statement, plan }, functions),
      );
    case 'columns':
      return beforeAndAfter(dataOf(database, sql), must(words[0], 'a rule'), (_, plan) =>
        scannedColumns(plan),
      );
    default:
      throw new Error(`no command ${name}`);
  }
}

function dataOf(database: Database, sql: string): DataStatement {
  const { statement } = database.bind(sql);
  switch (statement.kind) {
    case 'query':
    case 'insert':
    case 'update':
    case 'delete':
      return statement;
    default:
      throw new Error(`${statement.kind} has no plan`);
  }
}

function beforeAndAfter(
  statement: DataStatement,
  rule: string,
  print: (statement: DataStatement, plan: Plan) => readonly string[],
): string {
  let before = planOf(statement.input);
  let after: Plan | undefined;
  let reached = before;
  planStatement(statement, (name, plan) => {
    if (name === rule) {
      before = reached;
      after = plan;
    }
    reached = plan;
  });
  const first = print(statement, before);
  const second = print(statement, must(after, 'the rule is in the list'));
  if (first.join() === second.join()) return ['unchanged:', ...indented(first)].join('\n');
  return ['before:', ...indented(first), 'after:', ...indented(second)].join('\n');
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** The columns that each scan reads. */
function scannedColumns(plan: Plan): string[] {
  if (plan.kind === 'scan') {
    return [
      `${plan.table.name}: ${columnsOf(plan)
        .map(({ name }) => name)
        .join(', ')}`,
    ];
  }
  if (plan.kind === 'join') return [...scannedColumns(plan.left), ...scannedColumns(plan.right)];
  return 'input' in plan ? scannedColumns(plan.input) : [];
}
