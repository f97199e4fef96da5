/**
 * The checker of linearizability is right about histories that others have judged (Porcupine's: of a
 * key-value store, and of etcd's registers by Jepsen), and about small ones by trying all orders.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { assert, must } from '#src/base/assert.js';
import { Random } from '#src/base/random.js';
import { isLinearizable, type Model, type Operation } from '#src/sim/index.js';

const suite = fileURLToPath(
  new URL('../../../shared/suites/histories/porcupine/', import.meta.url),
);
const skip = existsSync(suite) ? false : '../shared/suites is not here';

interface KeyValueInput {
  readonly op: 'get' | 'put' | 'append';
  readonly key: string;
  readonly value: string;
}

const keyValue: Model<string, KeyValueInput, string> = {
  initial: '',
  step: (state, { op, value }, output) => {
    if (op === 'put') return value;
    if (op === 'append') return state + value;
    return state === output ? state : undefined;
  },
  key: (state) => state,
  part: ({ key }) => key,
};

type RegisterInput =
  | { readonly op: 'read' }
  | { readonly op: 'write'; readonly value: string }
  | { readonly op: 'cas'; readonly from: string; readonly to: string };

/** What a read saw, or how a comparison ended; undefined when nobody knows. */
type RegisterOutput = string | boolean | undefined;

const register: Model<string, RegisterInput, RegisterOutput> = {
  initial: 'nil',
  step: (state, input, output) => {
    if (input.op === 'write') return input.value;
    if (input.op === 'read') return output === undefined || output === state ? state : undefined;
    const swaps = input.from === state;
    if (output !== undefined && output !== swaps) return undefined;
    return swaps ? input.to : state;
  },
  key: (state) => state,
};

/** Pairs calls and returns of each process; `at` is the number of the line. */
class Recorder<Input, Output> {
  readonly history: Operation<Input, Output>[] = [];
  readonly #open = new Map<string, { readonly input: Input; readonly calledAt: number }>();

