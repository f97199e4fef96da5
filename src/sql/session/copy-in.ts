/** The data of COPY FROM STDIN on their way from the client to the statement. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { CopyChunks } from '../copy/index.js';
import type { MemoryAccount } from '../memory.js';

/** Messages with data that a client may send before it is granted more. */
export const copyWindow = 8;

/** What the client sends, in order. Where the statement may be executed again all of it is kept. */
export class CopyIn implements CopyChunks {
  readonly #keeps: boolean;
  readonly #memory: MemoryAccount;
  /** Called for each message that the statement has taken. */
  readonly #onTaken: () => void;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #at = 0;
  /** Messages that were taken by this execution or one before it. */
  #taken = 0;
  #end: 'open' | 'ended' | { readonly failure: string } = 'open';
  #starved = false;

  /** What is kept is charged to `memory`, the statement's. */
  constructor(keeps: boolean, memory: MemoryAccount, onTaken: () => void) {
    this.#keeps = keeps;
    this.#memory = memory;
    this.#onTaken = onTaken;
  }

  /** Whether the statement waits for the client. */
  get isStarved(): boolean {
    return this.#starved;
  }

  receive(bytes: Uint8Array): void {
    if (this.#end !== 'open') return;
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
    this.#memory.charge(bytes.length);
    this.#starved = false;
  }

  /** The client has no more data, or `failure` says why it gives up. */
  end(failure: string | undefined): void {
    if (this.#end !== 'open') return;
    this.#end = failure === undefined ? 'ended' : { failure };
    this.#starved = false;
  }

  next(): Uint8Array | 'wait' | undefined {
    const chunk = this.#chunks[this.#at];
    if (chunk !== undefined) return this.#take(chunk);
    if (this.#end === 'open') {
      this.#starved = true;
      return 'wait';
    }
    if (this.#end === 'ended') return undefined;
    raise('query_canceled', `COPY from stdin failed: ${this.#end.failure}`);
  }

  #take(chunk: Uint8Array): Uint8Array {
    if (this.#keeps) {
      this.#at += 1;
      if (this.#at <= this.#taken) return chunk;
      this.#taken = this.#at;
    } else {
      must(this.#chunks.shift(), 'a chunk is there');
      this.#bytes -= chunk.length;
      this.#memory.release(chunk.length);
    }
    this.#onTaken();
    return chunk;
  }

  /** The statement is executed again; what is kept is charged again. */
  restart(): void {
    this.#at = 0;
    this.#memory.charge(this.#bytes);
  }

  close(): void {}
}
