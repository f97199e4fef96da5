/** What a {@link WireSession} is given: where its bytes come from and go to, and whom it serves. */
import type { ConnectOptions, SqlService } from '../host.js';
import type { Inbox } from './reader.js';
import type { MessageWriter } from './writer.js';

export interface WireSink {
  readonly inbox: Inbox;
  readonly out: MessageWriter;
  /** While true nothing more is executed and no more rows are asked for. */
  readonly congested: boolean;
  /** What was written leaves at the end of the turn; what was read made room. */
  flushLater(): void;
  /** Ends the connection once what was written has left. */
  close(): void;
}

export interface WireSessionOptions {
  readonly service: SqlService;
  readonly connect: ConnectOptions;
  readonly frameBytes: number;
  /** What a client must show to cancel. */
  readonly secret: Uint8Array;
}
