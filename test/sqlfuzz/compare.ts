/** The same statement to PGlite and to a session, and whether they answered alike. */
import type { PGlite } from '@electric-sql/pglite';
import { errorCatalogue } from '#src/base/errors.js';
import { type Client, failureOf, printed, resultsOf } from '../sql/session-client.js';

export type FuzzAnswer =
  | { readonly kind: 'rows'; readonly columns: readonly string[]; readonly rows: readonly string[] }
  | { readonly kind: 'error'; readonly sqlstate: string; readonly message: string };

const textOids = [
  16, 17, 18, 19, 20, 21, 23, 25, 26, 114, 700, 701, 1000, 1005, 1007, 1009, 1015, 1016, 1021, 1022,
  1042, 1043, 1082, 1083, 1114, 1115, 1182, 1184, 1186, 1231, 1700, 2249, 2950, 3802, 3807,
];
const asText = Object.fromEntries(textOids.map((oid) => [oid, (value: string) => value]));

/** The answer to one statement, by the simple protocol: it costs less than half of the extended one. */
export async function askPostgres(postgres: PGlite, text: string): Promise<FuzzAnswer> {
  try {
    const results = await postgres.exec(text, { rowMode: 'array', parsers: asText });
    const { fields = [], rows = [] } = results.at(-1) ?? {};
    return {
      kind: 'rows',
      columns: fields.map((field) => `${field.name}:${field.dataTypeID}`),
      rows: bag(rows as unknown as (string | null)[][]),
    };
  } catch (error) {
    const { code = '?', message } = error as { code?: string; message: string };
    return { kind: 'error', sqlstate: code, message };
  }
}

export async function askSession(client: Client, text: string): Promise<FuzzAnswer> {
  const answers = await client.execute(text);
  const failed = failureOf(answers);
  if (failed !== undefined) {
    return {
      kind: 'error',
      sqlstate: errorCatalogue[failed.kind].sqlstate,
      message: failed.message,
    };
  }
  const result = resultsOf(answers).at(-1);
  if (result === undefined) return { kind: 'rows', columns: [], rows: [] };
  return {
    kind: 'rows',
    columns: result.columns.map((column) => `${column.name}:${column.typeOid}`),
    rows: bag(printed(result)),
  };
}

function bag(rows: readonly (readonly (string | null)[])[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}

/** Reasons why two answers may differ although neither is wrong. */
export const accepted: readonly {
  readonly reason: string;
  readonly holds: (postgres: FuzzAnswer, session: FuzzAnswer, text: string) => boolean;
}[] = [
  {
    reason:
      'PostgreSQL cannot run a FULL JOIN on a condition that is neither mergeable nor hashable; ShardForge can',
    holds: (postgres, session) =>
      postgres.kind === 'error' &&
      postgres.message.startsWith('FULL JOIN is only supported with') &&
      session.kind === 'rows',
  },
];

export function isAlike(postgres: FuzzAnswer, session: FuzzAnswer, text: string): boolean {
  if (accepted.some(({ holds }) => holds(postgres, session, text))) return true;
  if (postgres.kind === 'error' || session.kind === 'error') {
    return (
      postgres.kind === 'error' &&
      session.kind === 'error' &&
      postgres.sqlstate === session.sqlstate
    );
  }
  return (
    postgres.columns.join() === session.columns.join() &&
    postgres.rows.length === session.rows.length &&
    postgres.rows.every((row, i) => row === session.rows[i])
  );
}

export function showAnswer(answer: FuzzAnswer): string {
  if (answer.kind === 'error') return `${answer.sqlstate} ${answer.message}`;
  return [answer.columns.join(' '), ...answer.rows.slice(0, 8)].join('\n    ');
}
