/** CREATE VIEW. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import { bindQuery } from '../bind/select.js';
import {
  type Found,
  type Reference,
  temporaryDatabase,
  temporarySchema,
  type ViewColumn,
  type ViewDescriptor,
} from '../catalogue/index.js';
import {
  type ast,
  fields,
  notSupported,
  type ParsedStatement,
  stringsOf,
  the,
  viewQueryText,
} from '../parse/index.js';
import { printType, typeNamed } from '../types/index.js';
import { type DdlContext, placeOfRelation } from './context.js';
import { namesWithin } from './names-within.js';
import { ownershipOf } from './ownership.js';
import { requireOwner } from './permission.js';
import { checkStorageParameters, isSecurityInvoker } from './storage-parameters.js';
import { recorded } from './uses.js';

export function createView(
  context: DdlContext,
  body: ast.ViewStmt,
  parsed: ParsedStatement,
): string {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'ViewStmt', body, [
    ...(['view', 'aliases', 'query', 'replace', 'options', 'withCheckOption'] as const),
  ]);
  if (read.withCheckOption !== undefined && read.withCheckOption !== 'NO_CHECK_OPTION') {
    notSupported(bind.source, 'WITH CHECK OPTION', undefined);
  }
  checkStorageParameters(bind, read.options);
  const query = the(read.query, 'SelectStmt');
  if (intoWithin(query)) raise('syntax_error', 'views must not contain SELECT INTO');
  const { value: input, found } = recorded(bind, (inner) => bindQuery(inner, query));
  const named = columnsOf(context, input.columns, stringsOf(read.aliases));
  const temporary = found.some(({ objects }) =>
    objects.some(({ database }) => database === temporaryDatabase),
  );
  const asked = placeOfRelation(context, must(read.view, 'CREATE VIEW names one'));
  const place = temporary
    ? { database: temporaryDatabase, schema: temporarySchema, name: asked.name }
    : asked;
  if (temporary && asked.database !== temporaryDatabase) {
    context.notice(`view "${asked.name}" will be a temporary view`);
  }
  const before = catalogue.relation(place.database, place.schema, place.name);
  if (before !== undefined && read.replace !== true) {
    raise('duplicate_table', `relation "${place.name}" already exists`);
  }
  if (before !== undefined && before.kind !== 'view') {
    raise('wrong_object_type', `"${place.name}" is not a view`);
  }
  if (before !== undefined) {
    requireOwner(context, before);
    checkReplaced(before, named);
  }
  // What is granted on a column stays.
  const columns = named.map((column, i) => ({
    ...column,
    privileges: before?.columns[i]?.privileges,
  }));
  const { owner, privileges } = before ?? ownershipOf(context, 'table', place.schema);
  const view: ViewDescriptor = {
    kind: 'view',
    object: before?.object ?? (catalogue.newId(place.database) as ObjectId),
    version: (before?.version ?? 0) + 1,
    ...place,
    comment: before?.comment,
    ...{ owner, privileges },
    securityInvoker: isSecurityInvoker(read.options),
    columns,
    query: queryText(parsed, query, place.name, columns),
    references: referencesOf(found, query),
    checkOption: undefined,
  };
  catalogue.put(view, before);
  return 'CREATE VIEW';
}

function intoWithin(query: ast.SelectStmt): boolean {
  return query.intoClause !== undefined || (query.larg !== undefined && intoWithin(query.larg));
}

/** The text of the query; that of a recursive view says WITH RECURSIVE, which the grammar has added. */
function queryText(
  parsed: ParsedStatement,
  query: ast.SelectStmt,
  name: string,
  columns: readonly ViewColumn[],
): string {
  const text = viewQueryText(parsed.source, parsed.source.offsetOf(parsed.text));
  const recursive = query.withClause?.recursive === true && !/^\s*with\b/i.test(text);
  if (!recursive) return text;
  const names = columns.map((column) => `"${column.name.replaceAll('"', '""')}"`).join(', ');
  const own = `"${name.replaceAll('"', '""')}"`;
  return `WITH RECURSIVE ${own} (${names}) AS (${text}) SELECT ${names} FROM ${own}`;
}

function columnsOf(
  { bind }: DdlContext,
  columns: readonly { readonly name: string; readonly type: { name: string; modifier: number } }[],
  aliases: readonly string[],
): readonly ViewColumn[] {
  if (aliases.length > columns.length) {
    const text = 'CREATE VIEW specifies more column names than columns';
    bind.raise(undefined, 'syntax_error', text);
  }
  const names = new Set<string>();
  return columns.map((column, i) => {
    const name = aliases[i] ?? column.name;
    if (names.has(name)) {
      raise('duplicate_column', `column "${name}" specified more than once`);
    }
    names.add(name);
    const { name: type, modifier: typeModifier } = column.type;
    if (typeNamed(type).category === 'P') {
      const text = `column "${name}" has pseudo-type ${typeNamed(type).sqlName}`;
      raise('invalid_table_definition', text);
    }
    return { name, type, typeModifier };
  });
}

/** What others may use of a view stays: its columns, their names and types. */
function checkReplaced(before: ViewDescriptor, columns: readonly ViewColumn[]): void {
  if (columns.length < before.columns.length) {
    raise('invalid_table_definition', 'cannot drop columns from view');
  }
  for (const [i, old] of before.columns.entries()) {
    const column = must(columns[i], 'as many columns at least');
    if (column.name !== old.name) {
      const text = `cannot change name of view column "${old.name}" to "${column.name}"`;
      raise('invalid_table_definition', text, {
        hint: 'Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.',
      });
    }
    if (column.type !== old.type || column.typeModifier !== old.typeModifier) {
      const from = printType(old.type, old.typeModifier);
      const to = printType(column.type, column.typeModifier);
      const text = `cannot change data type of view column "${old.name}" from ${from} to ${to}`;
      raise('invalid_table_definition', text);
    }
  }
}

/** What the names of a text mean, with the columns that it may name. */
export function referencesOf(found: readonly Found[], tree: unknown): readonly Reference[] {
  const names = namesWithin(tree);
  return found.flatMap(({ kind, schema, name, objects }) => {
    if (kind === 'object') return [];
    return objects.map((object) => ({
      object: object.object,
      schema,
      name,
      columns:
        object.kind !== 'table'
          ? []
          : object.columns
              .filter((column) => names === 'all' || names.has(column.name))
              .map((column) => ({ position: column.position, name: column.name })),
    }));
  });
}
