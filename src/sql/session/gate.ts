/**
 * Where statements wait that were refused because others changed their rows first. Those of one table
 * go on one after the other: if all were executed again at once, one would win and the rest would
 * have worked for nothing, and some would lose for ever.
 */
import type { ObjectId } from '../../base/ids.js';
import { assert } from '../../base/assert.js';

/** Lets one who waits go on. */
export type Pass = () => void;

export class Gate {
  /** By table: the one who is inside, then those who wait. */
  readonly #queues = new Map<ObjectId, Pass[]>();

  /** True when `pass` is inside at once; otherwise it is called later. */
  enter(table: ObjectId, pass: Pass): boolean {
    const queue = this.#queues.get(table);
    if (queue === undefined) {
      this.#queues.set(table, [pass]);
      return true;
    }
    queue.push(pass);
    return false;
  }

  /** Whoever entered leaves, inside or waiting. */
  leave(table: ObjectId, pass: Pass): void {
    const queue = this.#queues.get(table);
    const index = queue?.indexOf(pass) ?? -1;
    assert(queue !== undefined && index >= 0, 'left a gate without having entered', table);
    queue.splice(index, 1);
    const [next] = queue;
    if (next === undefined) this.#queues.delete(table);
    else if (index === 0) next();
  }
}
