/**
 * Clusters of real processes on loopback, each in front of a proxy of its own, so that links can be cut.
 * Made from config/cluster-N.json with other ports and directories.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from '#src/base/assert.js';
import type { PartialConfig } from '#src/node/index.js';
import { MeshProxy } from '../mesh/proxy.js';
import { FillableDisk } from '../processes/fillable-disk.js';
import { freePort, NodeProcess } from '../processes/node-process.js';

export interface ClusterOptions {
  readonly directory: string;
  readonly nodes: number;
  /** Over those of config/cluster-N.json. */
  readonly config?: PartialConfig;
  /** Options of Node itself, such as --cpu-prof. */
  readonly node?: readonly string[];
  /** Links lead through proxies that can cut them. */
  readonly proxies: boolean;
  /** Each node has a disk of its own that can be filled. */
  readonly disks?: boolean;
}

interface Member {
  readonly number: number;
  readonly directory: string;
  readonly configFile: string;
  readonly httpPort: number;
  readonly postgresPort: number;
  readonly proxy: MeshProxy | undefined;
  readonly disk: FillableDisk | undefined;
  process: NodeProcess | undefined;
}

export class ProcessCluster {
  readonly #members: readonly Member[];
  readonly #options: ClusterOptions;

  private constructor(members: readonly Member[], options: ClusterOptions) {
    this.#members = members;
    this.#options = options;
  }

  /** Starts all nodes on empty directories; resolves when all serve SQL. */
  static async start(options: ClusterOptions): Promise<ProcessCluster> {
    const numbers = Array.from({ length: options.nodes }, (_, i) => i + 1);
    const meshPorts = await Promise.all(numbers.map(() => freePort()));
    const proxies = await Promise.all(
      meshPorts.map((port) => (options.proxies ? MeshProxy.start(port) : undefined)),
    );
    const seeds = meshPorts.map((port, i) => `127.0.0.1:${proxies[i]?.port ?? port}`);
    const members: Member[] = [];
    for (const number of numbers) {
      const proxy = proxies[number - 1];
      const meshPort = must(meshPorts[number - 1], 'a port for each node');
      const advertise = must(seeds[number - 1], 'a seed for each node');
      const directory = join(options.directory, `node-${number}`);
      const member = {
        number,
        directory,
        configFile: join(options.directory, `node-${number}.json`),
        httpPort: await freePort(),
        postgresPort: await freePort(),
        proxy,
        disk: options.disks === true ? new FillableDisk(directory) : undefined,
        process: undefined,
      };
      const cluster = { ...options.config?.cluster, seeds };
      writeConfig(member, { ...options.config, cluster }, meshPort, advertise);
      members.push(member);
    }
    const cluster = new ProcessCluster(members, options);
    await Promise.all(numbers.map((number) => cluster.launch(number)));
    await Promise.all(numbers.map((number) => cluster.node(number).ready()));
    return cluster;
  }

  get size(): number {
    return this.#members.length;
  }

  get urls(): readonly string[] {
    return this.#members.map(({ httpPort }) => `http://127.0.0.1:${httpPort}`);
  }

  /** Ports of PostgreSQL's protocol. */
  get postgresPorts(): readonly number[] {
    return this.#members.map(({ postgresPort }) => postgresPort);
  }

  node(number: number): NodeProcess {
    return must(this.#member(number).process, `node ${number} is not running`);
  }

  isRunning(number: number): boolean {
    return this.#member(number).process?.alive === true;
  }

  /** Starts the process of a node without waiting for it. */
  async launch(number: number): Promise<void> {
    const member = this.#member(number);
    member.process = await NodeProcess.launch({
      directory: member.directory,
      config: member.configFile,
      port: member.httpPort,
      postgresPort: member.postgresPort,
      node: [...(this.#options.node ?? []), ...(member.disk?.nodeOptions ?? [])],
    });
  }

  /** Where the node keeps its data. */
  directory(number: number): string {
    return this.#member(number).directory;
  }

  async kill(number: number): Promise<void> {
    await this.node(number).kill();
  }

  /** Leaves no room on the node's disk. */
  fill(number: number): void {
    must(this.#member(number).disk, 'the cluster has no disks').fill();
  }

  /** Cuts the node's links to all others: what it sends, what it receives, or both. */
  cut(number: number, direction: 'both' | 'in' | 'out'): void {
    for (const { number: other, proxy } of this.#members) {
      if (proxy === undefined) throw new Error('the cluster has no proxies');
      if (other === number) {
        for (const { number: from } of this.#members) {
          if (from !== number) proxy.cut({ from, direction });
        }
      } else proxy.cut({ from: number, direction: opposite(direction) });
    }
  }

  /** No link is cut, no disk is full. */
  heal(): void {
    for (const { proxy, disk } of this.#members) {
      proxy?.heal();
      disk?.free();
    }
  }

  /** The number of the node that leads, as any that is asked knows; undefined while nobody does. */
  async leader(): Promise<number | undefined> {
    for (const { process: running } of this.#members) {
      if (running?.alive !== true) continue;
      const text = await fetch(`${running.url}/metrics`, { signal: AbortSignal.timeout(500) }).then(
        (response) => response.text(),
        () => '',
      );
      const leads = /^shardforge_raft_leads\{[^}]*shard="1"[^}]*\} 1$/m.test(text);
      if (leads) return this.#members.find((member) => member.process === running)?.number;
    }
    return undefined;
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#members.map(async ({ process: running }) => {
        if (running?.alive !== true) return;
        running.thaw();
        await running.kill();
      }),
    );
    await Promise.all(this.#members.map(({ proxy }) => proxy?.close()));
    for (const { disk } of this.#members) disk?.close();
  }

  #member(number: number): Member {
    return must(this.#members[number - 1], `no node ${number}`);
  }
}

/** Seen from the proxied node, what its peer sends is what it receives. */
function opposite(direction: 'both' | 'in' | 'out'): 'both' | 'in' | 'out' {
  if (direction === 'both') return direction;
  return direction === 'in' ? 'out' : 'in';
}

function writeConfig(
  member: Omit<Member, 'process'>,
  extra: PartialConfig,
  meshPort: number,
  advertise: string,
): void {
  mkdirSync(member.directory, { recursive: true });
  const shipped = JSON.parse(
    readFileSync(`config/cluster-${Math.min(member.number, 3)}.json`, 'utf8'),
  ) as PartialConfig;
  const config: PartialConfig = {
    ...shipped,
    ...extra,
    node: { id: member.number },
    data: { ...extra.data, directory: member.directory },
    http: { ...shipped.http, port: member.httpPort },
    mesh: { ...shipped.mesh, ...extra.mesh, port: meshPort, advertise },
    postgres: { ...shipped.postgres, port: member.postgresPort },
    log: { format: 'json' },
  };
  writeFileSync(member.configFile, JSON.stringify(config));
}
