/** Clusters of real processes for benches: three nodes on loopback with config/cluster-N.json's shape. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { must } from '#src/base/assert.js';
import { cpuSeconds } from './cpu.js';
import { sleep } from './load.js';

export interface BenchNode {
  readonly number: number;
  readonly httpPort: number;
  readonly postgresPort: number;
  readonly configFile: string;
  process: ChildProcess | undefined;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export class BenchCluster {
  readonly nodes: readonly BenchNode[];
  readonly #nodeOptions: readonly string[];
  readonly #main: string;

  private constructor(nodes: readonly BenchNode[], nodeOptions: readonly string[], main: string) {
    this.nodes = nodes;
    this.#nodeOptions = nodeOptions;
    this.#main = main;
  }

  /** `size` 1 is a plain node without a mesh. `root` is the checkout whose dist/ runs. */
  static async start(
    directory: string,
    size: number,
    nodeOptions: readonly string[] = [],
    root = new URL('../..', import.meta.url).pathname,
  ): Promise<BenchCluster> {
    const numbers = Array.from({ length: size }, (_, i) => i + 1);
    const meshPorts = await Promise.all(numbers.map(() => freePort()));
    const seeds = meshPorts.map((port) => `127.0.0.1:${port}`);
    const nodes: BenchNode[] = [];
    for (const number of numbers) {
      const httpPort = await freePort();
      const postgresPort = await freePort();
      const configFile = join(directory, `node-${number}.json`);
      const data = { directory: join(directory, `node-${number}`) };
      const common = {
        node: { id: number },
        data,
        http: { port: httpPort },
        postgres: { enabled: true, port: postgresPort },
        auth: { rules: [{ addresses: ['loopback'], method: 'trust' }] },
        limits: { connections: 2000 },
        log: { format: 'json' },
      };
      const mesh = { enabled: true, port: meshPorts[number - 1], security: 'loopback' };
      const config = size === 1 ? common : { ...common, mesh, cluster: { seeds } };
      writeFileSync(configFile, JSON.stringify(config));
      nodes.push({ number, httpPort, postgresPort, configFile, process: undefined });
    }
    const cluster = new BenchCluster(nodes, nodeOptions, join(root, 'dist/main.js'));
    for (const node of nodes) cluster.launch(node);
    for (const node of nodes) await cluster.ready(node);
    return cluster;
  }

  launch(node: BenchNode): void {
    node.process = spawn(
      process.execPath,
      [...this.#nodeOptions, this.#main, '--config', node.configFile],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
  }

  async ready(node: BenchNode): Promise<void> {
    for (let tries = 0; tries < 1000; tries += 1) {
      const ready = await fetch(`http://127.0.0.1:${node.httpPort}/ready`).then(
        ({ status }) => status === 200,
        () => false,
      );
      if (ready) return;
      await sleep(0.02);
    }
    throw new Error(`node ${node.number} is never ready`);
  }

  /** Waits until some node leads. */
  async leader(): Promise<BenchNode> {
    for (let tries = 0; tries < 1000; tries += 1) {
      for (const node of this.nodes) {
        const value = await this.metric(node, 'shardforge_raft_leads');
        if (value === 1) return node;
      }
      await sleep(0.01);
    }
    throw new Error('nobody leads');
  }

  /** The value of a metric of shard 1 at a node; undefined when it cannot be had. */
  async metric(node: BenchNode, name: string): Promise<number | undefined> {
    const text = await fetch(`http://127.0.0.1:${node.httpPort}/metrics`, {
      signal: AbortSignal.timeout(1000),
    }).then(
      (response) => response.text(),
      () => '',
    );
    const found = new RegExp(`^${name}\\{[^}]*shard="1"[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1];
    return found === undefined ? undefined : Number(found);
  }

  async kill(node: BenchNode): Promise<void> {
    const child = must(node.process, 'the node runs');
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    node.process = undefined;
  }

  readonly cpuSeconds = (): number =>
    this.nodes.reduce((sum, { process: child }) => {
      return sum + (child?.pid === undefined ? 0 : cpuSeconds(child.pid));
    }, 0);

  /** Resident memory of the process, bytes. */
  residentBytes(node: BenchNode): number {
    const { pid } = must(node.process, 'the node runs');
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  }

  /** Gently, so that profiles are written. */
  async stop(): Promise<void> {
    for (const { process: child } of this.nodes) {
      if (child === undefined) continue;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
  }
}
