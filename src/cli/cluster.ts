/** `shardforge cluster` and `shardforge node`: what operators ask, by functions of schema `shardforge`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import type { Database } from '../client/index.js';
import { tableOf } from './format.js';
import { addReaching, type Reaching, reach, urlOption } from './reach.js';
import { exitCodes, UsageError } from './report.js';

interface CallOptions extends Reaching {
  readonly json?: true;
  readonly wait?: string;
}

/** A value of JSON as the node gives it. */
export type Json = unknown;
export type Fields = Readonly<Record<string, Json>>;

const pollMs = 250;

/** A command that calls one function and shows what it gives. */
export interface Call {
  readonly name: string;
  readonly usage?: string;
  readonly description: string;
  /** The call in SQL for the arguments of the command line. */
  readonly sql: (...given: readonly (string | undefined)[]) => string;
  readonly show: (value: Json) => string;
  /** The command ends with a failure when this says so. */
  readonly failed?: (value: Json) => boolean;
  /** What `--wait` waits for, in the status of the cluster. */
  readonly until?: (status: Json, answer: Json) => string | undefined;
}

const clusterCalls: readonly Call[] = [
  {
    name: 'init',
    description: 'form a cluster of this node alone; others join it',
    sql: () => 'shardforge.cluster_init()',
    show: (value) => `formed cluster ${text(fields(value).clusterId)}\n`,
  },
  {
    name: 'join',
    usage: '<addresses>',
    description: 'have this node join the cluster at mesh addresses host:port, divided by commas',
    sql: (addresses) => `shardforge.cluster_join(${literal(addresses)})`,
    show: (value) => `joining ${texts(fields(value).joining).join(', ')}\n`,
    until: (status) => (fields(status).ready === true ? undefined : text(fields(status).notReady)),
  },
  {
    name: 'leave',
    description: 'remove this node from its cluster',
    sql: () => 'shardforge.cluster_leave()',
    show: leaving,
    until: hasLeft,
  },
  {
    name: 'decommission',
    usage: '<node>',
    description: 'remove a node from the cluster, also a dead one',
    sql: (node) => `shardforge.cluster_decommission(${nodeNumber(node)})`,
    show: leaving,
    until: hasLeft,
  },
  {
    name: 'replace',
    usage: '<leaving> <joining>',
    description:
      'replace members in one step: nodes that leave, and learners that become voters, each divided by commas or -',
    sql: (leaving, joining) =>
      `shardforge.cluster_replace(${nodeNumbers(leaving)}, ${nodeNumbers(joining)})`,
    show: (value) =>
      `leaving: ${texts(fields(value).leaving).join(', ')}; joining: ${texts(fields(value).joining).join(', ')}\n`,
    until: isReplaced,
  },
  {
    name: 'give-up',
    description:
      'give up a replacement that does not come to its end; the members stay what they were',
    sql: () => 'shardforge.cluster_give_up()',
    show: (value) => `given up for: ${texts(fields(value).givenUp).join(', ')}\n`,
  },
  {
    name: 'status',
    description: 'show the members and how they are',
    sql: () => 'shardforge.cluster_status()',
    show: showStatus,
  },
  {
    name: 'topology',
    description: 'show who is where and who hears whom',
    sql: () => 'shardforge.cluster_topology()',
    show: showTopology,
  },
  {
    name: 'transfer',
    usage: '[node]',
    description: 'have a node lead; without one the most up-to-date voter',
    sql: (node) => `shardforge.cluster_transfer(${node === undefined ? '' : nodeNumber(node)})`,
    show: (value) => `node ${text(fields(value).leader)} leads\n`,
  },
  {
    name: 'check',
    description: 'compare what the replicas hold',
    sql: () => 'shardforge.cluster_check()',
    show: showCheck,
    failed: (value) => fields(value).equal !== true,
  },
  {
    name: 'timing',
    usage: '[json]',
    description: 'show the times of Raft, or change them on all nodes: {"heartbeatMs": 100}',
    sql: (json) =>
      json === undefined
        ? 'shardforge.raft_timing()'
        : `shardforge.raft_timing(${literal(json)}::jsonb)`,
    show: showFields,
  },
];

const nodeCalls: readonly Call[] = [
  {
    name: 'status',
    description: 'show how the node stands',
    sql: () => 'shardforge.node_status()',
    show: showFields,
  },
  {
    name: 'stop',
    description: 'stop the node: hand over, let statements end, close',
    sql: () => 'shardforge.node_stop()',
    show: () => 'stopping\n',
  },
  {
    name: 'log',
    usage: '<level>',
    description: 'log more or less: debug, info, warn, error, silent',
    sql: (level) => `shardforge.log_level(${literal(level)})`,
    show: (value) => `the log level is ${text(fields(value).level)}\n`,
  },
];

/** Adds `shardforge cluster`. */
export function addCluster(root: Command, onExit: (code: number) => void): void {
  const cluster = root.command('cluster').description('form, change and look at a cluster');
  for (const call of clusterCalls) addCall(cluster, call, onExit);
}

