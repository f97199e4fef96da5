/** A run of the fuzzer with a node of its own: what it sent, and what the node kept of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fuzz, type FuzzReport } from './fuzzer.js';
import { gauge, type WireNode, wireNode } from './nodes.js';
import { query, RawClient } from './raw.js';

/** Whoever is not `admin` is a stranger. */
const rules = [
  { users: ['admin'], addresses: ['loopback'], method: 'trust' },
  { addresses: ['loopback'], method: 'scram-sha-256' },
];

/** Messages before memory is measured for the first time: by then caches are full and code is compiled. */
const warmUpMessages = 5000;
/**
 * Memory that a run may leave behind, and each of its connections: less than a sixth of what one has while it is
 * open. The node's data are in memory too: two rows of the audit for each connection among them.
 */
const leftBytesMax = 16 * 1024 * 1024;
const leftBytesPerConnection = 4 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function heapBytes(): Promise<number> {
  // Sockets that are closed are freed in a turn of their own.
  await sleep(200);
  collectGarbage();
  // Without the memory of the parser's WebAssembly, which grows by leaps.
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Whoever is left once all have gone: the one that asks. */
async function left(wire: WireNode): Promise<string | undefined> {
  for (let tries = 0; tries < 100; tries += 1) {
    const sessions = await gauge(wire, 'shardforge_sessions');
    const connections = await gauge(wire, 'shardforge_connections');
    if (sessions <= 1 && connections <= 1) return undefined;
    await sleep(50);
    if (tries === 99) return `${sessions} sessions and ${connections} connections are left`;
  }
  return undefined;
}

export interface FuzzRun extends FuzzReport {
  /** Bytes that the process has more than after its warm-up. */
  readonly grownBytes: number;
}

export async function fuzzRun(
  messages: number,
  seed: number,
  progress?: (messages: number) => void,
): Promise<FuzzRun> {
  const broken: string[] = [];
  const wire = await wireNode({ auth: { rules }, http: { enabled: true, port: 0 } }, (event) =>
    broken.push(event),
  );
  const { node, address } = wire;
  try {
    const { client } = await RawClient.open(address);
    await client.ask(query('CREATE TABLE fuzz (id int PRIMARY KEY, name text)'));
    await client.ask(query('CREATE TABLE canary (note text)'));
    const warm = await fuzz({ address, messages: warmUpMessages, seed });
    await left(wire);
    const before = await heapBytes();
    const rest = Math.max(0, messages - warm.messages);
    const options = { address, messages: rest, seed: seed + warm.connections };
    const run = await fuzz(progress === undefined ? options : { ...options, progress });
    const problems = [...warm.problems, ...run.problems, ...broken];
    const strangers = (await client.ask(query('SELECT * FROM canary'))).rows.length;
    if (strangers > 0) problems.push(`${strangers} statements of strangers were executed`);
    const rows = await client.ask(query('SELECT count(*) FROM fuzz'));
    if (rows.codes !== 'TDCZI') problems.push(`the table is not read: ${rows.codes}`);
    const remains = await left(wire);
    if (remains !== undefined) problems.push(remains);
    const grownBytes = (await heapBytes()) - before;
    const mayGrowBytes = leftBytesMax + leftBytesPerConnection * run.connections;
    if (grownBytes > mayGrowBytes) problems.push(`${grownBytes} bytes are left behind`);
    client.close();
    return {
      messages: warm.messages + run.messages,
      connections: warm.connections + run.connections,
      ...{ problems, grownBytes },
    };
  } finally {
    await node.stop(0);
  }
}
