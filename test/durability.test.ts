/**
 * What a process that dies must not lose, on real processes and a real disk: killed under load, and
 * watched by strace to see that no answer leaves before the disk has the change.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { killNine } from './processes/kill-nine.js';
import { NodeProcess, RawClient } from './processes/node-process.js';

const kills = 8;

t.setTimeout(180_000);

function directory(t: { teardown(remove: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'shardforge-durability-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

for (const workers of [0, 2]) {
  t.test(
    `kill -9 under load loses nothing acknowledged, workers ${workers}`,
    { timeout: 60_000 },
    async (t) => {
      const result = await killNine({
        directory: directory(t),
        kills: kills / 2,
        clients: 6,
        workers,
        seed: workers + 1,
      });
      t.same(result.failures, []);
      t.ok(result.acknowledged >= 2 * 5 * (kills / 2), `${result.acknowledged} rows acknowledged`);
      t.comment(JSON.stringify(result));
    },
  );
}

const strace = spawnSync('strace', ['-V']).status === 0;

t.test(
  'the sync lies between request and answer',
  { skip: strace ? false : 'strace is not installed', timeout: 60_000 },
  async (t) => {
    const path = directory(t);
    const log = join(path, 'strace.log');
    const delayUs = 300_000;
    const node = await NodeProcess.start({
      directory: join(path, 'data'),
      under: [
        'strace',
        '-f',
        '-qq',
        '-y',
        '-ttt',
        '-o',
        log,
        '-e',
        'trace=openat,pwrite64,fdatasync,fsync,msync',
        '-e',
        `inject=pwrite64,fdatasync,fsync,msync:delay_exit=${delayUs}`,
      ],
    });
    const client = await RawClient.connect(node);
    await client.execute('create table synced (id int primary key)');
    const sentMs = Date.now();
    await client.execute('insert into synced values (1)');
    const answeredMs = Date.now();
    client.close();
    await node.stop();
    const lines = readFileSync(log, 'utf8').split('\n');
    const opened = lines.filter((line) => /openat\(.*log\/segment-\d+", /.test(line));
    t.ok(
      opened.length > 0 && opened.every((line) => line.includes('O_DSYNC')),
      'a write is a sync',
    );
    const writes = lines
      .map((line) => / ?(\d+\.\d+) pwrite64\(\d+<[^>]*log\/segment-\d+>/.exec(line))
      .flatMap((match) => (match === null ? [] : [Number(match[1]) * 1000]));
    t.ok(
      writes.some((at) => at >= sentMs - 1 && at <= answeredMs),
      'the log was written between request and answer',
    );
    t.ok(answeredMs - sentMs >= delayUs / 1000, 'with its end held back the answer is held back');
  },
);
