/** A peer played by hand: a WebSocket to a mesh, or one that a mesh dials, with frames as bytes. */
import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import type { NodeId } from '#src/base/ids.js';
import { Frame, readFrame } from '#src/net/mesh/frame.js';
import { encodeHello, type Hello, recordTypes } from '#src/net/mesh/wire.js';

export function hello(node: number, fields: Partial<Hello> = {}): Hello {
  return {
    ...{ oldest: 1, newest: 1, node: node as NodeId, instance: `instance-${node}`, boot: 'boot' },
    ...{ connection: 'main', security: 'loopback', clusterId: undefined, version: 'raw' },
    ...{ address: '127.0.0.1:1', http: '', nonce: randomBytes(32), replaces: false },
    ...fields,
  };
}

interface Came {
  readonly type: number;
  readonly body: Buffer;
}

export class RawPeer {
  readonly #socket: WebSocket;
  readonly came: Came[] = [];
  closed = false;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const payload = data as Buffer;
      readFrame(payload, (type, from, to) => {
        this.came.push({ type, body: Buffer.from(payload.subarray(from, to)) });
        return true;
      });
    });
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('error', () => undefined);
  }

  static async open(
    address: string,
    options: { readonly query?: string; readonly headers?: Record<string, string> } = {},
  ): Promise<RawPeer> {
    const { query = '?node=9&class=main', headers = {} } = options;
    const socket = new WebSocket(`ws://${address}/mesh${query}`, { headers });
    const peer = new RawPeer(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return peer;
  }

  /** The reason of a refusal that came. */
  get refusal(): string | undefined {
    return this.came.find(({ type }) => type === recordTypes.refusal)?.body.toString();
  }

  get welcomed(): boolean {
    return this.came.some(({ type }) => type === recordTypes.welcome);
  }

  hello(fields: Hello): void {
    this.records([recordTypes.hello, encodeHello(fields)]);
  }

  /** One frame. */
  records(...records: readonly (readonly [number, Uint8Array])[]): void {
    this.send(payloadOf(...records));
  }

  /** The bytes of a message, whatever they are. */
  send(payload: Uint8Array | string): void {
    this.#socket.send(payload);
  }

  close(): void {
    this.#socket.terminate();
  }
}

/** A frame with its checksum, as a WebSocket message holds it. */
export function payloadOf(...records: readonly (readonly [number, Uint8Array])[]): Buffer {
  const frame = new Frame();
  for (const [type, body] of records) frame.add(type, body);
  const sealed = frame.seal(false);
  return Buffer.from(sealed.subarray(sealed.length - frame.payloadBytes));
}
