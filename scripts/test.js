/**
 * `npm test`: builds, runs the stages (all, or those named as arguments) and prints the minutes of
 * each. The last line counts the tests: `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { build } from './build.js';
import { stages } from './stages.js';

/** Lines told of the failures of a stage, once more at the end where they are found. */
const toldLines = 60;

function run(files) {
  const tap = spawn(
    process.execPath,
    [
      'node_modules/tap/dist/esm/run.mjs',
      'run',
      '--jobs=1',
      '--timeout=300',
      '--reporter=tap',
      ...files.map((file) => `build/test/${file}.test.js`),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  return new Promise((resolve) => {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const failures = [];
    let [rest, file, telling] = ['', '', false];
    tap.stdout.on('data', (chunk) => {
      process.stdout.write(chunk);
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        file = /^# Subtest: (.*)$/.exec(line)?.[1] ?? file;
        if (telling && /^ *(---|\.\.\.)$/.test(line)) telling = line.trim() === '---';
        else if (telling && failures.length < toldLines) failures.push(line);
        const assertion = /^ *(not )?ok \d+ - .*$/.exec(line);
        if (assertion === null || / # time=/.test(line)) continue;
        telling = assertion[1] !== undefined && !/ # (SKIP|TODO)/i.test(line);
        if (telling) failures.push(`${file}: ${line.trim()}`);
        if (/ # (SKIP|TODO)/i.test(line)) counts.skipped += 1;
        else if (assertion[1] === undefined) counts.passed += 1;
        else counts.failed += 1;
      }
    });
    tap.on('close', (code) => resolve({ ...counts, failures, code }));
  });
}

build('all');
const wanted = process.argv.slice(2);
const chosen = stages().filter((stage) => wanted.length === 0 || wanted.includes(stage.name));
if (chosen.length === 0) {
  console.error(
    `no such stage; there are: ${stages()
      .map((stage) => stage.name)
      .join(', ')}`,
  );
  process.exit(2);
}
const total = { passed: 0, failed: 0, skipped: 0 };
const table = [];
const failures = [];
for (const stage of chosen) {
  const started = performance.now();
  const result = await run(stage.files);
  failures.push(...result.failures);
  if (result.code !== 0 && result.failures.length === 0) {
    failures.push(`${stage.name}: a file ended without a failed assertion (status ${result.code})`);
  }
  const minutes = (performance.now() - started) / 60_000;
  const over = minutes > stage.minutes ? '  OVER BUDGET' : '';
  table.push(
    `${stage.name.padEnd(14)} ${minutes.toFixed(2).padStart(6)} of ${stage.minutes} min${over}`,
  );
  total.passed += result.passed;
  total.skipped += result.skipped;
  // A file that crashed or timed out may have printed no failed assertion.
  total.failed += result.code === 0 ? result.failed : Math.max(1, result.failed);
}
if (failures.length > 0) console.log(`\nWhat failed:\n${failures.join('\n')}`);
console.log(`\n${table.join('\n')}\n`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 ? 0 : 1);
