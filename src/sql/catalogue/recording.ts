/** A lookup that remembers what was asked and found: what a plan or a stored text depends on. */
import type { ObjectId } from '../../base/ids.js';
import type {
  ColumnDescriptor,
  Descriptor,
  FunctionDescriptor,
  RelationDescriptor,
  TableDescriptor,
  TypeDescriptor,
} from './descriptor.js';
import type { CatalogueLookup } from './names.js';
import type { Principal } from './principal.js';

/** A question and the objects that it was answered with. */
export interface Found {
  readonly kind: 'relation' | 'type' | 'functions' | 'object';
  readonly schema: string | undefined;
  /** Of an object asked by its id: the id. */
  readonly name: string;
  readonly objects: readonly Descriptor[];
}

export class RecordingLookup implements CatalogueLookup {
  readonly #inner: CatalogueLookup;
  readonly #found = new Map<string, Found>();

  constructor(inner: CatalogueLookup) {
    this.#inner = inner;
  }

  /** Each question once. */
  get found(): readonly Found[] {
    return [...this.#found.values()];
  }

  relation(schema: string | undefined, name: string): RelationDescriptor | undefined {
    const found = this.#inner.relation(schema, name);
    this.#record('relation', schema, name, found);
    return found;
  }

  type(schema: string | undefined, name: string): TypeDescriptor | undefined {
    const found = this.#inner.type(schema, name);
    this.#record('type', schema, name, found);
    return found;
  }

  functions(schema: string | undefined, name: string): readonly FunctionDescriptor[] {
    const found = this.#inner.functions(schema, name);
    this.#record('functions', schema, name, ...found);
    return found;
  }

  object(object: ObjectId): Descriptor | undefined {
    const found = this.#inner.object(object);
    this.#record('object', undefined, String(object), found);
    return found;
  }

  table(object: ObjectId): TableDescriptor | undefined {
    const found = this.object(object);
    return found?.kind === 'table' ? found : undefined;
  }

  columnsOf(table: TableDescriptor): readonly ColumnDescriptor[] {
    return this.#inner.columnsOf(table);
  }

  hasSchema(name: string): boolean {
    return this.#inner.hasSchema(name);
  }

  mayCreateIn(schema: string): boolean {
    return this.#inner.mayCreateIn(schema);
  }

  get creationSchema(): string | undefined {
    return this.#inner.creationSchema;
  }

  get path(): readonly string[] {
    return this.#inner.path;
  }

  get principal(): Principal {
    return this.#inner.principal;
  }

  #record(
    kind: Found['kind'],
    schema: string | undefined,
    name: string,
    ...objects: readonly (Descriptor | undefined)[]
  ): void {
    const found = objects.filter((one) => one !== undefined);
    this.#found.set(`${kind}\0${schema ?? ''}\0${name}`, { kind, schema, name, objects: found });
  }
}

/** Whether `lookup` answers now as it was answered then, with the same versions. */
export function isAsFound(lookup: CatalogueLookup, found: readonly Found[]): boolean {
  return found.every(({ kind, schema, name, objects }) => {
    const now = answerOf(lookup, kind, schema, name);
    return (
      now.length === objects.length &&
      now.every((one, i) => {
        const then = objects[i];
        return one.object === then?.object && one.version === then.version;
      })
    );
  });
}

function answerOf(
  lookup: CatalogueLookup,
  kind: Found['kind'],
  schema: string | undefined,
  name: string,
): readonly Descriptor[] {
  if (kind === 'functions') return lookup.functions(schema, name);
  if (kind === 'object') return listOf(lookup.object(Number(name) as ObjectId));
  return listOf(kind === 'type' ? lookup.type(schema, name) : lookup.relation(schema, name));
}

function listOf(found: Descriptor | undefined): readonly Descriptor[] {
  return found === undefined ? [] : [found];
}
