/**
 * Many clients raise one number by autocommit statements and number rows by a sequence. The server
 * runs statements that met a conflict again by itself, so no client sees an error, no increment is
 * lost or made twice, and no number of the sequence is committed twice.
 */
import { all, type ClientWorld, demand, rowsOf, type Script, type Workload } from '../workload.js';

export class Counter implements Workload {
  readonly name = 'counter';
  #acknowledged = 0;
  #unknown = 0;
  readonly #numbers = new Set<number>();
  #numbersUnknown = 0;

  setUp(): Script {
    return all([
      'create table if not exists counter (id int primary key, n int not null)',
      'insert into counter values (1, 0) on conflict do nothing',
      'create table if not exists numbered (n serial primary key, client int)',
    ]);
  }

  *step(client: number, world: ClientWorld): Script {
    if (world.random.chance(0.3)) {
      const outcome = yield {
        text: 'insert into numbered (client) values ($1) returning n',
        parameters: [client],
      };
      const rows = rowsOf(outcome, 'a numbered row');
      if (rows === undefined) this.#numbersUnknown += 1;
      else this.#took(rows[0]?.[0]);
      return;
    }
    const outcome = yield { text: 'update counter set n = n + 1 where id = 1' };
    if (rowsOf(outcome, 'an increment') === undefined) this.#unknown += 1;
    else this.#acknowledged += 1;
  }

  *check(_world: ClientWorld): Script {
    const acknowledged = this.#acknowledged;
    const counted = rowsOf(yield { text: 'select n from counter where id = 1' }, 'the counter');
    if (counted === undefined) return;
    const n = Number(counted[0]?.[0]);
    demand(
      n >= acknowledged && n <= acknowledged + this.#unknown,
      'the counter holds each increment once',
      { n, acknowledged, unknown: this.#unknown },
    );
    const rows = rowsOf(yield { text: 'select n from numbered order by n' }, 'numbered rows');
    if (rows === undefined) return;
    const found = new Set(rows.map((row) => Number(row[0])));
    for (const number of this.#numbers) demand(found.has(number), 'a numbered row is kept', number);
    demand(
      found.size <= this.#numbers.size + this.#numbersUnknown,
      'no row was numbered twice',
      found.size,
      this.#numbers.size,
      this.#numbersUnknown,
    );
  }

  #took(value: unknown): void {
    const number = Number(value);
    demand(!this.#numbers.has(number), 'a sequence never gives a number twice', number);
    this.#numbers.add(number);
  }
}
