/** What the statements of this folder work with. */
import { type ErrorDetails, raise } from '../../base/errors.js';
import type { DatabaseId } from '../../base/ids.js';
import type { BindContext } from '../bind/context.js';
import {
  right,
  type TransactionCatalogue,
  temporaryDatabase,
  temporarySchema,
  userDatabase,
} from '../catalogue/index.js';
import { compileStatement, type ExecutionContext } from '../execute/index.js';
import type { ast, ParsedStatement } from '../parse/index.js';
import { fields, stringsOf } from '../parse/index.js';
import type { DataStatement } from '../plan/statement.js';

export interface DdlContext {
  /** Binds the texts within the statement; its lookup sees what the statement has changed. */
  readonly bind: BindContext;
  readonly catalogue: TransactionCatalogue;
  /** Executes statements that read and write rows as part of this one. */
  readonly execution: ExecutionContext;
  /** The statement that PREPARE has named. Raises invalid_sql_statement_name. */
  prepared(name: string): ParsedStatement;
  /** The client has begun a transaction block. */
  readonly inBlock: boolean;
  /** Hears of changes of roles and rights, without passwords. */
  noteRights?(change: string): void;
  /** Says something beside the statement's end, as PostgreSQL's NOTICE: of what was passed over, and what went along. */
  notice(message: string, sqlstate?: string, details?: ErrorDetails): void;
}

/** Objects that a notice of CASCADE names; the rest are counted. */
const namedMax = 100;

/** Tells what went along with what was dropped: by their descriptions. */
export function noticeCascade(context: DdlContext, objects: readonly string[]): void {
  const [only] = objects;
  if (only === undefined) return;
  if (objects.length === 1) {
    context.notice(`drop cascades to ${only}`);
    return;
  }
  const lines = objects.slice(0, namedMax).map((object) => `drop cascades to ${object}`);
  const more = objects.length - lines.length;
  if (more > 0) lines.push(`and ${more} other objects (see server log for list)`);
  const detail = lines.join('\n');
  context.notice(`drop cascades to ${objects.length} other objects`, undefined, { detail });
}

/** Where nothing has been prepared. */
export function noPrepared(name: string): never {
  raise('invalid_sql_statement_name', `prepared statement "${name}" does not exist`);
}

/** Work that lets others have their turn in between; gives the statement's tag. */
export type DdlWork<T = string> = Generator<'turn', T, unknown>;

/** Executes `statement`; its writes are seen by what follows. Gives their number. */
export function* runInside(context: DdlContext, statement: DataStatement): DdlWork<number> {
  const tables = [...context.bind.used.values()];
  const writes = statement.kind !== 'query';
  const rest = {
    writes,
    takesNumbers: false,
    asks: false,
    needs: [],
    parameters: [],
    columns: undefined,
    tables,
  };
  const compiled = compileStatement({ statement, ...rest });
  return yield* steps(context, compiled);
}

function* steps(
  { execution }: DdlContext,
  compiled: ReturnType<typeof compileStatement>,
): DdlWork<number> {
  const running = compiled.start(execution);
  try {
    for (;;) {
      const step = running.step();
      if (step.kind === 'done') return step.count;
      if (step.kind === 'pause') yield 'turn';
    }
  } finally {
    running.close();
    execution.buffer.endStatement();
    execution.buffer.beginStatement();
  }
}

/** Where a new object goes. */
export interface Place {
  readonly database: DatabaseId;
  readonly schema: string;
  readonly name: string;
}

/** The place of a new relation. Raises when there is no such schema, at `at`; the name may be taken. */
export function placeOfRelation(context: DdlContext, reference: ast.RangeVar, at?: number): Place {
  const { bind, catalogue } = context;
  const read = fields(bind.source, 'RangeVar', reference, [
    'schemaname',
    'relname',
    'relpersistence',
    // ONLY says something of heirs, and there are none.
    'inh',
  ]);
  const name = read.relname ?? '';
  const temporary = read.relpersistence === 't' || isTemporary(read.schemaname);
  if (!temporary) return placeOf(bind, read.schemaname, name, at);
  if (read.schemaname !== undefined && !isTemporary(read.schemaname)) {
    const text = 'cannot create temporary relation in non-temporary schema';
    bind.raise(at, 'invalid_table_definition', text);
  }
  if ((bind.catalogue.principal.rightsOn(catalogue.database) & right.temporary) === 0) {
    const { database } = bind.functions;
    const text = `permission denied to create temporary tables in database "${database}"`;
    raise('insufficient_privilege', text);
  }
  return { database: temporaryDatabase, schema: temporarySchema, name };
}

export function isTemporary(schema: string | undefined): boolean {
  return schema === temporarySchema;
}

/** The place of a new lasting object. */
export function placeOf(
  bind: BindContext,
  given: string | undefined,
  name: string,
  at: number | undefined,
): Place {
  const schema = given ?? bind.catalogue.creationSchema;
  if (schema === undefined) {
    return bind.raise(at, 'invalid_schema_name', 'no schema has been selected to create in');
  }
  if (schema === 'pg_catalog' || schema === 'information_schema') {
    const text = `permission denied to create in schema "${schema}"`;
    bind.raise(at, 'insufficient_privilege', text);
  }
  if (isTemporary(schema)) return { database: temporaryDatabase, schema, name };
  if (!bind.catalogue.hasSchema(schema)) {
    bind.raise(at, 'invalid_schema_name', `schema "${schema}" does not exist`);
  }
  if (!bind.catalogue.mayCreateIn(schema)) {
    bind.raise(at, 'insufficient_privilege', `permission denied for schema ${schema}`);
  }
  return { database: userDatabase, schema, name };
}

/** A dotted name of a DROP, COMMENT or ALTER: schema and name. */
export function pathOf(
  { bind }: DdlContext,
  nodes: readonly ast.Node[] | undefined,
): { readonly schema: string | undefined; readonly name: string } {
  const path = stringsOf(nodes);
  if (path.length > 2) {
    const shown = path.join('.');
    bind.raise(
      undefined,
      'feature_not_supported',
      `cross-database references are not implemented: "${shown}"`,
    );
  }
  return { schema: path.at(-2), name: path.at(-1) ?? '' };
}

/** A name with its schema if one was said. */
export function shownName(schema: string | undefined, name: string): string {
  return schema === undefined ? name : `${schema}.${name}`;
}
