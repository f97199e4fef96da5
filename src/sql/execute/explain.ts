/** Prints plans as EXPLAIN does: PostgreSQL's shape and words, without costs. */
import { unreachable } from '../../base/assert.js';
import type { AggregateCall, ColumnId, Expression, SortKey } from '../plan/expression.js';
import type { Grouped, Windowed } from '../plan/relation.js';
import {
  type Access,
  answerColumns,
  type ApplyPlan,
  columnsOf,
  type JoinPlan,
  mapInputs,
  type Plan,
  type PlannedStatement,
  type ScanPlan,
  type SystemScanPlan,
  type WithTablePlan,
} from '../rewrite/index.js';
import type { FunctionContext } from '../types/index.js';
import { queryBlock } from './explain-query.js';
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
  if (statement.kind === 'query' || statement.kind === 'copyTo')
    return explainPlan(plan, functions);
  const lines: string[] = [];
  const verb = { insert: 'Insert', update: 'Update', delete: 'Delete', merge: 'Merge' }[
    statement.kind
  ];
  lines.push(`${verb} on ${statement.table.name}`);
  if (statement.kind === 'insert' && statement.onConflict !== undefined) {
    lines.push(`  Conflict Resolution: ${statement.onConflict.update ? 'UPDATE' : 'NOTHING'}`);
  }
  printPlan(plan, 1, lines, { names: new PlanNames(plan, functions), functions });
  return lines;
}

/** The lines of a plan alone. */
function explainPlan(plan: Plan, functions: FunctionContext): string[] {
  const lines: string[] = [];
  printPlan(plan, 0, lines, { names: new PlanNames(plan, functions), functions });
  return lines;
}

interface Printer {
  readonly names: PlanNames;
  readonly functions: FunctionContext;
}

function printPlan(plan: Plan, depth: number, lines: string[], printer: Printer): void {
  if (plan.kind === 'with') {
    printWith(plan, depth, lines, printer);
    return;
  }
  const { names, functions } = printer;
  const show = (expression: Expression): string =>
    printExpression(expression, names.column, functions);
  const { title, details, inputs } = blockOf(plan, names, show);
  const indent = depth === 0 ? '' : `${' '.repeat(6 * depth - 4)}->  `;
  lines.push(`${indent}${title}`);
  for (const detail of details) lines.push(`${' '.repeat(6 * depth + 2)}${detail}`);
  for (const input of inputs) printPlan(input, depth + 1, lines, printer);
}

/** The input, and each table below it. */
function printWith(
  plan: Extract<Plan, { readonly kind: 'with' }>,
  depth: number,
  lines: string[],
  printer: Printer,
): void {
  printPlan(plan.input, depth, lines, printer);
  const indent = ' '.repeat(6 * depth + 2);
  for (const table of plan.tables) {
    lines.push(`${indent}CTE ${table.name}`);
    for (const [i, line] of tableLines(table, printer).entries()) {
      lines.push(`${indent}${i === 0 ? '  ->  ' : '      '}${line}`);
    }
  }
}

/** The lines of a table of WITH by itself. */
function tableLines({ source }: WithTablePlan, printer: Printer): readonly string[] {
  const lines: string[] = [];
  switch (source.kind) {
    case 'query':
      printPlan(source.input.plan, 0, lines, printer);
      return lines;
    case 'recursive':
      lines.push('Recursive Union');
      printPlan(source.first.plan, 1, lines, printer);
      printPlan(source.next.plan, 1, lines, printer);
      return lines;
    case 'statement':
      return source.planned === undefined ? [] : explain(source.planned, printer.functions);
    default:
      return unreachable(source);
  }
}

type Show = (expression: Expression) => string;

