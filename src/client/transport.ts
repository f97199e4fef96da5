/**
 * How frames travel. The WebSocket transport and the in-process one of `open()` do the same: the
 * rest of the SDK does not know which it has.
 */
import type { AnswerFrame, RequestFrame } from '../net/protocol.js';

/** One session with a node. */
export interface Transport {
  /** Frames arrive in the order sent. Does nothing once closed. */
  send(frame: RequestFrame): void;
  /** Ends the session; `onClose` follows unless it was called before. */
  close(): void;
}

export interface TransportEvents {
  /** The first frame is `hello`, or `error` when the node does not want the session. */
  onFrame(frame: AnswerFrame): void;
  /**
   * Called once, with the reason in words; no frame comes after it. `nothingLost`: the node has said
   * that what it has not answered has not happened.
   */
  onClose(reason: string, nothingLost?: boolean): void;
}

/** Begins a session. Never throws and never calls `events` before it has returned. */
export type Dial = (events: TransportEvents) => Transport;
