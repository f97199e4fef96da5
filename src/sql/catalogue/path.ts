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
import { raise } from '../../base/errors.js';
import { right } from './grants.js';
import { type Principal, unrestricted } from './principal.js';
import { temporaryDatabase, temporarySchema } from './rows.js';

export class PathLookup implements CatalogueLookup {
  readonly #catalogue: TransactionCatalogue;
  readonly path: readonly string[];
  readonly principal: Principal;

  /**
   * `path` is search_path's value, its words unquoted and `$user` replaced. Schemas that the principal
   * may not use are passed over.
   */
  constructor(
    catalogue: TransactionCatalogue,
    path: readonly string[],
    principal: Principal = unrestricted,
  ) {
    this.#catalogue = catalogue;
    this.principal = principal;
    const used = principal.isSuperuser ? path : path.filter((name) => this.#mayUse(name));
    this.path = used.includes(temporarySchema) ? used : [temporarySchema, ...used];
  }

  #mayUse(name: string): boolean {
    if (this.principal.isSuperuser || name === temporarySchema) return true;
    const schema = this.#catalogue.schema(userDatabase, name);
    return schema === undefined || (this.principal.rightsOn(schema) & right.usage) !== 0;
  }

  /** Raises insufficient_privilege for a schema that the statement names and may not use. */
  #require(schema: string | undefined): void {
    if (schema === undefined || this.#mayUse(schema)) return;
    raise('insufficient_privilege', `permission denied for schema ${schema}`);
  }

  relation(schema: string | undefined, name: string): RelationDescriptor | undefined {
    return this.#first(schema, (database, one) => this.#catalogue.relation(database, one, name));
  }

  type(schema: string | undefined, name: string): TypeDescriptor | undefined {
    return this.#first(schema, (database, one) => this.#catalogue.type(database, one, name));
  }

  functions(schema: string | undefined, name: string): readonly FunctionDescriptor[] {
    this.#require(schema);
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
    if (name === temporarySchema) return true;
    return this.#catalogue.schema(userDatabase, name) !== undefined;
  }

  mayCreateIn(schema: string): boolean {
    if (this.principal.isSuperuser) return true;
    const found = this.#catalogue.schema(userDatabase, schema);
    return found !== undefined && (this.principal.rightsOn(found) & right.create) !== 0;
  }

  get creationSchema(): string | undefined {
    return this.path.find((one) => one !== temporarySchema && this.hasSchema(one));
  }

  #first<T>(
    schema: string | undefined,
    find: (database: DatabaseId, schema: string) => T | undefined,
  ): T | undefined {
    this.#require(schema);
    for (const one of schema === undefined ? this.path : [schema]) {
      const found = find(one === temporarySchema ? temporaryDatabase : userDatabase, one);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
