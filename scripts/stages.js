/**
 * The stages of `npm test` and of CI, each with the minutes that it may take on two cores, for good
 * (CONTRIBUTING.md). A test file belongs to the first stage that names it; `tests` has the rest.
 */
import { readdirSync } from 'node:fs';

const named = {
  simulator: { minutes: 5, files: ['simulator'] },
  'planted bugs': { minutes: 1, files: ['planted-bugs'] },
  sqllogictest: { minutes: 1.5, files: ['slt', 'tpch'] },
  'regression files': { minutes: 1, files: ['regress'] },
  fuzzing: { minutes: 1, files: ['fuzz', 'sqlfuzz'] },
  clients: {
    minutes: 2,
    files: [
      ...['client', 'embedded', 'cli', 'cli-auth', 'package', 'datasets'],
      ...['node-sign-in', 'session-doors', 'notify-node'],
    ],
  },
  'postgres protocol': {
    minutes: 1.5,
    files: [
      ...['postgres-wire', 'postgres-exchange', 'postgres-scripts', 'postgres-formats'],
      ...['postgres-crowds', 'postgres-sign-in', 'postgres-tls', 'postgres-refusals', 'wirefuzz'],
    ],
  },
  'postgres clients': {
    minutes: 1,
    files: ['clients-node-postgres', 'clients-postgresjs', 'clients-kysely', 'clients-programs'],
  },
  processes: { minutes: 2, files: ['node', 'node-process', 'durability'] },
  clusters: { minutes: 2, files: ['cluster', 'node-cluster', 'client-cluster'] },
};

/** Every stage with the compiled test files that exist for it. */
export function stages() {
  const all = readdirSync('test')
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => file.slice(0, -'.test.ts'.length));
  const taken = new Set(Object.values(named).flatMap((stage) => stage.files));
  const rest = all.filter((file) => !taken.has(file));
  return [
    { name: 'tests', minutes: 3, files: rest },
    ...Object.entries(named).map(([name, { minutes, files }]) => ({
      name,
      minutes,
      files: files.filter((file) => all.includes(file)),
    })),
  ].filter((stage) => stage.files.length > 0);
}
