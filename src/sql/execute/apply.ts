/** Apply: LATERAL and subqueries in expressions, asked for each row of the left input. */
import { assert, must, unreachable } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { DatabaseId } from '../../base/ids.js';
import type { Capture } from '../plan/subquery.js';
import { answerColumns, type ApplyPlan, columnsOf } from '../rewrite/index.js';
import {
  ArrayValue,
  elementTypeName,
  type Row,
  type TypeName,
  type Value,
} from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { compileExpression, compileTest } from './expression.js';
import { type CompiledCapture, nestedOf, setCaptures } from './nested.js';
import { compileQuantified } from './quantified.js';
import { type Scope, scopeOf, slotOf } from './scope.js';
import {
  batchRows,
  collect,
  Held,
  type Pause,
  pause,
  rowSizer,
  type Source,
  type Stream,
} from './stream.js';

/** The output's rows for one row of the left input, whose captures are set. */
type Ask = (left: Row, context: ExecutionContext) => Stream;
/** What is added to a row of the left input. */
type AskValues = (context: ExecutionContext) => Generator<Pause, readonly Value[], undefined>;

/** Left rows between two looks at the clock: each may have cost a query. */
const leftRowsPerLook = 16;

export function compileApply(
  plan: ApplyPlan,
  left: Source,
  right: Source,
  database: DatabaseId | undefined,
): Source {
  const scope = scopeOf(columnsOf(plan.left), database);
  const guard = plan.guard && compileTest(plan.guard, scope);
  const captures = compileCaptures(plan.captures, scope);
  const ask = compileAsk(plan, right, scope, database);
  const unasked = nulls(answerColumns(plan).length);
  return function* apply(context): Stream {
    let rows: Row[] = [];
    let looked = 0;
    for (const batch of left(context)) {
      if (batch === pause) {
        yield pause;
        continue;
      }
      for (const row of batch) {
        if (guard !== undefined && !guard(row, context)) {
          rows.push([...row, ...unasked]);
          continue;
        }
        setCaptures(captures, row, context);
        for (const answer of ask(row, context)) {
          if (answer !== pause) for (const one of answer) rows.push(one);
          if (rows.length > 0 && (answer === pause || rows.length >= batchRows)) {
            yield rows;
            rows = [];
          }
          if (answer === pause) yield pause;
        }
        looked += 1;
        if (looked % leftRowsPerLook !== 0 || !context.turnIsOver()) continue;
        if (rows.length > 0) yield rows;
        rows = [];
        yield pause;
      }
      if (rows.length > 0) yield rows;
      rows = [];
    }
  };
}

function compileCaptures(captures: readonly Capture[], scope: Scope): readonly CompiledCapture[] {
  return captures.map(({ column, expression }) => ({
    column,
    evaluate: compileExpression(expression, scope),
  }));
}

function compileAsk(
  plan: ApplyPlan,
  right: Source,
  scope: Scope,
  database: DatabaseId | undefined,
): Ask {
  const { answer } = plan;
  switch (answer.kind) {
    case 'inner':
    case 'left':
      return compileLateral(plan, right, database);
    case 'semi':
    case 'anti': {
      const wanted = answer.kind === 'semi';
      return function* filter(left, context): Stream {
        if ((yield* hasRow(right(context))) === wanted) yield [left];
      };
    }
    case 'row':
    case 'exists':
    case 'array': {
      const values = keeping(plan, compileValues(plan, right));
      return function* extended(left, context): Stream {
        yield [[...left, ...(yield* values(context))]];
      };
    }
    case 'any':
    case 'all': {
      const operands = compileCaptures(answer.operands, scope);
      const ask = compileQuantified(plan, answer, right, database);
      return function* quantified(left, context): Stream {
        setCaptures(operands, left, context);
        yield [[...left, yield* ask(context)]];
      };
    }
    default:
      return unreachable(answer);
  }
}

function compileLateral(plan: ApplyPlan, right: Source, database: DatabaseId | undefined): Ask {
  const { answer } = plan;
  assert(answer.kind === 'inner' || answer.kind === 'left', 'LATERAL joins');
  const rightColumns = columnsOf(plan.right);
  const both = scopeOf([...columnsOf(plan.left), ...rightColumns], database);
  const test = answer.condition && compileTest(answer.condition, both);
  const none = nulls(rightColumns.length);
  return function* lateral(left, context): Stream {
    let matched = false;
    for (const batch of right(context)) {
      if (batch === pause) {
        yield pause;
        continue;
      }
      let rows = batch.map((row) => [...left, ...row]);
      if (test !== undefined) rows = rows.filter((row) => test(row, context));
      if (rows.length > 0) yield rows;
      matched ||= rows.length > 0;
    }
    if (!matched && answer.kind === 'left') yield [[...left, ...none]];
  };
}

