/**
 * A WebSocket client for benches that costs next to nothing, since it shares the machine with the
 * server: frames are written by hand with a mask of zero and answers are only counted.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

const textOpcode = 0x81;
const masked = 0x80;

export class LeanClient {
  readonly #socket: Socket;
  readonly #answered: (payload: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket, answered: (payload: Buffer) => void) {
    this.#socket = socket;
    this.#answered = answered;
  }

  /** `answered` is called for each frame but `hello`; the payload is valid during the call. */
  static async open(port: number, answered: (payload: Buffer) => void): Promise<LeanClient> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    const client = new LeanClient(socket, answered);
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      client.#handshake(port, resolve);
    });
    return client;
  }

  #handshake(port: number, opened: () => void): void {
    const key = randomBytes(16).toString('base64');
    this.#socket.write(
      `GET /sql HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\n` +
        `Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n` +
        'Sec-WebSocket-Protocol: shardforge.sql.v1\r\n\r\n',
    );
    let head = Buffer.alloc(0);
    const hello = (): void => {
      this.#socket.on('data', (data) => this.#receive(data, this.#answered));
      opened();
    };
    const upgraded = (data: Buffer): void => {
      head = Buffer.concat([head, data]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#socket.off('data', upgraded);
      const first = (more: Buffer): void => {
        this.#receive(more, () => {
          this.#socket.off('data', first);
          hello();
        });
      };
      this.#socket.on('data', first);
      first(head.subarray(end + 4));
    };
    this.#socket.on('data', upgraded);
  }

  /** Sends what {@link clientFrame} made, one or several frames in one write. */
  send(frames: Buffer): void {
    this.#socket.write(frames);
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(data: Buffer, answered: (payload: Buffer) => void): void {
    const all = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    let at = 0;
    while (all.length - at >= 2) {
      let length = (all[at + 1] ?? 0) & 0x7f;
      let start = at + 2;
      if (length === 126) {
        if (all.length - at < 4) break;
        length = all.readUInt16BE(at + 2);
        start = at + 4;
      } else if (length === 127) {
        if (all.length - at < 10) break;
        length = Number(all.readBigUInt64BE(at + 2));
        start = at + 10;
      }
      if (all.length < start + length) break;
      if (all[at] === textOpcode) answered(all.subarray(start, start + length));
      at = start + length;
    }
    this.#rest = all.subarray(at);
  }
}

/** A text frame of a client, of at most 4 GiB. */
export function clientFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const head = length < 126 ? 6 : length < 0x1_0000 ? 8 : 14;
  const frame = Buffer.alloc(head + length);
  frame[0] = textOpcode;
  if (head === 6) {
    frame[1] = masked | length;
  } else if (head === 8) {
    frame[1] = masked | 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = masked | 127;
    frame.writeUInt32BE(length, 6);
  }
  frame.write(text, head);
  return frame;
}
