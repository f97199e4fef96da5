/** Bound MERGE statements. */
import type { TableDescriptor } from '../catalogue/descriptor.js';
import type { Expression } from './expression.js';
import type { PartitionedTarget } from './partitions.js';
import type { Relation } from './relation.js';
import type { Assignment } from './statement.js';
import type { WriteRules } from './table-rules.js';

export interface MergeStatement {
  readonly kind: 'merge';
  readonly table: TableDescriptor;
  readonly rules: WriteRules;
  /**
   * The table's columns, then the source's: a row for each pair that meets the condition, and where a
   * branch inserts one with NULLs for the table for each row of the source that meets none.
   */
  readonly input: Relation;
  /** The first one that fits a row counts. */
  readonly branches: readonly MergeBranch[];
  readonly partitioned: PartitionedTarget | undefined;
}

export interface MergeBranch {
  /** Whether it is for rows of the source that meet one of the table. */
  readonly matched: boolean;
  readonly condition: Expression | undefined;
  readonly action:
    | { readonly kind: 'nothing' }
    | { readonly kind: 'delete' }
    | { readonly kind: 'update'; readonly assignments: readonly Assignment[] }
    /** All columns of the new row that are not generated. */
    | { readonly kind: 'insert'; readonly assignments: readonly Assignment[] };
}
