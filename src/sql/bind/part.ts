/** Assignment to an element, a slice or a field of a column. */
import type { ColumnDescriptor } from '../catalogue/descriptor.js';
import { type ast, notSupported } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import type { BindContext } from './context.js';
import type { Clause } from './expression.js';

export interface Part {
  readonly column: ColumnDescriptor;
  /** Subscripts and names of fields. */
  readonly path: readonly ast.Node[];
  readonly given: Expression | 'default';
  /** The column before the assignment. */
  readonly before: Expression;
  readonly at: number | undefined;
}

/** The whole column with the part changed. */
export function assignedPart(context: BindContext, _clause: Clause, part: Part): Expression {
  return notSupported(context.source, 'assignment to a part of a column', part.at);
}
