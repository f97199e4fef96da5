/**
 * A node in a process of its own, as config/node.json has it, for clients that others have written; with
 * AGAINST=postgres in the environment a PostgreSQL 15, to see that what the tests say is so there, too.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { startPostgres } from '../postgres/real.js';
import { freePort, NodeProcess } from '../processes/node-process.js';

/** How every client signs in: whoever is on this machine is trusted. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

export interface Served {
  readonly address: Address;
  /** The last test of a file: the node stops in good order and has logged no error. */
  readonly stop: (t: Test) => Promise<void>;
}

export async function serve(t: Test): Promise<Served> {
  if (process.env.AGAINST === 'postgres') return await servePostgres(t);
  const directory = mkdtempSync(join(tmpdir(), 'shardforge-clients-'));
  const port = await freePort();
  const node = await NodeProcess.start({ directory, postgresPort: port });
  t.teardown(async () => {
    if (node.alive) await node.kill();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    address: addressOf(port),
    async stop(test) {
      test.equal(await node.stop(), 0, 'the node stopped in good order');
      test.notMatch(node.output, /"level":"(error|fatal)"/, 'and logged no error');
    },
  };
}

async function servePostgres(t: Test): Promise<Served> {
  const server = await startPostgres();
  t.teardown(() => server.stop());
  return { address: addressOf(Number(server.address.split(':')[1])), stop: async () => undefined };
}

function addressOf(port: number): Address {
  return { host: '127.0.0.1', port, user: 'admin', database: 'shardforge' };
}
