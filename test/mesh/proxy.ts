/**
 * A TCP proxy in front of a mesh port whose links can be cut, delayed and stalled, for all who dial or for
 * one node: a mesh sends its node id in plain when it asks for its WebSocket.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** As seen from the node behind the proxy: `in` is what comes to it. */
export type Direction = 'both' | 'in' | 'out';

export interface Cut {
  /** The node that dials; everybody without. */
  readonly from?: number;
  readonly direction?: Direction;
}

type Way = 'in' | 'out';

export class MeshProxy {
  readonly port: number;
  /** Pieces of bytes that came in; writes arrive as one each on a quiet loopback. */
  chunks = 0;
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #pairs = new Set<Pair>();
  #cuts: Cut[] = [];
  #delayMs = 0;
  #stalled = false;

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.#targetPort = targetPort;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client) => this.#accept(client));
  }

  /** `port`: where it listens; any without. */
  static async start(targetPort: number, port = 0): Promise<MeshProxy> {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new MeshProxy(server, targetPort);
  }

  /**
   * Bytes that go this way vanish, on what is there and on what is dialed later, and nobody is told: as
   * when a switch dies. Holds until `heal`.
   */
  cut(cut: Cut): void {
    this.#cuts.push(cut);
  }

  /** Resets the connections that are there; new ones can be made. */
  reset(from?: number): void {
    for (const pair of [...this.#pairs]) if (from === undefined || pair.from === from) pair.reset();
  }

  /** No cuts, no delay, no stall. What has lost bytes is reset, as a network has no gaps either. */
  heal(): void {
    this.#cuts = [];
    this.#delayMs = 0;
    this.#stalled = false;
    for (const pair of [...this.#pairs]) {
      if (pair.lossy) pair.reset();
      else pair.resume();
    }
  }

  /** Every byte takes so much longer, both ways, in order. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Reads no more of either side until `heal`: the buffers fill. */
  stall(): void {
    this.#stalled = true;
    for (const pair of this.#pairs) pair.pause();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const pair of [...this.#pairs]) pair.reset();
    await closed;
  }

  #accept(client: Socket): void {
    const server = connect(this.#targetPort, '127.0.0.1');
    const pair = new Pair(client, server, {
      passes: (from, way) => !this.#cuts.some((cut) => covers(cut, from, way)),
      delayMs: () => this.#delayMs,
      came: () => {
        this.chunks += 1;
      },
      closed: () => this.#pairs.delete(pair),
    });
    this.#pairs.add(pair);
    if (this.#stalled) pair.pause();
  }
}

function covers({ from, direction = 'both' }: Cut, node: number | undefined, way: Way): boolean {
  return (from === undefined || from === node) && (direction === 'both' || direction === way);
}

interface Rules {
  passes(from: number | undefined, way: Way): boolean;
  delayMs(): number;
  came(): void;
  closed(): void;
}

/** One connection through the proxy. */
class Pair {
  from: number | undefined;
  /** Bytes have vanished. */
  lossy = false;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #rules: Rules;

  constructor(client: Socket, server: Socket, rules: Rules) {
    this.#client = client;
    this.#server = server;
    this.#rules = rules;
    client.setNoDelay();
    server.setNoDelay();
    client.on('data', () => rules.came());
    client.once('data', (first) => {
      const node = /^GET \/\S*[?&]node=(\d+)/.exec(first.toString('latin1'))?.[1];
      if (node !== undefined) this.from = Number(node);
    });
    this.#pipe(client, server, 'in');
    this.#pipe(server, client, 'out');
    for (const socket of [client, server]) {
      socket.on('error', () => this.reset());
      socket.on('close', () => this.#gone());
    }
  }

  pause(): void {
    this.#client.pause();
    this.#server.pause();
  }

  resume(): void {
    this.#client.resume();
    this.#server.resume();
  }

  reset(): void {
    for (const socket of [this.#client, this.#server]) {
      if (socket.connecting) socket.destroy();
      else socket.resetAndDestroy();
    }
    this.#rules.closed();
  }

  /** Even the end of a connection does not get through a cut. */
  #gone(): void {
    const passes = this.#rules.passes(this.from, 'in') && this.#rules.passes(this.from, 'out');
    if (passes) this.reset();
    else this.lossy = true;
  }

  #pipe(from: Socket, to: Socket, way: Way): void {
    const deliver = (action: () => void): void => {
      if (!this.#rules.passes(this.from, way)) {
        this.lossy = true;
        return;
      }
      const delayMs = this.#rules.delayMs();
      if (delayMs === 0) action();
      else setTimeout(action, delayMs);
    };
    from.on('data', (bytes) =>
      deliver(() => {
        // Bytes after a gap would make a frame that nobody wrote.
        if (this.lossy || to.destroyed || !to.writable) return;
        if (!to.write(bytes)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      }),
    );
    from.on('end', () => deliver(() => to.end()));
  }
}
