/** The plans that do literally what relations within relations say. */
import { unreachable } from '../../base/assert.js';
import type { Relation } from '../plan/relation.js';
import type { QueryRelation, WithTable } from '../plan/subquery.js';
import { planOf, type Plan } from './plan.js';
import type { Branch, WithTablePlan } from './query-plan.js';

export function planOfQuery(relation: QueryRelation): Plan {
  switch (relation.kind) {
    case 'apply': {
      const { join, left, right, captures, condition } = relation;
      return {
        kind: 'apply',
        left: planOf(left),
        right: planOf(right),
        captures,
        guard: undefined,
        answer: { kind: join, condition },
      };
    }
    case 'append':
      return {
        kind: 'append',
        columns: relation.columns,
        inputs: relation.inputs.map(branchOf),
      };
    case 'setOperation':
      return { ...relation, left: branchOf(relation.left), right: branchOf(relation.right) };
    case 'with':
      return {
        kind: 'with',
        tables: relation.tables.map(planWithTable),
        input: planOf(relation.input),
      };
    case 'lockRows':
      return { kind: 'lockRows', input: planOf(relation.input), locks: relation.locks };
    case 'withScan':
      return { ...relation, places: relation.columns.map((_, place) => place) };
    default:
      return unreachable(relation);
  }
}

function branchOf(relation: Relation): Branch {
  return { plan: planOf(relation), sources: relation.columns.map(({ column }) => column) };
}

function planWithTable({ id, name, columns, source }: WithTable): WithTablePlan {
  switch (source.kind) {
    case 'query': {
      const input = branchOf(source.relation);
      const { materialized } = source;
      return { id, name, columns, source: { kind: 'query', input, materialized } };
    }
    case 'recursive': {
      const first = branchOf(source.first);
      const next = branchOf(source.next);
      return { id, name, columns, source: { kind: 'recursive', first, next, all: source.all } };
    }
    case 'statement':
      return { id, name, columns, source };
    default:
      return unreachable(source);
  }
}
