/** Nodes of a cluster in one process, each behind a proxy of its own, and what they are asked. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { checkConfig, type PartialConfig, type RunningNode, startNode } from '#src/node/index.js';
import { Raw } from '../node/raw.js';
import { freePort } from '../processes/node-process.js';
import { MeshProxy } from './proxy.js';

interface Logged {
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Member {
  readonly id: number;
  readonly directory: string;
  readonly meshPort: number;
  readonly proxy: MeshProxy;
  readonly logged: Logged[];
}

/** A node that others reach through a proxy. */
export async function member(t: Test, id: number): Promise<Member> {
  const directory = mkdtempSync(join(tmpdir(), 'shardforge-mesh-node-'));
  const meshPort = await freePort();
  const proxy = await MeshProxy.start(meshPort);
  t.teardown(async () => {
    await proxy.close();
    rmSync(directory, { recursive: true });
  });
  return { id, directory, meshPort, proxy, logged: [] };
}

/** Starts it, with `more` in its configuration. */
export async function start(
  t: Test,
  member: Member,
  seeds: readonly Member[],
  more: PartialConfig['cluster'] = {},
): Promise<RunningNode> {
  const config = checkConfig({
    ...{ node: { id: member.id }, workers: 0, data: { directory: member.directory } },
    http: { port: 0 },
    postgres: { enabled: true, port: 0 },
    auth: { rules: [{ addresses: ['loopback'], method: 'trust' }] },
    mesh: { enabled: true, port: member.meshPort, advertise: addressOf(member) },
    cluster: { seeds: seeds.map(addressOf), ...more },
  });
  const node = await startNode(config, {
    log: (_, event, fields = {}) => member.logged.push({ event, fields }),
    fatal: (error) => {
      throw error;
    },
  });
  t.teardown(() => node.stop(0));
  return node;
}

export function addressOf({ proxy }: Member): string {
  return `127.0.0.1:${proxy.port}`;
}

/** The value of the first series of this name whose labels have this text. */
export async function metric(node: RunningNode, name: string, label: string): Promise<number> {
  const response = await fetch(`http://${node.addresses[0]}/metrics`);
  const lines = (await response.text()).split('\n');
  const line = lines.find((each) => each.startsWith(`${name}{`) && each.includes(label));
  return Number(line?.split(' ').at(-1) ?? 0);
}

/** What a function of schema `shardforge` gives. */
export async function ask(node: RunningNode, sql: string): Promise<Record<string, unknown>> {
  const raw = await Raw.open(node);
  const frame = (await raw.sql(sql)) as { readonly rows: readonly (readonly string[])[] };
  raw.close();
  return JSON.parse(frame.rows[0]?.[0] ?? '') as Record<string, unknown>;
}
