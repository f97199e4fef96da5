/** A client of PostgreSQL's protocol that costs next to nothing: simple queries, rows counted by their bytes. */
import { connect, type Socket } from 'node:net';
import { assert, must } from '#src/base/assert.js';

const protocol = 0x0003_0000;
const headBytes = 5;
const codes = { data: 'D', error: 'E', ready: 'Z', copyIn: 'G' } as const;

export interface WireAddress {
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

export interface Answered {
  readonly rows: number;
  readonly bytes: number;
}

export class WireClient {
  readonly #socket: Socket;
  /** Bytes of a message that has not come whole. */
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes of a message that are passed over. */
  #skip = 0;
  #rows = 0;
  #bytes = 0;
  #error: string | undefined;
  #copies = false;
  #done: ((answered: Answered) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#failed?.(error));
    socket.on('close', () => this.#failed?.(new Error('the connection was closed')));
  }

  /** Resolves when the server is ready for a query. */
  static async open({ port, user, database }: WireAddress): Promise<WireClient> {
    const client = new WireClient(connect({ host: '127.0.0.1', port }));
    const body = Buffer.from(`\0\0\0\0user\0${user}\0database\0${database}\0\0`);
    body.writeInt32BE(protocol);
    const head = Buffer.alloc(4);
    head.writeInt32BE(body.length + 4);
    await client.#answer(Buffer.concat([head, body]));
    return client;
  }

  /** Runs a text, and counts its rows. */
  query(text: string): Promise<Answered> {
    return this.#answer(frame('Q', Buffer.from(`${text}\0`)));
  }

  /** COPY FROM STDIN in pieces. */
  async copy(text: string, pieces: Iterable<string>): Promise<void> {
    this.#copies = true;
    const asked = this.query(text);
    await asked;
    this.#copies = false;
    for (const piece of pieces) {
      if (this.#socket.write(frame('d', Buffer.from(piece)))) continue;
      await new Promise((resolve) => this.#socket.once('drain', resolve));
    }
    await this.#answer(frame('c', Buffer.alloc(0)));
  }

  close(): void {
    this.#failed = undefined;
    this.#socket.end(frame('X', Buffer.alloc(0)));
  }

  #answer(bytes: Buffer): Promise<Answered> {
    assert(this.#done === undefined, 'one request at a time');
    this.#rows = 0;
    this.#bytes = 0;
    this.#error = undefined;
    return new Promise<Answered>((resolve, reject) => {
      this.#done = resolve;
      this.#failed = reject;
      this.#socket.write(bytes);
    });
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (this.#skip > 0) {
      const passed = Math.min(this.#skip, bytes.length);
      this.#skip -= passed;
      bytes = bytes.subarray(passed);
    }
    let at = 0;
    while (bytes.length - at >= headBytes) {
      const code = String.fromCharCode(must(bytes[at], 'a code'));
      const length = bytes.readInt32BE(at + 1) + 1;
      const whole = at + length <= bytes.length;
      if (code === codes.data) this.#rows += 1;
      else if (!whole) break;
      else this.#note(code, bytes.subarray(at + headBytes, at + length));
      if (!whole) this.#skip = at + length - bytes.length;
      at = Math.min(at + length, bytes.length);
    }
    this.#rest = bytes.subarray(at);
  }

  #note(code: string, body: Buffer): void {
    if (code === codes.error) this.#error = body.toString().replaceAll('\0', ' ');
    const ends = code === codes.ready || (code === codes.copyIn && this.#copies);
    if (!ends) return;
    const [done, failed] = [this.#done, this.#failed];
    this.#done = undefined;
    if (this.#error === undefined) done?.({ rows: this.#rows, bytes: this.#bytes });
    else failed?.(new Error(this.#error));
  }
}

function frame(code: string, body: Buffer): Buffer {
  const head = Buffer.alloc(headBytes);
  head.write(code);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
