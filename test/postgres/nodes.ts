/** Nodes with a door for PostgreSQL's protocol, within this process. */
import { must } from '#src/base/assert.js';
import { checkConfig, type RunningNode, startNode } from '#src/node/index.js';

export interface WireNode {
  readonly node: RunningNode;
  readonly address: string;
}

/**
 * A node in memory that lets everybody in; `more` overrides its configuration. What it calls an error
 * no test should pass over in silence: `onError` hears of it, or whoever reads the output.
 */
export async function wireNode(
  more: Readonly<Record<string, unknown>> = {},
  onError: (event: string) => void = (event) => console.error(event),
): Promise<WireNode> {
  const config = checkConfig({
    data: { directory: ':memory:', mapSizeBytes: 1024 ** 3 },
    ...{ workers: 0, http: { enabled: false } },
    postgres: { enabled: true, port: 0 },
    auth: { rules: [{ addresses: ['loopback'], method: 'trust' }] },
    ...more,
  });
  const node = await startNode(config, {
    log: (level, event, fields) => {
      if (level === 'error') onError(`${event} ${JSON.stringify(fields)}`);
    },
    fatal: (error) => {
      throw error;
    },
  });
  return { node, address: must(node.postgresAddress, 'it listens') };
}

/** A gauge of a node with HTTP, over all labels. */
export async function gauge({ node }: WireNode, name: string): Promise<number> {
  const response = await fetch(`http://${must(node.addresses[0], 'it has HTTP')}/metrics`);
  const lines = (await response.text()).split('\n');
  const ours = lines.filter((line) => line.split(/[ {]/)[0] === name);
  return ours.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
