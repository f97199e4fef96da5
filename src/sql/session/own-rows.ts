/** What pg_prepared_statements and pg_cursors show of a session. */
import type { OwnCursor, OwnStatement } from '../system/index.js';
import type { SessionState } from './state.js';

export function preparedRows({ prepared }: SessionState): readonly OwnStatement[] {
  return [...prepared]
    .filter(([name]) => name !== '')
    .map(([name, { text, parse, parameters = [], preparedMs, fromSql }]) => ({
      ...{ name, preparedMs, fromSql, parameters },
      statement: text ?? parse()?.source.text ?? '',
    }));
}

export function cursorRows({ cursors }: SessionState): readonly OwnCursor[] {
  return [...cursors].map(([name, { statement, hold, scrolls, declaredMs }]) => ({
    ...{ name, statement, hold, scrolls, declaredMs },
  }));
}
