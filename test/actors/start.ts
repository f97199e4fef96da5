/** Starts a runtime for tests; as a program, one whose worker breaks an invariant. */
import { fileURLToPath } from 'node:url';
import { type PlaceId, Runtime, type RuntimeOptions } from '#src/actors/index.js';
import type { NodeId } from '#src/base/ids.js';
import type { Ask } from './boot.js';

/** Three stores: with two workers one of them serves two. */
export function startRuntime(
  workers: number,
  options: Partial<RuntimeOptions> = {},
): Promise<Runtime> {
  return Runtime.start({
    node: 1 as NodeId,
    stores: 3,
    workers,
    bootModule: new URL('./boot.js', import.meta.url),
    bootOptions: {},
    log: () => undefined,
    fatal: (error) => {
      throw error;
    },
    seed: 1,
    ...options,
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const runtime = await startRuntime(Number(process.argv[2]), {
    fatal: (error) => {
      process.stdout.write(`fatal: ${error.message}\n`);
      process.exit(70);
    },
  });
  const vital = runtime.spawn<Ask>('vital', 'vital', undefined, 2 as PlaceId);
  runtime.post(vital, { kind: 'test.invariant' });
  // Kept alive: only the death of the actor may end the process.
  setInterval(() => undefined, 1000);
}
