/** Prints plans as EXPLAIN does: PostgreSQL's shape and words, without costs. */
import { unreachable } from '../../base/assert.js';
import type { ColumnId, Expression, SortKey } from '../plan/expression.js';
import {
  type Access,
  columnsOf,
  type JoinPlan,
  type Plan,
  type PlannedStatement,
  type ScanPlan,
} from '../rewrite/index.js';
import type { FunctionContext } from '../types/index.js';
import { type Names, printExpression } from './print-expression.js';

/** A node as it is printed. */
interface Block {
  readonly title: string;
  readonly details: readonly string[];
  readonly inputs: readonly Plan[];
}

/** The lines of EXPLAIN. */
export function explain(
  { statement, plan }: PlannedStatement,
  functions: FunctionContext,
): string[] {
  if (statement.kind === 'query') return explainPlan(plan, functions);
  const lines: string[] = [];
  const verb = { insert: 'Insert', update: 'Update', delete: 'Delete' }[statement.kind];
  lines.push(`${verb} on ${statement.table.name}`);
  if (statement.kind === 'insert' && statement.onConflict !== undefined) {
    lines.push(`  Conflict Resolution: ${statement.onConflict.update ? 'UPDATE' : 'NOTHING'}`);
  }
  printPlan(plan, 1, lines, functions);
  return lines;
}

/** The lines of a plan alone. */
export function explainPlan(plan: Plan, functions: FunctionContext): string[] {
  const lines: string[] = [];
  printPlan(plan, 0, lines, functions);
  return lines;
}

function printPlan(plan: Plan, depth: number, lines: string[], functions: FunctionContext): void {
  const names = namesOf(plan);
  const { title, details, inputs } = blockOf(plan, (expression) =>
    printExpression(expression, names, functions),
  );
  const indent = depth === 0 ? '' : `${' '.repeat(6 * depth - 4)}->  `;
  lines.push(`${indent}${title}`);
  for (const detail of details) lines.push(`${' '.repeat(6 * depth + 2)}${detail}`);
  for (const input of inputs) printPlan(input, depth + 1, lines, functions);
}

type Show = (expression: Expression) => string;

function blockOf(plan: Plan, show: Show): Block {
  switch (plan.kind) {
    case 'scan':
      return scanBlock(plan, show);
    case 'values': {
      const { rows, columns } = plan;
      if (rows.length !== 1)
        return { title: `Values Scan (${rows.length} rows)`, details: [], inputs: [] };
      const output = rows[0]?.map(show).join(', ') ?? '';
      return {
        title: 'Result',
        details: columns.length === 0 ? [] : [`Output: ${output}`],
        inputs: [],
      };
    }
    case 'join':
      return joinBlock(plan, show);
    case 'filter':
      return {
        title: 'Filter',
        details: [`Filter: ${show(plan.condition)}`],
        inputs: [plan.input],
      };
    case 'project': {
      const output = plan.expressions.map(({ expression }) => show(expression)).join(', ');
      return { title: 'Project', details: [`Output: ${output}`], inputs: [plan.input] };
    }
    case 'aggregate': {
      const key = plan.groups.map(({ expression }) => show(expression)).join(', ');
      const isPlain = plan.groups.length === 0;
      return {
        title: isPlain ? 'Aggregate' : 'HashAggregate',
        details: isPlain ? [] : [`Group Key: ${key}`],
        inputs: [plan.input],
      };
    }
    case 'distinct': {
      const key = columnsOf(plan).map(({ name }) => name);
      return {
        title: 'HashAggregate',
        details: [`Group Key: ${key.join(', ')}`],
        inputs: [plan.input],
      };
    }
    case 'sort': {
      const key = plan.keys.map((item) => printSortKey(item, show)).join(', ');
      return {
        title: plan.top === undefined ? 'Sort' : 'Top-N Sort',
        details: [`Sort Key: ${key}`],
        inputs: [plan.input],
      };
    }
    case 'limit':
      return { title: 'Limit', details: [], inputs: [plan.input] };
    default:
      return unreachable(plan);
  }
}