/** Adds `shardforge node`, to which starting is added by the caller. */
export function addNode(root: Command, onExit: (code: number) => void): Command {
  const node = root.command('node').description('start, stop and look at a node');
  for (const call of nodeCalls) addCall(node, call, onExit);
  node
    .command('health')
    .description('show the checks of the node; ends with 1 when one fails')
    .addOption(urlOption())
    .option('--json', 'as JSON')
    .action(async (options: CallOptions) => onExit(await health(options)));
  return node;
}

export function addCall(parent: Command, call: Call, onExit: (code: number) => void): void {
  const command = addReaching(parent.command(call.name).description(call.description));
  command.option('--json', 'as JSON');
  const usages = call.usage?.split(' ') ?? [];
  for (const usage of usages) command.argument(usage);
  if (call.until !== undefined) {
    command.option('--wait <seconds>', 'wait until it is done, at most so long', wholeSeconds);
  }
  command.action(async (...given: unknown[]) => {
    const named = given.slice(0, usages.length) as readonly (string | undefined)[];
    const options = command.opts<CallOptions>();
    onExit(await run(call, named, options));
  });
}

async function run(
  call: Call,
  named: readonly (string | undefined)[],
  options: CallOptions,
): Promise<number> {
  const sql = call.sql(...named);
  const database = await reach(options, { max: 1, applicationName: `shardforge ${call.name}` });
  try {
    const value = await ask(database, sql);
    print(options.json === true ? `${JSON.stringify(value, undefined, 2)}\n` : call.show(value));
    if (call.failed?.(value) === true) return exitCodes.failed;
    const { until } = call;
    if (until === undefined || options.wait === undefined) return 0;
    return (await waitFor(database, until, value, Number(options.wait))) ? 0 : exitCodes.failed;
  } finally {
    await database.close(0);
  }
}

/** Polls the cluster's status; says on standard error what is waited for. */
async function waitFor(
  database: Database,
  until: NonNullable<Call['until']>,
  answer: Json,
  seconds: number,
): Promise<boolean> {
  const deadlineMs = performance.now() + seconds * 1000;
  let shown: string | undefined;
  for (;;) {
    const waitsFor = until(await ask(database, 'shardforge.cluster_status()'), answer);
    if (waitsFor === undefined) return true;
    if (waitsFor !== shown) process.stderr.write(`waiting: ${waitsFor}\n`);
    shown = waitsFor;
    if (performance.now() > deadlineMs) return false;
    await sleep(pollMs);
  }
}

async function ask(database: Database, call: string): Promise<Json> {
  const [row] = await database.query<{ value: Json }>(`select ${call} as value`);
  const value = row?.value;
  return typeof value === 'string' ? (JSON.parse(value) as Json) : value;
}

async function health({ url: urls, json }: CallOptions): Promise<number> {
  const [first = ''] = urls;
  const url = new URL(first.replace(/^ws/, 'http'));
  const answers = await Promise.all(
    ['/health', '/ready'].map(async (path) => {
      const response = await fetch(new URL(path, url)).catch((error: Error) => {
        throw new UsageError(`${url.origin} cannot be reached: ${String(error.cause ?? error)}`);
      });
      return { ok: response.ok, body: (await response.json()) as Fields };
    }),
  );
  const [checks, ready] = answers as [(typeof answers)[0], (typeof answers)[0]];
  const value = { ...checks.body, ...ready.body };
  if (json === true) print(`${JSON.stringify(value, undefined, 2)}\n`);
  else print(showHealth(value));
  return checks.ok ? 0 : exitCodes.failed;
}

function showHealth(value: Fields): string {
  const checks = Object.entries(fields(value.checks ?? {})).map(([name, check]) => {
    const { ok, detail } = fields(check);
    return [name, ok === true ? 'ok' : 'FAILED', text(detail)];
  });
  const ready = value.ready === true ? 'SQL is served' : `SQL is not served: ${text(value.reason)}`;
  return `${tableOf(columns('check', 'state', 'detail'), checks)}${ready}\n`;
}

function showStatus(value: Json): string {
  const status = fields(value);
  const quorum = fields(status.quorum);
  const reached = quorum.reached === true ? 'reached' : 'LOST';
  const lines = [
    `cluster   ${text(status.clusterId)}`,
    `leader    ${status.leader === null ? 'none' : `node ${text(status.leader)}`}, term ${text(status.term)}`,
    `majority  ${reached}: ${texts(quorum.alive).length} of ${texts(quorum.voters).length} voters alive, ${text(quorum.needed)} needed`,
    `network   ${text(quorum.partition)}`,
  ];
  if (status.ready !== true) lines.push(`not ready ${text(status.notReady)}`);
  const change = fields(status.change ?? {});
  if (typeof change.step === 'string') lines.push(`change    ${change.step}`);
  if (typeof change.refusal === 'string') lines.push(`waits     ${change.refusal}`);
  if (status.check !== null) lines.push(`replicas  ${verdictOf(fields(status.check))}`);
  const rows = members(status).map((member) => [
    text(member.node),
    text(member.role),
    text(member.state),
    member.alive === true ? (member.leads === true ? 'leads' : 'alive') : 'DOWN',
    text(member.inGroup),
    text(member.matchIndex ?? member.appliedIndex),
    progressOf(member),
    text(member.http),
  ]);
  const head = columns('node', 'role', 'state', 'process', 'group', 'index', 'progress', 'http');
  return `${lines.join('\n')}\n\n${tableOf(head, rows)}`;
}