function blockOf(plan: Plan, names: PlanNames, show: Show): Block {
  switch (plan.kind) {
    case 'scan':
      return scanBlock(plan, names.scan(plan), show);
    case 'systemScan':
      return systemBlock(plan, show);
    case 'values':
      return valuesBlock(plan, show);
    case 'copyInput':
      return { title: `Copy From on ${plan.table}`, details: [], inputs: [] };
    case 'tableFunction':
      return functionBlock(plan, show);
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
      const shown = plan.groups.map(({ expression }) => show(expression));
      const isPlain = plan.groups.length === 0;
      return {
        title: isPlain ? 'Aggregate' : plan.sets ? 'MixedAggregate' : 'HashAggregate',
        details: isPlain ? [] : groupKeys(plan, shown),
        inputs: [plan.input],
      };
    }
    case 'window':
      return { title: 'WindowAgg', details: windowDetails(plan, show), inputs: [plan.input] };
    case 'projectSet':
      return { title: 'ProjectSet', details: [], inputs: [plan.input] };
    case 'distinct': {
      if (plan.on !== undefined) return { title: 'Unique', details: [], inputs: [plan.input] };
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
    case 'apply':
    case 'append':
    case 'setOperation':
    case 'with':
    case 'lockRows':
    case 'withScan':
      return queryBlock(plan, show);
    default:
      return unreachable(plan);
  }
}

function systemBlock({ relation, key, filter }: SystemScanPlan, show: Show): Block {
  const { name, columns } = relation;
  const filters = filter === undefined ? [] : [`Filter: ${show(filter)}`];
  if (key === undefined) return { title: `Seq Scan on ${name}`, details: filters, inputs: [] };
  const values = key.values.map(show).join(', ');
  const condition = `Index Cond: (${columns[key.place]?.name} = ${values})`;
  return { title: `Index Scan on ${name}`, details: [condition, ...filters], inputs: [] };
}

function valuesBlock(
  { rows, columns }: Extract<Plan, { readonly kind: 'values' }>,
  show: Show,
): Block {
  if (rows.length !== 1) {
    return { title: `Values Scan (${rows.length} rows)`, details: [], inputs: [] };
  }
  const output = rows[0]?.map(show).join(', ') ?? '';
  const details = columns.length === 0 ? [] : [`Output: ${output}`];
  return { title: 'Result', details, inputs: [] };
}

function groupKeys({ sets }: Grouped, shown: readonly string[]): readonly string[] {
  if (sets === undefined) return [`Group Key: ${shown.join(', ')}`];
  return sets.map((set) =>
    set.length === 0 ? 'Group Key: ()' : `Hash Key: ${set.map((i) => shown[i]).join(', ')}`,
  );
}

function windowDetails({ partition, order }: Windowed, show: Show): readonly string[] {
  return [
    ...(partition.length === 0 ? [] : [`Partition By: ${partition.map(show).join(', ')}`]),
    ...(order.length === 0
      ? []
      : [`Order By: ${order.map((key) => printSortKey(key, show)).join(', ')}`]),
  ];
}

function functionBlock(plan: Extract<Plan, { kind: 'tableFunction' }>, show: Show): Block {
  const calls = plan.calls.map((call) =>
    call.kind === 'set'
      ? { name: call.function.name, text: printCallOf(call, show) }
      : { name: show(call.expression), text: show(call.expression) },
  );
  return {
    title: `Function Scan on ${calls[0]?.name ?? ''}`,
    details: [`Function Call: ${calls.map(({ text }) => text).join(', ')}`],
    inputs: [],
  };
}

function printCallOf(
  call: { readonly function: { readonly name: string }; readonly arguments: readonly Expression[] },
  show: Show,
): string {
  return `${call.function.name}(${call.arguments.map(show).join(', ')})`;
}

