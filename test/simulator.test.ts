/**
 * The node in the simulator: fixed seeds, some run twice, and seeds derived from the commit, so that
 * every commit sees new ones. A failure prints the command that repeats it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isLinearizable, loadParser, type Model, type Operation, runLone } from '#src/sim/index.js';

const fixedSeeds = Array.from({ length: 20 }, (_, i) => i + 1);
const twice = 5;
/** Leaves room in the stage's five minutes on a machine at half speed. */
const budgetMs = 150_000;
const derivedMax = 100;
/** Rare situations that some run has reached. */
const reached = new Set<string>();

t.setTimeout(290_000);
t.before(() => loadParser());

t.test('fixed seeds hold all promises', async (t) => {
  for (const seed of fixedSeeds) {
    const result = runLone({ seed });
    t.equal(result.violation, undefined, `npm run sim -- --seed ${seed} --seeds 1 --trace`);
    t.ok(
      result.statements >= 500 && result.crashes >= 3,
      'a seed has 500 statements and 3 crashes',
    );
    for (const name of result.probes.keys()) reached.add(name);
  }
});

t.test('a seed run twice gives the same trace', async (t) => {
  for (let seed = 1; seed <= twice; seed += 1) {
    t.equal(runLone({ seed }).trace, runLone({ seed }).trace, `seed ${seed}`);
  }
});

t.test('seeds derived from the commit hold all promises', async (t) => {
  const first = Number.parseInt(commit().slice(0, 8), 16);
  const startedMs = performance.now();
  let done = 0;
  while (done < derivedMax && performance.now() - startedMs < budgetMs) {
    const result = runLone({ seed: first + done });
    const repeat = `npm run sim -- --seed ${first + done} --seeds 1 --trace`;
    if (result.violation !== undefined) t.fail(repeat, { violation: result.violation });
    for (const name of result.probes.keys()) reached.add(name);
    done += 1;
  }
  t.comment(`${done} derived seeds`);
  t.ok(done > 0);
});

t.test('every rare situation that the code marks was reached', async (t) => {
  t.same(
    probesInSource().filter((name) => !reached.has(name)),
    [],
  );
});

const verdicts = '../shared/suites/histories/porcupine/kv';
const skip = existsSync(verdicts) ? false : `${verdicts} is not there`;

t.test('the linearizability checker agrees with known verdicts', { skip }, async (t) => {
  for (const file of readdirSync(verdicts)) {
    const histories = readHistories(readFileSync(join(verdicts, file), 'utf8'));
    const verdict = [...histories.values()].every((history) => isLinearizable(text, history));
    t.equal(verdict, file.endsWith('-ok.txt'), file);
  }
});

t.test('the checker refuses a stale read and accepts an unknown write', async (t) => {
  const write = (value: string, calledAt: number, returnedAt: number): TextOperation => ({
    input: { kind: 'put', value },
    output: '',
    calledAt,
    returnedAt,
  });
  const read = (output: string, calledAt: number): TextOperation => ({
    input: { kind: 'get', value: '' },
    output,
    calledAt,
    returnedAt: calledAt + 1,
  });
  t.equal(isLinearizable(text, [write('a', 0, 1), read('', 2)]), false, 'stale read');
  t.equal(isLinearizable(text, [write('a', 0, 1), read('a', 2)]), true);
  const lost = write('b', 3, Number.POSITIVE_INFINITY);
  t.equal(isLinearizable(text, [write('a', 0, 1), lost, read('a', 4), read('b', 6)]), true);
  t.equal(isLinearizable(text, [write('a', 0, 1), lost, read('b', 4), read('a', 6)]), false);
});

interface TextInput {
  readonly kind: string;
  readonly value: string;
}
type TextOperation = Operation<TextInput, string>;

/** A text that is put, appended to and read: Porcupine's key-value histories, one key at a time. */
const text: Model<string, TextInput, string> = {
  initial: '',
  step: (state, input, output) => {
    if (input.kind === 'put') return input.value;
    if (input.kind === 'append') return state + input.value;
    return state === output ? state : undefined;
  },
  key: (state) => state,
};

/** Lines such as `{:process 0, :type :invoke, :f :append, :key "0", :value "x 0 0 y"}`, by key. */
function readHistories(lines: string): Map<string, TextOperation[]> {
  const histories = new Map<string, TextOperation[]>();
  const open = new Map<
    string,
    { readonly kind: string; readonly value: string; readonly at: number }
  >();
  lines.split('\n').forEach((line, at) => {
    const match =
      /:process (\d+), :type :(\w+), :f :(\w+), :key "([^"]*)", :value (?:"([^"]*)"|nil)/.exec(
        line,
      );
    if (match === null) return;
    const [, process = '', type, kind = '', key = '', value = ''] = match;
    if (type === 'invoke') {
      open.set(process, { kind, value, at });
      return;
    }
    const called = open.get(process);
    if (called === undefined) throw new Error(`a return without a call: ${line}`);
    const history = histories.get(key) ?? [];
    histories.set(key, history);
    const input = { kind: called.kind, value: called.value };
    history.push({ input, output: value, calledAt: called.at, returnedAt: at });
  });
  return histories;
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return '00000001';
  }
}

/** The names of all `probe('...')` calls of the product that one node alone can reach. */
function probesInSource(): string[] {
  const names = new Set<string>();
  for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const source = readFileSync(join('src', file), 'utf8');
    for (const match of source.matchAll(/\bprobe\('([^']+)'\)/g)) names.add(match[1] ?? '');
  }
  return [...names].sort();
}
