/** `shardforge session`: what the sessions of a cluster do, and how to end it. */
import { type Command, InvalidArgumentError } from 'commander';
import {
  addCall,
  type Call,
  columns,
  type Fields,
  fields,
  type Json,
  literal,
  text,
} from './cluster.js';
import { tableOf } from './format.js';

const sessionCalls: readonly Call[] = [
  {
    name: 'list',
    description: 'show the sessions of all nodes and what they do',
    sql: () => 'shardforge.session_list()',
    show: showSessions,
  },
  {
    name: 'cancel',
    usage: '<session>',
    description: 'end what a session does, by its pid or by the id of the query',
    sql: (session) =>
      session?.includes('.') === true
        ? `shardforge.cancel_query(${literal(session)})`
        : `shardforge.session_cancel(${pid(session)})`,
    show: showOutcome,
    failed: isNotDone,
  },
  {
    name: 'terminate',
    usage: '<pid>',
    description: 'end a session; its transaction is rolled back',
    sql: (session) => `shardforge.session_terminate(${pid(session)})`,
    show: showOutcome,
    failed: isNotDone,
  },
];

export function addSession(root: Command, onExit: (code: number) => void): void {
  const session = root.command('session').description('look at sessions and end them');
  for (const call of sessionCalls) addCall(session, call, onExit);
}

function pid(value: string | undefined): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError(`${value} is no number of a session`);
}

function showSessions(value: Json): string {
  const rows = (value as readonly Json[])
    .map(fields)
    .map((one) => [
      text(one.pid),
      text(one.node),
      text(one.user),
      text(one.applicationName),
      text(one.address),
      text(one.state),
      waitOf(one),
      text(one.queryId),
      text(one.query).replace(/\s+/g, ' ').slice(0, queryLengthMax),
    ]);
  const heads = columns(
    ...['pid', 'node', 'user', 'application', 'client', 'state', 'waits for', 'query id', 'query'],
  );
  return tableOf(heads, rows);
}

/** Characters of a statement that a table shows. */
const queryLengthMax = 60;

function waitOf({ waitType, wait }: Fields): string {
  return wait === null ? '' : `${text(waitType)}/${text(wait)}`;
}

/** In words what came of a signal; cancel_query says true and false. */
function showOutcome(value: Json): string {
  if (typeof value === 'boolean') return value ? 'done\n' : 'no such query runs\n';
  const outcome = text(fields(value).outcome);
  return `${words[outcome] ?? outcome}\n`;
}

const words: Readonly<Record<string, string>> = {
  absent: 'there is no such session',
  silent: 'its node does not answer',
};

function isNotDone(value: Json): boolean {
  return typeof value === 'boolean' ? !value : fields(value).outcome !== 'done';
}
