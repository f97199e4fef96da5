/**
 * A {@link FrameSession} on a WebSocket: writes once per turn, holds back, notices who has gone. Its own
 * frames go to the socket past ws, which has control frames and what comes in.
 */
import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { Metrics } from '../base/metrics.js';
import { FrameSession, type FrameSessionOptions, type FrameSink } from './frame-session.js';
import { congestedBytes } from './limits.js';
import { doorMetrics } from './metrics.js';
import { textFrames } from './text-frames.js';
import { atEndOfTurn } from './write-turn.js';

/** Most bytes of a reason in a WebSocket close frame. */
const reasonBytesMax = 123;

export class SqlSocket implements FrameSink {
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #bufferBytesMax: number;
  readonly #congestedBytes: number;
  readonly #metrics: Metrics;
  readonly #session: FrameSession;
  /** Frames of this turn. */
  #outbox: string[] = [];
  #paused = false;
  #closing = false;
  #readBytes = 0;
  #drainedBytes = 0;

  constructor(webSocket: WebSocket, socket: Socket, options: FrameSessionOptions) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#bufferBytesMax = options.limits.connectionBufferBytes;
    this.#congestedBytes = Math.min(congestedBytes, this.#bufferBytesMax / 2);
    this.#metrics = options.metrics;
    this.#session = new FrameSession(options, this);
    webSocket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    webSocket.on('close', () => this.#session.end());
    socket.on('drain', () => this.#drained());
  }

  get session(): number {
    return this.#session.session;
  }

  get quiet(): boolean {
    return this.#session.quiet;
  }

  get congested(): boolean {
    return this.#paused || this.#closing;
  }

  frame(text: string): void {
    if (this.#closing) return;
    if (this.#outbox.push(text) === 1) atEndOfTurn(this.#flush);
  }

  close(code: number, reason: string): void {
    if (this.#closing) return;
    this.#flush();
    // Writing out may have found that the client does not read.
    if (this.#closing) return;
    this.#closing = true;
    this.#session.end();
    this.#webSocket.resume();
    this.#webSocket.close(code, Buffer.from(reason).subarray(0, reasonBytesMax).toString());
  }

  /**
   * To be called at intervals; the connection is cut when the client showed no life since the call
   * before: it sent nothing, not even a pong, and took none of what waits for it.
   */
  checkLife(): void {
    const readBytes = this.#socket.bytesRead;
    const drainedBytes = this.#socket.bytesWritten - this.#socket.writableLength;
    const alive =
      readBytes !== this.#readBytes || (this.#paused && drainedBytes !== this.#drainedBytes);
    this.#readBytes = readBytes;
    this.#drainedBytes = drainedBytes;
    if (alive) this.#webSocket.ping();
    else this.#webSocket.terminate();
  }

  readonly #flush = (): void => {
    const texts = this.#outbox;
    this.#outbox = [];
    // After a close frame, sent or answered by ws, no other may follow.
    const open = this.#webSocket.readyState === this.#webSocket.OPEN;
    if (texts.length === 0 || this.#closing || !open) return;
    // What one turn adds does not count: a row may be larger than the limit.
    if (this.#socket.writableLength > this.#bufferBytesMax) {
      this.close(1008, 'the client does not read and limits.connectionBufferBytes is full');
      return;
    }
    this.#socket.write(textFrames(texts));
    if (this.#socket.writableLength > this.#congestedBytes && !this.#paused) {
      this.#paused = true;
      this.#metrics.cell(doorMetrics.paused).value += 1;
      this.#webSocket.pause();
    }
  };

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#closing) return;
    if (isBinary) this.#session.refuseFrame(null, 'a frame is a text message, not a binary one');
    else this.#session.receiveText((data as Buffer).toString('utf8'));
  }

  #drained(): void {
    if (!this.#paused || this.#closing) return;
    this.#paused = false;
    this.#webSocket.resume();
    this.#session.resume();
  }
}
