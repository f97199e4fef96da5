/** What `\d NAME` shows: the columns of a table, as an empty result of it tells them. */
import { Result, type Session, type Value } from '../client/index.js';

/** Name and type of each column of the table; `name` is written as in SQL. */
export async function describeTable(session: Session, name: string): Promise<Result<Value[]>> {
  const { columns } = await session.query(`select * from ${name} limit 0`);
  const rows = new Result<Value[]>();
  for (const column of columns) rows.push([column.name, column.type]);
  const heads = ['column', 'type'].map((name) => ({ name, type: 'text' }));
  return rows.complete(heads, '', false);
}
