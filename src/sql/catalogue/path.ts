/** The catalogue of a transaction through the search path of its session. */
import type { DatabaseId, ObjectId } from '../../base/ids.js';
import { type TransactionCatalogue, userDatabase } from './catalogue.js';
import type {
  ColumnDescriptor,
  Descriptor,
  FunctionDescriptor,
  RelationDescriptor,
  TableDescriptor,
  TypeDescriptor,
} from './descriptor.js';
import type { CatalogueLookup } from './names.js';
import { temporaryDatabase, temporarySchema } from './rows.js';

/** There without being made. */
const publicSchema = 'public';

export class PathLookup implements CatalogueLookup {
  readonly #catalogue: TransactionCatalogue;
  readonly path: readonly string[];

  /** `path` is search_path's value, its words unquoted and `$user` replaced. */
  constructor(catalogue: TransactionCatalogue, path: readonly string[]) {
    this.#catalogue = catalogue;
    this.path = path.includes(temporarySchema) ? path : [temporarySchema, ...path];
  }

  relation(schema: string | undefined, name: string): RelationDescriptor | undefined {
    return this.#first(schema, (database, one) => this.#catalogue.relation(database, one, name));
  }

  type(schema: string | undefined, name: string): TypeDescriptor | undefined {
    return this.#first(schema, (database, one) => this.#catalogue.type(database, one, name));
  }

  functions(schema: string | undefined, name: string): readonly FunctionDescriptor[] {
    const schemas = schema === undefined ? this.path : [schema];
    return schemas
      .filter((one) => one !== temporarySchema)
      .flatMap((one) => this.#catalogue.functions(userDatabase, one, name));
  }

  object(object: ObjectId): Descriptor | undefined {
    return this.#catalogue.objectIfThere(object);
  }

  table(object: ObjectId): TableDescriptor | undefined {
    const found = this.object(object);
    return found?.kind === 'table' ? found : undefined;
  }

  columnsOf(table: TableDescriptor): readonly ColumnDescriptor[] {
    return table.columns;
  }

  hasSchema(name: string): boolean {
    if (name === publicSchema || name === temporarySchema) return true;
    return this.#catalogue.schema(userDatabase, name) !== undefined;
  }

  get creationSchema(): string | undefined {
    return this.path.find((one) => one !== temporarySchema && this.hasSchema(one));
  }

  #first<T>(
    schema: string | undefined,
    find: (database: DatabaseId, schema: string) => T | undefined,
  ): T | undefined {
    for (const one of schema === undefined ? this.path : [schema]) {
      const found = find(one === temporarySchema ? temporaryDatabase : userDatabase, one);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
