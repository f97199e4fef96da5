/** A client of PostgreSQL's protocol that sends messages made by hand and shows those that come. */
import { connect, type Socket } from 'node:net';
import { must } from '#src/base/assert.js';

export interface Shown {
  readonly code: string;
  readonly body: Buffer;
}

export function cstring(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function message(code: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(code), int32(body.length + 4), body]);
}

export function startup(version: number, parameters: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [
    ...[cstring(name), cstring(value)],
  ]);
  const body = Buffer.concat([int32(version), ...pairs, Buffer.of(0)]);
  return Buffer.concat([int32(body.length + 4), body]);
}

export const query = (text: string): Buffer => message('Q', cstring(text));
export const sync = message('S');
export const flush = message('H');

export function parse(name: string, text: string, ...oids: readonly number[]): Buffer {
  return message('P', cstring(name), cstring(text), int16(oids.length), ...oids.map(int32));
}

export interface Binding {
  readonly portal?: string;
  readonly statement?: string;
  readonly binary?: boolean;
  readonly parameters?: readonly (string | Buffer | null)[];
  /** Results in binary. */
  readonly results?: boolean;
}

export function bind(binding: Binding = {}): Buffer {
  const { portal = '', statement = '', binary = false, parameters = [], results } = binding;
  const values = parameters.flatMap((one) => {
    if (one === null) return [int32(-1)];
    const bytes = Buffer.from(one as string);
    return [int32(bytes.length), bytes];
  });
  return message(
    'B',
    ...[cstring(portal), cstring(statement), int16(1), int16(binary ? 1 : 0)],
    ...[int16(parameters.length), ...values, int16(1), int16(results === true ? 1 : 0)],
  );
}

export const describe = (target: 'S' | 'P', name = ''): Buffer =>
  message('D', Buffer.from(target), cstring(name));
export const close = (target: 'S' | 'P', name = ''): Buffer =>
  message('C', Buffer.from(target), cstring(name));
export const execute = (portal = '', rows = 0): Buffer =>
  message('E', cstring(portal), int32(rows));

/** Fields of an error by their codes. */
export function errorOf({ body }: Shown): Readonly<Record<string, string>> {
  const fields = body
    .toString('utf8')
    .split('\0')
    .filter((field) => field !== '');
  return Object.fromEntries(fields.map((field) => [field.charAt(0), field.slice(1)]));
}

/** The values of a DataRow as texts. */
export function valuesOf({ body }: Shown): readonly (string | null)[] {
  return bytesOf(body).map((bytes) => (bytes === null ? null : bytes.toString('utf8')));
}

export function bytesOf(body: Buffer): readonly (Buffer | null)[] {
  const values: (Buffer | null)[] = [];
  for (let at = 2; at < body.length; ) {
    const length = body.readInt32BE(at);
    values.push(length < 0 ? null : body.subarray(at + 4, at + 4 + length));
    at += 4 + Math.max(length, 0);
  }
  return values;
}

function dial(address: string): Socket {
  const [host = '', port = ''] = address.split(':');
  return connect({ host, port: Number(port) });
}

export class RawClient {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  #length = 0;
  #ended = false;
  #wake: () => void = () => undefined;

  /** Over a connection to `address`, or one that is there. */
  constructor(address: string | Socket) {
    this.socket = typeof address === 'string' ? dial(address) : address;
    this.socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.#wake();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** A connection that is ready for queries. */
  static async open(
    address: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<{ client: RawClient; greeting: readonly Shown[] }> {
    const client = new RawClient(address);
    client.send(startup(0x0003_0000, { user: 'admin', database: 'shardforge', ...more }));
    return { client, greeting: await client.untilReady() };
  }

  send(...messages: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(messages));
  }

  /** The next bytes; undefined when the connection ends before. */
  async bytes(count: number): Promise<Buffer | undefined> {
    while (this.#length < count) {
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const parts: Buffer[] = [];
    for (let wanted = count; wanted > 0; ) {
      const first = this.#chunks[0] as Buffer;
      const part = first.subarray(0, wanted);
      parts.push(part);
      wanted -= part.length;
      if (part.length === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(part.length);
    }
    this.#length -= count;
    return Buffer.concat(parts);
  }

  async next(): Promise<Shown | undefined> {
    const head = await this.bytes(5);
    if (head === undefined) return undefined;
    const body = await this.bytes(head.readInt32BE(1) - 4);
    return { code: head.toString('latin1', 0, 1), body: must(body, 'a whole message') };
  }

  /** All messages up to the next with this code, which is the last, or the end of the connection. */
  async until(code: string): Promise<readonly Shown[]> {
    const all: Shown[] = [];
    for (;;) {
      const one = await this.next();
      if (one === undefined) return all;
      all.push(one);
      if (one.code === code) return all;
    }
  }

  untilReady(): Promise<readonly Shown[]> {
    return this.until('Z');
  }

  /** Sends and takes the answers up to ReadyForQuery; its codes in one text, with the status behind. */
  async ask(...messages: readonly Buffer[]): Promise<Answers> {
    this.send(...messages);
    return new Answers(await this.untilReady());
  }

  close(): void {
    this.socket.destroy();
  }
}

export class Answers {
  readonly all: readonly Shown[];

  constructor(all: readonly Shown[]) {
    this.all = all;
  }

  /** Codes in order; the status of the transaction is the last letter. */
  get codes(): string {
    return this.all.map(({ code, body }) => (code === 'Z' ? `Z${body}` : code)).join('');
  }

  get rows(): readonly (readonly (string | null)[])[] {
    return this.all.filter(({ code }) => code === 'D').map(valuesOf);
  }

  get tags(): readonly string[] {
    const ends = this.all.filter(({ code }) => code === 'C');
    return ends.map(({ body }) => body.toString('utf8', 0, body.length - 1));
  }

  get error(): Readonly<Record<string, string>> {
    const error = this.all.find(({ code }) => code === 'E');
    return error === undefined ? {} : errorOf(error);
  }
}
