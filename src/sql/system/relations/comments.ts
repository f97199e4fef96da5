/** pg_description, pg_shdescription, pg_depend, pg_rewrite: what is said of objects, and what hangs on what. */
import {
  type Descriptor,
  oidOf,
  type SequenceDescriptor,
  type TableDescriptor,
  type ViewDescriptor,
} from '../../catalogue/index.js';
import { always, numberOf, systemRelation } from '../define.js';
import { catalogSchema } from '../facts.js';
import { catalogs, oids } from '../oids.js';
import type { SystemCatalogue } from '../system-catalogue.js';
import { constraintOid, constraintsOfDomain, constraintsOfTable } from './constraint.js';
import { defaultsOf, oidOfDefault } from './parts.js';

export interface Comment {
  readonly object: number;
  readonly catalog: number;
  readonly column: number;
  readonly text: string;
}

function comment(
  catalog: number,
  object: number,
  text: string | undefined,
  column = 0,
): readonly Comment[] {
  return text === undefined ? [] : [{ object, catalog, column, text }];
}

function catalogOf({ kind }: Descriptor): number | undefined {
  switch (kind) {
    case 'table':
    case 'view':
    case 'sequence':
    case 'index':
      return catalogs.pg_class;
    case 'type':
      return catalogs.pg_type;
    case 'function':
      return catalogs.pg_proc;
    case 'schema':
      return catalogs.pg_namespace;
    default:
      return undefined;
  }
}

/** What is said of an object, its columns and its constraints. */
function commentsOf(view: SystemCatalogue, object: Descriptor): readonly Comment[] {
  const catalog = catalogOf(object);
  if (catalog === undefined) return [];
  const oid = oidOf(object.object);
  const own = comment(catalog, oid, object.comment);
  if (object.kind === 'type') {
    const checks = constraintsOfDomain(object).flatMap((item) =>
      item.kind === 'key' ? [] : comment(catalogs.pg_constraint, item.oid, item.of.comment),
    );
    return [...own, ...checks];
  }
  if (object.kind !== 'table') return own;
  const columns = object.columns.flatMap((column) =>
    comment(catalog, oid, column.comment, column.position),
  );
  const constraints = constraintsOfTable(view, object).flatMap((item) =>
    item.kind === 'key' ? [] : comment(catalogs.pg_constraint, item.oid, item.of.comment),
  );
  return [...own, ...columns, ...constraints];
}

const ofPublic = 'standard public schema';

function* comments(view: SystemCatalogue): Iterable<Comment> {
  const open = view.object(oids.publicSchema);
  yield* comment(catalogs.pg_namespace, oids.publicSchema, open?.comment ?? ofPublic);
  for (const object of view.all()) {
    if (oidOf(object.object) !== oids.publicSchema) yield* commentsOf(view, object);
  }
}

/** Constraints have OIDs of their own: whoever asks for one of those asks for all. */
export function* commentsAt(view: SystemCatalogue, oid: number): Iterable<Comment> {
  const object = view.object(oid);
  if (object === undefined || oid === oids.publicSchema) yield* comments(view);
  else yield* commentsOf(view, object);
}

export const descriptionRelation = systemRelation<Comment>(catalogSchema, 'pg_description', {
  items: comments,
  guess: 200,
  find: { objoid: (view, value) => commentsAt(view, numberOf(value)) },
  values: {
    objoid: ({ object }) => object,
    classoid: ({ catalog }) => catalog,
    objsubid: ({ column }) => column,
    description: ({ text }) => text,
  },
});

export function* sharedComments(view: SystemCatalogue): Iterable<Comment> {
  const { database } = view.catalogue;
  yield* comment(catalogs.pg_database, oidOf(database.object), database.comment);
  for (const role of view.catalogue.roles()) {
    yield* comment(catalogs.pg_authid, oidOf(role.object), role.comment);
  }
}

export const sharedDescriptionRelation = systemRelation<Comment>(
  catalogSchema,
  'pg_shdescription',
  {
    items: sharedComments,
    guess: 10,
    values: {
      objoid: ({ object }) => object,
      classoid: ({ catalog }) => catalog,
      description: ({ text }) => text,
    },
  },
);

interface Dependency {
  readonly catalog: number;
  readonly object: number;
  readonly onCatalog: number;
  readonly on: number;
  readonly onColumn: number;
  /** n: normal, a: automatic, i: a part of it. */
  readonly type: 'n' | 'a' | 'i';
}

