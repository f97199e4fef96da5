/** COPY from the client: its data on their way to the session. */
import { assert } from '../../base/assert.js';
import type { SqlConnection } from '../host.js';
import type { ClientMessage } from './messages.js';

export class CopyIn {
  readonly #connection: SqlConnection;
  readonly #request: number;
  /** Messages with data that the session takes. */
  #credit = 0;
  #isOpen = true;

  constructor(connection: SqlConnection, request: number) {
    this.#connection = connection;
    this.#request = request;
  }

  /** Whether the next message may be taken. */
  get takes(): boolean {
    return this.#isOpen && this.#credit > 0;
  }

  grant(credit: number): void {
    this.#credit += credit;
  }

  /** Takes what may come among data: Flush and Sync mean nothing there. */
  take(message: ClientMessage): void {
    const request = this.#request;
    switch (message.kind) {
      case 'copyData':
        this.#credit -= 1;
        // The bytes are a part of what was read, which goes on to be used.
        this.#connection.send({ kind: 'sql.copyData', request, data: Buffer.from(message.data) });
        return;
      case 'flush':
      case 'sync':
        return;
      case 'copyDone':
        this.#isOpen = false;
        this.#connection.send({ kind: 'sql.copyEnd', request });
        return;
      case 'copyFail':
        this.#isOpen = false;
        this.#connection.send({ kind: 'sql.copyEnd', request, failure: message.reason });
        return;
      default:
        assert(false, 'data are taken', { kind: message.kind });
    }
  }
}
