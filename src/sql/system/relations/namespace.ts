/** pg_namespace. */
import { oidOf, type SchemaDescriptor, userDatabase } from '../../catalogue/index.js';
import { aclOf } from '../acl.js';
import { numberOf, systemRelation } from '../define.js';
import { catalogSchema, informationSchema } from '../facts.js';
import { oids } from '../oids.js';
import type { SystemCatalogue } from '../system-catalogue.js';

interface Namespace {
  readonly oid: number;
  readonly name: string;
  /** Undefined for a schema of the system. */
  readonly schema: SchemaDescriptor | undefined;
}

const systemSchemas: readonly Namespace[] = [
  { oid: oids.toastSchema, name: 'pg_toast', schema: undefined },
  { oid: oids.catalogSchema, name: catalogSchema, schema: undefined },
  { oid: oids.informationSchema, name: informationSchema, schema: undefined },
  { oid: oids.ownSchema, name: 'shardforge', schema: undefined },
];

/** The schema of temporary objects, which there is once there are some. */
const temporary: Namespace = { oid: oids.temporarySchema, name: 'pg_temp', schema: undefined };

function namespaceOf(schema: SchemaDescriptor): Namespace {
  return { oid: oidOf(schema.object), name: schema.name, schema };
}

export function* namespaces(view: SystemCatalogue): Iterable<Namespace> {
  yield* systemSchemas;
  if (view.all().some(({ database }) => database !== userDatabase)) yield temporary;
  const open = view.catalogue.schema(userDatabase, 'public');
  if (open !== undefined) yield namespaceOf(open);
  for (const schema of view.allOf('schema')) {
    if (schema.object !== open?.object) yield namespaceOf(schema);
  }
}

function* named(view: SystemCatalogue, name: string): Iterable<Namespace> {
  const system = [...systemSchemas, temporary].find((one) => one.name === name);
  if (system !== undefined) yield system;
  const schema = view.catalogue.schema(userDatabase, name);
  if (schema !== undefined) yield namespaceOf(schema);
}

export function namespaceNamed(view: SystemCatalogue, name: string): Namespace | undefined {
  return [...named(view, name)][0];
}

export function namespaceByOid(view: SystemCatalogue, oid: number): Namespace | undefined {
  const system = [...systemSchemas, temporary].find((one) => one.oid === oid);
  if (system !== undefined) return system;
  const schema = view.object(oid);
  return schema?.kind === 'schema' ? namespaceOf(schema) : undefined;
}

export const namespaceRelation = systemRelation<Namespace>(catalogSchema, 'pg_namespace', {
  items: namespaces,
  guess: 10,
  find: {
    oid: (view, value) => {
      const found = namespaceByOid(view, numberOf(value));
      return found === undefined ? [] : [found];
    },
    nspname: (view, value) => named(view, value as string),
  },
  values: {
    oid: ({ oid }) => oid,
    nspname: ({ name }) => name,
    nspowner: ({ schema }) => (schema === undefined ? oids.bootstrapRole : oidOf(schema.owner)),
    nspacl: ({ schema }, view) => (schema === undefined ? null : aclOf(view, schema)),
  },
});
