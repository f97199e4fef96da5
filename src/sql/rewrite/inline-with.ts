/**
 * Puts the query of a WITH table in the place of its only scan, so that filters reach it. As in
 * PostgreSQL a table with MATERIALIZED, one that is volatile and one that is scanned twice stay, and
 * NOT MATERIALIZED takes them all in.
 */
import { must } from '../../base/assert.js';
import type { NamedExpression } from '../plan/expression.js';
import { isVolatile } from './expressions.js';
import { mapExpressions, mapInputs, type Plan, rewriteUpwards } from './plan.js';
import type { Branch, QueryPlan, WithTablePlan } from './query-plan.js';

type WithPlan = Extract<QueryPlan, { readonly kind: 'with' }>;

export function inlineWith(plan: Plan): Plan {
  return rewriteUpwards(plan, (node) => (node.kind === 'with' ? inlineTables(node) : node));
}

function inlineTables(plan: WithPlan): Plan {
  let current = plan;
  // From the last to the first: those before may be scanned by those after.
  for (const { id } of plan.tables.toReversed()) {
    const table = current.tables.find((one) => one.id === id);
    if (table === undefined) continue;
    const scans = countScans(current, id);
    const rest = current.tables.filter((one) => one !== table);
    if (scans === 0 && table.source.kind !== 'statement') {
      current = { ...current, tables: rest };
    } else if (isInlined(table, scans)) {
      const { input } = table.source as Extract<WithTablePlan['source'], { kind: 'query' }>;
      current = replaceScan({ ...current, tables: rest }, id, input) as WithPlan;
    }
  }
  return current.tables.length === 0 ? current.input : current;
}

/** Copies would have the same columns twice: a table scanned more than once stays. */
function isInlined({ source }: WithTablePlan, scans: number): boolean {
  if (source.kind !== 'query' || scans !== 1 || source.materialized === true) return false;
  return source.materialized === false || !planIsVolatile(source.input.plan);
}

function planIsVolatile(plan: Plan): boolean {
  let found = false;
  mapExpressions(plan, (expression) => {
    found ||= isVolatile(expression);
    return expression;
  });
  mapInputs(plan, (input) => {
    found ||= planIsVolatile(input);
    return input;
  });
  return found;
}

/** Scans by a statement within count twice: it is planned already. */
function countScans(plan: Plan, id: number): number {
  if (plan.kind === 'withScan') return plan.table === id ? 1 : 0;
  let scans = 0;
  mapInputs(plan, (input) => {
    scans += countScans(input, id);
    return input;
  });
  for (const { source } of plan.kind === 'with' ? plan.tables : []) {
    if (source.kind === 'statement' && source.planned !== undefined) {
      scans += 2 * countScans(source.planned.plan, id);
    }
  }
  return scans;
}

function replaceScan(plan: Plan, id: number, { plan: query, sources }: Branch): Plan {
  if (plan.kind !== 'withScan' || plan.table !== id) {
    return mapInputs(plan, (input) => replaceScan(input, id, { plan: query, sources }));
  }
  const expressions = plan.columns.map(({ column, name, type }, i): NamedExpression => {
    const place = must(plan.places[i], 'a place for each column');
    const source = must(sources[place], 'a source for each place');
    return { column, name, expression: { kind: 'column', type, column: source } };
  });
  return { kind: 'project', input: query, expressions };
}
