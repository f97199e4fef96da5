/** Keeps trying to reach the addresses that are listed: with growing pauses and jitter. */
import type { Socket } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { NodeId } from '../../base/ids.js';
import type { Material } from '../security/index.js';
import { meshPath } from './acceptor.js';
import { frameBytesMax, type MeshLimits } from './limits.js';
import { MeshSocket } from './socket.js';
import type { ConnectionClass } from './wire.js';

export interface PeerAddress {
  /** `host:port`. */
  readonly address: string;
  /** Undefined where only the address is known. */
  readonly node: NodeId | undefined;
}

/** An address that is dialed. */
export class Target {
  readonly address: string;
  /** Who is there; learned from the last hello when it was not given. */
  node: NodeId | undefined;
  /** A connection to it is being made or greeted. */
  busy = false;
  /** It leads to this node itself. */
  own = false;
  #failures = 0;
  #dueMs = 0;

  constructor(peer: PeerAddress) {
    this.address = peer.address;
    this.node = peer.node;
  }

  due(nowMs: number): boolean {
    return !this.busy && !this.own && nowMs >= this.#dueMs;
  }

  /** `random` is in [0, 1): peers that lost each other must not dial at the same instant for ever. */
  failed(nowMs: number, limits: MeshLimits, random: number): void {
    this.busy = false;
    const pauseMs = Math.min(limits.dialMsMax, limits.dialMs * 2 ** Math.min(this.#failures, 20));
    this.#failures += 1;
    this.#dueMs = nowMs + pauseMs * (0.5 + random / 2);
  }

  /** There was a link: the next failure is the first one again. */
  reached(nowMs: number, pauseMs: number): void {
    this.busy = false;
    this.#failures = 0;
    this.#dueMs = nowMs + pauseMs;
  }
}

export interface Dial {
  readonly address: string;
  readonly own: NodeId;
  readonly connection: ConnectionClass;
  readonly material: Material;
  readonly timeoutMs: number;
  readonly connected: (socket: MeshSocket) => void;
  /** `code` is that of Node's error, where there is one. */
  readonly failed: (reason: string, code: string) => void;
}

/**
 * Authority and node id are checked, not the host name: nodes move between addresses. The types of ws
 * want a boolean, where Node wants undefined or an error.
 */
const byAuthority = {
  minVersion: 'TLSv1.3',
  checkServerIdentity: (() => undefined) as unknown as () => boolean,
} as const;

/** Connects. The own node id is sent in plain, for logs; it proves nothing. The end can be hurried by calling the result. */
export function dial(options: Dial): () => void {
  const { address, own, connection, material, timeoutMs } = options;
  const { tls } = material;
  const scheme = tls === undefined ? 'ws' : 'wss';
  let socket: Socket | undefined;
  let done = false;
  const fail = (error: Error): void => {
    if (done) return;
    done = true;
    const { code } = error as { readonly code?: unknown };
    options.failed(error.message, typeof code === 'string' ? code : '');
  };
  let webSocket: WebSocket;
  try {
    webSocket = new WebSocket(`${scheme}://${address}${meshPath}?node=${own}&class=${connection}`, {
      perMessageDeflate: false,
      maxPayload: frameBytesMax,
      handshakeTimeout: timeoutMs,
      generateMask: (mask) => {
        mask.fill(0);
      },
      ...(tls && { ...tls, ...byAuthority }),
    });
  } catch (error) {
    process.nextTick(fail, error);
    return () => undefined;
  }
  webSocket.on('error', fail);
  webSocket.on('upgrade', (response: IncomingMessage) => {
    socket = response.socket;
  });
  webSocket.on('open', () => {
    if (done || socket === undefined) return;
    done = true;
    options.connected(new MeshSocket(webSocket, socket, 'dialer'));
  });
  return () => {
    done = true;
    webSocket.terminate();
  };
}
