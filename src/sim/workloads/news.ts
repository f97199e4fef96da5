/**
 * Transactions count and send the count as a notification. A session that listens hears every count, in order, once,
 * from the moment that LISTEN was answered until it ends: none is missing, none comes twice, none comes before it
 * is committed, and nothing that was rolled back.
 */
import { must } from '../../base/assert.js';
import {
  all,
  type ClientWorld,
  demand,
  type Outcome,
  type Request,
  rowsOf,
  sameSession,
  type Script,
  type Workload,
} from '../workload.js';

/** What a client that listens knows. */
interface Listening {
  /** It was that much when LISTEN had been answered: whatever comes later is heard. */
  readonly from: number;
  /** The last count heard. */
  last: number | undefined;
}

export class News implements Workload {
  readonly name = 'news';
  readonly #listening = new Map<number, Listening>();

  setUp(): Script {
    return all([
      'create table if not exists news (id int primary key, n int not null)',
      'insert into news values (1, 0) on conflict do nothing',
    ]);
  }

  *step(client: number, world: ClientWorld): Script {
    if (client % 2 === 0) yield* this.#send(world);
    else if (this.#listening.has(client) && world.random.chance(0.05)) yield* this.#stop(client);
    else yield* this.#listen(client);
  }

  *#send(world: ClientWorld): Script {
    if (world.random.chance(0.2)) {
      if ((yield { text: 'begin' }).kind !== 'rows') return;
      yield { text: "notify news, 'undone'", ...sameSession };
      yield { text: 'rollback', ...sameSession };
      return;
    }
    yield {
      text: `with counted as (update news set n = n + 1 returning n)
        select pg_notify('news', n::text), pg_notify('other', 'x') from counted`,
    };
  }

  *#listen(client: number): Script {
    const known = this.#listening.get(client);
    if (known === undefined) {
      const listens = yield { text: 'listen news' };
      if (listens.kind !== 'rows') return;
      const early = [...listens.heard];
      const from = yield* this.#read(client, (count) => early.push(count));
      if (from === undefined) return;
      const fresh: Listening = { from, last: undefined };
      this.#listening.set(client, fresh);
      for (const count of early) hear(fresh, count);
      return;
    }
    const take = (count: string): void => hear(known, count);
    const now = yield* this.#read(client, take);
    if (now === undefined) return;
    demand((known.last ?? 0) <= now, 'what is heard is committed', known, now);
    // What was committed before the answer has come by the next one.
    const then = yield* this.#read(client, take);
    if (then === undefined) return;
    const heard = known.last ?? known.from;
    demand(heard >= now, 'everything committed is heard', known, now);
  }

  *#stop(client: number): Script {
    const stopped = yield { text: 'unlisten *', ...sameSession };
    this.#listening.delete(client);
    if (stopped.kind !== 'rows') return;
    const after = yield { text: 'select 1', ...sameSession };
    if (after.kind !== 'rows') return;
    demand(after.heard.length === 0, 'nothing is heard after UNLISTEN', after.heard);
  }

  /** The count; undefined when the session is not the same any more. */
  *#read(
    client: number,
    take: (count: string) => void,
  ): Generator<Request, number | undefined, Outcome> {
    const outcome = yield { text: 'select n from news', ...sameSession };
    if (outcome.kind !== 'rows') {
      this.#listening.delete(client);
      return undefined;
    }
    for (const count of outcome.heard) take(count);
    return Number(must(outcome.rows[0], 'the row of the count')[0]);
  }

  *check(_world: ClientWorld): Script {
    rowsOf(yield { text: 'select n from news' }, 'the count');
  }
}

function hear(listening: Listening, text: string): void {
  const count = Number(text);
  const { last, from } = listening;
  if (last === undefined)
    demand(count <= from + 1, 'the first that is heard is the next', from, text);
  else demand(count === last + 1, 'what is heard follows on what was heard', last, text);
  listening.last = count;
}
