/** What is made of a session's answers: messages to the client, and the next state of the flow. */
import { unreachable } from '../../base/assert.js';
import type { Completion, ErrorFields, SessionAnswer } from '../../sql/session/protocol.js';
import { CopyIn } from './copy-in.js';
import type { Flow } from './flow.js';
import { WireStatement } from './statement.js';
import { type Task, writeQueryRows } from './task.js';
import * as write from './writer.js';

type Rows = Extract<SessionAnswer, { kind: 'sql.rows' }>;
type Prepared = Extract<SessionAnswer, { kind: 'sql.prepared' }>;

/** What belongs to no request, or ends the session whatever it serves. */
export type Aside =
  | Extract<SessionAnswer, { kind: 'sql.notice' | 'sql.settings' | 'sql.notification' }>
  | (Extract<SessionAnswer, { kind: 'sql.failed' }> & { readonly fatal: true });

export function isAside(answer: SessionAnswer): answer is Aside {
  switch (answer.kind) {
    case 'sql.notice':
    case 'sql.settings':
    case 'sql.notification':
      return true;
    case 'sql.failed':
      return answer.fatal === true;
    default:
      return false;
  }
}

/** Takes what stands beside the requests. Gives the error that ends the connection, if it is one. */
export function takeAside(flow: Flow, aside: Aside): ErrorFields | undefined {
  switch (aside.kind) {
    case 'sql.notice':
      write.writeNotice(flow.out, aside.notice);
      return undefined;
    case 'sql.settings':
      flow.noteSettings(aside.values);
      return undefined;
    case 'sql.notification':
      flow.noteNotification(aside);
      return undefined;
    case 'sql.failed':
      return aside.error;
    default:
      return unreachable(aside);
  }
}

/** Takes an answer to `task`. Gives the error that ends the connection, if the answer is one. */
export function takeAnswer(
  flow: Flow,
  task: Task,
  answer: Exclude<SessionAnswer, Aside>,
): ErrorFields | undefined {
  switch (answer.kind) {
    case 'sql.rows':
      rows(flow, task, answer);
      return undefined;
    case 'sql.complete':
      completed(flow, task, answer.completion, answer.last);
      return undefined;
    case 'sql.prepared':
      prepared(flow, task, answer);
      return undefined;
    case 'sql.copyIn':
      if (flow.copyIn === undefined) {
        // A Sync that comes before the data means nothing.
        if (task.kind === 'execute') task.portal.syncs = false;
        flow.copyIn = new CopyIn(flow.connection, answer.request);
        write.writeCopyResponse(flow.out, write.codes.copyIn, answer.copy);
      }
      flow.copyIn.grant(answer.credit);
      return undefined;
    case 'sql.failed':
      flow.status = answer.status;
      return failed(flow, task, answer.error);
    case 'sql.parked':
      if (task.kind === 'hold') {
        task.portal.state = 'parked';
        flow.suspended = undefined;
        flow.task = undefined;
      }
      return undefined;
    case 'sql.closed':
      return undefined;
    default:
      return unreachable(answer);
  }
}

function prepared(flow: Flow, task: Task, answer: Prepared): void {
  if (task.kind !== 'parse' && task.kind !== 'learn') return;
  flow.task = undefined;
  if (task.kind === 'learn') {
    flow.prepared.keep(new WireStatement(task.name, answer));
    return;
  }
  flow.prepared.keep(new WireStatement(task.name, answer, task.source));
  flow.out.empty(write.codes.parseComplete);
}

function rows(flow: Flow, task: Task, answer: Rows): void {
  const { completion, last } = answer;
  switch (task.kind) {
    case 'query':
      writeQueryRows(flow.out, task, answer);
      if (!last && completion === undefined) flow.grant(task);
      break;
    case 'execute':
    case 'hold':
      task.portal.owed -= 1;
      if (answer.columns !== undefined && !task.portal.beginRows(flow.out, answer)) {
        flow.connection.send({ kind: 'sql.enough', request: task.request });
      }
      task.portal.push(answer.rows);
      if (completion !== undefined) break;
      if (task.kind === 'execute') flow.serve(task.portal);
      return;
    default:
  }
  if (completion !== undefined) completed(flow, task, completion, last);
}

/** Tags of statements that give up prepared ones. */
const forgets = /^D(EALLOCATE|ISCARD)/;

function completed(flow: Flow, task: Task, completion: Completion, last: boolean): void {
  flow.status = completion.status;
  flow.copyIn = undefined;
  const { tag } = completion;
  if (tag.startsWith('D') && forgets.test(tag)) flow.prepared.forgetNamed();
  switch (task.kind) {
    case 'query':
      write.writeTag(flow.out, completion.tag);
      task.result = undefined;
      if (!last) return;
      flow.joined = false;
      flow.ready();
      return;
    case 'execute':
    case 'hold':
    case 'finish':
      task.portal.completion = completion;
      if (!task.portal.joins) flow.joined = false;
      if (task.kind === 'execute') {
        flow.serve(task.portal);
        return;
      }
      flow.suspended = undefined;
      flow.task = undefined;
      return;
    case 'commit':
      flow.joined = false;
      flow.ready();
      return;
    case 'greet':
      flow.greet();
      return;
    case 'parse':
    case 'learn':
    case 'refuse':
      return;
  }
  unreachable(task);
}

function failed(flow: Flow, task: Task, error: ErrorFields): ErrorFields | undefined {
  flow.joined = false;
  flow.copyIn = undefined;
  flow.task = undefined;
  if (task.kind === 'greet') return error;
  if ('portal' in task) {
    flow.suspended = undefined;
    task.portal.state = 'failed';
  }
  const { kind: pending } = flow.pending ?? {};
  if (pending !== 'sync') flow.pending = undefined;
  write.writeError(flow.out, error);
  if (task.kind === 'execute' && task.portal.syncs) {
    flow.endExchange(task.portal);
    return undefined;
  }
  const ready =
    task.kind === 'refuse' ? task.ready : task.kind === 'query' || task.kind === 'commit';
  if (ready || pending === 'query') flow.ready();
  else flow.skipping = true;
  return undefined;
}
