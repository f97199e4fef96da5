/** A connection until it is taken or refused. */
import { DatabaseError } from '../../base/errors.js';
import { Frame, readFrame } from './frame.js';
import { Handshake, type HandshakeParts, type Refusal, type Step } from './handshake.js';
import type { Target } from './dialer.js';
import type { MeshSocket, SocketListener } from './socket.js';
import { type ConnectionClass, type Hello, recordTypes } from './wire.js';
import { unreachable } from '../../base/assert.js';

export interface GreetingHost {
  /** The peer is who it says: `undefined` waits for its welcome, else the generation to welcome it with. */
  known(
    greeting: Greeting,
    hello: Hello,
  ):
    | { readonly refusal: Refusal; readonly detail: string }
    | { readonly generation: number | undefined };
  /** Both have taken it; the socket is the host's now. */
  taken(greeting: Greeting, hello: Hello, generation: number): void;
  /** This node refuses. */
  refused(greeting: Greeting, refusal: Refusal, detail: string): void;
  /** The peer refuses, or it is gone. */
  failed(greeting: Greeting, reason: string): void;
}

export class Greeting implements SocketListener {
  readonly socket: MeshSocket;
  /** What was dialed; undefined when the peer dialed. */
  readonly target: Target | undefined;
  readonly deadlineMs: number;
  /** What it was dialed for, if this node dialed. */
  readonly #dialed: ConnectionClass | undefined;
  readonly #handshake: Handshake;
  readonly #host: GreetingHost;
  #hello: Hello | undefined;
  #over = false;

  constructor(
    socket: MeshSocket,
    handshake: HandshakeParts,
    about: {
      readonly target: Target | undefined;
      readonly dialed: ConnectionClass | undefined;
      readonly deadlineMs: number;
    },
    host: GreetingHost,
  ) {
    this.socket = socket;
    this.target = about.target;
    this.#dialed = about.dialed;
    this.deadlineMs = about.deadlineMs;
    this.#handshake = new Handshake(handshake);
    this.#host = host;
  }

  /** Who it is or says to be. */
  get peer(): Hello | undefined {
    return this.#handshake.peer;
  }

  /** What it is for: the dialer says so. */
  connection(hello: Hello): ConnectionClass {
    return this.#dialed ?? hello.connection;
  }

  start(): void {
    const { first } = this.#handshake;
    this.socket.listener = this;
    if (this.socket.side === 'dialer') {
      this.socket.write([new Frame().add(first.type, first.body)]);
    }
  }

  frame(payload: Buffer): void {
    try {
      readFrame(payload, (type, from, to) => {
        this.#perform(this.#handshake.take(type, payload.subarray(from, to)));
        return !this.#over;
      });
    } catch (error) {
      // A RangeError: a record of the handshake that is too short.
      if (!(error instanceof DatabaseError || error instanceof RangeError)) throw error;
      this.refuse('malformed', error.message);
    }
  }

  drained(): void {
    // Whoever greets sends little and waits for answers.
  }

  closed(reason: string, bad: boolean): void {
    if (this.#over) return;
    this.#over = true;
    if (bad) this.#host.refused(this, 'malformed', reason);
    else this.#host.failed(this, reason);
  }

  refuse(refusal: Refusal, detail: string): void {
    if (this.#over) return;
    this.#over = true;
    this.socket.write([new Frame().add(recordTypes.refusal, Buffer.from(refusal))]);
    this.socket.finish(refusal);
    this.#host.refused(this, refusal, detail);
  }

  #perform(step: Step): void {
    switch (step.kind) {
      case 'wait':
        this.#send(step.send);
        break;
      case 'known':
        this.#known(step.hello, step.send);
        break;
      case 'welcome':
        if (this.#hello !== undefined) this.#take(this.#hello, step.generation);
        break;
      case 'refused':
        this.#over = true;
        this.socket.finish('refused');
        this.#host.failed(this, step.reason);
        break;
      case 'refuse':
        this.refuse(step.reason, '');
        break;
      default:
        unreachable(step);
    }
  }

  #known(hello: Hello, send: Extract<Step, { kind: 'known' }>['send']): void {
    this.#hello = hello;
    const verdict = this.#host.known(this, hello);
    if ('refusal' in verdict) {
      this.#send(send);
      this.refuse(verdict.refusal, verdict.detail);
      return;
    }
    const { generation } = verdict;
    if (generation === undefined) {
      this.#send(send);
      return;
    }
    const welcome = Buffer.alloc(4);
    welcome.writeUInt32BE(generation);
    this.#send([...send, { type: recordTypes.welcome, body: welcome }]);
    this.#take(hello, generation);
  }

  #take(hello: Hello, generation: number): void {
    this.#over = true;
    this.#host.taken(this, hello, generation);
  }

  #send(records: Extract<Step, { kind: 'known' }>['send']): void {
    if (records.length === 0) return;
    const frame = new Frame();
    for (const { type, body } of records) frame.add(type, body);
    this.socket.write([frame]);
  }
}
