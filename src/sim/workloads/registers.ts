/**
 * Clients read and write a few single-row registers by autocommit statements; the history of each
 * register must be linearizable, across crashes too.
 */
import { isLinearizable, type Model, type Operation } from '../checkers/linearizable.js';
import { all, type ClientWorld, demand, rowsOf, type Script, type Workload } from '../workload.js';

const registers = 4;

type Input = { readonly kind: 'read' } | { readonly kind: 'write'; readonly value: number };

const register: Model<number, Input, number> = {
  initial: 0,
  step: (state, input, output) => {
    if (input.kind === 'write') return input.value;
    return state === output ? state : undefined;
  },
  key: String,
};

export class Registers implements Workload {
  readonly name = 'registers';
  readonly #attempted = Array.from({ length: registers }, () => new Set<number>([0]));
  readonly #histories: Operation<Input, number>[][] = Array.from({ length: registers }, () => []);
  #nextValue = 1;

  setUp(): Script {
    const tuples = Array.from({ length: registers }, (_, id) => `(${id}, 0)`);
    return all([
      'create table if not exists register (id int primary key, value int not null)',
      `insert into register values ${tuples.join(', ')} on conflict do nothing`,
    ]);
  }

  *step(_client: number, world: ClientWorld): Script {
    const id = world.random.below(registers);
    if (!world.settled && world.random.chance(0.1)) yield* this.#readStale(id, world);
    else if (world.random.chance(0.5)) yield* this.#read(id, world);
    else yield* this.#write(id, world);
  }

  *check(world: ClientWorld): Script {
    for (const [id, history] of this.#histories.entries()) {
      yield* this.#read(id, world);
      demand(isLinearizable(register, history), 'a register is linearizable', id, history);
    }
  }

  *#read(id: number, world: ClientWorld): Script {
    const calledAt = world.nowMs();
    const outcome = yield { text: 'select value from register where id = $1', parameters: [id] };
    const rows = rowsOf(outcome, 'a read');
    if (rows === undefined || outcome.kind !== 'rows') return;
    demand(!outcome.stale, 'a read is stale only when that was asked for', id);
    const output = Number(rows[0]?.[0]);
    this.#record(id, { input: { kind: 'read' }, output, calledAt, returnedAt: world.nowMs() });
  }

  /** A node that cannot know what is newest may answer with what was there once, and says so. */
  *#readStale(id: number, world: ClientWorld): Script {
    if ((yield { text: 'set shardforge.stale_reads = on' }).kind !== 'rows') return;
    const calledAt = world.nowMs();
    const outcome = yield { text: 'select value from register where id = $1', parameters: [id] };
    const returnedAt = world.nowMs();
    yield { text: 'set shardforge.stale_reads = off' };
    if (outcome.kind === 'error') {
      demand(outcome.error.kind === 'undefined_table', 'a stale read sees an old state', outcome);
    }
    if (outcome.kind !== 'rows') return;
    // Without a row its node has not even seen the set-up.
    const value = Number(outcome.rows[0]?.[0] ?? 0);
    if (!outcome.stale) {
      this.#record(id, { input: { kind: 'read' }, output: value, calledAt, returnedAt });
      return;
    }
    const written = this.#attempted[id]?.has(value) === true;
    demand(written, 'a stale read sees what was written once', id, value);
  }

  *#write(id: number, world: ClientWorld): Script {
    const calledAt = world.nowMs();
    const value = this.#nextValue;
    this.#nextValue += 1;
    this.#attempted[id]?.add(value);
    const outcome = yield {
      text: 'update register set value = $2 where id = $1',
      parameters: [id, value],
    };
    // A write whose answer was lost has happened by the time of the crash, or never will.
    const returnedAt =
      rowsOf(outcome, 'a write') === undefined ? Number.POSITIVE_INFINITY : world.nowMs();
    this.#record(id, { input: { kind: 'write', value }, output: 0, calledAt, returnedAt });
  }

  #record(id: number, operation: Operation<Input, number>): void {
    this.#histories[id]?.push(operation);
  }
}
