/** What a connection has its session do. */
import { must } from '../../base/assert.js';
import type { SessionAnswer } from '../../sql/session/protocol.js';
import { windowMessagesMax } from './limits.js';
import type { Portal } from './portal.js';
import { type WriteRow, writerOf } from './rows.js';
import type { StatementSource } from './statement.js';
import * as write from './writer.js';

/** What the session is asked for; its answers carry the number. */
export type Task = {
  readonly request: number;
} /** At the start: the session tells its settings. */ & (
  | { readonly kind: 'greet' }
  | { readonly kind: 'query'; result: Result | undefined; owed: number }
  | { readonly kind: 'parse'; readonly name: string; readonly source: StatementSource }
  /** What statement the session has under the name. */
  | { readonly kind: 'learn'; readonly name: string }
  | { readonly kind: 'execute'; readonly portal: Portal }
  /** The rest of a suspended portal is not wanted any more. */
  | { readonly kind: 'finish'; readonly portal: Portal }
  /** The session keeps the rest of a suspended portal, to be free. */
  | { readonly kind: 'hold'; readonly portal: Portal }
  | { readonly kind: 'commit' }
  | { readonly kind: 'refuse'; readonly ready: boolean }
);

export interface Result {
  readonly write: WriteRow;
  readonly isCopy: boolean;
}

/** A task that has no number yet. */
export type OmitRequest<T> = T extends unknown ? Omit<T, 'request'> : never;

/** Rows of a simple query, with what stands before and behind each result. */
export function writeQueryRows(
  out: write.MessageWriter,
  task: Extract<Task, { kind: 'query' }>,
  answer: Extract<SessionAnswer, { kind: 'sql.rows' }>,
): void {
  const { columns, copy, completion } = answer;
  if (columns !== undefined) {
    if (copy === undefined) write.writeRowDescription(out, columns, () => 'text');
    else write.writeCopyResponse(out, write.codes.copyOut, copy);
    task.result = { write: writerOf(answer, []), isCopy: copy !== undefined };
  }
  task.owed -= 1;
  const result = must(task.result, 'rows come after their columns');
  for (const row of answer.rows) result.write(out, row);
  if (completion !== undefined && result.isCopy) out.empty(write.codes.copyDone);
}

/** Messages with rows to ask for beside those that are on their way; they count as asked for. */
export function creditOf(task: Task): number {
  const holder = task.kind === 'query' ? task : 'portal' in task ? task.portal : undefined;
  if (holder === undefined || task.kind === 'finish' || task.kind === 'hold') return 0;
  const window = task.kind === 'execute' ? task.portal.window : windowMessagesMax;
  if (holder.owed > window / 2) return 0;
  const credit = window - holder.owed;
  holder.owed = window;
  return credit;
}
