/**
 * Servers of PostgreSQL's protocol that a bench compares: nodes of ours, and PostgreSQL 15 where Debian has
 * installed it, alone or with two synchronous standbys (ANY 1), on loopback and with all on disk.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { must } from '#src/base/assert.js';
import { BenchCluster, freePort } from './cluster.js';
import { cpuSecondsWithChildren } from './cpu.js';
import { sleep } from './load.js';
import { type WireAddress, WireClient } from './wire-client.js';

const postgresFolder = '/usr/lib/postgresql/15/bin';
/** PostgreSQL does not run as root; Debian's package makes this user. */
const postgresUser = 'postgres';

export interface Peer extends WireAddress {
  readonly name: string;
  /** User and system time of all server processes so far. */
  readonly cpuSeconds: () => number;
  /** Resident memory of the process that serves; undefined where that are many. */
  readonly process: number | undefined;
  readonly stop: () => Promise<void>;
}

export interface OwnOptions {
  readonly name: string;
  /** The checkout whose dist/ runs. */
  readonly root: string;
  readonly size: 1 | 3;
  /** Options of node for each server. */
  readonly nodeOptions: readonly string[];
}

/** Nodes of ours; clients come to the leader. */
export async function startOwn({ name, root, size, nodeOptions }: OwnOptions): Promise<Peer> {
  const directory = mkdtempSync(join(tmpdir(), 'shardforge-pgbench-'));
  const cluster = await BenchCluster.start(directory, size, nodeOptions, root);
  const leader = size === 1 ? must(cluster.nodes[0], 'a node') : await cluster.leader();
  return {
    ...{ name, user: 'admin', database: 'shardforge', port: leader.postgresPort },
    cpuSeconds: cluster.cpuSeconds,
    process: leader.process?.pid,
    stop: async () => {
      await cluster.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function hasPostgres(): boolean {
  return existsSync(join(postgresFolder, 'initdb')) && existsSync(join(postgresFolder, 'pgbench'));
}

export const pgbenchPath = join(postgresFolder, 'pgbench');

/** PostgreSQL, with two standbys of which one must have each commit when `size` is 3. */
export async function startPostgres(size: 1 | 3): Promise<Peer> {
  const directory = mkdtempSync(join(tmpdir(), 'shardforge-postgres-'));
  const { uid } = userInfo();
  if (uid === 0) chownSync(directory, ...ownerOf(postgresUser));
  const folders: string[] = [];
  const port = await freePort();
  const first = join(directory, '1');
  run('initdb', '-D', first, '-U', postgresUser, '--auth=trust');
  const settings = [
    ...[`port = ${port}`, "listen_addresses = '127.0.0.1'", 'shared_buffers = 512MB'],
    ...[`unix_socket_directories = '${directory}'`, 'max_connections = 200'],
  ];
  writeFileSync(join(first, 'postgresql.conf'), `${settings.join('\n')}\n`, { flag: 'a' });
  await startServer(first);
  folders.push(first);
  if (size === 3) {
    for (const number of [2, 3]) folders.push(await startStandby(directory, number, port));
    const client = await WireClient.open({ port, user: postgresUser, database: postgresUser });
    await client.query("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (s2, s3)'");
    await client.query('SELECT pg_reload_conf()');
    client.close();
    await sleep(2);
  }
  const pids = folders.map((folder) => {
    return Number(readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')[0]);
  });
  return {
    ...{ name: 'PostgreSQL 15', user: postgresUser, database: postgresUser, port },
    cpuSeconds: () => pids.reduce((sum, pid) => sum + cpuSecondsWithChildren(pid), 0),
    process: undefined,
    stop: async () => {
      for (const folder of folders) run('pg_ctl', '-D', folder, '-m', 'immediate', 'stop');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function startStandby(directory: string, number: number, from: number): Promise<string> {
  const folder = join(directory, String(number));
  run(
    'pg_basebackup',
    ...[
      '-h',
      '127.0.0.1',
      '-p',
      String(from),
      '-U',
      postgresUser,
      '-D',
      folder,
      '-R',
      '-X',
      'stream',
    ],
  );
  const automatic = join(folder, 'postgresql.auto.conf');
  const named = readFileSync(automatic, 'utf8').replace(
    /^primary_conninfo = '/m,
    `$&application_name=s${number} `,
  );
  writeFileSync(automatic, named);
  writeFileSync(join(folder, 'postgresql.conf'), `port = ${await freePort()}\n`, { flag: 'a' });
  await startServer(folder);
  return folder;
}

/** pg_ctl's own output goes nowhere: the server would hold it open. */
async function startServer(folder: string): Promise<void> {
  run('pg_ctl', '-D', folder, '-l', `${folder}.log`, '-w', 'start');
}

function run(program: string, ...args: readonly string[]): void {
  const { uid } = userInfo();
  const path = join(postgresFolder, program);
  const [command, ...rest] =
    uid === 0 ? ['runuser', '-u', postgresUser, '--', path, ...args] : [path, ...args];
  const done = spawnSync(must(command, 'a command'), rest, {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (done.status !== 0) throw new Error(`${program} failed`);
}

function ownerOf(name: string): [number, number] {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${name}:`));
  const [, , user, group] = must(line, `user ${name}`).split(':');
  return [Number(user), Number(group)];
}

export interface PgbenchResult {
  readonly perSecond: number;
  readonly perCpuSecond: number;
  readonly serverCpuPercent: number;
  readonly averageMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface PgbenchRun {
  readonly clients: number;
  readonly scale: number;
  /** How long it goes on: seconds, or transactions of each client. */
  readonly length: { readonly seconds: number } | { readonly transactions: number };
}

/** Runs pgbench with a script against the peer, and counts what its servers used meanwhile. */
export async function runPgbench(
  peer: Peer,
  script: string,
  { clients, scale, length }: PgbenchRun,
): Promise<PgbenchResult> {
  const directory = mkdtempSync(join(tmpdir(), 'shardforge-pgbench-run-'));
  const file = join(directory, 'script.sql');
  writeFileSync(file, script);
  const threads = Math.min(clients, 2);
  const args = [
    ...['-h', '127.0.0.1', '-p', String(peer.port), '-U', peer.user, '-n', '-M', 'prepared'],
    ...['-f', file, '-D', `scale=${scale}`, '-c', String(clients), '-j', String(threads)],
    ...('seconds' in length ? ['-T', `${length.seconds}`] : ['-t', `${length.transactions}`]),
    ...['-l', `--log-prefix=${join(directory, 'log')}`, peer.database],
  ];
  const before = peer.cpuSeconds();
  const beginMs = performance.now();
  const child = spawn(pgbenchPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const status = await new Promise((resolve) => child.on('close', resolve));
  const cpu = peer.cpuSeconds() - before;
  const seconds = (performance.now() - beginMs) / 1000;
  const latenciesUs = latenciesIn(directory);
  rmSync(directory, { recursive: true, force: true });
  const number = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? Number.NaN);
  const count = number(/^number of transactions actually processed: (\d+)/m);
  const perSecond = number(/^tps = ([\d.]+)/m);
  if (status !== 0 || !(count > 0)) throw new Error(`pgbench of ${peer.name}: ${errors}${output}`);
  return {
    perSecond,
    perCpuSecond: count / cpu,
    serverCpuPercent: (cpu / seconds) * 100,
    averageMs: number(/^latency average = ([\d.]+)/m),
    p50Ms: quantile(latenciesUs, 0.5) / 1000,
    p99Ms: quantile(latenciesUs, 0.99) / 1000,
  };
}

/** pgbench writes a line per transaction: client, number, microseconds, script, time. */
function latenciesIn(directory: string): Float64Array {
  const latencies: number[] = [];
  for (const name of readdirSync(directory)) {
    if (!name.startsWith('log.')) continue;
    for (const line of readFileSync(join(directory, name), 'latin1').split('\n')) {
      const took = line.split(' ', 3)[2];
      if (took !== undefined) latencies.push(Number(took));
    }
  }
  return Float64Array.from(latencies).sort();
}

function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
}

/** Resident memory of a process in bytes; the highest since {@link resetPeak} as `peak`. */
export function residentBytes(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name: string): number => {
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024;
  };
  return { now: of('VmRSS'), peak: of('VmHWM') };
}

export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
