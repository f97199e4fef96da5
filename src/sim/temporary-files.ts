/** Temporary files of the simulator: memory. */
import { assert } from '../base/assert.js';
import type { SpillFile, SpillFiles } from '../sql/index.js';

export class MemoryFiles implements SpillFiles {
  /** Files that are open now; all that were ever made. */
  open = 0;
  made = 0;

  create(): SpillFile {
    this.open += 1;
    this.made += 1;
    let bytes: Buffer[] = [];
    let length = 0;
    return {
      get length(): number {
        return length;
      },
      append: (more) => {
        bytes.push(Buffer.from(more));
        length += more.length;
      },
      read: (offset, count) => {
        assert(offset + count <= length, 'only what was written is read', offset, count);
        const whole = Buffer.concat(bytes);
        bytes = [whole];
        return whole.subarray(offset, offset + count);
      },
      close: () => {
        this.open -= 1;
        bytes = [];
      },
    };
  }
}
