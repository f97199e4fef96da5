/** Which columns of tables the columns of a result show as they are: what clients ask who want to write them back. */
import type { TableDescriptor } from '../catalogue/descriptor.js';
import { oidOf } from '../catalogue/index.js';
import type { ColumnId, Expression } from '../plan/expression.js';
import type { RelationColumn } from '../plan/relation.js';

type Origin = NonNullable<RelationColumn['origin']>;

export class Origins {
  readonly #columns = new Map<ColumnId, Origin>();

  /** Columns of a relation; `numbers` are theirs in it, in their order where nothing is said. */
  ofRelation(
    tableOid: number,
    columns: readonly RelationColumn[],
    numbers?: readonly number[],
  ): void {
    for (const [i, { column }] of columns.entries()) {
      this.#columns.set(column, { tableOid, column: numbers?.[i] ?? i + 1 });
    }
  }

  ofTable(table: TableDescriptor, columns: readonly RelationColumn[]): void {
    const numbers = table.columns.map(({ position }) => position);
    this.ofRelation(oidOf(table.object), columns, numbers);
  }

  /** `column` is what the expression gives: another column, as it is, or something made. */
  follow(column: ColumnId, expression: Expression): ColumnId {
    const origin = expression.kind === 'column' ? this.#columns.get(expression.column) : undefined;
    if (origin !== undefined) this.#columns.set(column, origin);
    return column;
  }

  tell(columns: readonly RelationColumn[]): readonly RelationColumn[] {
    return columns.map((column) => {
      const origin = this.#columns.get(column.column);
      return origin === undefined ? column : { ...column, origin };
    });
  }
}
