import type { Message } from './actor.js';
import type { Cell } from './cell.js';
import { priorities } from './kinds.js';
import { turnsPerLowest } from './limits.js';
import { Queue } from '../base/queue.js';

/** Which actor is served next: one line of waiting actors per priority. */
export class Lines {
  readonly #lines: readonly Queue<Cell>[] = priorities.map(() => new Queue<Cell>());
  #turns = 0;
  /** The message to be received by the cell that {@link next} returned. */
  message: Message | undefined;

  get empty(): boolean {
    for (const line of this.#lines) if (line.length > 0) return false;
    return true;
  }

  /** The cell has a message in `lane`. */
  stand(cell: Cell, lane: number): void {
    const bit = 1 << lane;
    if ((cell.standing & bit) !== 0) return;
    cell.standing |= bit;
    this.#lines[lane]?.push(cell);
  }

  /** The next actor to be served, with its message taken out of its queue. */
  next(): Cell | undefined {
    this.#turns = (this.#turns + 1) % turnsPerLowest;
    const step = this.#turns === 0 ? -1 : 1;
    let lane = step < 0 ? this.#lines.length - 1 : 0;
    while (lane >= 0 && lane < this.#lines.length) {
      const cell = this.#take(lane);
      if (cell !== undefined) return cell;
      lane += step;
    }
    return undefined;
  }

  #take(lane: number): Cell | undefined {
    const line = this.#lines[lane];
    for (;;) {
      const cell = line?.shift();
      if (cell === undefined || line === undefined) return undefined;
      const queue = cell.lanes[lane];
      const bit = 1 << lane;
      // An actor that has failed or stopped since it took its stand is passed over.
      if (queue === undefined || queue.length === 0 || cell.actor === undefined) {
        cell.standing &= ~bit;
        continue;
      }
      this.message = queue.shift();
      cell.depth -= 1;
      if (queue.length > 0) line.push(cell);
      else cell.standing &= ~bit;
      return cell;
    }
  }
}
