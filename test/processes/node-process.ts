/** A node in a process of its own, and a client that speaks docs/protocol.md and nothing more. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { AnswerFrame, ErrorFrame, FrameParameter, FrameValue } from '#src/net/protocol.js';

export interface ProcessOptions {
  readonly directory: string;
  readonly workers?: number;
  /** Put before `node`, such as strace and its options. */
  readonly under?: readonly string[];
  /** Put before the script: options of Node. */
  readonly node?: readonly string[];
  /** The file, relative to the project; config/node.json by default. */
  readonly config?: string;
  /** The port of HTTP; any free one by default. */
  readonly port?: number;
  /** The port of PostgreSQL's protocol; one that nobody is told of by default. */
  readonly postgresPort?: number;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export class NodeProcess {
  readonly url: string;
  readonly child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = '';

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.child = child;
    this.#ended = once(child, 'exit');
    const collect = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-20_000);
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
  }

  /** Resolves when the node serves SQL. */
  static async start(options: ProcessOptions): Promise<NodeProcess> {
    const node = await NodeProcess.launch(options);
    await node.ready();
    return node;
  }

  /** Starts the process and does not wait for it. */
  static async launch(options: ProcessOptions): Promise<NodeProcess> {
    const port = options.port ?? (await freePort());
    const { under = [], node: nodeOptions = [], config = 'config/node.json' } = options;
    const command = [...under, process.execPath, ...nodeOptions, 'dist/main.js'];
    const [program = process.execPath, ...rest] = command;
    const child = spawn(program, [...rest, '--config', config], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: strace blocks signals that are meant for the node.
      detached: true,
      env: {
        ...process.env,
        SHARDFORGE_DATA_DIRECTORY: options.directory,
        SHARDFORGE_HTTP_PORT: String(port),
        SHARDFORGE_POSTGRES_PORT: String(options.postgresPort ?? 0),
        SHARDFORGE_WORKERS: String(options.workers ?? 0),
      },
    });
    return new NodeProcess(`http://127.0.0.1:${port}`, child);
  }

  /** Resolves when the node serves SQL. */
  async ready(): Promise<void> {
    for (let tries = 0; tries < 1000; tries += 1) {
      if (!this.alive) throw new Error(`the node ended:\n${this.#output}`);
      const ready = await fetch(`${this.url}/ready`).then(
        (response) => response.status === 200,
        () => false,
      );
      if (ready) return;
      await sleep(20);
    }
    throw new Error(`the node never became ready:\n${this.#output}`);
  }

  get output(): string {
    return this.#output;
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** SIGSTOP: the process stands still until {@link thaw}; its sockets stay open. */
  freeze(): void {
    this.#signal('SIGSTOP');
  }

  thaw(): void {
    this.#signal('SIGCONT');
  }

  /** The exit code of a process that ends by itself within a time; undefined when it does not. */
  async ended(withinMs: number): Promise<number | null | undefined> {
    const ended = await Promise.race([
      this.#ended.then(() => true),
      sleep(withinMs, false, { ref: false }),
    ]);
    return ended ? this.child.exitCode : undefined;
  }

  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    await this.#ended;
  }

  /** Asks the node to stop and gives its exit code. */
  async stop(): Promise<number | null> {
    this.#signal('SIGTERM');
    await this.#ended;
    return this.child.exitCode;
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.child.pid !== undefined && this.alive) process.kill(-this.child.pid, signal);
  }
}

/** The connection broke before the answer: the statement may or may not have happened. */
export class Disconnected extends Error {
  override readonly name = 'Disconnected';
}

export class StatementFailed extends Error {
  override readonly name = 'StatementFailed';
  readonly frame: ErrorFrame;

  constructor(frame: ErrorFrame) {
    super(`${frame.sqlstate} ${frame.message}`);
    this.frame = frame;
  }
}

type Rows = readonly (readonly FrameValue[])[];

interface Waiting {
  readonly rows: (readonly FrameValue[])[];
  readonly resolve: (rows: Rows) => void;
  readonly reject: (error: Error) => void;
}

export class RawClient {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#onFrame(JSON.parse(String(data)) as AnswerFrame));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Disconnected('connection lost'));
      this.#waiting.clear();
    });
  }

  static async connect({ url }: { readonly url: string }): Promise<RawClient> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/sql`, 'shardforge.sql.v1');
    const client = new RawClient(socket);
    await once(socket, 'open');
    return client;
  }

  execute(sql: string, params: readonly FrameParameter[] = []): Promise<Rows> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState !== WebSocket.OPEN) {
        reject(new Disconnected('not connected'));
        return;
      }
      this.#waiting.set(id, { rows: [], resolve, reject });
      this.#socket.send(JSON.stringify({ op: 'execute', id, sql, params }));
    });
  }

  close(): void {
    this.#socket.close();
  }

  #onFrame(frame: AnswerFrame): void {
    if (!('id' in frame) || frame.id === null) return;
    const waiting = this.#waiting.get(frame.id);
    if (waiting === undefined) return;
    if (frame.op === 'rows') waiting.rows.push(...frame.rows);
    if ('more' in frame && frame.more === true) return;
    this.#waiting.delete(frame.id);
    if (frame.op === 'error') waiting.reject(new StatementFailed(frame));
    else waiting.resolve(waiting.rows);
  }
}
