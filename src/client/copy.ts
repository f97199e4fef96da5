/** Data of COPY FROM STDIN on their way to the node. */
import type { CopyDataFrame, CopyEndFrame } from '../net/protocol.js';

/** Pieces of the data; where they are cut does not matter. Texts, or bytes of the binary format. */
export type CopyData =
  | Iterable<string | Uint8Array>
  | AsyncIterable<string | Uint8Array>
  | string
  | Uint8Array;

/** A frame without its request. */
export type CopyPart = Omit<CopyDataFrame, 'id'> | Omit<CopyEndFrame, 'id'>;

/** Sends pieces as far as the node has granted frames for them. */
export class CopyFeed {
  readonly #pieces: AsyncIterator<string | Uint8Array> | Iterator<string | Uint8Array>;
  readonly #send: (part: CopyPart) => void;
  #credit = 0;
  #pumping = false;
  #ended = false;

  constructor(data: CopyData, send: (part: CopyPart) => void) {
    const pieces = typeof data === 'string' || data instanceof Uint8Array ? [data] : data;
    this.#pieces =
      Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();
    this.#send = send;
  }

  /** The node takes `frames` more frames. */
  grant(frames: number): void {
    this.#credit += frames;
    void this.#pump();
  }

  /** The statement has ended: nothing more is read of the data. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    void this.#pieces.return?.();
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#credit > 0 && !this.#ended) {
      const part = await this.#next();
      if (this.#ended) break;
      this.#credit -= 1;
      if (part.op === 'copyEnd') this.#ended = true;
      this.#send(part);
    }
    this.#pumping = false;
  }

  async #next(): Promise<CopyPart> {
    try {
      const { done, value } = await this.#pieces.next();
      if (done === true) return { op: 'copyEnd' };
      if (typeof value === 'string') return { op: 'copyData', text: value };
      return { op: 'copyData', base64: Buffer.from(value).toString('base64') };
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      return { op: 'copyEnd', failure };
    }
  }
}