function compileValues({ answer, right: plan }: ApplyPlan, right: Source): AskValues {
  const columns = columnsOf(plan);
  const scope = scopeOf(columns, undefined);
  switch (answer.kind) {
    case 'exists':
      return function* exists(context) {
        return [yield* hasRow(right(context))];
      };
    case 'row': {
      const slots = answer.columns.map(({ column }) => slotOf(scope, column));
      return function* row(context) {
        const found = yield* onlyRow(right(context));
        return slots.map((slot) => (found === undefined ? null : (found[slot] as Value)));
      };
    }
    case 'array': {
      const slot = slotOf(scope, answer.item);
      const sizeOf = rowSizer(columns);
      const item = must(
        columns.find(({ column }) => column === answer.item),
        'an array is made of a column',
      );
      const isNested = elementTypeName(item.type.name as TypeName) !== undefined;
      return function* array(context) {
        const held = new Held(context);
        try {
          const rows = yield* collect(right(context), (batch) => {
            for (const row of batch) held.add(sizeOf(row));
          });
          const values = rows.map((row) => row[slot] as Value);
          return [isNested ? stacked(values) : ArrayValue.of(values)];
        } finally {
          held.free();
        }
      };
    }
    default:
      return assert(false, 'an answer of values', answer.kind) as never;
  }
}

function* hasRow(rows: Stream): Generator<Pause, boolean, undefined> {
  for (const batch of rows) {
    if (batch === pause) yield pause;
    else if (batch.length > 0) return true;
  }
  return false;
}

/** Raises 21000 for a second row. */
function* onlyRow(rows: Stream): Generator<Pause, Row | undefined, undefined> {
  let found: Row | undefined;
  for (const batch of rows) {
    if (batch === pause) {
      yield pause;
      continue;
    }
    if (batch.length > 1 || (batch.length === 1 && found !== undefined)) {
      raise(
        'cardinality_violation',
        'more than one row returned by a subquery used as an expression',
      );
    }
    found ??= batch[0];
  }
  return found;
}

/** Arrays as one array with a dimension more. Raises 2202E unless they are alike. */
function stacked(values: readonly Value[]): ArrayValue {
  const [first] = values;
  if (first === undefined) return ArrayValue.empty;
  const elements: Value[] = [];
  for (const value of values) {
    if (!(value instanceof ArrayValue)) {
      raise('null_value_not_allowed', 'cannot accumulate null arrays');
    }
    if (value.dimensions.length === 0) {
      raise('array_subscript_error', 'cannot accumulate empty arrays');
    }
    const { dimensions } = first as ArrayValue;
    if (value.dimensions.join() !== dimensions.join()) {
      raise('array_subscript_error', 'cannot accumulate arrays of different dimensionality');
    }
    for (const element of value.elements) elements.push(element);
  }
  const { dimensions, lowerBounds } = first as ArrayValue;
  return new ArrayValue([values.length, ...dimensions], [1, ...lowerBounds], elements);
}

interface KeptAnswer {
  readonly asked: readonly unknown[];
  readonly values: readonly Value[];
}

/** Keeps the last answer for rows that ask the same, which all do where nothing is captured. */
function keeping(plan: ApplyPlan, ask: AskValues): AskValues {
  const { repeats } = plan;
  if (repeats === undefined) return ask;
  const { outer, tables } = repeats;
  return function* kept(context) {
    const nested = nestedOf(context);
    const asked: unknown[] = outer.map((column) => nested.outer.get(column));
    for (const id of tables) asked.push(nested.tables.get(id), nested.working.get(id));
    const before = nested.kept.get(plan) as KeptAnswer | undefined;
    if (before?.asked.every((value, i) => Object.is(value, asked[i])) === true) {
      return before.values;
    }
    const values = yield* ask(context);
    nested.kept.set(plan, { asked, values } satisfies KeptAnswer);
    return values;
  };
}

function nulls(count: number): readonly Value[] {
  return new Array<Value>(count).fill(null);
}
