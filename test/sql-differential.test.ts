/**
 * The same statements to PostgreSQL (PGlite) and to a session: rows, types, SQLSTATE, message, detail,
 * hint and position must be equal. What differs on purpose is listed with its reason.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import t from 'tap';
import { errorCatalogue } from '#src/base/errors.js';
import { type Client, failureOf, printed, resultsOf, TestNode } from './sql/session-client.js';

const directory = 'test/golden/sql/differential/';

/** Texts as PostgreSQL sends them, for the types that the statements meet. */
const asText = Object.fromEntries(
  [
    16, 17, 18, 19, 20, 21, 23, 25, 26, 114, 700, 701, 1042, 1043, 1082, 1083, 1114, 1184, 1186,
    1700, 2950, 3802, 1000, 1001, 1002, 1003, 1005, 1007, 1009, 1014, 1015, 1016, 1021, 1022, 1028,
    1115, 1182, 1183, 1185, 1187, 1231, 1266, 1270, 1560, 1561, 1562, 1563, 199, 2205, 2206, 2210,
    2211, 2249, 2287, 2951, 3807,
  ].map((oid) => [oid, (value: string) => value]),
);

interface PostgresError {
  readonly code: string;
  readonly message: string;
  readonly position?: string;
  readonly detail?: string;
  readonly hint?: string;
}

/** One line for each result or the error. */
type Outcome = readonly string[];

function describe(error: PostgresError): Outcome {
  const { code, message, position = '-', detail = '', hint = '' } = error;
  return [`${code} ${message} at ${position}`, ...[detail, hint].filter((line) => line !== '')];
}

async function askPostgres(postgres: PGlite, text: string): Promise<Outcome> {
  try {
    const results = await postgres.exec(text, { rowMode: 'array', parsers: asText });
    return results
      .filter(({ fields }) => fields.length > 0)
      .map(({ fields, rows }) =>
        JSON.stringify({ columns: fields.map((f) => `${f.name}:${f.dataTypeID}`), rows }),
      );
  } catch (error) {
    return describe(error as PostgresError);
  }
}

async function askSession(client: Client, text: string): Promise<Outcome> {
  const answers = await client.execute(text);
  const failed = failureOf(answers);
  if (failed !== undefined) {
    const { kind, message, details } = failed;
    const { position, detail, hint } = details;
    return describe({
      code: errorCatalogue[kind].sqlstate,
      message,
      ...(position !== undefined && { position: String(position) }),
      ...(detail !== undefined && { detail }),
      ...(hint !== undefined && { hint }),
    });
  }
  return resultsOf(answers).map((result) =>
    JSON.stringify({
      columns: result.columns.map(({ name, typeOid }) => `${name}:${typeOid}`),
      rows: printed(result),
    }),
  );
}

/** Statements of a script: each ends with a semicolon at the end of a line. */
function statementsOf(file: string): string[] {
  return readFileSync(directory + file, 'utf8')
    .replace(/^--.*\n/gm, '')
    .split(/;\n/)
    .filter((statement) => statement.trim() !== '');
}

t.test('sessions answer as PostgreSQL does', async (t) => {
  const postgres = await PGlite.create();
  await postgres.exec("SET TimeZone = 'UTC'");
  const node = await TestNode.start();
  const client = node.connect();
  for (const file of readdirSync(directory).sort()) {
    const differences: { statement: string; postgres: Outcome; session: Outcome }[] = [];
    const statements = statementsOf(file);
    for (const statement of statements) {
      const expected = await askPostgres(postgres, statement);
      const found = await askSession(client, statement);
      if (expected.join('\n') === found.join('\n')) continue;
      differences.push({ statement, postgres: expected, session: found });
    }
    t.same(differences, [], `${file}: ${statements.length} statements`);
  }
  t.same(node.logged, [], 'nothing failed inside');
  await postgres.close();
});