  call(process: string, input: Input, at: number): void {
    assert(!this.#open.has(process), 'a process has one operation at a time', at);
    this.#open.set(process, { input, calledAt: at });
  }

  returned(process: string, output: Output, at: number): void {
    const { input, calledAt } = must(this.#open.get(process), 'a return follows its call');
    this.#open.delete(process);
    this.history.push({ input, output, calledAt, returnedAt: at });
  }

  /** Those that never returned. */
  finish(output: Output): readonly Operation<Input, Output>[] {
    for (const process of [...this.#open.keys()]) {
      this.returned(process, output, Number.POSITIVE_INFINITY);
    }
    return this.history;
  }
}

function readKeyValue(file: string): readonly Operation<KeyValueInput, string>[] {
  const recorder = new Recorder<KeyValueInput, string>();
  const form =
    /^\{:process (\d+), :type :(invoke|ok), :f :(get|put|append), :key "(.*)", :value (?:nil|"(.*)")\}$/;
  for (const [at, line] of lines(file)) {
    const [, process = '', type, op, key = '', value = ''] = must(form.exec(line), line);
    if (type === 'ok') recorder.returned(process, value, at);
    else recorder.call(process, { op: op as KeyValueInput['op'], key, value }, at);
  }
  return recorder.finish('');
}

function readRegister(file: string): readonly Operation<RegisterInput, RegisterOutput>[] {
  const recorder = new Recorder<RegisterInput, RegisterOutput>();
  const form =
    /^INFO\s+jepsen\.util\s+-\s+(\d+)\s+:(invoke|ok|fail|info)\s+:(read|write|cas)\s+(.*)$/;
  for (const [at, line] of lines(file)) {
    const match = form.exec(line);
    if (match === null) continue;
    const [, process = '', type, op, value = ''] = match;
    if (type === 'invoke') {
      const [from = '', to = ''] = value.slice(1, -1).split(' ');
      if (op === 'read') recorder.call(process, { op }, at);
      else if (op === 'write') recorder.call(process, { op, value }, at);
      else recorder.call(process, { op: 'cas', from, to }, at);
    } else if (value === ':timed-out') {
      // A write or comparison may still happen; a read that nobody saw says nothing.
      recorder.returned(process, undefined, op === 'read' ? at : Number.POSITIVE_INFINITY);
    } else recorder.returned(process, op === 'cas' ? type === 'ok' : value, at);
  }
  return recorder.finish(undefined);
}

function lines(file: string): readonly (readonly [number, string])[] {
  const text = readFileSync(`${suite}${file}`, 'utf8').trimEnd();
  return text === '' ? [] : text.split('\n').map((line, at) => [at, line] as const);
}

for (const [name, verdict] of [
  ['c01-ok', true],
  ['c01-bad', false],
  ['c10-ok', true],
  ['c10-bad', false],
  ['c50-ok', true],
  ['c50-bad', false],
] as const) {
  t.test(`histories: ${name}`, { skip }, (test) => {
    const history = readKeyValue(`kv/${name}.txt`);
    test.ok(history.length > 30, `${history.length} operations`);
    test.equal(isLinearizable(keyValue, history), verdict);
    test.end();
  });
}

/** The verdicts of Porcupine and of Lowe's checker; number 95 is empty, etcd did not start. */
const linearizableRuns = [
  2, 5, 7, 18, 25, 31, 38, 45, 48, 49, 51, 53, 56, 67, 75, 76, 80, 87, 92, 98, 100, 101, 102,
];

t.test('histories: the runs of etcd by Jepsen', { skip }, (test) => {
  for (let run = 0; run <= 102; run += 1) {
    const history = readRegister(`jepsen/etcd_${String(run).padStart(3, '0')}.log`);
    if (run === 95) test.same(history, []);
    else {
      test.ok(history.length > 70, `${history.length} operations`);
      const verdict = linearizableRuns.includes(run);
      test.equal(isLinearizable(register, history), verdict, `run ${run}`);
    }
  }
  test.end();
});

/** Whether some order that respects time explains some choice of the operations of unknown outcome. */
function explains(
  history: readonly Operation<RegisterInput, RegisterOutput>[],
  state: string,
): boolean {
  if (history.every(({ returnedAt }) => returnedAt === Number.POSITIVE_INFINITY)) return true;
  const first = Math.min(...history.map(({ returnedAt }) => returnedAt));
  return history.some(({ input, output, calledAt }, at) => {
    if (calledAt > first) return false;
    const next = register.step(state, input, output);
    return next !== undefined && explains(history.toSpliced(at, 1), next);
  });
}

t.test('histories: small ones are judged as by trying all orders', (test) => {
  const verdicts = { good: 0, bad: 0 };
  for (let seed = 1; seed <= 4000; seed += 1) {
    const random = new Random(seed);
    const value = (): string => String(random.below(2));
    const history = Array.from({ length: random.between(1, 7) }, () => {
      const calledAt = random.below(12);
      const unknown = random.chance(0.25);
      const returnedAt = unknown ? Number.POSITIVE_INFINITY : calledAt + random.below(5);
      const op = random.pick(['read', 'write', 'cas'] as const);
      const input: RegisterInput =
        op === 'read'
          ? { op }
          : op === 'write'
            ? { op, value: value() }
            : { op, from: value(), to: value() };
      const known = op === 'cas' ? random.chance(0.5) : value();
      return { input, output: unknown ? undefined : known, calledAt, returnedAt };
    });
    const expected = explains(history, register.initial);
    verdicts[expected ? 'good' : 'bad'] += 1;
    if (isLinearizable(register, history) !== expected)
      test.fail(`seed ${seed} is not ${expected}`);
  }
  test.ok(verdicts.good > 500 && verdicts.bad > 500, JSON.stringify(verdicts));
  test.end();
});

t.test('histories: a hundred writes of unknown outcome are decided', (test) => {
  const unknown = Array.from({ length: 100 }, (_, at) => ({
    input: { op: 'write', value: String(at % 10) } as const,
    output: undefined,
    calledAt: at,
    returnedAt: Number.POSITIVE_INFINITY,
  }));
  const read = (output: string, at: number): Operation<RegisterInput, RegisterOutput> => ({
    input: { op: 'read' },
    output,
    calledAt: at,
    returnedAt: at,
  });
  test.ok(isLinearizable(register, [...unknown, read('7', 200), read('3', 201), read('7', 202)]));
  test.notOk(isLinearizable(register, [...unknown, read('7', 200), read('x', 201)]));
  test.end();
});