/** A sequence goes with the column that it was made for. */
function ofSequence(view: SystemCatalogue, sequence: SequenceDescriptor): readonly Dependency[] {
  const { ownedBy } = sequence;
  if (ownedBy === undefined) return [];
  const table = view.catalogue.objectIfThere(ownedBy.table);
  if (table?.kind !== 'table') return [];
  const column = table.columns.find(({ position }) => position === ownedBy.position);
  return [
    {
      catalog: catalogs.pg_class,
      object: oidOf(sequence.object),
      onCatalog: catalogs.pg_class,
      on: oidOf(table.object),
      onColumn: ownedBy.position,
      type: column?.identity === undefined ? 'a' : 'i',
    },
  ];
}

function ofTable(view: SystemCatalogue, table: TableDescriptor): readonly Dependency[] {
  const on = { onCatalog: catalogs.pg_class, on: oidOf(table.object) } as const;
  const defaults = defaultsOf(table).flatMap((item): Dependency[] => {
    const from = { catalog: catalogs.pg_attrdef, object: oidOfDefault(item) };
    const { default: value, position } = item.column;
    const own: Dependency = { ...from, ...on, onColumn: position, type: 'a' };
    if (value?.kind !== 'sequence') return [own];
    const sequence = oidOf(value.sequence.object);
    const needed: Dependency = { ...from, ...on, on: sequence, onColumn: 0, type: 'n' };
    return [own, needed];
  });
  const indexes = view.indexesOf(table).map(({ name, index }): Dependency => {
    const from = { catalog: catalogs.pg_class, object: oidOf(name.object) };
    const isConstraint = index === undefined || index.constraint !== undefined;
    return isConstraint
      ? { ...from, onCatalog: catalogs.pg_constraint, on: from.object, onColumn: 0, type: 'i' }
      : { ...from, ...on, onColumn: index.keys[0]?.column ?? 0, type: 'a' };
  });
  const constraints = constraintsOfTable(view, table).map(
    ({ oid }): Dependency => ({
      ...{ catalog: catalogs.pg_constraint, object: oid, ...on, onColumn: 0, type: 'a' },
    }),
  );
  return [...defaults, ...indexes, ...constraints];
}

function dependenciesOf(view: SystemCatalogue, object: Descriptor): readonly Dependency[] {
  if (object.kind === 'sequence') return ofSequence(view, object);
  if (object.kind === 'table') return ofTable(view, object);
  if (object.kind !== 'view') return [];
  const rule = { catalog: catalogs.pg_rewrite, object: ruleOid(object) };
  const on = { onCatalog: catalogs.pg_class, onColumn: 0 };
  return [
    { ...rule, ...on, on: oidOf(object.object), type: 'i' },
    ...[...new Set(object.references.map((one) => one.object))].flatMap((one): Dependency[] => {
      const needed = view.catalogue.objectIfThere(one);
      const isRelation = needed?.kind === 'table' || needed?.kind === 'view';
      return isRelation ? [{ ...rule, ...on, on: oidOf(one), type: 'n' }] : [];
    }),
  ];
}

function* dependencies(view: SystemCatalogue): Iterable<Dependency> {
  for (const object of view.all()) yield* dependenciesOf(view, object);
}

export const dependRelation = systemRelation<Dependency>(catalogSchema, 'pg_depend', {
  items: dependencies,
  guess: 3000,
  find: {
    objid: (view, value) => {
      const object = view.object(numberOf(value));
      const owner = object?.kind === 'index' ? view.indexOf(object)?.table : object;
      return owner === undefined ? dependencies(view) : dependenciesOf(view, owner);
    },
    refobjid: (view, value) => {
      const object = view.object(numberOf(value));
      if (object?.kind !== 'table') return dependencies(view);
      const own = [...ofTable(view, object)];
      return [
        ...own,
        ...view.sequencesOf(object).flatMap((one) => ofSequence(view, one)),
        ...view.viewsOf(object).flatMap((one) => dependenciesOf(view, one)),
      ];
    },
  },
  values: {
    classid: ({ catalog }) => catalog,
    objid: ({ object }) => object,
    objsubid: always(0),
    refclassid: ({ onCatalog }) => onCatalog,
    refobjid: ({ on }) => on,
    refobjsubid: ({ onColumn }) => onColumn,
    deptype: ({ type }) => type,
  },
});

/** Each view has a rule, under an OID of its own. */
function ruleOid({ object }: ViewDescriptor): number {
  return constraintOid(object, 0);
}

export const rewriteRelation = systemRelation<ViewDescriptor>(catalogSchema, 'pg_rewrite', {
  items: (view) => view.allOf('view'),
  guess: 50,
  find: {
    ev_class: (view, value) => {
      const found = view.object(numberOf(value));
      return found?.kind === 'view' ? [found] : [];
    },
  },
  values: {
    oid: ruleOid,
    rulename: always('_RETURN'),
    ev_class: ({ object }) => oidOf(object),
    ev_type: always('1'),
    ev_enabled: always('O'),
    is_instead: always(true),
    ev_qual: always('<>'),
    ev_action: ({ query }) => query,
  },
});
