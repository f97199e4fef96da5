/** How many may be signed in at a node: in all, and of each role. Some seats are kept for superusers. */
import { assert } from '../../base/assert.js';
import type { Login } from '../../sql/index.js';
import type { ErrorFields } from '../../sql/session/protocol.js';
import { doorError } from '../answers.js';

export interface SeatLimits {
  readonly connections: number;
  /** Of them, those that only superusers take; all but one at most. */
  readonly reservedConnections: number;
}

export class Seats {
  readonly #limits: SeatLimits;
  readonly #byRole = new Map<string, number>();
  #taken = 0;

  constructor(limits: SeatLimits) {
    this.#limits = limits;
  }

  /** Why nobody more can be let in; undefined while somebody can. */
  get full(): ErrorFields | undefined {
    const { connections } = this.#limits;
    if (this.#taken < connections) return undefined;
    const detail = `limits.connections (${connections}) is reached`;
    return doorError('too_many_connections', 'sorry, too many clients already', { detail });
  }

  /** Takes a seat until {@link leave}; an error when there is none. Without `login` nothing is known of the role. */
  take(name: string, login: Login | undefined): ErrorFields | undefined {
    const refusal = this.full ?? this.#refusal(name, login);
    if (refusal !== undefined) return refusal;
    this.#taken += 1;
    this.#byRole.set(name, (this.#byRole.get(name) ?? 0) + 1);
    return undefined;
  }

  leave(name: string): void {
    const count = this.#byRole.get(name) ?? 0;
    assert(count > 0 && this.#taken > 0, 'who leaves has a seat');
    this.#taken -= 1;
    if (count > 1) this.#byRole.set(name, count - 1);
    else this.#byRole.delete(name);
  }

  #refusal(name: string, login: Login | undefined): ErrorFields | undefined {
    if (login === undefined || login.superuser) return undefined;
    const { connections, reservedConnections: reserved } = this.#limits;
    if (this.#taken >= connections - Math.min(reserved, connections - 1)) {
      const detail = `limits.connections is ${connections}, limits.reservedConnections ${reserved}`;
      const text =
        'remaining connection slots are reserved for non-replication superuser connections';
      return doorError('too_many_connections', text, { detail });
    }
    const limit = login.connectionLimit;
    if (limit < 0 || (this.#byRole.get(name) ?? 0) < limit) return undefined;
    const detail = `The role's connection limit is ${limit} on each node.`;
    return doorError('too_many_connections', `too many connections for role "${name}"`, { detail });
  }
}
