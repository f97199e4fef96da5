/**
 * Money moves between accounts in transactions; every reader at every moment sees the same total.
 * A lost update, a half transaction or a torn snapshot changes it.
 */
import {
  all,
  type ClientWorld,
  demand,
  mustRunAgain,
  rowsOf,
  type Script,
  type Workload,
} from '../workload.js';

const accounts = 8;
const each = 1000;

export class Bank implements Workload {
  readonly name = 'bank';

  setUp(): Script {
    const tuples = Array.from({ length: accounts }, (_, id) => `(${id}, ${each})`);
    return all([
      'create table if not exists bank (id int primary key, balance bigint not null)',
      `insert into bank values ${tuples.join(', ')} on conflict do nothing`,
    ]);
  }

  *step(_client: number, world: ClientWorld): Script {
    if (world.random.chance(0.25)) {
      yield* this.check(world);
      return;
    }
    const source = world.random.below(accounts);
    const target = (source + world.random.between(1, accounts - 1)) % accounts;
    const amount = world.random.between(1, 50);
    if ((yield { text: 'begin' }).kind !== 'rows') return;
    const read = yield { text: 'select balance from bank where id = $1', parameters: [source] };
    if (mustRunAgain(read)) {
      yield { text: 'rollback' };
      return;
    }
    const balance = rowsOf(read, 'reading a balance')?.[0]?.[0];
    if (typeof balance !== 'bigint') return;
    const statements = [
      {
        text: 'update bank set balance = $2 where id = $1',
        parameters: [source, balance - BigInt(amount)],
      },
      {
        text: 'update bank set balance = balance + $2 where id = $1',
        parameters: [target, amount],
      },
      { text: 'commit' },
    ];
    for (const statement of statements) {
      const outcome = yield statement;
      if (outcome.kind === 'unknown' || outcome.kind === 'refused') return;
      if (outcome.kind === 'error') {
        demand(mustRunAgain(outcome), 'only conflicts stop a transfer', outcome);
        yield { text: 'rollback' };
        return;
      }
    }
  }

  *check(_world: ClientWorld): Script {
    const rows = rowsOf(
      yield { text: 'select sum(balance)::bigint, count(*) from bank' },
      'the total',
    );
    if (rows === undefined) return;
    const shown = rows[0]?.map(String);
    demand(
      shown?.[0] === String(accounts * each) && shown[1] === String(accounts),
      'the total of all accounts never changes',
      shown,
    );
  }
}