function scanBlock(plan: ScanPlan, name: string, show: Show): Block {
  const { table, access, reverse, filter } = plan;
  const direction = reverse ? ' Backward' : '';
  const byKey = access.kind !== 'all' || reverse;
  const key =
    access.kind === 'index' ? access.index.name : (table.primaryKeyName ?? `${table.name}_pkey`);
  if (plan.sample !== undefined) {
    const { method, percent, seed } = plan.sample;
    const repeatable = seed === undefined ? '' : ` REPEATABLE (${show(seed)})`;
    const sampling = `Sampling: ${method} (${show(percent)})${repeatable}`;
    const filters = filter === undefined ? [] : [`Filter: ${show(filter)}`];
    return { title: `Sample Scan on ${name}`, details: [sampling, ...filters], inputs: [] };
  }
  const title = byKey ? `Index Scan${direction} using ${key} on ${name}` : `Seq Scan on ${name}`;
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
  const nameAt = (i: number): string => {
    const key = access.kind === 'index' ? access.index.keys[i] : undefined;
    const at = key === undefined ? table.primaryKey[i] : key.column;
    return table.columns.find(({ position }) => position === at)?.name ?? key?.expression ?? '?';
  };
  const parts: string[] = [];
  const lists = access.kind === 'keys' ? access.values : [];
  const isRange = access.kind === 'range' || access.kind === 'index';
  for (const [i, values] of (isRange ? access.equal : lists).entries()) {
    const list = values.map(show).join(', ');
    parts.push(values.length === 1 ? `(${nameAt(i)} = ${list})` : `(${nameAt(i)} IN (${list}))`);
  }
  if (isRange) {
    const { equal, lower, upper } = access;
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

function printAggregate(call: AggregateCall, show: Show): string {
  const { distinct, arguments: values, orderBy, filter } = call;
  const list = values.length === 0 ? '*' : values.map(show).join(', ');
  const order = orderBy.map((key) => printSortKey(key, show)).join(', ');
  return (
    `${call.function.name}(${distinct ? 'DISTINCT ' : ''}${list}` +
    `${order === '' ? '' : ` ORDER BY ${order}`})` +
    `${filter === undefined ? '' : ` FILTER (WHERE ${show(filter)})`}`
  );
}

/**
 * Names of the columns and tables of a plan. Columns are shown with their table when there are
 * several; a table that is there more than once gets a number.
 */
class PlanNames {
  readonly #columns = new Map<ColumnId, { readonly name: string; readonly scan?: ScanPlan }>();
  readonly #scans = new Map<ScanPlan, string>();

  readonly #functions: FunctionContext;
  #subPlans = 0;

  constructor(plan: Plan, functions: FunctionContext) {
    this.#functions = functions;
    this.#collect(plan);
  }

  readonly column: Names = (column) => {
    const found = this.#columns.get(column);
    if (found === undefined) return `column ${column}`;
    const { name, scan } = found;
    return scan !== undefined && this.#scans.size > 1 ? `${this.#scans.get(scan)}.${name}` : name;
  };

  /** The name of a scan's table, with the name it has in this plan where that is another. */
  scan(scan: ScanPlan): string {
    const { name } = scan.table;
    const alias = this.#scans.get(scan);
    return alias === undefined || alias === name ? name : `${name} ${alias}`;
  }

  #collect(plan: Plan): void {
    if (plan.kind === 'scan') {
      const taken = new Set(this.#scans.values());
      let alias = plan.table.name;
      for (let i = 1; taken.has(alias); i += 1) alias = `${plan.table.name}_${i}`;
      this.#scans.set(plan, alias);
      for (const { column, name } of plan.columns) this.#columns.set(column, { name, scan: plan });
      return;
    }
    if (plan.kind === 'apply') {
      this.#collectApply(plan);
      return;
    }
    mapInputs(plan, (input) => {
      this.#collect(input);
      return input;
    });
    const show = (part: Expression): string => printExpression(part, this.column, this.#functions);
    const computed =
      plan.kind === 'project' ? plan.expressions : plan.kind === 'aggregate' ? plan.groups : [];
    for (const { column, name, expression } of computed) {
      this.#columns.set(column, { name: name === '' ? show(expression) : name });
    }
    for (const call of plan.kind === 'aggregate' ? plan.aggregates : []) {
      this.#columns.set(call.column, { name: printAggregate(call, show) });
    }
    for (const call of plan.kind === 'window' || plan.kind === 'projectSet' ? plan.calls : []) {
      const over = plan.kind === 'window' ? ' OVER (?)' : '';
      this.#columns.set(call.column, { name: `${printCallOf(call, show)}${over}` });
    }
    for (const { column, name } of 'columns' in plan ? plan.columns : []) {
      this.#columns.set(column, { name });
    }
  }

  /** Captures are called what they are outside, answers by their numbers. */
  #collectApply(plan: ApplyPlan): void {
    const show = (part: Expression): string => printExpression(part, this.column, this.#functions);
    const { answer } = plan;
    this.#collect(plan.left);
    for (const { column, expression } of [
      ...plan.captures,
      ...('operands' in answer ? answer.operands : []),
    ]) {
      this.#columns.set(column, { name: show(expression) });
    }
    this.#collect(plan.right);
    if (answer.kind === 'inner' || answer.kind === 'left') return;
    this.#subPlans += 1;
    for (const { column } of answerColumns(plan)) {
      this.#columns.set(column, { name: `(SubPlan ${this.#subPlans})` });
    }
  }
}
