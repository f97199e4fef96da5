/**
 * `npm run wirefuzz -- [--messages N] [--seed S]`: messages that have gone wrong to a node, before and
 * after sign-in. Prints what should not have been; exit 1 when there is anything.
 */
import { parseArgs } from 'node:util';
import { fuzzRun } from './fuzz-run.js';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
  },
});

const progressMessages = 100_000;
let told = 0;
const run = await fuzzRun(Number(values.messages), Number(values.seed), (messages) => {
  if (messages - told < progressMessages) return;
  told = messages;
  console.log(`${messages} messages so far`);
});
for (const problem of run.problems) console.log(problem);
const grown = (run.grownBytes / 1024 / 1024).toFixed(1);
console.log(
  `${run.messages} messages on ${run.connections} connections, ${run.problems.length} problems, ${grown} MiB more than after the warm-up`,
);
process.exitCode = run.problems.length > 0 ? 1 : 0;
