/**
 * README's first command, tried: `npm start` on a free port and an empty directory must become
 * ready, answer and stop cleanly on SIGTERM.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const directory = mkdtempSync(join(tmpdir(), 'shardforge-start-'));
const port = await freePort();
const started = performance.now();
const node = spawn('npm', ['start', '--silent'], {
  detached: true,
  stdio: ['ignore', 'inherit', 'inherit'],
  env: {
    ...process.env,
    SHARDFORGE_DATA_DIRECTORY: directory,
    SHARDFORGE_HTTP_PORT: String(port),
    SHARDFORGE_POSTGRES_PORT: '0',
  },
});
const ended = new Promise((resolve) => {
  node.on('exit', (code, signal) => resolve(code ?? signal));
});
let ready = false;
for (let tries = 0; tries < 600 && !ready && node.exitCode === null; tries += 1) {
  await sleep(100);
  ready = await fetch(`http://127.0.0.1:${port}/ready`).then(
    (response) => response.status === 200,
    () => false,
  );
}
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(ready ? `ready after ${seconds} s, build included` : 'never became ready');
// npm passes no signal on to its child: the whole process group gets it.
process.kill(-node.pid, 'SIGTERM');
await Promise.race([ended, sleep(10_000)]);
// npm may end before the node does, which then still writes.
let stopped = false;
for (let tries = 0; tries < 100 && !stopped; tries += 1) {
  stopped = !isAlive(-node.pid);
  if (!stopped) await sleep(100);
}
if (!stopped) process.kill(-node.pid, 'SIGKILL');
rmSync(directory, { recursive: true, force: true, maxRetries: 20 });
console.log(stopped ? 'stopped on SIGTERM' : 'did not stop on SIGTERM');
process.exit(ready && stopped ? 0 : 1);

/** Whether a process of the group is left. */
function isAlive(group) {
  try {
    process.kill(group, 0);
    return true;
  } catch {
    return false;
  }
}
