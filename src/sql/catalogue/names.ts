/** Looking up objects by the names that statements use. */
import type { ObjectId } from '../../base/ids.js';
import type {
  ColumnDescriptor,
  Descriptor,
  FunctionDescriptor,
  RelationDescriptor,
  TableDescriptor,
  TypeDescriptor,
} from './descriptor.js';
import { type Principal, unrestricted } from './principal.js';

/**
 * The catalogue as a statement sees it by name: its transaction's snapshot and changes, through the
 * session's search path. `schema` undefined means the first schema of the path that has the name;
 * temporary objects come first.
 */
export interface CatalogueLookup {
  relation(schema: string | undefined, name: string): RelationDescriptor | undefined;
  type(schema: string | undefined, name: string): TypeDescriptor | undefined;
  /** The functions of the name in `schema`, or in all schemas of the path in its order. */
  functions(schema: string | undefined, name: string): readonly FunctionDescriptor[];
  /** An object by its id: what stored texts refer to; undefined when it is gone. */
  object(object: ObjectId): Descriptor | undefined;
  /** A table by its id: what foreign keys reference. */
  table(object: ObjectId): TableDescriptor | undefined;
  /** The columns of a table that can be named, as they are called. */
  columnsOf(table: TableDescriptor): readonly ColumnDescriptor[];
  hasSchema(name: string): boolean;
  /** Whether the principal may make objects in a schema that is there. */
  mayCreateIn(schema: string): boolean;
  /** Where CREATE without a schema goes; undefined when no schema of the path exists. */
  readonly creationSchema: string | undefined;
  /** The schemas that names without one are looked for in, in order. */
  readonly path: readonly string[];
  /** Whose statement it is. */
  readonly principal: Principal;
}

/** A catalogue with nothing in it: for what names no objects. */
export const noObjects: CatalogueLookup = {
  relation: () => undefined,
  type: () => undefined,
  functions: () => [],
  object: () => undefined,
  table: () => undefined,
  columnsOf: (table) => table.columns,
  hasSchema: () => false,
  mayCreateIn: () => true,
  creationSchema: undefined,
  path: [],
  principal: unrestricted,
};

/** The table of the name, if the relation of the name is one. */
export function tableNamed(
  catalogue: CatalogueLookup,
  schema: string | undefined,
  name: string,
): TableDescriptor | undefined {
  const relation = catalogue.relation(schema, name);
  return relation?.kind === 'table' ? relation : undefined;
}
