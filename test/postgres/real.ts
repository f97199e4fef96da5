/** A PostgreSQL 15 in a directory of its own, where one is installed. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../processes/node-process.js';

const binaries = '/usr/lib/postgresql/15/bin';

/** Why there is none to compare with; undefined when there is one. */
export function noPostgres(): string | undefined {
  if (!existsSync(join(binaries, 'initdb'))) return 'PostgreSQL 15 is not installed';
  if (process.getuid?.() !== 0) return undefined;
  // It refuses to run as root.
  const known = spawnSync('id', ['-u', 'postgres']).status === 0;
  return known ? undefined : 'PostgreSQL does not run as root, and there is no user postgres';
}

export interface RealPostgres {
  readonly address: string;
  stop(): Promise<void>;
}

interface Identity {
  readonly uid?: number;
  readonly gid?: number;
}

function identity(): Identity {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres']).toString());
  return { uid: id('-u'), gid: id('-g') };
}

/** Starts one with the superuser `admin`, whom it trusts unless `more` settings say otherwise, and the database `shardforge`. */
export async function startPostgres(...more: readonly string[]): Promise<RealPostgres> {
  const root = mkdtempSync(join(tmpdir(), 'shardforge-postgres-'));
  const data = join(root, 'data');
  const { uid, gid } = identity();
  mkdirSync(data);
  chmodSync(root, 0o755);
  if (uid !== undefined && gid !== undefined) {
    chownSync(root, uid, gid);
    chownSync(data, uid, gid);
  }
  const as = uid === undefined || gid === undefined ? {} : { uid, gid };
  const options = ['-U', 'admin', '--auth=trust', '--no-sync', '--locale=C', '-E', 'UTF8'];
  execFileSync(join(binaries, 'initdb'), ['-D', data, ...options], { ...as, stdio: 'ignore' });
  const port = await freePort();
  const settings = ['fsync=off', `unix_socket_directories=${root}`, 'TimeZone=UTC', ...more];
  const server = spawn(
    join(binaries, 'postgres'),
    ['-D', data, '-h', '127.0.0.1', '-p', String(port), ...settings.flatMap((one) => ['-c', one])],
    { ...as, stdio: 'ignore' },
  );
  const stop = async (): Promise<void> => {
    await ended(server);
    rmSync(root, { recursive: true, force: true });
  };
  try {
    await listening(server, port);
    const where = ['-h', '127.0.0.1', '-p', String(port), '-U', 'admin'];
    execFileSync(join(binaries, 'createdb'), [...where, 'shardforge'], { ...as, stdio: 'ignore' });
  } catch (error) {
    await stop();
    throw error;
  }
  return { address: `127.0.0.1:${port}`, stop };
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exit = once(server, 'exit');
  // Fast shutdown: it waits for nobody.
  server.kill('SIGINT');
  await exit;
}

async function listening(server: ChildProcess, port: number): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (server.exitCode !== null) break;
    const socket = connect(port, '127.0.0.1');
    const answered = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (answered) {
      // It listens a moment before it is ready.
      await sleep(200);
      return;
    }
    await sleep(50);
  }
  throw new Error('PostgreSQL has not started');
}
