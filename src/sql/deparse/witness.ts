/** What the binder has made of the nodes of a text. */
import type { BindContext, BindWitness } from '../bind/context.js';
import type { Clause } from '../bind/expression.js';
import type { Scope, ScopeRelation } from '../bind/scope.js';
import { as, type ast, stringOf } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';

export interface ColumnName {
  /** The name or alias of the entry of FROM; undefined where it has none. */
  readonly relation: string | undefined;
  readonly name: string;
}

export class Witness implements BindWitness {
  readonly #expressions = new Map<object, Expression>();
  readonly #names = new Map<object, ColumnName>();
  readonly #stars = new Map<object, readonly ColumnName[]>();
  readonly #targets = new Map<object, string>();
  readonly #columns = new Map<object, readonly string[]>();
  readonly #arguments = new Map<object, readonly Expression[]>();

  note(context: BindContext, clause: Clause, node: ast.Node, expression: Expression): void {
    this.#expressions.set(node, expression);
    const path = as(node, 'ColumnRef')?.fields;
    if (path === undefined || as(path.at(-1), 'A_Star') !== undefined) return;
    const name = stringOf(path.at(-1));
    const relation = path.length > 1 ? stringOf(path.at(-2)) : undefined;
    const found = relation ?? relationOf(context, clause.scope, name, expression);
    this.#names.set(node, { relation: found, name });
  }

  noteTarget(
    target: ast.ResTarget,
    scope: Scope,
    columns: readonly { readonly name: string; readonly expression: Expression }[],
    star: boolean,
  ): void {
    const names = columns.map(({ name, expression }) => ({
      relation: entryOf(scope, name, expression)?.name,
      name,
    }));
    if (star) this.#stars.set(target, names);
    else this.#targets.set(target, columns[0]?.name ?? '?column?');
  }

  noteColumns(called: ast.RangeFunction, names: readonly string[]): void {
    this.#columns.set(called, names);
  }

  noteArguments(call: ast.FuncCall, given: readonly Expression[]): void {
    this.#arguments.set(call, given);
  }

  /** The arguments of an aggregate in the types that it takes. */
  argumentsOf(call: object): readonly Expression[] | undefined {
    return this.#arguments.get(call);
  }

  /** What a star stands for; undefined for another target. */
  starOf(target: object): readonly ColumnName[] | undefined {
    return this.#stars.get(target);
  }

  /** What a column of a result is called. */
  targetName(target: object): string {
    return this.#targets.get(target) ?? '?column?';
  }

  columnsOf(called: object): readonly string[] {
    return this.#columns.get(called) ?? [];
  }

  expressionOf(node: object): Expression | undefined {
    return this.#expressions.get(node);
  }

  nameOf(node: object): ColumnName | undefined {
    return this.#names.get(node);
  }
}

/** The entry of FROM, of this query or one around it, that an unqualified name means. */
function relationOf(
  context: BindContext,
  scope: Scope,
  name: string,
  expression: Expression,
): string | undefined {
  const own = entryOf(scope, name, expression);
  if (own !== undefined) return own.name;
  for (let level = context.outer; level !== undefined; level = level.around) {
    const { relations } = level.clause.scope;
    const found = relations.find(({ columns }) => columns.some((column) => column.name === name));
    if (found !== undefined) return found.name;
  }
  return undefined;
}

function entryOf(scope: Scope, name: string, expression: Expression): ScopeRelation | undefined {
  return scope.relations.find(({ columns }) =>
    columns.some(
      (column) =>
        column.name === name &&
        column.expression.kind === 'column' &&
        expression.kind === 'column' &&
        column.expression.column === expression.column,
    ),
  );
}
