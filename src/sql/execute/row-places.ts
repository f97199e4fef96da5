/**
 * Where rows of a statement's target lie: in its leaves when it is partitioned, and within its bounds
 * when it is itself a partition. Columns of tables on the way may stand in different orders.
 */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import { firstOid, type TableDescriptor } from '../catalogue/index.js';
import type { TableRules } from '../plan/table-rules.js';
import type { NamedOid, Row, Value } from '../types/index.js';
import type { ExecutionContext } from './execution.js';
import { PartitionRouter } from './partition-router.js';
import { rowText } from './row-text.js';
import type { TableWriter } from './table-writer.js';
import type { Writers } from './writers.js';

/** A row in the order of the leaf that it belongs to. */
export interface Place {
  readonly writer: TableWriter;
  readonly row: Value[];
}

/** The columns of a row of one table in the order of another one. */
type Reorder = (row: Row) => Value[];

export class RowPlaces {
  readonly #writers: Writers;
  readonly #target: TableRules;
  readonly #routers = new Map<ObjectId, PartitionRouter>();
  readonly #orders = new Map<string, Reorder>();
  readonly #ancestors: readonly { readonly router: PartitionRouter; readonly part: ObjectId }[];

  constructor(writers: Writers, target: TableRules) {
    this.#writers = writers;
    this.#target = target;
    this.#ancestors = target.ancestors.map(({ partitioning, part }) => ({
      router: new PartitionRouter(partitioning),
      part,
    }));
  }

  /** Where a row of the target, in its order, belongs. Raises 23514. */
  place(row: Value[], context: ExecutionContext): Place {
    this.#checkBounds(row, context);
    let at = this.#target;
    let placed = row;
    while (at.partitioning !== undefined) {
      const router = this.#routerOf(at);
      const part = router.find(placed, context) ?? router.raiseNone(placed, context);
      const next = this.#writers.rulesOf(part);
      placed = this.#order(at.table, next.table)(placed);
      at = next;
    }
    return { writer: this.#writers.of(at.table.object), row: placed };
  }

  /** The leaf whose `tableoid` that is. */
  leaf(oid: Value): TableWriter {
    return this.#writers.of(((oid as NamedOid).oid - firstOid) as ObjectId);
  }

  /** A row of a leaf in the order of the target. */
  toTarget({ table }: TableWriter, row: Row): Row {
    return table === this.#target.table ? row : this.#order(table, this.#target.table)(row);
  }

  /** A row of the target in the order of a leaf. */
  toLeaf({ table }: TableWriter, row: Row): Row {
    return table === this.#target.table ? row : this.#order(this.#target.table, table)(row);
  }

  /** A row that is written to a partition itself must be within its bounds. */
  #checkBounds(row: Row, context: ExecutionContext): void {
    if (this.isWithinBounds(row, context)) return;
    const { table } = this.#target;
    raise('check_violation', `new row for relation "${table.name}" violates partition constraint`, {
      detail: `Failing row contains (${rowText(table, row, context.functions)}).`,
      schema: table.schema,
      table: table.name,
    });
  }

  /** Whether the target, as a partition, may have the row. */
  isWithinBounds(row: Row, context: ExecutionContext): boolean {
    const { table } = this.#target;
    return this.#ancestors.every(({ router, part }) => {
      const above = this.#order(table, router.partitioning.table)(row);
      return router.find(above, context) === part;
    });
  }

  #routerOf({ table, partitioning }: TableRules): PartitionRouter {
    let router = this.#routers.get(table.object);
    if (router === undefined) {
      router = new PartitionRouter(must(partitioning, 'the table is partitioned'));
      this.#routers.set(table.object, router);
    }
    return router;
  }

  #order(from: TableDescriptor, to: TableDescriptor): Reorder {
    const name = `${from.object} ${to.object}`;
    let order = this.#orders.get(name);
    if (order === undefined) {
      const slots = to.columns.map((column) =>
        from.columns.findIndex((other) => other.name === column.name),
      );
      order = (row) => slots.map((slot) => row[slot] ?? null);
      this.#orders.set(name, order);
    }
    return order;
  }
}
