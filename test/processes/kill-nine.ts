/**
 * A node killed with SIGKILL under load, again and again: every acknowledged row must be there after
 * the restart, a transaction whose answer was lost happened whole or not at all, and nothing else is
 * there.
 */
import { Random } from '#src/base/random.js';
import { Disconnected, NodeProcess, RawClient } from './node-process.js';

export interface KillNineOptions {
  readonly directory: string;
  readonly kills: number;
  readonly clients: number;
  readonly workers: number;
  readonly seed: number;
}

export interface KillNineResult {
  readonly acknowledged: number;
  /** Rows whose answer was lost, and how many of them had been written. */
  readonly unknown: number;
  readonly unknownWritten: number;
  readonly failures: readonly string[];
}

/** What one client knows of its rows; each transaction writes rows 2n and 2n + 1 of the client. */
interface Ledger {
  readonly acknowledged: Set<number>;
  readonly unknown: Set<number>;
  next: number;
}

export async function killNine(options: KillNineOptions): Promise<KillNineResult> {
  const random = new Random(options.seed);
  const ledgers: Ledger[] = Array.from({ length: options.clients }, () => ({
    acknowledged: new Set(),
    unknown: new Set(),
    next: 0,
  }));
  const failures: string[] = [];
  let unknown = 0;
  let unknownWritten = 0;
  for (let kill = 0; kill <= options.kills; kill += 1) {
    const node = await NodeProcess.start(options);
    const lost = await check(node, ledgers, failures);
    unknown += lost.unknown;
    unknownWritten += lost.written;
    if (kill === options.kills || failures.length > 0) {
      await node.stop();
      break;
    }
    // After so many acknowledgements, not after a time: a slow machine is killed under load too.
    const load = { untilKill: random.between(5, 400), reached: (): void => undefined };
    const enough = new Promise<void>((resolve) => {
      load.reached = resolve;
    });
    const working = ledgers.map((ledger, client) => work(node, client, ledger, load));
    await Promise.race([enough, Promise.all(working)]);
    await node.kill();
    await Promise.all(working);
  }
  const acknowledged = ledgers.reduce((sum, { acknowledged: set }) => sum + set.size, 0);
  return {
    acknowledged: acknowledged * 2,
    unknown: unknown * 2,
    unknownWritten: unknownWritten * 2,
    failures,
  };
}

interface Load {
  /** Acknowledgements that are missing until the node is killed. */
  untilKill: number;
  readonly reached: () => void;
}

async function work(node: NodeProcess, client: number, ledger: Ledger, load: Load): Promise<void> {
  const connection = await RawClient.connect(node).catch(() => undefined);
  if (connection === undefined) return;
  for (;;) {
    const n = ledger.next;
    ledger.next += 1;
    ledger.unknown.add(n);
    try {
      await write(connection, client, n);
    } catch (error) {
      if (error instanceof Disconnected) return;
      throw error;
    }
    ledger.unknown.delete(n);
    ledger.acknowledged.add(n);
    load.untilKill -= 1;
    if (load.untilKill === 0) load.reached();
  }
}

/** Every third transaction is a block of two statements, the others one statement of two rows. */
async function write(connection: RawClient, client: number, n: number): Promise<void> {
  if (n % 3 !== 0) {
    await connection.execute('insert into killed values ($1, $2, $4), ($1, $3, $4)', [
      client,
      2 * n,
      2 * n + 1,
      n,
    ]);
    return;
  }
  // Sent at once: the answer to COMMIT is the acknowledgement.
  await Promise.all([
    connection.execute('begin'),
    connection.execute('insert into killed values ($1, $2, $3)', [client, 2 * n, n]),
    connection.execute('insert into killed values ($1, $2, $3)', [client, 2 * n + 1, n]),
    connection.execute('commit'),
  ]);
}

async function check(
  node: NodeProcess,
  ledgers: readonly Ledger[],
  failures: string[],
): Promise<{ readonly unknown: number; readonly written: number }> {
  const connection = await RawClient.connect(node);
  await connection.execute(
    'create table if not exists killed (client int, id int, n int not null, primary key (client, id))',
  );
  let unknown = 0;
  let written = 0;
  for (const [client, ledger] of ledgers.entries()) {
    const rows = await connection.execute('select id, n from killed where client = $1', [client]);
    const found = new Map(rows.map(([id, n]) => [Number(id), Number(n)]));
    for (const [id, n] of found) {
      if (n !== Math.floor(id / 2)) failures.push(`client ${client}: row ${id} holds ${n}`);
      if (!found.has(id ^ 1)) failures.push(`client ${client}: half of transaction ${n}`);
      if (!ledger.acknowledged.has(n) && !ledger.unknown.has(n)) {
        failures.push(`client ${client}: row ${id} was never sent`);
      }
    }
    for (const n of ledger.acknowledged) {
      if (!found.has(2 * n))
        failures.push(`client ${client}: acknowledged transaction ${n} is lost`);
    }
    unknown += ledger.unknown.size;
    for (const n of ledger.unknown) {
      if (!found.has(2 * n)) continue;
      written += 1;
      ledger.acknowledged.add(n);
    }
    ledger.unknown.clear();
  }
  connection.close();
  return { unknown, written };
}