function progressOf(member: Fields): string {
  const { progress, snapshotBytes, snapshotTotalBytes } = member;
  if (typeof snapshotBytes !== 'number') return text(progress);
  const total = typeof snapshotTotalBytes === 'number' ? snapshotTotalBytes : 0;
  const percent = total > 0 ? Math.min(100, Math.floor((snapshotBytes / total) * 100)) : 0;
  return `snapshot ${percent}%`;
}

function showTopology(value: Json): string {
  const rows = members(fields(value)).map((member) => [
    text(member.node),
    text(member.role),
    text(member.address),
    text(member.http),
    member.leads === true ? 'yes' : '',
    texts(member.heardBy).join(' '),
  ]);
  return tableOf(columns('node', 'role', 'mesh', 'http', 'leads', 'heard by'), rows);
}

function showCheck(value: Json): string {
  const check = fields(value);
  const rows = checked(check).map((node) => [
    text(node.node),
    text(node.rows),
    text(node.differs),
    text(node.refusal),
  ]);
  const head = columns('node', 'rows', 'pieces that differ', 'ended early');
  return `${tableOf(head, rows)}replicas: ${verdictOf(check)}\n`;
}

/** What a comparison of the replicas has found, in a line. */
function verdictOf(check: Fields): string {
  const named = (of: readonly Fields[]): string => of.map(({ node }) => text(node)).join(', ');
  const nodes = checked(check);
  const different = nodes.filter(({ differs }) => Number(differs) > 0);
  const damaged = nodes.filter((node) => node.damaged === true);
  const silent = nodes.filter(({ refusal, damaged: is }) => refusal !== null && is !== true);
  const verdict = [
    ...(different.length > 0 ? [`DIFFER, see node ${named(different)}`] : []),
    ...(damaged.length > 0 ? [`DAMAGED on node ${named(damaged)}`] : []),
    ...(check.equal === true ? ['equal'] : []),
    ...(silent.length > 0 ? [`not all of node ${named(silent)} was compared`] : []),
  ];
  const ago =
    typeof check.agoMs === 'number' ? [`checked ${Math.round(check.agoMs / 1000)} s ago`] : [];
  return [...verdict, ...ago].join('; ');
}

/** Of a comparison of the replicas, what each node has found. */
function checked(check: Fields): readonly Fields[] {
  return (Array.isArray(check.nodes) ? check.nodes : []).map(fields);
}

function showFields(value: Json): string {
  const rows = Object.entries(fields(value)).map(([name, each]) => [name, text(each)]);
  return tableOf(columns('name', 'value'), rows);
}

function leaving(value: Json): string {
  const { node, state } = fields(value);
  return `node ${text(node)} is ${text(state)}\n`;
}

function hasLeft(status: Json, answer: Json): string | undefined {
  const { node } = fields(answer);
  const member = members(fields(status)).find((each) => each.node === node);
  if (member === undefined || member.state === 'gone') return undefined;
  const { step, refusal } = fields(fields(status).change ?? {});
  return text(refusal ?? step ?? `node ${text(node)} is ${text(member.state)}`);
}

function isReplaced(status: Json, answer: Json): string | undefined {
  const { leaving, joining } = fields(answer);
  const named = [...texts(leaving), ...texts(joining)];
  const busy = members(fields(status)).find(
    ({ node, state }) => named.includes(text(node)) && (state === 'leaving' || state === 'joining'),
  );
  if (busy === undefined) return undefined;
  const { step, refusal } = fields(fields(status).change ?? {});
  return text(refusal ?? step ?? `node ${text(busy.node)} is ${text(busy.state)}`);
}

export function columns(...names: string[]): readonly { readonly name: string }[] {
  return names.map((name) => ({ name }));
}

function members(status: Fields): readonly Fields[] {
  return (Array.isArray(status.members) ? status.members : []).map(fields);
}

export function fields(value: Json): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function texts(value: Json): readonly string[] {
  return Array.isArray(value) ? value.map(text) : [];
}

export function text(value: Json): string {
  if (value === null || value === undefined) return '-';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export function literal(value: string | undefined): string {
  return `'${(value ?? '').replaceAll("'", "''")}'`;
}

function nodeNumber(value: string | undefined): number {
  if (value !== undefined && /^\d{1,5}$/.test(value)) return Number(value);
  throw new UsageError(`a node is named by its number, not by "${value}"`);
}

/** Numbers divided by commas; `-` is none. */
function nodeNumbers(value: string | undefined): string {
  if (value === '-') return "''";
  return literal((value ?? '').split(',').map(nodeNumber).join(','));
}

function wholeSeconds(value: string): string {
  if (/^\d{1,6}$/.test(value)) return value;
  throw new InvalidArgumentError('It must be a whole number of seconds.');
}

function print(value: string): void {
  process.stdout.write(value);
}