function scanBlock(plan: ScanPlan, show: Show): Block {
  const { table, access, reverse, filter } = plan;
  const direction = reverse ? ' Backward' : '';
  const byKey = access.kind !== 'all' || reverse;
  const key = table.primaryKeyName ?? `${table.name}_pkey`;
  const title = byKey
    ? `Index Scan${direction} using ${key} on ${table.name}`
    : `Seq Scan on ${table.name}`;
  const condition = accessCondition(plan, access, show);
  return {
    title,
    details: [
      ...(condition === '' ? [] : [`Index Cond: ${condition}`]),
      ...(filter === undefined ? [] : [`Filter: ${show(filter)}`]),
    ],
    inputs: [],
  };
}

function accessCondition({ table }: ScanPlan, access: Access, show: Show): string {
  const nameAt = (i: number): string =>
    table.columns.find(({ position }) => position === table.primaryKey[i])?.name ?? '?';
  const parts: string[] = [];
  if (access.kind === 'keys') {
    for (const [i, values] of access.values.entries()) {
      const list = values.map(show).join(', ');
      parts.push(values.length === 1 ? `(${nameAt(i)} = ${list})` : `(${nameAt(i)} IN (${list}))`);
    }
  } else if (access.kind === 'range') {
    const { equal, lower, upper } = access;
    for (const [i, value] of equal.entries()) parts.push(`(${nameAt(i)} = ${show(value)})`);
    const name = nameAt(equal.length);
    if (lower) parts.push(`(${name} ${lower.inclusive ? '>=' : '>'} ${show(lower.value)})`);
    if (upper) parts.push(`(${name} ${upper.inclusive ? '<=' : '<'} ${show(upper.value)})`);
  }
  return parts.length > 1 ? `(${parts.join(' AND ')})` : parts.join('');
}

function joinBlock(plan: JoinPlan, show: Show): Block {
  const { join, strategy, condition } = plan;
  const side = join === 'inner' ? '' : ` ${join[0]?.toUpperCase()}${join.slice(1)}`;
  const filter = condition === undefined ? [] : [`Join Filter: ${show(condition)}`];
  const inputs = [plan.left, plan.right];
  switch (strategy.kind) {
    case 'nestedLoop':
      return { title: `Nested Loop${side}${side && ' Join'}`, details: filter, inputs };
    case 'hash': {
      const pairs = strategy.keys.map(({ left, right }) => `(${show(left)} = ${show(right)})`);
      const text = pairs.length > 1 ? `(${pairs.join(' AND ')})` : pairs.join('');
      return { title: `Hash${side} Join`, details: [`Hash Cond: ${text}`, ...filter], inputs };
    }
    case 'lookup': {
      const key = strategy.key.map(show).join(', ');
      return { title: `Lookup${side} Join`, details: [`Key: (${key})`, ...filter], inputs };
    }
    default:
      return unreachable(strategy);
  }
}

function printSortKey(key: SortKey, show: Show): string {
  const { expression, descending, nullsFirst } = key;
  const nulls = nullsFirst === descending ? '' : ` NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`;
  return `${show(expression)}${descending ? ' DESC' : ''}${nulls}`;
}

/**
 * Names of all columns below a node: with their table where two columns have one name. A column that
 * is computed below shows as its name.
 */
function namesOf(plan: Plan): Names {
  const found = new Map<ColumnId, { readonly name: string; readonly table: string | undefined }>();
  collectNames(plan, found);
  const counts = new Map<string, number>();
  for (const { name } of found.values()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return (column) => {
    const entry = found.get(column);
    if (entry === undefined) return `column ${column}`;
    const { name, table } = entry;
    return table !== undefined && (counts.get(name) ?? 0) > 1 ? `${table}.${name}` : name;
  };
}

function collectNames(
  plan: Plan,
  found: Map<ColumnId, { readonly name: string; readonly table: string | undefined }>,
): void {
  const table = plan.kind === 'scan' ? plan.table.name : undefined;
  for (const { column, name } of columnsOf(plan)) {
    if (!found.has(column)) found.set(column, { name, table });
  }
  if (plan.kind === 'join') {
    collectNames(plan.left, found);
    collectNames(plan.right, found);
  } else if ('input' in plan) {
    collectNames(plan.input, found);
  }
}
