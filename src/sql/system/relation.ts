/** What a system relation is to those who bind, plan and read it. */
import type { FunctionContext, Row, TypeName, Value } from '../types/index.js';

export interface SystemColumn {
  readonly name: string;
  /** As of pg_type; of information_schema a domain of its own. */
  readonly type: TypeName;
  readonly notNull: boolean;
}

/** A relation that is computed from the catalogue, not stored. */
export interface SystemRelation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly SystemColumn[];
  /** Places of the columns by which rows are found without reading all; the best one first. */
  readonly keys: readonly number[];
  /** About how many rows there are. */
  readonly rowsGuessed: number;
  /** Reading it asks the session ({@link Question}): the statement may be executed again. */
  readonly asks: boolean;
  /** All rows, of each the columns at `places`. */
  rows(functions: FunctionContext, places: readonly number[]): Iterable<Row>;
  /** The rows whose column at `key` has one of the values; perhaps some others too. */
  find(
    functions: FunctionContext,
    places: readonly number[],
    key: number,
    values: readonly Value[],
  ): Iterable<Row>;
}
