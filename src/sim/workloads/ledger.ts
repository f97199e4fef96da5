/**
 * Every client owns rows that nobody else touches, so it knows what they must be: what was
 * acknowledged is there, what was rolled back or refused is not, and a transaction whose outcome is
 * unknown happened whole or not at all. Checked by its owner now and then, and whole by the checker.
 */
import { assert, must } from '../../base/assert.js';
import type { Random } from '../../base/random.js';
import {
  all,
  type ClientWorld,
  demand,
  mustRunAgain,
  type Outcome,
  type Request,
  rowsOf,
  type Script,
  type Workload,
} from '../workload.js';

/** Row id to value. */
type Rows = ReadonlyMap<number, string>;

interface Owner {
  readonly number: number;
  /** What the rows may be: one state, or the two around a transaction of unknown outcome. */
  possible: readonly Rows[];
  nextId: number;
}

const rowsMax = 60;

export class Ledger implements Workload {
  readonly name = 'ledger';
  readonly #all: Owner[] = [];
  /** By client; a client takes another owner when it cannot know what the rows are. */
  readonly #owners = new Map<number, Owner>();

  setUp(): Script {
    return all([
      'create table if not exists ledger (owner int, id int, value text not null, primary key (owner, id))',
    ]);
  }

  *step(client: number, world: ClientWorld): Script {
    const owner = this.#owner(client);
    if (owner.possible.length > 1 || world.random.chance(0.1)) {
      if (!(yield* this.#compare(owner, world))) return;
    }
    const before = owner.possible[0];
    if (before === undefined || owner.possible.length > 1) {
      // What is unknown may still happen: those rows are left alone from now on.
      if (!world.settled) this.#owners.delete(client);
      return;
    }
    const block = world.random.chance(0.6);
    const statements = block ? world.random.between(1, 6) : 1;
    const plan = this.#plan(owner, before, statements, world.random);
    if (block && (yield { text: 'begin' }).kind !== 'rows') return;
    for (const request of plan.requests) {
      if (!block) owner.possible = [before, plan.after];
      const outcome = yield request;
      if (block && mustRunAgain(outcome)) {
        yield { text: 'rollback' };
        return;
      }
      demand(outcome.kind !== 'error', 'a statement on own rows never fails', request, outcome);
      if (outcome.kind !== 'rows') return;
    }
    if (!block) {
      owner.possible = [plan.after];
      return;
    }
    if (world.random.chance(0.2)) {
      yield { text: 'rollback' };
      return;
    }
    owner.possible = [before, plan.after];
    const outcome = yield { text: 'commit' };
    if (mustRunAgain(outcome) || outcome.kind === 'refused') {
      owner.possible = [before];
      return;
    }
    demand(outcome.kind !== 'error', 'a commit of own rows never fails', outcome);
    if (outcome.kind === 'rows') owner.possible = [plan.after];
  }

  *check(world: ClientWorld): Script {
    for (const owner of this.#all) yield* this.#compare(owner, world);
  }

  /** False when no answer came. */
  *#compare(owner: Owner, world: ClientWorld): Generator<Request, boolean, Outcome> {
    const outcome = yield {
      text: 'select id, value from ledger where owner = $1 order by id',
      parameters: [owner.number],
    };
    const found = rowsOf(outcome, 'reading the ledger');
    if (found === undefined) return false;
    const shown = JSON.stringify(found);
    const matching = owner.possible.filter((rows) => shown === listed(rows));
    demand(
      matching.length > 0,
      `rows of owner ${owner.number} are what was acknowledged`,
      found,
      ...owner.possible.map(listed),
    );
    // What was not seen yet may come later; what was seen stays.
    const isLast = shown === listed(must(owner.possible.at(-1), 'an owner has a state'));
    if (isLast || world.settled) owner.possible = matching.slice(0, 1);
    return true;
  }

  #owner(client: number): Owner {
    const found = this.#owners.get(client);
    if (found !== undefined) return found;
    const made: Owner = { number: this.#all.length + 1, possible: [new Map()], nextId: 1 };
    this.#owners.set(client, made);
    this.#all.push(made);
    return made;
  }

  /** Statements and the rows that they leave. */
  #plan(
    owner: Owner,
    before: Rows,
    statements: number,
    random: Random,
  ): { readonly requests: readonly Request[]; readonly after: Rows } {
    const after = new Map(before);
    const requests: Request[] = [];
    for (let i = 0; i < statements; i += 1) {
      const ids = [...after.keys()];
      const choice = ids.length === 0 ? 0 : ids.length > rowsMax ? 9 : random.below(10);
      if (choice < 5) requests.push(insert(owner, after, random));
      else requests.push(change(owner, after, random.pick(ids), choice < 8, random));
    }
    return { requests, after };
  }
}

function insert(owner: Owner, after: Map<number, string>, random: Random): Request {
  const tuples: string[] = [];
  const parameters: (number | string)[] = [owner.number];
  for (let n = random.between(1, 4); n > 0; n -= 1) {
    const value = text(random);
    parameters.push(owner.nextId, value);
    tuples.push(`($1, $${parameters.length - 1}, $${parameters.length})`);
    after.set(owner.nextId, value);
    owner.nextId += 1;
  }
  return { text: `insert into ledger (owner, id, value) values ${tuples.join(', ')}`, parameters };
}

function change(
  owner: Owner,
  after: Map<number, string>,
  id: number,
  update: boolean,
  random: Random,
): Request {
  assert(after.has(id), 'changing a row that is not there', id);
  if (!update) {
    after.delete(id);
    return {
      text: 'delete from ledger where owner = $1 and id = $2',
      parameters: [owner.number, id],
    };
  }
  const value = text(random);
  after.set(id, value);
  return {
    text: 'update ledger set value = $3 where owner = $1 and id = $2',
    parameters: [owner.number, id, value],
  };
}

function text(random: Random): string {
  const length = random.chance(0.05) ? random.between(500, 5000) : random.between(0, 40);
  return random
    .uint32()
    .toString(36)
    .repeat(Math.ceil(length / 7))
    .slice(0, length);
}

function listed(rows: Rows): string {
  return JSON.stringify([...rows].sort((a, b) => a[0] - b[0]));
}
