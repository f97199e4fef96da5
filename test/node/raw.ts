/** A node of this process, and a client that sends and shows frames as they are. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { must } from '#src/base/assert.js';
import type { AnswerFrame } from '#src/net/protocol.js';
import { checkConfig, type RunningNode, startNode } from '#src/node/index.js';

export interface Settings {
  readonly directory?: string;
  readonly workers?: number;
  readonly mapSizeBytes?: number;
  readonly limits?: Readonly<Record<string, number>>;
  readonly http?: Readonly<Record<string, unknown>>;
}

/** A node of this process, in memory unless a directory is given, on any port. */
export async function start(settings: Settings = {}): Promise<RunningNode> {
  const { directory = ':memory:', workers = 0, limits = {}, http = {} } = settings;
  const { mapSizeBytes = 1024 ** 3 } = settings;
  const data = { directory, mapSizeBytes };
  const config = checkConfig({
    ...{ data, workers, limits, http: { port: 0, ...http } },
    auth: { rules: [{ addresses: ['loopback'], method: 'trust' }] },
  });
  return startNode(config, {
    log: () => undefined,
    fatal: (error) => {
      throw error;
    },
  });
}

export function urlOf(node: Pick<RunningNode, 'addresses'>): string {
  return `http://${must(node.addresses[0], 'the node listens')}`;
}

/** Frames in, frames out, and how the connection ended. */
export class Raw {
  readonly socket: WebSocket;
  readonly #frames: AnswerFrame[] = [];
  readonly #waiting: ((frame: AnswerFrame) => void)[] = [];
  readonly closed: Promise<readonly [number, string]>;

  constructor(url: string, options: { readonly origin?: string; readonly path?: string } = {}) {
    const { path = '/sql', ...rest } = options;
    this.socket = new WebSocket(url.replace('http', 'ws') + path, 'shardforge.sql.v1', rest);
    this.socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as AnswerFrame;
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#frames.push(frame);
      else waiting(frame);
    });
    this.socket.on('error', () => undefined);
    this.closed = once(this.socket, 'close').then(([code, reason]) => [code, String(reason)]);
  }

  /** Opens a connection and takes its hello. */
  static async open(node: Pick<RunningNode, 'addresses'>): Promise<Raw> {
    const raw = new Raw(urlOf(node));
    await once(raw.socket, 'open');
    const hello = await raw.next();
    if (hello.op !== 'hello') throw new Error(JSON.stringify(hello));
    return raw;
  }

  send(...frames: readonly object[]): void {
    for (const frame of frames) this.socket.send(JSON.stringify(frame));
  }

  next(): Promise<AnswerFrame> {
    const frame = this.#frames.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** True when no frame comes for a while. */
  async silent(): Promise<boolean> {
    await new Promise((resolve) => setTimeout(resolve, 60));
    return this.#frames.length === 0;
  }

  /** Sends frames one after the other and takes one answer to each. */
  async ask(...frames: readonly object[]): Promise<AnswerFrame[]> {
    this.send(...frames);
    const answers: AnswerFrame[] = [];
    for (const _ of frames) answers.push(await this.next());
    return answers;
  }

  /** The only answer to one statement. */
  async sql(sql: string, ...params: readonly unknown[]): Promise<AnswerFrame> {
    const [answer] = await this.ask({ op: 'execute', id: 999, sql, params });
    return must(answer, 'an answer');
  }

  close(): void {
    this.socket.close();
  }
}
