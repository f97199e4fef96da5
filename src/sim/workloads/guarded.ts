/**
 * Counters that are read, and then written as read plus one, by two statements that know nothing of each other:
 * only an advisory lock keeps two clients from losing one another's count. So every acknowledged count is there
 * at the end exactly when the locks kept everybody else out, from the moment that one was given until its session
 * had ended, whatever became of nodes and leaders meanwhile, and nothing that was sent in its name came later.
 */
import { errorCatalogue } from '../../base/errors.js';
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

const keys = 2;

export class Guarded implements Workload {
  readonly name = 'guarded';
  readonly #acknowledged: number[] = new Array(keys).fill(0);
  readonly #unknown: number[] = new Array(keys).fill(0);

  setUp(): Script {
    return all([
      'create table if not exists guarded (id int primary key, n int not null)',
      'insert into guarded select id, 0 from generate_series(0, 1) id on conflict do nothing',
    ]);
  }

  *step(_client: number, world: ClientWorld): Script {
    const first = world.random.below(keys);
    const both = world.random.chance(0.3);
    const other = (first + 1) % keys;
    // Sometimes in an order that makes for deadlocks.
    const order = both ? [first, other] : [first];
    for (const [at, key] of order.entries()) {
      const taken = yield { text: lockText(key, world), ...(at > 0 && sameSession) };
      if (!isGranted(taken)) {
        if (at > 0 && taken.kind === 'error') yield { text: unlockAll, ...sameSession };
        return;
      }
    }
    for (const key of order) if (!(yield* this.#count(key))) break;
    const how = world.random.below(3);
    // Sometimes the session ends with its locks, or in the middle of its next count.
    if (how === 0) return;
    if (how === 1) yield { text: unlockAll, ...sameSession };
    else
      for (const key of order) yield { text: `select pg_advisory_unlock(${key})`, ...sameSession };
  }

  /** False when it is not known whether it counted. */
  *#count(key: number): Generator<Request, boolean, Outcome> {
    const read = yield { text: `select n from guarded where id = ${key}`, ...sameSession };
    if (read.kind !== 'rows') return false;
    const next = Number(read.rows[0]?.[0]) + 1;
    const text = `update guarded set n = $1 where id = ${key}`;
    const written = yield { text, parameters: [next], ...sameSession };
    if (written.kind === 'rows') this.#acknowledged[key] = (this.#acknowledged[key] ?? 0) + 1;
    else if (mayHaveHappened(written)) this.#unknown[key] = (this.#unknown[key] ?? 0) + 1;
    return written.kind === 'rows';
  }

  *check(_world: ClientWorld): Script {
    const rows = rowsOf(yield { text: 'select n from guarded order by id' }, 'guarded counters');
    if (rows === undefined) return;
    for (const [key, [n]] of rows.entries()) {
      const acknowledged = this.#acknowledged[key] ?? 0;
      const unknown = this.#unknown[key] ?? 0;
      demand(
        Number(n) >= acknowledged && Number(n) <= acknowledged + unknown,
        'nobody counts while another has the lock',
        { key, n, acknowledged, unknown },
      );
    }
  }
}

const unlockAll = 'select pg_advisory_unlock_all()';

function lockText(key: number, world: ClientWorld): string {
  const name = world.random.chance(0.3) ? 'pg_try_advisory_lock' : 'pg_advisory_lock';
  return `select ${name}(${key})`;
}

/** A lock that is waited for gives an empty value, one that is tried for whether it was to be had. */
function isGranted(outcome: Outcome): boolean {
  return outcome.kind === 'rows' && outcome.rows[0]?.[0] !== false;
}

/** Whether a write that was not answered by its success may have happened, or happen yet. */
function mayHaveHappened(outcome: Outcome): boolean {
  if (outcome.kind === 'unknown') return true;
  return outcome.kind === 'error' && ['40003', '57P01', '08006'].includes(stateOf(outcome));
}

function stateOf({ error }: Extract<Outcome, { kind: 'error' }>): string {
  return errorCatalogue[error.kind].sqlstate;
}
