/** What `\d NAME` shows: the columns of a table, as an empty result of it tells them. */
import type { Result, Session, Value } from '../client/index.js';

/** Name and type of each column of the table; `name` is written as in SQL. */
export async function describeTable(session: Session, name: string): Promise<Result<Value[]>> {
  const { columns } = await session.query(`select * from ${name} limit 0`);
  const rows = columns.map((column): Value[] => [column.name, column.type]);
  return Object.assign(rows, {
    columns: [
      { name: 'column', type: 'text' },
      { name: 'type', type: 'text' },
    ],
    tag: '',
    count: rows.length,
  });
}
