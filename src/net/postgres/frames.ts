/** Messages of a client out of its bytes, one at a time. */
import type { ErrorFields } from '../../sql/session/protocol.js';
import { doorError } from '../answers.js';
import { type ClientMessage, isKnown, readMessage } from './messages.js';
import type { Inbox } from './reader.js';

const codeBytes = 1;
const headBytes = 5;

export interface Frame {
  readonly code: string;
  /** Raises what {@link readMessage} raises. */
  readonly read: () => ClientMessage;
}

/** The stream cannot be followed any further. */
export interface BrokenStream {
  readonly fatal: ErrorFields;
}

export class FrameReader {
  readonly #inbox: Inbox;
  readonly #frameBytes: number;
  #syncFollows = false;

  constructor(inbox: Inbox, frameBytes: number) {
    this.#inbox = inbox;
    this.#frameBytes = frameBytes;
  }

  /**
   * Whether nothing but Close lies between the Execute that was taken last and a Sync: then its
   * transaction ends with it.
   */
  get syncFollows(): boolean {
    return this.#syncFollows;
  }

  /**
   * The next message; undefined when it has not come. Execute waits for what follows it unless nothing
   * more will come: a client that wants its answer sends Sync or Flush.
   */
  next(inputEnded: boolean): Frame | BrokenStream | undefined {
    const head = this.#headAt(0);
    if (head === undefined) return undefined;
    const { code, length } = head;
    if (!isKnown(code)) {
      const text = `invalid frontend message type ${code.charCodeAt(0)}`;
      return { fatal: doorError('protocol_violation', text) };
    }
    if (length < headBytes || length > this.#frameBytes) {
      const limit = `limits.frameBytes is ${this.#frameBytes}`;
      const fields = doorError('protocol_violation', 'invalid message length', { detail: limit });
      return { fatal: fields };
    }
    if (this.#inbox.length < length) return undefined;
    if (code === 'E') {
      const following = this.#codeBehind(length);
      if (following === undefined && !inputEnded) return undefined;
      this.#syncFollows = following === 'S';
    }
    const bytes = this.#inbox.take(length) as Buffer;
    return { code, read: () => readMessage(code, bytes.subarray(headBytes)) };
  }

  #headAt(at: number): { readonly code: string; readonly length: number } | undefined {
    const bytes = this.#inbox.peek(at + headBytes);
    if (bytes === undefined) return undefined;
    const length = bytes.readUInt32BE(at + codeBytes) + codeBytes;
    return { code: String.fromCharCode(bytes[at] as number), length };
  }

  #codeBehind(from: number): string | undefined {
    for (let at = from; ; ) {
      const head = this.#headAt(at);
      if (head?.code !== 'C' || head.length < headBytes) return head?.code;
      at += head.length;
    }
  }
}
