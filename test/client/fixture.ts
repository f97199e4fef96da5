/** What the tests of the SDK share: a fake node with a database on it, and a look at errors. */
import type { Test } from 'tap';
import { connect, type Database, ShardForgeError } from '#src/client/index.js';
import { type FakeNode, fakeNode } from './fake-node.js';

export interface Fixture {
  readonly node: FakeNode;
  readonly db: Database;
}

export async function fixture(
  test: Test,
  options: Parameters<typeof connect>[1] = {},
): Promise<Fixture> {
  const node = await fakeNode();
  const db = await connect(node.url, options);
  test.teardown(async () => {
    await db.close(0);
    await node.close();
  });
  return { node, db };
}

/** Several nodes, and a database on all of them. */
export async function cluster(
  test: Test,
  options: Parameters<typeof connect>[1] = {},
): Promise<{ readonly nodes: [FakeNode, FakeNode, FakeNode]; readonly db: Database }> {
  const nodes: [FakeNode, FakeNode, FakeNode] = [
    await fakeNode(),
    await fakeNode(),
    await fakeNode(),
  ];
  const urls = nodes.map(({ url }) => url);
  const db = await connect(urls, { silenceMs: 20, pongTimeoutMs: 60, ...options });
  test.teardown(async () => {
    await db.close(0);
    for (const node of nodes) await node.close();
  });
  return { nodes, db };
}

/** The error that the promise fails with. */
export async function errorOf(promise: PromiseLike<unknown>): Promise<ShardForgeError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ShardForgeError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** Runs what must refuse its arguments. */
export function sqlstateOf(build: () => unknown): string {
  try {
    build();
  } catch (error) {
    if (error instanceof ShardForgeError) return error.sqlstate;
    throw error;
  }
  return 'nothing was thrown';
}

/** What came, in order; only the name of the operation where it carried no text. */
export const texts = (node: FakeNode): string[] =>
  node.sessions.flatMap((session) =>
    session.frames.map((frame) => ('sql' in frame ? `${frame.op} ${frame.sql}` : frame.op)),
  );
